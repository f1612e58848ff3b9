"""For the shell: records all changes of a block, with the person and the reason.

with as_person("anna", reason="The client left"):
    Order.objects.filter(client__name="Acme").update(note="")
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max

from mailops.history import audited_transactions
from mailops.history.chain import acting
from mailops.history.models import TELLS, Trace
from mailops.history.untracked_changes import record_traces

CHANGED = TELLS[1]


@contextmanager
def as_person(username: str, *, reason: str) -> Iterator[User]:
    """One transaction. The triggers see each row, so bulk updates and raw SQL are recorded too."""
    if not reason.strip():
        raise ValueError("Say why: the history keeps it.")
    # The triggers skip an audited transaction, so nothing would be recorded.
    if audited_transactions.current() is not None:
        raise RuntimeError("This transaction tells its own events already.")
    # A name that nobody has raises here, before anything is changed.
    user = User.objects.get(username=username)
    with transaction.atomic(), acting(user=user, origin="the shell"):
        last = Trace.objects.aggregate(last=Max("pk"))["last"] or 0
        yield user
        record_traces(_traces(last), action=CHANGED, by=user, reason=reason)


def _traces(after: int) -> list[Trace]:
    """The traces of this transaction."""
    traces = Trace.objects.filter(pk__gt=after, told=None).order_by("pk")
    # SQLite has one writer. On PostgreSQL other transactions write traces at the same time.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT txid_current()")
            traces = traces.filter(xact=cursor.fetchone()[0])
    return list(traces)
