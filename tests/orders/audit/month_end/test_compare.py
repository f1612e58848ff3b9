"""What does not agree: each kind of difference, and what is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mailops.core.money import Totals
from orders.audit.month_end import Charge
from orders.audit.month_end.compare import Booked, with_list, with_statement
from orders.models.month_end_match import Kind
from orders.models.state import State
from vendors.apis.values import OwnedDomain


def booked(**changes: Any) -> Booked:
    about: dict[str, Any] = {
        "pk": 1, "name": "MO-1001", "state": State.DELIVERED, "reference": "ord-1", "domains": {"acme.com": 2},
        "buys_domains": True, "due_now": Totals(USD=Decimal(76)), "again": Totals(USD=Decimal(6)),
    }  # fmt: skip
    return Booked(**about | changes)


def charge(
    amount: int = 76, *, line: int = 2, reference: str = "", text: str = "", currency: str = "USD"
) -> Charge:
    return Charge(
        line=line, amount=Decimal(amount), currency=currency, reference=reference, text=text
    )


def kinds(
    orders: list[Booked], listed: list[OwnedDomain], *, known: frozenset[str] = frozenset()
) -> list[Kind]:
    return [difference.kind for difference in with_list(orders, listed, known=known).differences]


def charged(orders: list[Booked], *charges: Charge) -> list[Kind]:
    return [difference.kind for difference in with_statement(orders, charges).differences]


HELD = OwnedDomain(domain="acme.com", mailboxes=2)


def test_what_is_there_as_ordered_agrees() -> None:
    found = with_list([booked()], [HELD], known=frozenset())
    assert (found.differences, found.agreed) == ([], 1)


def test_a_bought_domain_that_is_not_listed_is_missing_unless_it_is_being_set_up() -> None:
    assert kinds([booked()], []) == [Kind.MISSING]
    assert kinds([booked(state=State.ACCEPTED, is_settling=True)], []) == []


def test_a_listed_domain_on_no_order_is_not_ours_unless_it_was_held_before() -> None:
    assert kinds([], [HELD]) == [Kind.NOT_OURS]
    assert kinds([], [HELD], known=frozenset({"acme.com"})) == []


@pytest.mark.parametrize(
    ("theirs", "buys", "found"), [(1, True, 1), (3, True, 1), (3, False, 0), (None, True, 0)]
)
def test_another_number_of_mailboxes_is_said_where_it_speaks(
    theirs: int | None, buys: bool, found: int
) -> None:
    held = OwnedDomain(domain="acme.com", mailboxes=theirs)
    assert kinds([booked(buys_domains=buys)], [held]) == [Kind.COUNT] * found


def test_a_refused_order_that_is_listed_may_be_charged_for() -> None:
    assert kinds([booked(state=State.REFUSED)], [HELD]) == [Kind.REFUSED]
    again = booked(pk=2, name="MO-1002")
    assert kinds([booked(state=State.REFUSED), again], [HELD]) == []


@pytest.mark.parametrize(
    "line",
    [
        charge(reference="ORD-1"),
        charge(text="Mailboxes (order ord-1)"),
        charge(text="acme.com, 2 mailboxes"),
        charge(),
    ],
)
def test_a_charge_finds_its_order_by_reference_domain_or_amount(line: Charge) -> None:
    assert charged([booked()], line) == []


def test_an_amount_that_two_orders_have_belongs_to_neither_by_itself() -> None:
    twins = [booked(), booked(pk=2, name="MO-1002", reference="ord-2", domains={"beta.com": 2})]
    assert sorted(charged(twins, charge())) == sorted(
        [Kind.NO_CHARGE, Kind.NO_CHARGE, Kind.NO_ORDER]
    )


def test_an_order_without_a_charge_is_said_if_it_was_sent_in_these_days() -> None:
    assert charged([booked()]) == [Kind.NO_CHARGE]
    assert charged([booked(is_new=False)]) == []
    assert charged([booked(due_now=Totals())]) == []


def test_two_charges_for_one_order_are_one_too_many_and_a_refund_ends_that() -> None:
    twice = [charge(reference="ord-1"), charge(reference="ord-1", line=3)]
    assert charged([booked()], *twice) == [Kind.TWICE]
    assert charged([booked()], *twice, charge(-76, reference="ord-1", line=4)) == []


def test_another_amount_or_currency_is_said_with_both() -> None:
    found = with_statement([booked()], [charge(80, reference="ord-1")]).differences
    assert [(d.kind, d.ours, d.theirs) for d in found] == [(Kind.AMOUNT, Decimal(76), Decimal(80))]
    assert charged([booked()], charge(reference="ord-1", currency="EUR")) == [
        Kind.AMOUNT,
        Kind.AMOUNT,
    ]


def test_a_later_month_may_charge_what_it_costs_again_or_nothing() -> None:
    assert charged([booked(is_new=False)], charge(6, reference="ord-1")) == []
    assert charged([booked(is_new=False)], charge(76, reference="ord-1")) == [Kind.AMOUNT]


def test_a_charge_for_what_was_refused_is_to_be_asked_back_and_one_for_an_unknown_speaks_for_it() -> (
    None
):
    assert charged([booked(state=State.REFUSED)], charge(text="acme.com")) == [Kind.NOTHING_BOUGHT]
    assert charged([booked(state=State.UNKNOWN)], charge(text="acme.com")) == [Kind.OUTCOME]


def test_another_amount_is_another_finding_and_the_same_is_the_same() -> None:
    one, two, three = (
        with_statement([booked()], [charge(n, reference="ord-1")]).differences[0]
        for n in (80, 80, 81)
    )
    assert one.key == two.key != three.key


def test_a_created_order_without_a_charge_is_no_difference_and_with_one_it_was_processed() -> None:
    created = booked(state=State.CREATED, due_now=Totals())
    assert charged([created]) == []
    found = with_statement([created], [charge(reference="ord-1")])
    assert [difference.kind for difference in found.differences] == [Kind.CREATED]
    assert "It was processed: record it on the order's page." in found.differences[0].says
    assert (found.orders, found.agreed) == (set(), 0)


def test_an_order_that_was_left_and_is_charged_was_processed_and_one_never_sent_was_not() -> None:
    left = booked(state=State.CANCELLED, due_now=Totals())
    never_sent = booked(state=State.CANCELLED, due_now=Totals(), reference="")
    assert charged([left], charge(reference="ord-1")) == [Kind.CREATED]
    assert charged([never_sent], charge(text="acme.com")) == [Kind.NOTHING_BOUGHT]


def test_a_created_order_that_the_list_shows_may_have_been_processed() -> None:
    created = booked(state=State.CREATED, due_now=Totals())
    assert kinds([created], []) == []
    [difference] = with_list([created], [HELD], known=frozenset()).differences
    assert (difference.kind, difference.order_id) == (Kind.REFUSED, 1)
    assert "it was processed: record it" in difference.says
