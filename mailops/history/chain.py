"""Writing the chain: each record carries the hash of the one before, in the same transaction as the
change.
"""

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

from mailops.history.audited_transactions import told

if TYPE_CHECKING:
    from mailops.history.models import Event

# "Mail": the advisory lock that lets one transaction at a time append, on PostgreSQL
CHAIN_LOCK = 0x4D61696C
# SQLite's one writer holds its lock already. PostgreSQL has to take one, and then look anew at what
# was committed: a
# plain statement sees only what stood when it began, so a function does both.
TAIL = {
    "sqlite": "SELECT number, hash FROM history_event ORDER BY number DESC LIMIT 1",
    "postgresql": "SELECT number, hash FROM history_tail()",
}
TAIL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION history_tail() RETURNS TABLE (number bigint, hash varchar) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({CHAIN_LOCK});
    RETURN QUERY SELECT e.number, e.hash FROM history_event e ORDER BY e.number DESC LIMIT 1;
END; $$"""  # noqa: S608  (a number of our own)


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Who acts, and from where."""

    who: str = ""
    user_id: int | None = None
    worker: str = ""
    origin: str = ""
    request_id: str = ""


_acting: ContextVar[Acting] = ContextVar("acting", default=Acting())  # noqa: B039  (frozen)


@contextmanager
def acting(
    *, user: Any = None, worker: bool = False, origin: str = "", request_id: str = "", who: str = ""
) -> Iterator[None]:
    """Say who acts while the block runs: a signed-in user, a worker process, or a command's
    operator by name.
    """
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
    """A command that somebody runs at the machine itself: its name, and theirs there.

    Workers say who they are.
    """
    command = argv[1] if len(argv) > 1 else ""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user need have no name
        name = str(os.getuid())
    return acting(who=f"{' '.join(['manage.py', command]).strip()}, os user {name}")


def record(
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
    """Append one event in the current transaction (a must: RuntimeError otherwise).

    `changes` holds [before, after] pairs by field name, and must be free of secrets. `by` is the
    acting user, and `who` a name, where the caller knows better than the surrounding `acting()`
    block. What is no object, or is none any more, is named by `subject_type` and `subject_text`.
    """
    from mailops.history.models import Event

    if not connection.in_atomic_block:
        raise RuntimeError(
            "A history event belongs in the same transaction as the change it tells of."
        )
    transaction = told()
    number, previous_hash = (transaction and transaction.tail()) or _tail()
    context = _acting.get()
    event = Event(
        number=number + 1,
        at=timezone.now(),
        who=(by.get_username() if by is not None else who or context.who)[:150],
        user_id=by.pk if by is not None else None if who else context.user_id,
        worker=context.worker,
        origin=context.origin,
        request_id=context.request_id,
        action=action,
        subject_type=subject._meta.label_lower if subject else subject_type,
        subject_id=str(subject.pk) if subject else subject_id,
        subject=(str(subject) if subject else subject_text)[:200],
        reason=reason,
        # through JSON and back, so that the hash is over what the database will give back
        changes=json.loads(json.dumps(dict(changes or {}), cls=DjangoJSONEncoder)),
        attempt=attempt,
        previous_hash=previous_hash,
    )
    event.hash = event.digest()
    event.save(force_insert=True)
    if transaction:
        transaction.wrote(event.number, event.hash)
    return event


def _tail() -> tuple[int, str]:
    """The end of the chain, with the lock by which nobody else appends before this transaction
    ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAIL[connection.vendor])
        return cursor.fetchone() or (0, "")
