"""Money back on a statement beside money back that is recorded here."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mailops.core.money import Totals
from orders.audit.month_end import Charge
from orders.audit.month_end.compare import Booked, with_statement
from orders.audit.month_end.statement_refunds import Refunded
from orders.models.month_end_match import Finding, Kind
from orders.models.state import State
from tests.orders.audit.month_end.test_compare import booked, charge


def back(amount: int, *, pk: int = 1, order: int | None = 1, **more: Any) -> Refunded:
    about = {"currency": "USD", "on": date(2026, 11, 3), "by_name": "ann"}
    return Refunded(pk=pk, order_id=order, amount=Decimal(amount), **about | more)


def found(orders: list[Booked], lines: list[Charge], *refunds: Refunded) -> list[Kind]:
    return [difference.kind for difference in with_statement(orders, lines, refunds).differences]


PAID = charge(reference="ord-1")


def came(amount: int, line: int = 3, **more: Any) -> Charge:
    return charge(-amount, line=line, **{"reference": "ord-1"} | more)


def test_a_charge_and_its_refund_do_not_cancel_out() -> None:
    assert found([booked()], [PAID, came(76)]) == [Kind.UNRECORDED]
    assert found([booked()], [PAID, came(76)], back(76)) == []
    assert found([booked()], [PAID], back(76)) == [Kind.NOT_BACK]


@pytest.mark.parametrize(
    ("lines", "refunds"), [([25], [10, 15]), ([10, 15], [25]), ([10, 15], [15, 10])]
)
def test_a_sum_may_come_in_parts(lines: list[int], refunds: list[int]) -> None:
    shown = [came(amount, line=n) for n, amount in enumerate(lines, 3)]
    ours = [back(amount, pk=n) for n, amount in enumerate(refunds)]
    assert found([booked()], [PAID, *shown], *ours) == []


def test_of_several_the_one_that_is_missing_is_said() -> None:
    both = [PAID, came(10), came(15, line=4)]
    (missing,) = with_statement([booked()], both, [back(10)]).differences
    assert (missing.kind, missing.theirs, missing.order_id) == (Kind.UNRECORDED, Decimal(-15), 1)
    (lacking,) = with_statement(
        [booked()], [PAID, came(10)], [back(10), back(15, pk=2)]
    ).differences
    assert (lacking.kind, lacking.ours, lacking.order_id) == (Kind.NOT_BACK, Decimal(-15), 1)


def test_money_back_of_another_month_or_currency_is_told_apart() -> None:
    earlier = back(10, is_new=False)
    assert found([booked()], [PAID], earlier) == []
    assert found([booked()], [PAID, came(10)], earlier) == []
    assert found([booked()], [PAID, came(10, currency="EUR")], back(10)) == [
        Kind.UNRECORDED,
        Kind.NOT_BACK,
    ]


def test_money_back_in_a_later_month_needs_no_charge_there() -> None:
    order = booked(is_new=False)
    assert found([order], [came(76)], back(76)) == []
    assert found([order], [came(76)]) == [Kind.UNRECORDED]


def test_an_order_that_is_not_charged_and_yet_paid_back_says_both() -> None:
    assert sorted(found([booked()], [came(76)])) == sorted([Kind.NO_CHARGE, Kind.UNRECORDED])


def test_a_vendor_that_puts_a_charge_right_by_itself_agrees() -> None:
    assert found([booked()], [charge(80, reference="ord-1"), came(4)]) == []
    assert found([booked()], [charge(80, reference="ord-1"), came(9)]) == [Kind.AMOUNT]


def test_a_line_without_an_order_finds_money_back_by_its_sum() -> None:
    line = came(13, reference="CN-9")
    assert found([], [line]) == [Kind.UNRECORDED]
    assert found([], [line], back(13, order=None)) == []
    assert found([booked()], [PAID, line], back(13)) == []
    assert found([], [line, came(13, line=4, reference="CN-8")], back(13, order=None)) == [
        Kind.UNRECORDED
    ]


def test_what_was_charged_and_given_back_for_nothing_is_no_finding() -> None:
    refused = booked(state=State.REFUSED, due_now=Totals())
    assert found([refused], [PAID, came(76)]) == []
    assert found([refused], [PAID, came(70)]) == [Kind.NOTHING_BOUGHT]


def test_a_created_order_is_in_the_match_only_once_it_is_charged() -> None:
    created = booked(state=State.CREATED, due_now=Totals())
    compared = with_statement([created], [])
    assert (compared.orders, compared.differences) == (set(), [])
    (only,) = with_statement([created], [PAID]).differences
    assert only.kind == Kind.CREATED
    assert "It was processed: record it" in only.says


def test_a_finding_about_money_back_says_its_sum_once() -> None:
    about = {"theirs": Decimal(-25), "currency": "USD", "says": "$25.00 came back."}
    assert Finding(kind=Kind.UNRECORDED, **about).amounts == ""
    assert Finding(kind=Kind.AMOUNT, **about).amounts == "-$25.00 charged"
