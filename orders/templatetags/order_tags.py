"""How pages show an order in a few words."""

from __future__ import annotations

from django import template

from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from orders.models.hold import Hold
from orders.models.state import ACTS_NEXT

register = template.Library()


@register.filter
def size(order: Order) -> str:
    """ "4 domains and 8 mailboxes". Two queries."""
    counts = (
        (order.domains.count(), "domain", "domains"),
        (order.mailboxes.count(), "mailbox", "mailboxes"),
    )
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return " and ".join(parts) or "nothing yet"


@register.filter
def next_actor(order: Order, hold: Hold | None) -> str:
    """The person or the system that the order waits for. `hold` comes from `hold_of`."""
    if order.state == State.CONFIRMED and hold:
        return hold.next_actor
    if order.overdue_since:
        return "A confirmer, it is overdue"
    if order.state in (State.DRAFT, State.REFUSED, State.PARTLY, State.UNDELIVERED):
        return order.drafted_by_name
    return ACTS_NEXT[State(order.state)]


@register.filter
def is_moving(order: Order) -> bool:
    # MailOps or the vendor works on the order, so its page asks for news every few seconds.
    return order.state in (State.CONFIRMED, State.SENDING, State.ACCEPTED, State.CREATED)


@register.filter
def outcome(attempt: Attempt, order: Order) -> str:
    """The attempt's stage in words. A vendor that only creates the order bought nothing yet."""
    if not order.creates_only or attempt.stage not in (Stage.ACCEPTED, Stage.PLACED):
        return attempt.get_stage_display()
    said = "Settled: it was created" if attempt.is_settled else "Created by the vendor"
    return f"{said} and processed" if attempt.processed_at else said
