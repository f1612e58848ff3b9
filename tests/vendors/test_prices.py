"""The cost of each year, the versions of prices, and typed exchange rates."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from mailops.core import sql_triggers
from mailops.core.money import Totals
from mailops.history.models import Event
from tests.conftest import OrderFactory
from tests.orders.test_submission import in_threads
from tests.vendors.orders import StubPrice
from vendors import price_lists
from vendors.cost import MONTH, ONCE, UNSTATED, YEAR, CostLine, CostSheet, cost_line, cost_sheet
from vendors.models import Price, PriceVersion, Rate, Vendor, exchange_rate, price_version
from vendors.practice.server import Practice


def line(unit: str = MONTH, *, quantity: int = 1, years: int = 1, **price: Any) -> CostLine:
    price = {"amount": Decimal("13.00")} | price
    return cost_line(
        {"item": StubPrice(unit=unit, **price)},
        item="item",
        label="Item",
        quantity=quantity,
        multiplier=years,
    )


def in_years(found: CostLine, count: int = 4) -> list[str | None]:
    due = [found.in_year(year) for year in range(1, count + 1)]
    return [None if amount is None else str(amount or 0) for amount in due]


# The years


@pytest.mark.parametrize(
    ("found", "years"),
    [
        (line(ONCE), ["13.00", "0", "0", "0"]),
        (line(MONTH), ["156.00", "156.00", "156.00", "156.00"]),
        (
            line(MONTH, renewal_amount=Decimal("15.00"), quantity=2),
            ["356.00", "360.00", "360.00", "360.00"],
        ),
        (line(MONTH, renewal_amount=Decimal("0.00")), ["13.00", "0", "0", "0"]),
        (line(YEAR), ["13.00", "13.00", "13.00", "13.00"]),
        (
            line(YEAR, renewal_amount=Decimal("14.50"), quantity=3),
            ["39.00", "43.50", "43.50", "43.50"],
        ),
        (line(UNSTATED), ["13.00", None, None, None]),
    ],
)
def test_each_unit_falls_due_in_its_own_rhythm(found: CostLine, years: list[str | None]) -> None:
    assert in_years(found) == years


def test_a_domain_for_several_years_costs_nothing_until_they_are_over() -> None:
    found = line(YEAR, years=3, quantity=2, renewal_amount=Decimal("14.50"))
    assert found.years_paid == 3
    assert in_years(found, 5) == ["78.00", "0", "0", "29.00", "29.00"]


def test_a_missing_price_has_no_years() -> None:
    assert in_years(cost_line({}, item="item", label="Item", quantity=2)) == [None] * 4


def test_a_sheet_puts_years_that_cost_the_same_together() -> None:
    sheet = cost_sheet(
        [
            line(YEAR, years=4),
            line(MONTH, amount=Decimal("1.00")),
            line(ONCE, amount=Decimal("5.00")),
        ]
    )
    assert [(first, last, str(due)) for first, last, due in sheet.years] == [
        (1, 1, "$69.00"), (2, 4, "$12.00"), (5, None, "$25.00"),
    ]  # fmt: skip
    assert str(sheet.once) == "$5.00"


def test_a_sheet_of_yearly_prices_has_a_first_year_and_those_after_it() -> None:
    assert [(first, last) for first, last, _ in cost_sheet([line(YEAR)]).years] == [
        (1, 1),
        (2, None),
    ]


def test_currencies_stay_apart_in_every_year() -> None:
    sheet = cost_sheet([line(YEAR), line(MONTH, currency="EUR", amount=Decimal("2.00"))])
    assert sheet.in_year(1) == Totals(USD=Decimal("13.00"), EUR=Decimal("24.00"))


def test_a_period_the_vendor_does_not_state_is_never_added_up_silently() -> None:
    sheet = cost_sheet([line(UNSTATED), line(MONTH, amount=Decimal("1.00"))])
    assert [found.item for found in sheet.unsaid] == ["item"]
    assert sheet.first_year == "at least $25.00"
    assert sheet.in_words(cost_sheet([line(UNSTATED)]).in_year(2)) == "not known"


@pytest.mark.parametrize("unit", [ONCE, MONTH, YEAR, UNSTATED])
def test_a_sheet_read_back_from_a_snapshot_is_the_same(unit: str) -> None:
    sheet = cost_sheet(
        [
            line(unit, years=2, renewal_amount=Decimal("1.25")),
            cost_line({}, item="x", label="X", quantity=1),
        ]
    )
    back = CostSheet.from_dict(json.loads(json.dumps(sheet.as_dict())))
    assert back.as_dict() == sheet.as_dict()
    assert back.years == sheet.years
    assert len(back.missing) == 1


def test_the_digest_of_a_line_has_the_fields_it_always_had() -> None:
    assert set(line(YEAR, years=2).as_dict()) == {
        "item", "label", "quantity", "multiplier", "unit_price", "renewal", "unit", "currency", "due_now", "per_month",
        "per_year", "remark",
    }  # fmt: skip
    assert line(YEAR, years=2).as_dict()["per_year"] == "13.00"


# Versions


def said(item: str) -> list[tuple[str, str, str]]:
    """(before, after, set by) of each version of an item, oldest first."""
    found = PriceVersion.objects.filter(item=item).select_related("before").order_by("pk")
    return [(v.before.says if v.before else "", v.says, v.set_by) for v in found]


@pytest.fixture
def account(factory: OrderFactory) -> Vendor:
    return factory.accounts["coldmailreseller"]


def test_the_first_price_has_a_version_whoever_made_it(account: Vendor) -> None:
    assert said("domain.com") == [("", "$13.00 a year, then $14.50", "demo")]
    assert said("mailbox.GOOGLE") == [("", "€6.00 a month", "demo")]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"amount": Decimal("13.50")}, "$13.50 a year, then $14.50"),
        ({"renewal_amount": None}, "$13.00 a year"),
        ({"renewal_amount": Decimal("20.00")}, "$13.00 a year, then $20.00"),
        ({"unit": MONTH}, "$13.00 a month, then $14.50"),
        ({"unit": UNSTATED}, "$13.00 for a period the vendor does not state, then $14.50"),
        ({"currency": "EUR"}, "€13.00 a year, then €14.50"),
        ({"domains": 2}, "$13.00 a year, then $14.50, 2 domains in a package"),
    ],
)
def test_every_term_that_changes_makes_a_version(
    account: Vendor, changed: dict[str, Any], says: str
) -> None:
    price = account.prices.get(item="domain.com")
    for name, value in changed.items():
        setattr(price, name, value)
    price_lists.put(price, by="operator")
    assert said("domain.com")[1:] == [("$13.00 a year, then $14.50", says, "operator")]


def test_typing_the_same_price_again_makes_it_younger_and_no_version(account: Vendor) -> None:
    before = account.prices.get(item="domain.com").as_of
    price_lists.put(account.prices.get(item="domain.com"), by="operator")
    assert len(said("domain.com")) == 1
    assert account.prices.get(item="domain.com").as_of > before


def test_a_price_taken_off_and_typed_again_keeps_its_past(account: Vendor) -> None:
    price = account.prices.get(item="domain.com")
    price_lists.remove(price, by="operator")
    assert not account.prices.filter(item="domain.com").exists()
    price_lists.put(
        Price(vendor=account, item="domain.com", amount=Decimal("13.00"), unit=YEAR), by="boss"
    )
    assert [(after, by) for _, after, by in said("domain.com")] == [
        ("$13.00 a year, then $14.50", "demo"), ("Taken off the list", "operator"), ("$13.00 a year", "boss"),
    ]  # fmt: skip


def test_a_price_moved_to_another_item_leaves_the_first_item(account: Vendor) -> None:
    price = account.prices.get(item="domain.com")
    price.item = "domain.org"
    price_lists.put(price, by="operator")
    assert said("domain.com")[-1][1] == "Taken off the list"
    assert said("domain.org") == [("", "$13.00 a year, then $14.50", "operator")]


def test_a_price_from_before_versions_were_kept_gets_its_first_one_late(account: Vendor) -> None:
    Price.objects.bulk_create(
        [
            Price(
                vendor=account,
                item="old",
                amount="2.00",
                unit=ONCE,
                source="Typed by x",
                as_of=timezone.now(),
            )
        ]
    )
    price = account.prices.get(item="old")
    price.amount = Decimal("3.00")
    price_lists.put(price, by="operator")
    assert said("old") == [("", "$2.00 once", ""), ("$2.00 once", "$3.00 once", "operator")]


# What is read from a vendor


def fetched_changes(vendor: Vendor) -> dict[str, Any]:
    price_lists.fetch(vendor, by="operator")
    event = Event.objects.filter(action="vendor.prices_fetched").first()
    assert event is not None
    return event.changes


def test_a_list_that_says_the_same_changes_nothing_but_the_age(factory: OrderFactory) -> None:
    before = PriceVersion.objects.count()
    assert fetched_changes(factory.accounts["woodpecker"]) == {}
    assert PriceVersion.objects.count() == before


def test_a_read_price_has_a_version_with_whoever_asked(factory: OrderFactory) -> None:
    woodpecker = factory.accounts["woodpecker"]
    woodpecker.prices.filter(item="mailbox.GOOGLE").update(amount="5.00")
    fetched_changes(woodpecker)
    assert said("mailbox.GOOGLE")[-2:] == [
        ("€6.00 a month", "€5.00 a month", ""), ("€5.00 a month", "€6.00 a month", "operator"),
    ]  # fmt: skip


def test_the_history_names_a_new_renewal_and_a_new_unit_too(factory: OrderFactory) -> None:
    woodpecker = factory.accounts["woodpecker"]
    woodpecker.prices.filter(item="mailbox.GOOGLE").update(renewal_amount="7.00")
    woodpecker.prices.filter(item="mailbox.MAILDOSO").update(unit=YEAR)
    assert fetched_changes(woodpecker) == {
        "mailbox.GOOGLE": ["6.00 EUR, then 7.00 EUR", "6.00 EUR, then the same"],
        "mailbox.MAILDOSO": ["4.00 EUR a year", "4.00 EUR a month"],
    }


def test_a_long_list_is_compared_with_its_versions_at_once(
    factory: OrderFactory, django_assert_max_num_queries: Any
) -> None:
    woodpecker = factory.accounts["woodpecker"]
    many = [
        Price(
            vendor=woodpecker,
            item=f"x{n}",
            amount=Decimal(n),
            unit=ONCE,
            source="x",
            as_of=timezone.now(),
        )
        for n in range(300)
    ]
    with django_assert_max_num_queries(8):  # SQLite takes them in a few portions
        PriceVersion.objects.keep(woodpecker, many)
    with django_assert_max_num_queries(1):
        PriceVersion.objects.keep(woodpecker, many)


# Kept for good


@pytest.mark.parametrize("table", ["vendors_priceversion", "vendors_rate"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET currency = 'EUR'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_prices_and_rates_were(
    factory: OrderFactory, table: str, statement: str
) -> None:
    Rate.objects.create(currency="USD", to="EUR", rate="0.92", typed_by_name="x")
    with (
        pytest.raises((IntegrityError, DatabaseError), match="kept for good"),
        transaction.atomic(),
    ):
        connection.cursor().execute(statement.format(table))


def test_the_rules_stand_after_every_migration(db: None) -> None:
    assert sql_triggers.missing(connection, price_version.TRIGGERS + exchange_rate.TRIGGERS) == []


# Rates


def test_the_newest_rate_to_the_reporting_currency_counts(db: None, settings: Any) -> None:
    settings.REPORTING_CURRENCY = "EUR"
    for currency, to, rate in [
        ("USD", "EUR", "0.90"),
        ("USD", "GBP", "0.80"),
        ("USD", "EUR", "0.92"),
        ("GBP", "EUR", "1.2"),
    ]:
        Rate.objects.create(currency=currency, to=to, rate=Decimal(rate), typed_by_name="jo")
    assert {name: rate.shown for name, rate in Rate.objects.current().items()} == {
        "USD": "0.92",
        "GBP": "1.2",
    }


def test_without_a_reporting_currency_no_rate_is_asked_for(
    db: None, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.REPORTING_CURRENCY = ""
    with django_assert_num_queries(0):
        assert Rate.objects.current() == {}


@pytest.mark.parametrize(
    ("rate", "shown"), [("0.920000", "0.92"), ("110.000000", "110"), ("0.000001", "0.000001")]
)
def test_a_rate_is_shown_without_needless_zeros(rate: str, shown: str) -> None:
    assert Rate(rate=Decimal(rate)).shown == shown


def test_two_readers_of_a_list_with_a_new_item_both_go_through(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    vendor = Vendor.objects.get(api="woodpecker")
    price_lists.fetch(vendor)
    for _ in range(4):
        vendor.prices.order_by("-pk")[0].delete()
        counts = in_threads(2, lambda: price_lists.fetch(Vendor.objects.get(pk=vendor.pk)))
        assert [len(fetched.read) for fetched in counts] == [vendor.prices.count()] * 2
