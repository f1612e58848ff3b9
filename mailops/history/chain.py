"""Writing the chain: each record carries the hash of the one before, in the same transaction as the change."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
from django.utils import timezone

if TYPE_CHECKING:
    from mailops.history.models import Event

CHAIN_LOCK = 0x4D61696C  # "Mail": the advisory lock that lets one transaction at a time append, on PostgreSQL


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Who acts, and from where."""

    who: str = ""
    user_id: int | None = None
    worker: str = ""
    origin: str = ""
    request_id: str = ""


_acting: ContextVar[Acting] = ContextVar("acting", default=Acting())  # noqa: B039 (frozen)


@contextmanager
def acting(
    *, user: Any = None, worker: bool = False, origin: str = "", request_id: str = "", who: str = ""
) -> Iterator[None]:
    """Say who acts while the block runs: a signed-in user, a worker process, or a command's operator by name."""
    known = user is not None and user.is_authenticated
    token = _acting.set(
        Acting(
            who=user.get_username() if known else who,
            user_id=user.pk if known else None,
            worker=f"{socket.gethostname()}/{os.getpid()}" if worker else "",
            origin=origin,
            request_id=request_id,
        )
    )
    try:
        yield
    finally:
        _acting.reset(token)


def record(
    action: str,
    subject: models.Model | None,
    *,
    subject_type: str = "",
    subject_text: str = "",
    by: Any = None,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
    attempt: int | None = None,
) -> Event:
    """Append one event in the current transaction (a must: RuntimeError otherwise).

    `changes` holds [before, after] pairs by field name, and must be free of secrets. `by` is the acting user where the
    caller knows better than the surrounding `acting()` block. What is about no row says so by type and text.
    """
    from mailops.history.models import Event

    if not connection.in_atomic_block:
        raise RuntimeError("A history event belongs in the same transaction as the change it tells of.")
    if connection.vendor == "postgresql":  # on SQLite every transaction holds the write lock already
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = Event.objects.order_by("-number").values("number", "hash").first()
    context = _acting.get()
    event = Event(
        number=last["number"] + 1 if last else 1,
        at=timezone.now(),
        who=by.get_username() if by is not None else context.who,
        user_id=by.pk if by is not None else context.user_id,
        worker=context.worker,
        origin=context.origin,
        request_id=context.request_id,
        action=action,
        subject_type=subject._meta.label_lower if subject else subject_type,
        subject_id=str(subject.pk) if subject else "",
        subject=(str(subject) if subject else subject_text)[:200],
        reason=reason,
        # through JSON and back, so that the hash is over what the database will give back
        changes=json.loads(json.dumps(dict(changes or {}), cls=DjangoJSONEncoder)),
        attempt=attempt,
        previous_hash=last["hash"] if last else "",
    )
    event.hash = event.digest()
    event.save(force_insert=True)
    return event


@dataclass
class Finding:
    """What a verification found: how many records it read, the first bad one, and why it is bad."""

    records: int = 0
    last_hash: str = ""
    bad: int | None = None
    why: str = ""
    missing_triggers: list[str] = field(default_factory=list)

    @property
    def is_unbroken(self) -> bool:
        return self.bad is None and not self.missing_triggers


def verify(events: Iterable[Event] | None = None) -> Finding:
    """Read the whole chain from the start and stop at the first record that does not fit."""
    from mailops import triggers
    from mailops.history.models import TRIGGERS, Event

    finding = Finding(missing_triggers=triggers.missing(connection, TRIGGERS))
    for event in Event.objects.order_by("number").iterator(chunk_size=2000) if events is None else events:
        expected = finding.records + 1
        if event.number != expected:
            finding.bad, finding.why = expected, "this record is missing"
        elif event.previous_hash != finding.last_hash:
            finding.bad, finding.why = event.number, "it does not follow from the record before it"
        elif event.hash != event.digest():
            finding.bad, finding.why = event.number, "its contents were altered"
        if finding.bad is not None:
            return finding
        finding.records, finding.last_hash = event.number, event.hash
    return finding
