"""The cost sheet on the pages: ages, years, wallet, one currency, and what is missing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.html import strip_tags

from orders.models import Order
from orders.plan import plan
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, url
from vendors.models import Rate, Vendor

LONG = "acme.com, Dana Reyes, dana, , , 3\nacme.net, Sam Ito, sam"


def words(order: Order, person: User, page: str = "change") -> str:
    """The text of the page, as one line."""
    response = browser(person).get(url(order, page))
    assert response.status_code == 200
    return " ".join(unescape(strip_tags(response.content.decode().replace("</dt>", " "))).split())


@pytest.fixture
def order(factory: OrderFactory) -> Order:
    return factory.draft("coldmailreseller", "domains", rows=LONG)


def test_each_line_tells_where_its_price_comes_from_and_how_old_it_is(
    factory: OrderFactory, order: Order
) -> None:
    order.vendor.prices.filter(item="mailbox").update(as_of=timezone.now() - timedelta(days=8))
    said = words(order, factory.people.drafter)
    assert "Mailboxes 2 × $3.00 Typed by demo, 1 week ago" in said
    assert "Domains .com, 3 years 1 × 3 years × $13.00" in said


def test_a_domain_for_several_years_is_said_to_be_due_after_them(
    factory: OrderFactory, order: Order
) -> None:
    said = words(order, factory.people.drafter)
    assert "$14.50 a year, due again after 3 years" in said
    assert "First 12 months, if nothing is cancelled $125.00" in said  # 39 + 14 + 12 × 6
    assert "Year 2" not in said
    assert "Years 2 to 3, each, if nothing is cancelled $87.50" in said  # 15.50 + 72
    assert "Each year from year 4 on, if nothing is cancelled $102.00" in said


def test_every_page_with_a_total_says_when_the_rest_is_due(factory: OrderFactory) -> None:
    order = factory.reviewed(
        "coldmailreseller", "domains", rows="acme.com, Dana Reyes, dana, , , 2"
    )
    assert "$3.00 a month, $14.50 a year, due again after 2 years" in words(
        order, factory.people.confirmer, "confirm"
    )
    assert "$3.00 a month, $14.50 a year, due again after 2 years" in words(
        order, factory.people.drafter
    )


def test_old_prices_are_marked_while_they_can_be_mended(
    factory: OrderFactory, settings: Any
) -> None:
    order = factory.reviewed()
    order.vendor.prices.update(as_of=timezone.now() - timedelta(days=40))
    said = words(order, factory.people.confirmer)
    assert (
        "1 of these prices is more than 30 days old. An Operator can read the vendor's prices"
        " again." in said
    )
    assert "Old price" in said
    settings.PRICES_OLD_DAYS = 60
    assert "Old price" not in words(order, factory.people.confirmer)
    settings.PRICES_OLD_DAYS = 30
    factory.confirm(order)
    assert "Old price" not in words(order, factory.people.confirmer)


def test_a_missing_price_is_named_with_what_to_do(factory: OrderFactory, order: Order) -> None:
    order.vendor.prices.filter(item="domain.net").delete()
    said = words(order, factory.people.drafter)
    assert (
        "Price missing An Operator can add it to the price list of ColdMailReseller under the item"
        " “domain.net”." in said
    )
    assert "Total now, without what is missing $45.00" in said
    assert "Add it now" not in said
    page = browser(factory.people.operator).get(url(order)).content.decode()
    assert f"/vendors/price/add/?vendor={order.vendor_id}&amp;item=domain.net" in page


def test_a_missing_price_that_the_vendor_lists_can_be_read(factory: OrderFactory) -> None:
    order = factory.draft()
    order.vendor.prices.all().delete()
    assert "An Operator can read the vendor's prices, or add it to the price list" in words(
        order, factory.people.drafter
    )


def test_a_period_the_vendor_does_not_state_is_named_as_not_counted(factory: OrderFactory) -> None:
    said = words(factory.draft("smartsenders", "domains"), factory.people.drafter)
    assert (
        "Not counted: what comes after the first payment of Domains (inboxkitGoogle domain) ($13.00)"
        " and Mailboxes (inboxkitGoogle mailbox) ($9.00)." in said
    )
    assert "First 12 months, if nothing is cancelled at least $22.00" in said
    assert "Each year after, if nothing is cancelled not known" in said


def test_a_coupon_is_named_and_taken_off_nowhere(factory: OrderFactory) -> None:
    options = {
        "price_id": "price_practice_google_4",
        "provider": "scaledmail",
        "coupon": "AUTUMN",
        "quantity": 1,
    }
    said = words(factory.draft("scaledmail", "package", options=options), factory.people.drafter)
    assert (
        "AUTUMN is sent. What it takes off is not known, so these amounts are without it." in said
    )
    assert "Total now $28.00" in said


def test_the_changes_of_a_price_are_one_click_away(factory: OrderFactory, order: Order) -> None:
    page = browser(factory.people.drafter).get(url(order)).content.decode()
    assert f"/vendors/priceversion/?vendor__id__exact={order.vendor_id}&amp;item=mailbox" in page


# The wallet


def hold(vendor: Vendor, balance: str, currency: str = "USD") -> None:
    at = timezone.now() - timedelta(hours=3)
    Vendor.objects.filter(pk=vendor.pk).update(
        balance=balance, balance_currency=currency, balance_at=at
    )


def test_the_wallet_is_shown_before_and_after_with_its_age(
    factory: OrderFactory, order: Order
) -> None:
    hold(order.vendor, "100.00")
    said = words(order, factory.people.drafter)
    assert (
        "Left at the vendor, from the balance noted 3 hours ago $100.00 Left after this order"
        " $41.00" in said
    )
    assert "would not be enough" not in said


def test_a_wallet_that_is_too_low_is_said_so(factory: OrderFactory, order: Order) -> None:
    hold(order.vendor, "50.00")
    assert "Left after this order -$9.00" in words(order, factory.people.drafter)
    assert "That would not be enough." in words(order, factory.people.drafter)


def test_nothing_is_taken_off_a_wallet_in_another_currency(
    factory: OrderFactory, order: Order
) -> None:
    hold(order.vendor, "50.00", "EUR")
    said = words(order, factory.people.drafter)
    assert "Left after this order €50.00" in said
    assert "another currency than $59.00 of this order" in said


def test_a_wallet_nobody_knows_is_not_shown(factory: OrderFactory, order: Order) -> None:
    assert "Left after" not in words(order, factory.people.drafter)


# One currency


def rate(currency: str, number: str) -> None:
    Rate.objects.create(currency=currency, to="EUR", rate=Decimal(number), typed_by_name="jo")


def test_a_total_in_one_currency_is_marked_and_names_its_rate(
    factory: OrderFactory, order: Order, settings: Any
) -> None:
    settings.REPORTING_CURRENCY = "EUR"
    rate("USD", "0.92")
    said = words(order, factory.people.drafter)
    assert "In one currency about €54.28 now, €115.00 over the first 12 months" in said
    assert f"At the rate 0.92 for USD, typed by jo on {timezone.now():%-d %b %Y}." in said


def test_two_currencies_become_one_only_at_typed_rates(
    factory: OrderFactory, order: Order, settings: Any
) -> None:
    settings.REPORTING_CURRENCY = "EUR"
    order.vendor.prices.filter(item="mailbox").update(currency="GBP")
    rate("USD", "0.5")
    said = words(order, factory.people.drafter)
    assert "There is no total in EUR: no rate for GBP is typed yet." in said
    assert "In one currency" not in said
    rate("GBP", "2")
    said = words(order, factory.people.drafter)
    assert "about €38.50 now" in said  # 53 × 0.5 + 6 × 2
    assert "Total now £6.00 + $53.00" in said


def test_without_a_reporting_currency_nothing_is_worked_out(
    factory: OrderFactory, order: Order
) -> None:
    rate("USD", "0.92")
    assert "about €" not in words(order, factory.people.drafter)


def test_a_rate_a_balance_and_an_age_change_no_digest(
    factory: OrderFactory, order: Order, settings: Any
) -> None:
    before = plan(order).digest
    settings.REPORTING_CURRENCY = "EUR"
    rate("USD", "0.92")
    hold(order.vendor, "1.00")
    order.vendor.prices.update(as_of=timezone.now() - timedelta(days=400))
    assert plan(fresh(order)).digest == before


def test_the_page_of_a_confirmed_order_keeps_the_prices_it_was_confirmed_at(
    factory: OrderFactory,
) -> None:
    order = factory.confirmed()
    order.vendor.prices.update(amount="99.00")
    assert "Mailboxes, GOOGLE 2 × €6.00" in words(order, factory.people.confirmer)
