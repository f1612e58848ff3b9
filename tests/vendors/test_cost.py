"""The cost of a draft."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.vendors.orders import PRICES, PRODUCTS, StubOrder, case, domain, mailbox
from vendors.apis import REGISTRY
from vendors.cost import CostSheet

CMR_DOMAINS = ("coldmailreseller", "domains")
CMR_MAILBOXES = ("coldmailreseller", "mailboxes")
SCALEDMAIL = ("scaledmail", "package")
WOODPECKER = ("woodpecker", "mailboxes")
SMARTSENDERS = ("smartsenders", "domains")


def lines(key: tuple[str, str], **changes: Any) -> list[tuple[str, int, int, Decimal | None]]:
    api, order = case(key)
    sheet = api.cost(order.but(**changes), PRICES)
    return [(line.item, line.quantity, line.multiplier, line.due_now) for line in sheet.lines]


def test_coldmailreseller_domains_count_by_ending_and_years() -> None:
    contents = (
        domain("a.com", mailbox("x@a.com")),
        domain("b.com", mailbox("x@b.com"), mailbox("y@b.com")),
        domain("c.com", years=3),
        domain("d.org"),
        domain("e.co.uk"),
    )
    assert lines(CMR_DOMAINS, contents=contents) == [
        ("domain.com", 2, 1, Decimal("25.00")),
        ("domain.com", 1, 3, Decimal("37.50")),
        ("domain.org", 1, 1, Decimal("11.00")),
        ("domain.co.uk", 1, 1, None),
        ("mailbox", 3, 1, Decimal("9.00")),
    ]


def test_coldmailreseller_mailboxes_cost_no_domain() -> None:
    assert lines(CMR_MAILBOXES) == [("mailbox", 2, 1, Decimal("6.00"))]


@pytest.mark.parametrize("key", [CMR_DOMAINS, CMR_MAILBOXES])
def test_coldmailreseller_says_when_the_money_is_due_later(key: tuple[str, str]) -> None:
    api, order = case(key)
    later = api.cost(order.but(options={"confirm": False}), PRICES)
    assert all("when the order is processed" in line.remark for line in later.lines)
    now = api.cost(order, PRICES)
    assert not any(line.remark for line in now.lines)
    assert (later.due_now, later.due_later, later.due) == ({}, now.due_now, now.due_now)
    assert later.first_year == now.first_year
    assert (api.creates_only(order.but(options={"confirm": False})), api.creates_only(order)) == (
        True,
        False,
    )


@pytest.mark.parametrize("key", PRODUCTS)
def test_the_digest_of_what_is_due_at_once_has_no_key_of_what_is_due_later(
    key: tuple[str, str],
) -> None:
    api, order = case(key)
    stored = api.cost(order, PRICES).as_dict()
    assert set(stored) == {"lines", "due_now", "per_month", "per_year"}
    assert not any("due_later" in line for line in stored["lines"])
    assert api.creates_only(order) is False


def test_a_stored_sheet_of_an_order_that_is_due_later_reads_back() -> None:
    api, order = case(CMR_DOMAINS)
    sheet = api.cost(order.but(options={"confirm": False}), PRICES)
    back = CostSheet.from_dict(sheet.as_dict())
    assert (back.due_later, back.due_now, back.as_dict()) == (
        sheet.due_later,
        {},
        sheet.as_dict(),
    )


def test_scaledmail_packages_are_counted() -> None:
    assert lines(SCALEDMAIL) == [("package.price_1", 1, 1, Decimal("28.00"))]
    assert lines(SCALEDMAIL, options={"quantity": 3}) == [
        ("package.price_1", 3, 1, Decimal("84.00"))
    ]
    assert lines(SCALEDMAIL, options={"price_id": ""}) == []


def test_scaledmail_coupon_is_not_taken_off() -> None:
    api, order = case(SCALEDMAIL)
    [line] = api.cost(order.but(options={"coupon": "SPRING"}), PRICES).lines
    assert line.due_now == Decimal("28.00")
    assert "coupon" in line.remark


def test_woodpecker_mailboxes_cost_what_their_provider_takes() -> None:
    assert lines(WOODPECKER) == [("mailbox.GOOGLE", 3, 1, Decimal("18.00"))]
    assert lines(WOODPECKER, options={"provider": "MICROSOFT"}) == [
        ("mailbox.MICROSOFT", 3, 1, None)
    ]


@pytest.mark.parametrize("number", [9, "9"])
def test_smartsenders_domains_and_mailboxes_cost_what_their_supplier_takes(number: Any) -> None:
    assert lines(SMARTSENDERS, options={"vendor_id": number}) == [
        ("domain.9", 2, 1, Decimal("26.00")),
        ("mailbox.9", 3, 1, Decimal("13.50")),
    ]


@pytest.mark.parametrize("key", PRODUCTS)
def test_an_unknown_price_is_missing_and_not_nothing(key: tuple[str, str]) -> None:
    api, order = case(key)
    sheet = api.cost(order, {})
    assert sheet.lines == sheet.missing


@pytest.mark.parametrize("key", PRODUCTS)
def test_an_empty_order_costs_nothing(key: tuple[str, str]) -> None:
    sheet = REGISTRY[key[0]].cost(StubOrder(product=key[1]), PRICES)
    assert sheet.lines == ()
