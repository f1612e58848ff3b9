"""The history: every step, append-only, each record chained to the one before."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from mailops.history import archive, digest, hashing
from mailops.history.archive import Archive
from mailops.history.digest import Digest
from mailops.history.verification import Verification
from mailops.triggers import Trigger

__all__ = ["ALL_TRIGGERS", "TRIGGERS", "Archive", "Digest", "Event", "Verification"]


class Event(models.Model):
    """One thing that happened. Names are kept as text, so that it stays readable when a user or an object goes."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    who = models.CharField(max_length=150, blank=True)
    user_id = models.BigIntegerField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    origin = models.CharField("from where", max_length=45, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    action = models.CharField(max_length=60)
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
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id", "number"]),
            models.Index(fields=["action", "number"]),
            models.Index(fields=["subject_type", "number"]),
            models.Index(fields=["who", "number"]),
            models.Index(fields=["subject", "number"]),
        ]
        default_permissions = ("view",)
        permissions: ClassVar = [("verify_event", "Can verify the history"), ("export_event", "Can export the history")]

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.subject}"

    @property
    def actor(self) -> str:
        """The person, or the worker that acted for MailOps."""
        return self.who or (f"MailOps ({self.worker})" if self.worker else "MailOps")

    def digest(self) -> str:
        """SHA-256 over every field but the hash itself, as canonical JSON; hex."""
        return hashing.hash_of({name: getattr(self, name) for name in hashing.FIELDS})


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
ALL_TRIGGERS = TRIGGERS + digest.TRIGGERS + archive.TRIGGERS
