"""Appends events to the chain: each holds the hash of the event before it."""

from __future__ import annotations

import getpass
import json
import os
import socket
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
from django.utils import timezone

from mailops.history import audited_transactions

if TYPE_CHECKING:
    from mailops.history.models import Event

# PostgreSQL's advisory lock ("Mail") lets one transaction at a time append.
CHAIN_LOCK = 0x4D61696C
# SQLite's one writer holds the lock already. PostgreSQL has to take the lock and then read what
# was committed: a plain statement sees only what stood when it began, so a function does both.
TAIL = {
    "sqlite": "SELECT number, hash FROM history_event ORDER BY number DESC LIMIT 1",
    "postgresql": "SELECT number, hash FROM history_tail()",
}
TAIL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION history_tail() RETURNS TABLE (number bigint, hash varchar)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({CHAIN_LOCK});
    RETURN QUERY SELECT e.number, e.hash FROM history_event e ORDER BY e.number DESC LIMIT 1;
END; $$"""  # noqa: S608  (a number of our own)


@dataclass(frozen=True, kw_only=True)
class Acting:
    who: str = ""
    user_id: int | None = None
    worker: str = ""
    origin: str = ""
    request_id: str = ""


NO_TRANSACTION = "A history event belongs in the same transaction as the change it tells of."
_acting: ContextVar[Acting] = ContextVar("acting", default=Acting())  # noqa: B039  (frozen)


@contextmanager
def acting(
    *, user: Any = None, worker: bool = False, origin: str = "", request_id: str = "", who: str = ""
) -> Iterator[None]:
    """Set who acts while the block runs: a signed-in user, a worker process, or `who` by name."""
    known = user is not None and user.is_authenticated
    token = _acting.set(
        Acting(
            who=user.get_username() if known else who,
            user_id=user.pk if known else None,
            worker=f"{socket.gethostname()}/{os.getpid()}" if worker else "",
            origin=origin,
            request_id=request_id or (str(uuid.uuid4()) if worker else ""),
        )
    )
    try:
        yield
    finally:
        _acting.reset(token)


def operator(argv: Sequence[str]) -> AbstractContextManager[None]:
    """`acting()` for a command on the machine itself: the command and the system's user."""
    command = argv[1] if len(argv) > 1 else ""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # The user of a container need not have a name.
        name = str(os.getuid())
    return acting(who=f"{' '.join(['manage.py', command]).strip()}, os user {name}")


def record(  # noqa: PLR0913  (its keywords are the fields of the event)
    action: str,
    subject: models.Model | None,
    *,
    by: Any = None,
    who: str = "",
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
    attempt: int | None = None,
    subject_type: str = "",
    subject_id: str = "",
    subject_text: str = "",
) -> Event:
    """Append one event in the current transaction. RuntimeError outside of one.

    `changes` holds [before, after] by field name, without secrets. `by`, a user, or `who`, a name,
    replaces the one of `acting()`. A subject without a row is given by its type and text.
    """
    from mailops.history.models import Event  # noqa: PLC0415  (app loading)

    if not connection.in_atomic_block:
        raise RuntimeError(NO_TRANSACTION)
    transaction = audited_transactions.current()
    number, previous_hash = (transaction and transaction.tail()) or _tail()
    context = _acting.get()
    actor, user_id = _actor(context, by=by, who=who)
    event = Event(
        number=number + 1,
        at=timezone.now(),
        who=actor[:150],
        user_id=user_id,
        worker=context.worker,
        origin=context.origin,
        request_id=context.request_id,
        action=action,
        subject_type=subject._meta.label_lower if subject else subject_type,
        subject_id=str(subject.pk) if subject else subject_id,
        subject=(str(subject) if subject else subject_text)[:200],
        reason=reason,
        # Through JSON and back, so that the hash is over what the database will return.
        changes=json.loads(json.dumps(dict(changes or {}), cls=DjangoJSONEncoder)),
        attempt=attempt,
        previous_hash=previous_hash,
    )
    event.hash = event.digest()
    # The key is set, so Django would try an UPDATE first.
    event.save(force_insert=True)
    if transaction:
        transaction.note_event(event.number, event.hash)
    return event


def _actor(context: Acting, *, by: Any, who: str) -> tuple[str, int | None]:
    if by is not None:
        return by.get_username(), by.pk
    return (who, None) if who else (context.who, context.user_id)


def _tail() -> tuple[int, str]:
    """Number and hash of the last event, locked: nobody else appends until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(TAIL[connection.vendor])
        return cursor.fetchone() or (0, "")
