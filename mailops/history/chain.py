"""Writing the chain: each record carries the hash of the one before, in the same transaction as the change."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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
    subject: models.Model,
    *,
    by: Any = None,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
    attempt: int | None = None,
) -> Event:
    """Append one event in the current transaction (a must: RuntimeError otherwise).

    `changes` holds [before, after] pairs by field name, and must be free of secrets. `by` is the acting user where the
    caller knows better than the surrounding `acting()` block.
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
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        subject=str(subject)[:200],
        reason=reason,
        # through JSON and back, so that the hash is over what the database will give back
        changes=json.loads(json.dumps(dict(changes or {}), cls=DjangoJSONEncoder)),
        attempt=attempt,
        previous_hash=last["hash"] if last else "",
    )
    event.hash = event.digest()
    event.save(force_insert=True)
    return event
