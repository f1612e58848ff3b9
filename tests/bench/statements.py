"""What the database is asked from an order's claim to its outcome, statement by statement."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order, State
from orders.tasks import submit_order

FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True)
class Asked:
    """The statements of one order in their order, and how often each word that only frames them was
    said.
    """

    statements: list[str]
    frame: Counter[str]

    def __str__(self) -> str:
        frame = ", ".join(f"{count} {word}" for word, count in sorted(self.frame.items()))
        return (
            f"{len(self.statements)} statements from claim to outcome, and apart from them {frame}"
        )


def asked_for(order_id: int) -> Asked:
    """Send one order in this process, as a worker does."""
    with CaptureQueriesContext(connection) as capture:
        submit_order(order_id)
    state = Order.objects.get(pk=order_id).state
    if state != State.ACCEPTED:
        raise RuntimeError(f"an order whose statements were to be counted reads {state}")
    said = [query["sql"] for query in capture.captured_queries]
    words = [sql.split()[0] for sql in said]
    return Asked(
        statements=[sql for sql, word in zip(said, words, strict=True) if word not in FRAME],
        frame=Counter(word for word in words if word in FRAME),
    )


def in_short(sql: str) -> str:
    """A statement on one line, the lists of columns left out."""
    text = re.sub(r"\s+", " ", sql)
    text = re.sub(r"^SELECT .+? FROM", "SELECT … FROM", text)
    return text if len(text) < 160 else f"{text[:159]}…"
