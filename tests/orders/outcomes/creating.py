"""Orders that ColdMailReseller only creates, and what a confirmer says about them afterwards."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.core.money import Totals
from mailops.history import audited, record
from orders.models import Attempt, Order
from orders.outcomes import created_orders
from orders.outcomes.created_orders import Processing, Shown
from tests.conftest import GOOGLE, OrderFactory, fresh

CMR = ("coldmailreseller", "domains")
CREATE_ONLY = GOOGLE | {"confirm": False}
COSTS = Totals({"USD": Decimal("19.00")})  # a domain and two mailboxes
TWO_DOMAINS = "one.com, Ann Lee, ann\npartial.com, Bo Lee, bo"


def created_order(factory: OrderFactory, **kwargs: Any) -> Order:
    """One that was sent; with an ordinary name the vendor created it."""
    return factory.sent(*CMR, options=CREATE_ONLY, **({"word": "later"} | kwargs))


def shown(order: Order) -> Shown:
    """The version of the order that a page of this moment shows."""
    attempt = created_orders.attempt_of(order)
    return Shown(digest=order.digest, attempt=attempt.pk if attempt else 0)


def processing(
    *, at: datetime | None = None, paid: Totals = COSTS, why_other: str = ""
) -> Processing:
    return Processing(at=at or timezone.now(), by="Kim", paid=paid, why_other=why_other)


def record_processed(
    factory: OrderFactory, order: Order, *, by: User | None = None, **kwargs: Any
) -> Order:
    order = fresh(order)
    return created_orders.record_processed(
        order.pk,
        by=by or factory.people.confirmer,
        shown=shown(order),
        processing=processing(**kwargs),
        reason="It has a subscription there.",
    )


def leave(factory: OrderFactory, order: Order, *, whose: str = "") -> Order:
    order = fresh(order)
    return created_orders.leave(
        order.pk, by=factory.people.confirmer, shown=shown(order), reason="Not wanted.", whose=whose
    )


def look_processed(order: Order, *, says: str = "later.com has a subscription.") -> None:
    """The rows as they are once the vendor's list speaks for it."""
    now = timezone.now()
    with audited():
        Order.objects.filter(pk=order.pk).update(looks_processed_at=now)
        attempts = Attempt.objects.filter(order=order)
        attempts.update(due_now=order.due.as_dict(), counted_at=now)
        record("order.looks_processed", order, reason=says)


def posted(order: Order, **changed: Any) -> dict[str, Any]:
    """The form of *It was processed*, filled in as a person would."""
    at = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    version = shown(order)
    said = {"processed_at": at, "processed_by": "Kim", "paid_USD": "19.00", "reason": "Seen it."}
    return said | {"digest": version.digest, "attempt": version.attempt} | changed
