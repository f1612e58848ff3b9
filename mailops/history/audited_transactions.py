"""The mark of a transaction whose changes are told by events, so that the database's own traces
keep quiet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import connection, transaction

# PostgreSQL: a setting that lasts as long as the transaction and holds its number, so that no other
# one can borrow it.
# SQLite: a row that is taken away before the commit. There is one writer at a time, so nobody else
# ever sees it.
MARK = {
    "postgresql": "SELECT set_config('mailops.telling', txid_current()::text, true)",
    "sqlite": "INSERT OR IGNORE INTO history_telling (id) VALUES (1)",
}
UNMARK = {
    "postgresql": "SELECT set_config('mailops.telling', '', true)",
    "sqlite": "DELETE FROM history_telling",
}


@dataclass
class Told:
    """What a marked transaction knows: the last event that it wrote, and the savepoints that were
    open then.
    """

    number: int = 0
    hash: str = ""
    savepoints: tuple[str | None, ...] = ()

    def tail(self) -> tuple[int, str] | None:
        """The end of the chain, where this transaction wrote it.

        A savepoint that is gone may have taken it along.
        """
        here = tuple(connection.savepoint_ids)
        is_there = self.number and here[: len(self.savepoints)] == self.savepoints
        return (self.number, self.hash) if is_there else None

    def wrote(self, number: int, hash: str) -> None:
        self.number, self.hash, self.savepoints = number, hash, tuple(connection.savepoint_ids)


_told: ContextVar[Told | None] = ContextVar("told", default=None)


def told() -> Told | None:
    """What is known of the marked transaction; None outside of one."""
    return _told.get()


@contextmanager
def audited(*, durable: bool = False) -> Iterator[None]:
    """`transaction.atomic()`, and a promise: what happens here is recorded by events, in this
    transaction.
    """
    nested = connection.in_atomic_block
    with transaction.atomic(durable=durable):
        if _told.get() is not None:
            yield
            return
        token = _told.set(Told())
        try:
            _say(MARK)
            yield
            # a commit ends the setting, a rollback undoes either; an outer transaction goes on
            # without the mark
            if (nested or connection.vendor == "sqlite") and not connection.needs_rollback:
                _say(UNMARK)
        finally:
            _told.reset(token)


def _say(statement: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement[connection.vendor])
