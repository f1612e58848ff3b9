"""A stopped account's page says how many orders wait for it, and which a person has to check."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from orders.models import Order, State
from tests.conftest import OrderFactory
from tests.orders.pages import browser
from vendors.models import Vendor

CMR = ("coldmailreseller", "domains")


def page(factory: OrderFactory, name: str = "operator") -> str:
    vendor = Vendor.objects.get(api="coldmailreseller")
    answer = browser(getattr(factory.people, name)).get(f"/vendors/vendor/{vendor.pk}/change/")
    return " ".join(answer.content.decode().split())


def stop() -> Vendor:
    vendor = Vendor.objects.get(api="coldmailreseller")
    vendor.stop(reason="The key was refused.")
    return vendor


def test_a_stopped_account_counts_the_orders_that_wait_and_those_to_check(
    factory: OrderFactory,
) -> None:
    assert factory.sent(*CMR, word="cut-after").state == State.UNKNOWN
    Vendor.objects.update(stopped_at=None)
    for word in ("one", "two", "later"):
        order = factory.confirmed(*CMR, word=word)
    Order.objects.filter(pk=order.pk).update(hold_until=timezone.now() + timedelta(hours=1))
    factory.confirmed()  # at another account
    vendor = stop()
    shown = page(factory)
    link = f"/orders/order/?vendor__id__exact={vendor.pk}&amp;tab="
    assert f'<a href="{link}moving">2 confirmed orders wait</a>, the first for ' in shown
    assert "They go out by themselves within a minute once it is open again." in shown
    check = f'<a href="{link}person">A confirmer checks it at the vendor</a>.'
    assert f"1 order here has an unknown outcome. {check}" in shown


def test_a_stopped_account_without_orders_says_that_none_wait(factory: OrderFactory) -> None:
    stop()
    shown = page(factory)
    assert "No confirmed order waits." in shown
    assert "unknown outcome" not in shown


def test_an_open_account_shows_no_such_panel(factory: OrderFactory) -> None:
    factory.confirmed(*CMR)
    shown = page(factory)
    assert "is stopped" not in shown
    assert "confirmed order waits" not in shown
