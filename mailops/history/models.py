"""Events, which are append-only and chained, and the traces of untracked changes."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from mailops.core.sql_triggers import Trigger, append_only
from mailops.history import archive, digest, hashing
from mailops.history.archive import Archive
from mailops.history.digest import Digest
from mailops.history.verification_state import Verification

__all__ = ["ALL_TRIGGERS", "TRIGGERS", "Archive", "Digest", "Event", "Trace", "Verification"]


class Event(models.Model):
    """One thing that happened. Subject and person are text: they outlive user and object."""

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
        permissions: ClassVar = [
            ("verify_event", "Can verify the history"),
            ("export_event", "Can export the history"),
            ("export_list", "Can export lists"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.subject}"

    @property
    def actor(self) -> str:
        return self.who or (f"MailOps ({self.worker})" if self.worker else "MailOps")

    def digest(self) -> str:
        """SHA-256 over every field but the hash itself, as canonical JSON; hex."""
        return hashing.hash_of({name: getattr(self, name) for name in hashing.FIELDS})


class Trace(models.Model):
    """An untracked change of a row, by raw SQL or in a shell. A trigger writes it.

    `told` is the number of the event that records it by now.
    """

    at = models.DateTimeField()
    table_name = models.CharField(max_length=63)
    row_key = models.CharField(max_length=60, blank=True)
    what = models.CharField(max_length=10)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    database_user = models.CharField(max_length=63, blank=True)
    origin = models.CharField(max_length=45, blank=True)
    xact = models.BigIntegerField(null=True)  # number of the transaction, on PostgreSQL
    told = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=models.Q(told=None), name="trace_not_told")
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.table_name} {self.row_key}".strip()


class Telling(models.Model):
    """SQLite's mark of the audited transaction. Empty whenever nobody writes."""

    id = models.SmallIntegerField(primary_key=True)

    class Meta:
        default_permissions = ()


_SAYS = "The history is append-only"
_TRACES_STAY = "Traces are kept as the database wrote them"
# The actions of events that record a trace.
TELLS = ("outside.changed", "shell.changed")
_EVENT_OF_TRACE = (
    "SELECT 1 FROM history_event e WHERE e.number = NEW.told AND e.subject_id = NEW.row_key"  # noqa: S608  (our own words)
    f" AND e.action IN {TELLS}"
)
# The only change that a trace allows: the event that records it is noted, once.
# A comparison with NULL is not true, so columns that may be NULL are compared as text.
_ALTERED = " OR ".join(
    ["OLD.told IS NOT NULL", "NEW.told IS NULL"]
    + [
        f"OLD.{name} <> NEW.{name}"
        for name in ("id", "at", "table_name", "row_key", "what", "database_user", "origin")
    ]
    + [
        f"COALESCE(CAST(OLD.{name} AS TEXT), '') <> COALESCE(CAST(NEW.{name} AS TEXT), '')"
        for name in ("before", "after", "xact")
    ]
)
TRIGGERS = (
    Trigger(name="history_no_update", table="history_event", event="UPDATE", message=_SAYS),
    Trigger(name="history_no_delete", table="history_event", event="DELETE", message=_SAYS),
    Trigger(name="history_no_truncate", table="history_event", event="TRUNCATE", message=_SAYS),
    Trigger(
        # SQLite's REPLACE deletes the old row without firing the trigger for deletions.
        name="history_no_replace",
        table="history_event",
        event="INSERT",
        message=_SAYS,
        when=(
            "EXISTS (SELECT 1 FROM history_event e WHERE e.number = NEW.number OR e.hash ="
            " NEW.hash)"
        ),
    ),
)
TRACE_TRIGGERS = (
    Trigger(
        name="trace_told_once",
        table="history_trace",
        event="UPDATE",
        message=_TRACES_STAY,
        when=_ALTERED,
    ),
    Trigger(
        name="trace_told_by_its_event",
        table="history_trace",
        event="UPDATE",
        columns=("told",),
        message="Traces are told by an event of their own",
        when=f"NOT ({_ALTERED}) AND NOT EXISTS ({_EVENT_OF_TRACE})",
    ),
    *(
        trigger
        for trigger in append_only("history_trace", _TRACES_STAY)
        if trigger.event != "UPDATE"
    ),
)
ALL_TRIGGERS = TRIGGERS + digest.TRIGGERS + archive.TRIGGERS
