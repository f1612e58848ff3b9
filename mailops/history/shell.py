"""For the shell: whatever changes in this block is recorded, with the person who did it and why.

with as_person("anna", reason="The client left"):
    Order.objects.filter(client__name="Acme").update(note="")
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max

from mailops.history.audited_transactions import told
from mailops.history.chain import acting
from mailops.history.models import TELLS, Trace
from mailops.history.untracked_changes import told_of

CHANGED = TELLS[1]


@contextmanager
def as_person(username: str, *, reason: str) -> Iterator[User]:
    """One transaction; its rows are told as the database traced them, so that bulk updates and raw
    SQL count too.
    """
    if not reason.strip():
        raise ValueError("Say why: the history keeps it.")
    if told() is not None:
        raise RuntimeError("This transaction tells its own events already.")
    user = User.objects.get(username=username)
    with transaction.atomic(), acting(user=user, origin="the shell"):
        last = Trace.objects.aggregate(last=Max("pk"))["last"] or 0
        yield user
        told_of(_traces(last), action=CHANGED, by=user, reason=reason)


def _traces(after: int) -> list[Trace]:
    """This transaction's own. SQLite has one writer; elsewhere others write at the same time."""
    traces = Trace.objects.filter(pk__gt=after, told=None).order_by("pk")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT txid_current()")
            traces = traces.filter(xact=cursor.fetchone()[0])
    return list(traces)
