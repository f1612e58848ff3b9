"""The list of checks: what was looked at, where, and that nothing looked at is not good."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from orders.admin.checklist import checks
from orders.models import Domain, Order
from orders.plan import plan
from orders.validation import domain_location
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.orders.pages import browser
from vendors.models import Price, Vendor

CMR, SCALEDMAIL = ("coldmailreseller", "domains"), ("scaledmail", "package")


def listed(factory: OrderFactory, order: Order) -> list[tuple[str, str]]:
    request = RequestFactory().get("/")
    request.user = factory.people.auditor
    order = fresh(order)
    return [(check["kind"], check["text"]) for check in checks(request, order, plan(order))]


def of(factory: OrderFactory, order: Order, words: str) -> tuple[str, str]:
    (found,) = [check for check in listed(factory, order) if words in check[1]]
    return found


def test_each_good_line_names_where_it_comes_from(factory: OrderFactory) -> None:
    Vendor.objects.update(order_limit=500)
    order = factory.draft(*CMR)
    assert [text for kind, text in listed(factory, order) if kind == "ok"] == [
        "By MailOps' records no domain or mailbox is owned or on another order",
        "Every price is known. Typed by demo, just now",
        "Within ColdMailReseller's limit of $500.00 an order",
    ]


def test_a_price_names_its_oldest_reading(factory: OrderFactory) -> None:
    order = factory.draft(*CMR)
    Price.objects.filter(item="mailbox").update(
        as_of=timezone.now() - timezone.timedelta(days=3), source="A list"
    )
    assert of(factory, order, "Every price")[1] == (
        "Every price is known. A list, 3\xa0days ago; Typed by demo, just now"
    )


def test_what_nobody_looked_at_is_grey(factory: OrderFactory) -> None:
    Vendor.objects.update(order_limit=500)
    order = factory.draft(*CMR, rows="")
    assert [text for kind, text in listed(factory, order) if kind == "ok"] == []
    assert {text for kind, text in listed(factory, order) if kind == "none"} == {
        "No price was looked up: there is nothing to pay for yet",
        "No domain or mailbox was compared with others yet",
        "Not compared with the limit of $500.00 an order: not every price is known",
    }
    Price.objects.filter(item="mailbox").delete()
    order = factory.draft(*CMR)
    assert of(factory, order, "limit of $500.00")[0] == "none"


def test_a_page_says_grey_in_words_and_not_good(factory: OrderFactory) -> None:
    order = factory.draft(*SCALEDMAIL)
    page = browser(factory.people.drafter).get(f"/orders/order/{order.pk}/change/").content
    assert (
        'class="none"><span class="visually-hidden">Not known: </span>ScaledMail about the domains:'
        " 4 not asked" in page.decode()
    )


@pytest.mark.parametrize(("provider", "lines"), [("scaledmail", 1), ("other", 0)])
def test_domains_at_another_registrar_need_not_be_held_in_the_account(
    factory: OrderFactory, provider: str, lines: int
) -> None:
    options: dict[str, Any] = OPTIONS[SCALEDMAIL] | {"provider": provider}
    order = factory.draft(*SCALEDMAIL, options=options)
    found = domain_location.held_here(order)
    assert [line["kind"] for line in found] == ["none"] * lines


def test_held_in_the_account_is_said_by_mailops_own_records_alone(factory: OrderFactory) -> None:
    order = factory.draft("woodpecker", "mailboxes")
    name = order.contents[0].name
    (line,) = domain_location.held_here(order)
    assert line["kind"] == "none"
    assert "Nobody asked whether Woodpecker's account holds the domain" in line["text"]
    for vendor, kind in (("scaledmail", "none"), ("woodpecker", "ok")):
        Domain.objects.filter(name=name, state="ready").delete()
        Domain.objects.create(
            name=name, vendor=factory.accounts[vendor], state="ready", client=order.client
        )
        (line,) = domain_location.held_here(order)
        assert line["kind"] == kind
    assert line["text"] == "By MailOps' records Woodpecker's account holds the domain"
    assert domain_location.held_here(factory.draft(*CMR, word="new")) == []
