"""Marks a transaction as audited: its changes are recorded as events, so the triggers skip it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import connection, transaction

from mailops.core import durability

# PostgreSQL: a setting that ends with the transaction. It holds the transaction's number, so that
# no other one can use it.
# SQLite: a row that is deleted before the commit. There is one writer at a time, so no other
# transaction ever sees it.
MARK = {
    "postgresql": (
        "SELECT set_config('mailops.telling', txid_current()::text, true),"
        f" {durability.IN_TRANSACTION}"
    ),
    "sqlite": "INSERT OR IGNORE INTO history_telling (id) VALUES (1)",
}
UNMARK = {
    "postgresql": "SELECT set_config('mailops.telling', '', true)",
    "sqlite": "DELETE FROM history_telling",
}


@dataclass
class AuditedTransaction:
    """The last event that the transaction wrote, and the savepoints that were open then."""

    # Known here, the end of the chain needs no query: no other transaction can append before the
    # end of this one.
    number: int = 0
    hash: str = ""
    savepoints: tuple[str | None, ...] = ()

    def tail(self) -> tuple[int, str] | None:
        """Number and hash of the last event; None if the transaction wrote none that stands."""
        # A savepoint that was rolled back took the events with it that were written inside.
        here = tuple(connection.savepoint_ids)
        is_there = self.number and here[: len(self.savepoints)] == self.savepoints
        return (self.number, self.hash) if is_there else None

    def note_event(self, number: int, event_hash: str) -> None:
        self.number, self.hash = number, event_hash
        self.savepoints = tuple(connection.savepoint_ids)


_current: ContextVar[AuditedTransaction | None] = ContextVar("audited_transaction", default=None)


def current() -> AuditedTransaction | None:
    return _current.get()


@contextmanager
def audited(*, durable: bool = False) -> Iterator[None]:
    """`transaction.atomic()` for changes whose events are recorded in the same transaction."""
    nested = connection.in_atomic_block
    with transaction.atomic(durable=durable):
        if _current.get() is not None:
            yield
            return
        token = _current.set(AuditedTransaction())
        try:
            _execute(MARK)
            yield
            # A commit ends PostgreSQL's setting and a rollback undoes either mark, but an outer
            # transaction goes on, and what happens there is not audited.
            if (nested or connection.vendor == "sqlite") and not connection.needs_rollback:
                _execute(UNMARK)
        finally:
            _current.reset(token)


def _execute(statement: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor])
