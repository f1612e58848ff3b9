"""What a confirmed order may have to wait for though nothing is wrong with it: room in a limit,
funds at the vendor.

It is no attempt and no failed try: the order stays confirmed and goes on by itself.
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

LOOK_AGAIN = timedelta(
    minutes=10
)  # an order that was refused gives its room back, and nobody need tell


@dataclass(frozen=True, kw_only=True)
class SpendingHold:
    """What an order waits for, what happens then, and when it is looked at again at the latest."""

    waiting_for: str
    why: str
    then: str = ""
    until: datetime | None  # None: no waiting helps, so a person decides

    @property
    def says(self) -> str:
        return f"{'Held' if self.until else 'Not sent'}. {self.why} {self.then}".strip()


def confirmed_sum(order: Order) -> Totals:
    """What the order costs now, as it was confirmed."""
    return Totals.from_dict(order.snapshot["cost"]["due_now"]) if order.snapshot else order.due_now


def hold_needed(order: Order, adds: Totals, now: datetime) -> SpendingHold | None:
    """What has no room for so much more now.

    The caller holds the account's row locked, in a transaction.
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
    """Let a confirmed order wait; told in the history once, not each time it is looked at again."""
    if held.until is None:
        if (
            found := Order.objects.locked(order.pk)
        ).confirmed_at == order.confirmed_at and found.state == State.CONFIRMED:
            found.back_to_review(action="order.returned_unsent", reason=held.says)
        return
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
