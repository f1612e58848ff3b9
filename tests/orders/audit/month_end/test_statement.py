"""Statements: which column is what, amounts as people write them, and lines that can't be read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.audit.month_end import Charge, read_statement
from orders.audit.month_end.statement import money
from orders.drafting.intake import CannotRead


def read(text: str) -> list[Charge]:
    return read_statement("statement.csv", text.encode(), currency="USD")


def test_columns_are_known_by_their_headings_in_any_order() -> None:
    found = read(
        "Date;Amount;Currency;Order ID;Description\n2026-10-02;19,00;EUR;ord-1;acme.com and more\n"
    )
    assert found == [
        Charge(
            line=2,
            amount=Decimal("19.00"),
            currency="EUR",
            reference="ord-1",
            text="acme.com and more",
            date="2026-10-02",
        )
    ]


def test_a_symbol_names_the_currency_and_the_forms_choice_does_otherwise() -> None:
    found = read("reference,amount\na,€5\nb,5\n")
    assert [charge.currency for charge in found] == ["EUR", "USD"]


def test_a_last_line_with_the_total_is_no_charge() -> None:
    assert len(read("reference,amount,description\na,5,x\nb,6,y\nTotal,,\n")) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one,two\n1,2\n", "can't be told apart"),
        ("reference,amount\na,much\n", "Line 2: “much” is no amount"),
        ("reference,amount,currency\na,5,dollars\n", "Line 2: “DOLLARS” is no currency"),
        ("reference,amount\n", "no charges"),
    ],
)
def test_a_statement_that_cannot_be_read_whole_is_not_read_in_part(text: str, words: str) -> None:
    with pytest.raises(CannotRead, match=words) as told:
        read(text)
    assert told.value.fix


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("76", "76"), ("$76.00", "76"), ("1,234.50", "1234.5"), ("1.234,50", "1234.5"), ("1,234", "1234"),
        ("1.234.567,8", "1234567.8"), ("(76.00)", "-76"), ("76-", "-76"), ("USD 12.5", "12.5"), ("1'000.00", "1000"),
        ("0", "0"),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(written: str, amount: str) -> None:
    assert money(written) == Decimal(amount)


@pytest.mark.parametrize("written", ["", "abc", "1.2345", "9" * 12, "1,2,3.4.5", "--", "=1+1"])
def test_what_is_no_amount_is_none(written: str) -> None:
    assert money(written) is None


@given(st.decimals(min_value=-99999999, max_value=99999999, places=2))
def test_every_amount_with_two_decimals_is_read_back(amount: Decimal) -> None:
    assert money(f"{amount:,.2f}") == amount
    assert money(f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))) == amount


@given(st.text(max_size=40))
def test_no_text_makes_reading_an_amount_fail(written: str) -> None:
    money(written)
