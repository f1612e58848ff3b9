"""Holds of confirmed orders by a limit or by the balance.

A hold is no attempt and no failed try: the order stays confirmed and goes on by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mailops.core.money import Totals
from mailops.history import record
from orders.models import Order, State
from orders.models.hold import BALANCE, LIMIT
from orders.spending import balance, limits

# A refused order frees room in a limit, and nothing tells the orders that wait for it. So each is
# tried again this often.
LOOK_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class SpendingHold:
    """The reason why an order waits, and the time of the next try at the latest."""

    waiting_for: str
    why: str
    then: str = ""
    # None where waiting does not help, so that a person has to decide.
    until: datetime | None

    @property
    def says(self) -> str:
        return f"{'Held' if self.until else 'Not sent'}. {self.why} {self.then}".strip()


def confirmed_sum(order: Order) -> Totals:
    return Totals.from_dict(order.snapshot["cost"]["due_now"]) if order.snapshot else order.due_now


def hold_needed(order: Order, adds: Totals, now: datetime) -> SpendingHold | None:
    """The hold that keeps the order from spending the amounts now, or None.

    The caller has the account's row locked.
    """
    again = now + LOOK_AGAIN
    if use := limits.used_up(order, adds, now):
        if use.limit < adds.get(use.owner.limit_currency, limits.NOTHING):
            then = "Split it, or ask an Operator to raise the limit."
            return SpendingHold(
                waiting_for=LIMIT, why=f"It costs more than {use.words}.", then=then, until=None
            )
        left = use.limit - use.used
        why = (
            f"Of {use.words} only {use.money(left)} is left."
            if left > 0
            else f"Nothing is left of {use.words}."
        )
        return SpendingHold(
            waiting_for=LIMIT,
            why=why,
            then=f"It goes on {limits.ON[use.period]}.",
            until=min(use.ends_at, again),
        )
    if why := balance.too_low(order.vendor, adds):
        return SpendingHold(waiting_for=BALANCE, why=why, until=again)
    return None


def put_on_hold(order: Order, held: SpendingHold) -> None:
    """Put a confirmed order on hold, or send it back for review where waiting does not help."""
    if held.until is None:
        if (
            found := Order.objects.locked(order.pk)
        ).confirmed_at == order.confirmed_at and found.state == State.CONFIRMED:
            found.back_to_review(action="order.returned_unsent", reason=held.says)
        return
    # A hold is recorded once, not again after each try that finds the same reason.
    is_news = (order.waiting_for, order.reason) != (held.waiting_for, held.says)
    waits = Order.objects.filter(
        pk=order.pk, state=State.CONFIRMED, confirmed_at=order.confirmed_at
    )
    fields = {
        "waiting_for": held.waiting_for,
        "held_at": timezone.now(),
        "reason": held.says,
        "next_try_at": held.until,
        "queued_at": None,
    }
    if waits.update(**fields) and is_news:
        record("order.held", order, reason=held.says)
