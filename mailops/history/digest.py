"""Digests: number and hash of the last event, kept outside the database to notice a rewrite."""

from __future__ import annotations

import json
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from mailops.core.sql_triggers import Trigger


class DigestQuerySet(models.QuerySet["Digest"]):
    def to_be_written(self) -> DigestQuerySet:
        return self.filter(file="").order_by("id")

    def to_be_mailed(self) -> DigestQuerySet:
        # The newest alone: it covers all events before it as well.
        newest = self.order_by("-id").values("id")[:1]
        return (
            self.filter(id__in=newest, mailed_at=None)
            if settings.HISTORY_DIGEST_TO
            else self.none()
        )


class Digest(models.Model):
    """The end of the chain at a time, and where it was written to and sent."""

    number = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    file = models.CharField("written to", max_length=300, blank=True)
    mailed_to = models.CharField("sent to", max_length=500, blank=True)
    mailed_at = models.DateTimeField("sent", null=True)
    trouble = models.CharField(max_length=200, blank=True)

    objects = DigestQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["number"])]

    def __str__(self) -> str:
        return f"digest of record {self.number}"

    @property
    def line(self) -> str:
        return line(self.number, self.hash, self.at)


def line(number: int, event_hash: str, at: datetime) -> str:
    """One line of a digest file."""
    fields = {"number": number, "hash": event_hash, "at": at.isoformat(timespec="seconds")}
    return json.dumps(fields)


_SAYS = "Digests of the history are kept for good"
TRIGGERS = (
    Trigger(
        name="history_digest_no_update",
        table="history_digest",
        event="UPDATE",
        columns=("id", "number", "hash", "at"),
        message=_SAYS,
    ),
    Trigger(name="history_digest_no_delete", table="history_digest", event="DELETE", message=_SAYS),
    Trigger(
        name="history_digest_no_truncate", table="history_digest", event="TRUNCATE", message=_SAYS
    ),
    Trigger(
        name="history_digest_no_replace",
        table="history_digest",
        event="INSERT",
        message=_SAYS,
        when="EXISTS (SELECT 1 FROM history_digest d WHERE d.id = NEW.id)",
    ),
)
