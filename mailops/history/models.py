"""The history: every step, append-only, each record chained to the one before."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from mailops.triggers import Trigger


class Event(models.Model):
    """One thing that happened. Names are kept as text, so that it stays readable when a user or an object goes."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    who = models.CharField(max_length=150, blank=True)
    user_id = models.BigIntegerField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    origin = models.CharField("from where", max_length=45, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    action = models.CharField(max_length=60, db_index=True)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    attempt = models.BigIntegerField(null=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [models.Index(fields=["subject_type", "subject_id", "number"])]
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("verify_event", "Can verify the history"),
            ("export_event", "Can export the history"),
            ("export_list", "Can export lists"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.subject}"

    @property
    def actor(self) -> str:
        """The person, or the worker that acted for MailOps."""
        return self.who or (f"MailOps ({self.worker})" if self.worker else "MailOps")

    def digest(self) -> str:
        """SHA-256 over every field but the hash itself, as canonical JSON; hex."""
        fields: dict[str, Any] = {
            field.attname: getattr(self, field.attname) for field in self._meta.concrete_fields if field.name != "hash"
        }
        fields["at"] = self.at.isoformat(timespec="microseconds")
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, cls=DjangoJSONEncoder)
        return hashlib.sha256(text.encode()).hexdigest()


_SAYS = "The history is append-only"
TRIGGERS = (
    Trigger(name="history_no_update", table="history_event", event="UPDATE", message=_SAYS),
    Trigger(name="history_no_delete", table="history_event", event="DELETE", message=_SAYS),
    Trigger(name="history_no_truncate", table="history_event", event="TRUNCATE", message=_SAYS),
    Trigger(
        name="history_no_replace",  # SQLite's REPLACE deletes the old row without asking the trigger for deletions
        table="history_event",
        event="INSERT",
        message=_SAYS,
        when="EXISTS (SELECT 1 FROM history_event e WHERE e.number = NEW.number OR e.hash = NEW.hash)",
    ),
)
