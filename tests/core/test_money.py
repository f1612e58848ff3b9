"""Money: exact to the cent, each currency by itself, shown the way people write it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailops.core.money import Totals, show
from tests.vendors.orders import StubPrice
from vendors.cost import MONTH, ONCE, UNSTATED, YEAR, CostLine, CostSheet, cost_line, cost_sheet

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("9999999999.99"), places=2)
CURRENCIES = st.sampled_from(["USD", "EUR", "GBP", "CHF", "JPY"])


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("76", "USD", "$76.00"),
        ("0", "USD", "$0.00"),
        ("0.1", "EUR", "€0.10"),
        ("1234567.8", "GBP", "£1,234,567.80"),
        ("76", "CHF", "CHF 76.00"),
        ("-3.5", "USD", "-$3.50"),
        ("-3.5", "CHF", "-CHF 3.50"),
        ("9999999999.99", "USD", "$9,999,999,999.99"),
    ],
)
def test_an_amount_is_shown_with_its_currency(amount: str, currency: str, text: str) -> None:
    assert show(Decimal(amount), currency) == text


def test_currencies_are_shown_side_by_side_and_never_added() -> None:
    totals = Totals.of([("USD", Decimal(1)), ("EUR", Decimal(2)), ("USD", Decimal("0.50"))])
    assert totals == {"USD": Decimal("1.50"), "EUR": Decimal(2)}
    assert str(totals) == "€2.00 + $1.50"


def test_what_has_no_price_counts_for_nothing() -> None:
    assert str(Totals.of([("USD", None)])) == "nothing"
    assert str(Totals()) == "nothing"


def test_ten_dimes_are_a_dollar() -> None:
    assert Totals.of([("USD", Decimal("0.10"))] * 10) == {"USD": Decimal("1.00")}


@given(st.lists(st.tuples(CURRENCIES, AMOUNTS)))
def test_totals_survive_storing_to_the_cent(amounts: list[tuple[str, Decimal]]) -> None:
    totals = Totals.of(amounts)
    stored = json.loads(json.dumps(totals.as_dict()))
    assert Totals.from_dict(stored) == totals
    assert list(stored) == sorted(stored)
    for currency in {currency for currency, _ in amounts}:
        cents = sum(int(amount * 100) for own, amount in amounts if own == currency)
        assert totals[currency] * 100 == cents


@given(st.lists(st.tuples(CURRENCIES, AMOUNTS)), st.randoms())
def test_the_order_of_lines_does_not_matter(
    amounts: list[tuple[str, Decimal]], random: object
) -> None:
    shuffled = list(amounts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Totals.of(shuffled) == Totals.of(amounts)


# The cost sheet


def line(unit: str = MONTH, *, quantity: int = 3, multiplier: int = 1, **price: object) -> CostLine:
    prices = {"item": StubPrice(unit=unit, **price)}  # type: ignore[arg-type]
    return cost_line(prices, item="item", label="Item", quantity=quantity, multiplier=multiplier)


@pytest.mark.parametrize(
    ("unit", "month", "year"),
    [(MONTH, "9.00", None), (YEAR, None, "9.00"), (ONCE, None, None), (UNSTATED, None, None)],
)
def test_what_is_due_again_goes_by_the_unit(unit: str, month: str | None, year: str | None) -> None:
    found = line(unit)
    assert found.due_now == Decimal("9.00")
    assert (found.per_month, found.per_year) == (month and Decimal(month), year and Decimal(year))


def test_a_domain_for_two_years_costs_twice_now_and_once_a_year_later() -> None:
    found = line(YEAR, quantity=1, multiplier=2, amount=Decimal("13.00"))
    assert (found.due_now, found.per_year) == (Decimal("26.00"), Decimal("13.00"))


def test_a_renewal_that_costs_more_shows_in_the_later_years_only() -> None:
    found = line(YEAR, quantity=2, amount=Decimal("13.00"), renewal_amount=Decimal("14.50"))
    assert (found.due_now, found.per_year) == (Decimal("26.00"), Decimal("29.00"))


def test_a_renewal_for_nothing_is_nothing_and_not_the_first_price() -> None:
    assert line(YEAR, renewal_amount=Decimal("0.00")).per_year == Decimal("0.00")


def test_a_missing_price_is_missing_and_not_nothing() -> None:
    missing = cost_line({}, item="domain.com", label=".com domain", quantity=2)
    sheet = cost_sheet([missing, line()])
    assert sheet.missing == (missing,)
    assert (missing.due_now, missing.per_month) == (None, None)
    assert str(sheet.due_now) == "$9.00"
    assert missing.as_dict()["unit_price"] is None


def test_a_line_of_nothing_is_left_out() -> None:
    assert cost_sheet([line(quantity=0)]) == CostSheet(())


def test_a_sheet_is_plain_json_with_exact_amounts() -> None:
    sheet = cost_sheet([line(), line(YEAR, currency="EUR", amount=Decimal("0.10"))])
    assert json.loads(json.dumps(sheet.as_dict())) == sheet.as_dict()
    assert sheet.as_dict()["due_now"] == {"EUR": "0.30", "USD": "9.00"}


def test_the_age_of_a_price_is_no_part_of_the_sheet() -> None:
    from datetime import UTC, datetime

    old, new = line(), line(as_of=datetime(2030, 1, 1, tzinfo=UTC), source="read again")
    assert old.as_dict() == new.as_dict()
