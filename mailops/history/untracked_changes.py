"""Untracked changes: records an event for each trace that the triggers wrote, and counts them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.utils import timezone

from mailops.core.sql_triggers import HIDDEN
from mailops.history.audited_transactions import audited
from mailops.history.chain import record
from mailops.history.models import TELLS, Archive, Event, Telling, Trace

CHANGED = TELLS[0]
MOST_TRACES, BATCH = 1000, 100  # traces in one run, and in one transaction
LONGEST_VALUE = 500  # characters
LATE = timedelta(minutes=5)
SOMEBODY = "somebody outside MailOps"
WORDS = {"insert": "added", "update": "changed", "delete": "deleted", "truncate": "emptied"}


def tell(at_most: int = MOST_TRACES) -> int:
    """Record an event for each trace that has none. Returns how many. Safe to run twice at once."""
    done = 0
    while done < at_most:
        with audited():
            some = Trace.objects.filter(told=None).order_by("pk")
            # A second run takes other rows instead of waiting for these.
            some = some.select_for_update(
                skip_locked=connection.features.has_select_for_update_skip_locked
            )
            traces = list(some[:BATCH])
            record_traces(traces, action=CHANGED)
        done += len(traces)
        if len(traces) < BATCH:
            break
    return done


def record_traces(
    traces: Iterable[Trace], *, action: str, by: Any = None, reason: str = ""
) -> None:
    """Record one event a trace: by the person `by`, or else by the database's user."""
    names = _Names()
    for trace in traces:
        model = names.models.get(trace.table_name)
        user = trace.database_user
        event = record(
            action,
            None,
            by=by,
            who="" if by else f"database user {user}" if user else SOMEBODY,
            reason=reason or _happened(trace),
            changes=names.changes(trace, model),
            subject_type=model._meta.label_lower if model else trace.table_name,
            subject_id=trace.row_key,
            subject_text=names.subject(trace, model),
        )
        Trace.objects.filter(pk=trace.pk).update(told=event.number)


def _happened(trace: Trace) -> str:
    at = timezone.localtime(trace.at)
    where = f", from {trace.origin}" if trace.origin else ""
    done = f"A row was {WORDS[trace.what]}" if trace.row_key else "The whole table was emptied"
    return f"{done} in the database on {at:%-d %b %Y at %H:%M:%S %Z}{where}, and not by MailOps."


class _Names:
    """Names of the rows that traces are about. Each is queried once."""

    def __init__(self) -> None:
        found = apps.get_models(include_auto_created=True)
        self.models = {model._meta.db_table: model for model in found if not model._meta.proxy}
        self._known: dict[tuple[type[models.Model], str], str] = {}

    def subject(self, trace: Trace, model: type[models.Model] | None) -> str:
        if model is None or not trace.row_key:
            return f"table {trace.table_name}"
        named = "" if model._meta.auto_created else self._name(model, trace.row_key)
        return named or f"{model._meta.verbose_name} {trace.row_key}"

    def changes(self, trace: Trace, model: type[models.Model] | None) -> dict[str, Any]:
        """[before, after] by field; keys of other rows are followed by their names."""
        before, after = trace.before or {}, trace.after or {}
        pairs = {name: [before.get(name), after.get(name)] for name in {**before, **after}}
        return {
            name: [self._value(name, value, model) for value in pair]
            for name, pair in pairs.items()
            if pair[0] != pair[1] or pair[0] == HIDDEN
        }

    def _value(self, column: str, value: Any, model: type[models.Model] | None) -> Any:
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            # The digest proves the rest of the text against a backup.
            digest = hashlib.sha256(value.encode()).hexdigest()
            return f"{value[:LONGEST_VALUE]}… ({len(value)} characters, SHA-256 {digest})"
        fields = {field.column: field for field in model._meta.concrete_fields} if model else {}
        related = fields[column].related_model if column in fields else None
        if related is None or value is None or isinstance(related, str):
            return value
        name = self._name(related, str(value))
        return f"{value} ({name})" if name else value

    def _name(self, model: type[models.Model], key: str) -> str:
        if (model, key) not in self._known:
            found = (
                model._default_manager.filter(pk=key).first()
                if key.lstrip("-").isdecimal()
                else None
            )
            self._known[model, key] = str(found) if found else ""
        return self._known[model, key]


@dataclass(frozen=True)
class UntrackedSummary:
    """Recent untracked changes: how many and the last one; how many have no event, the oldest one.

    `marked`: on SQLite somebody left the mark of an audited transaction, so triggers do nothing.
    """

    count: int
    last: datetime | None
    untold: int
    oldest: datetime | None
    marked: bool = False

    @property
    def is_late(self) -> bool:
        return self.oldest is not None and timezone.now() - self.oldest > LATE


def lately(since: timedelta = timedelta(days=7)) -> UntrackedSummary:
    recorded = Event.objects.filter(action=CHANGED, at__gte=timezone.now() - since)
    events = recorded.order_by().aggregate(count=models.Count("pk"), last=models.Max("at"))
    traces = Trace.objects.filter(told=None).aggregate(
        untold=models.Count("pk"), oldest=models.Min("at")
    )
    return UntrackedSummary(**events, **traces, marked=Telling.objects.exists())


def silenced() -> int:
    """How many traces claim an event that does not record them: somebody marked them by hand."""
    event = Event.objects.filter(
        number=models.OuterRef("told"), action__in=TELLS, subject_id=models.OuterRef("row_key")
    )
    marked = Trace.objects.exclude(told=None)
    # Events of older traces are in a file by now.
    if last := Archive.objects.order_by("-last").first():
        marked = marked.exclude(told__lte=last.last, at__lt=last.at)
    counts = marked.aggregate(
        lost=models.Count("pk", filter=~models.Exists(event)),
        all=models.Count("told"),
        events=models.Count("told", distinct=True),
    )
    # Two traces with the same event: only one of them can be the right one.
    return int(counts["lost"] + counts["all"] - counts["events"])
