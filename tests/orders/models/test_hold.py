"""What holds a confirmed order, in words: the switches first, then the times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mailops.core.times import moment
from orders.models import Order
from orders.models.hold import hold_of
from orders.templatetags.order_tags import next_actor
from tests.conftest import OrderFactory, fresh
from vendors.models import SendingSwitch, Vendor

LATER = timezone.now() + timedelta(minutes=30)


def order_with(**fields: Any) -> Callable[[Order], object]:
    return lambda order: Order.objects.filter(pk=order.pk).update(**fields)


@pytest.mark.parametrize(
    ("hold", "says", "short", "actor"),
    [
        (
            lambda _: SendingSwitch.current().hold(reason="Prices look wrong", by="operator"),
            "All sending is held since {now} by operator: Prices look wrong.",
            "All sending is held",
            "An operator",
        ),
        (
            lambda order: order.vendor.stop(reason="Card expired."),
            "Sending to Woodpecker is stopped since {now}: Card expired.",
            "Woodpecker is stopped",
            "An operator",
        ),
        (
            order_with(planned_for=LATER),
            "Planned for {later}. Until then it can be cancelled.",
            "Planned for {later}",
            "MailOps",
        ),
        (
            order_with(hold_until=LATER),
            "Held until {later}, so that it can still be cancelled.",
            "Held until {later}",
            "MailOps",
        ),
        (
            order_with(next_try_at=LATER, reason="No connection was made"),
            "No connection was made. MailOps tries again at {later}.",
            "Tries again at {later}",
            "MailOps",
        ),
        (
            lambda order: Vendor.objects.filter(pk=order.vendor_id).update(next_turn_at=LATER),
            "Woodpecker asked for a pause until {later}. MailOps sends it then.",
            "Woodpecker asked for a pause until {later}",
            "MailOps",
        ),
    ],
)
def test_what_holds_an_order_is_said(
    factory: OrderFactory, hold: Callable[[Order], object], says: str, short: str, actor: str
) -> None:
    order = factory.confirmed()
    assert (hold_of(order), next_actor(order, None)) == (None, "MailOps")
    hold(order)
    order = fresh(order)
    found = hold_of(order)
    assert found
    since = moment(found.since) if found.since else ""
    words = {"now": since, "later": moment(LATER)}
    assert (found.says, found.short) == (says.format(**words), short.format(**words))
    assert next_actor(order, found) == actor
    assert bool(found.since) is bool(found.then) is (actor == "An operator")
