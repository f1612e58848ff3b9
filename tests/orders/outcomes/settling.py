"""Verdicts, orders and late answers for the tests of settling."""

from __future__ import annotations

from orders import submission
from orders.models import Attempt, Order
from orders.outcomes import settlement
from orders.sending import classification, preflight
from orders.sending.results import Result
from tests.conftest import claim, mark
from vendors.http import Reply

PLACED, PARTLY, NOT_PLACED = settlement.PLACED, settlement.PARTLY, settlement.NOT_PLACED
BOUGHT = ("coldmailreseller", "domains")
TWO_DOMAINS = "cut-before.com, Ann Lee, ann\ncut-before.com, Bo Lee, bo\nother.com, Sam Ito, sam"


def open_news(order: Order) -> list[int]:
    return list(order.attempts.filter(news_at__isnull=False).values_list("number", flat=True))


def claimed_and_marked(order: Order) -> Attempt:
    """The order taken up for another request, its vendor's list read as for a real one."""
    if submission.claim(order.pk) is Result.READ_FIRST:
        assert preflight.LISTING.read(order) is None
        attempt = claim(order.pk)
    assert attempt is not None
    assert mark(attempt)
    return attempt


def answer(attempt: Attempt, *, status: int, body: bytes = b"") -> str:
    """What the worker writes when this answer comes."""
    reply = Reply(status=status, headers={}, body=body, seconds=1)
    return submission.record_outcome(
        attempt, reply, classification.verdict_over(attempt.order, reply)
    )
