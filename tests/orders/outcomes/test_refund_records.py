"""Money back: who may record it, how much of it, and what it changes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import NotAllowed, Order, Refund
from orders.outcomes import refund_records
from orders.outcomes.refund_records import Said
from orders.spending import refund_sums
from orders.spending.refund_sums import ASKED, DENIED, GOT
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.settling import NOT_PLACED, PARTLY, PLACED
from tests.orders.spending.counting import (
    CMR,
    one_left_out,
    spent_of_balance,
    used,
    with_limit,
)
from vendors.models import Vendor


def said(state: str, amount: str, **more: Any) -> Said:
    known = {"currency": "USD", "on": timezone.localdate(), "note": "Ticket 7."}
    return Said(state=state, amount=Decimal(amount), **known | more)


def say(factory: OrderFactory, order: Order, state: str, amount: str, **more: Any) -> Refund:
    about = more.pop("about", None)
    by = more.pop("by", factory.people.confirmer)
    return refund_records.say(order.pk, said(state, amount, **more), by=by, about=about)


def rows(order: Order) -> list[tuple[str, Decimal]]:
    return list(order.refunds.order_by("pk").values_list("state", "amount"))


def test_what_came_back_never_exceeds_what_the_order_counts(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    say(factory, order, GOT, "20")
    with pytest.raises(
        NotAllowed, match=r"counts \$32\.00\. Of that at most \$12\.00 can still come"
    ):
        say(factory, order, GOT, "12.01")
    with pytest.raises(NotAllowed, match=r"at most €0\.00"):
        say(factory, order, GOT, "1", currency="EUR")
    say(factory, order, GOT, "12")
    assert rows(order) == [(GOT, 20), (GOT, 12)]
    assert refund_sums.most_to_get(order) == {}


def test_each_step_is_in_the_orders_history(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    asked = say(factory, order, ASKED, "13")
    say(factory, order, GOT, "13", about=asked.pk, kind="credit", reference="CN-1")
    say(factory, order, DENIED, "3")
    assert rows(order) == [(GOT, 13), (DENIED, 3)]
    events = Event.objects.filter(subject_id=str(order.pk), action__startswith="refund.")
    found = [(event.action, event.who, event.reason) for event in events.order_by("number")]
    words = ("confirmer", "Ticket 7.")
    assert found == [(f"refund.{step}", *words) for step in ("asked", "got", "denied")]
    got = events.get(action="refund.got").changes
    assert got["money_back"] == ["", "$13.00"]
    assert got["stage"] == ["Asked for", "Got"]
    assert got["reference"] == ["", "CN-1"]
    assert verify().is_unbroken


def test_of_a_request_that_is_answered_in_part_the_rest_stays_asked_for(
    factory: OrderFactory,
) -> None:
    order = one_left_out(factory)
    asked = say(factory, order, ASKED, "13")
    say(factory, order, GOT, "5", about=asked.pk)
    assert rows(order) == [(ASKED, 8), (GOT, 5)]
    say(factory, order, DENIED, "8", about=asked.pk)
    assert rows(order) == [(DENIED, 8), (GOT, 5)]
    with pytest.raises(NotAllowed, match="recorded an answer to this request since"):
        say(factory, order, GOT, "8", about=asked.pk)


def test_no_more_is_asked_for_than_is_left_to_ask(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    say(factory, order, ASKED, "30")
    with pytest.raises(NotAllowed, match=r"at most \$2\.00 can still be asked for"):
        say(factory, order, ASKED, "2.01")


@pytest.mark.parametrize("by", ["drafter", "auditor"])
def test_others_may_not(factory: OrderFactory, by: str) -> None:
    order = one_left_out(factory)
    with pytest.raises(NotAllowed, match="Your role does not include this"):
        say(factory, order, GOT, "1", by=getattr(factory.people, by))


@pytest.mark.parametrize("two_persons", [True, False])
def test_an_editor_may_not_where_the_two_person_rule_holds(
    factory: OrderFactory, two_persons: bool
) -> None:
    Vendor.objects.update(two_person_rule=two_persons)
    both, boss = factory.people.both, factory.people.boss
    for editor in (both, boss):
        rows = f"acme-{editor}.com, Ann Lee, ann"
        order = factory.sent(*CMR, rows=rows, by=editor)
        if two_persons:
            with pytest.raises(NotAllowed, match="You edited this order"):
                say(factory, order, GOT, "1", by=editor)
        else:
            assert say(factory, order, GOT, "1", by=editor).amount == 1


def test_no_money_comes_back_for_what_was_not_bought(factory: OrderFactory) -> None:
    for word in ("refused-field-a", "cut-after"):
        order = factory.sent(*CMR, word=word)
        with pytest.raises(NotAllowed, match="no money can come back for it"):
            say(factory, order, GOT, "1")


def test_a_day_ahead_or_no_sum_is_refused(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    with pytest.raises(NotAllowed, match="not ahead"):
        say(factory, order, GOT, "1", on=timezone.localdate() + timedelta(days=1))
    with pytest.raises(NotAllowed, match="above nothing"):
        say(factory, order, GOT, "0")


def test_money_back_gives_no_room_back_in_a_limit(factory: OrderFactory) -> None:
    vendor = with_limit(factory.accounts["coldmailreseller"])
    order = one_left_out(factory)
    say(factory, order, GOT, "32")
    assert used(vendor) == 32


def test_credit_raises_the_estimate_of_the_balance_and_money_does_not(
    factory: OrderFactory,
) -> None:
    vendor = factory.accounts["coldmailreseller"]
    noted = timezone.now() - timedelta(days=2)
    Vendor.objects.filter(pk=vendor.pk).update(
        balance=500, balance_currency="USD", balance_at=noted
    )
    order = one_left_out(factory)
    say(factory, order, GOT, "5", kind="money")
    assert spent_of_balance(vendor) == 32
    say(factory, order, GOT, "10", kind="credit")
    assert spent_of_balance(vendor) == 22
    before = say(factory, order, GOT, "1", kind="credit", on=noted.date() - timedelta(days=1))
    assert spent_of_balance(vendor) == 22, "it came before the balance was noted"
    Refund.objects.filter(pk=before.pk).delete()


def test_a_verdict_is_not_taken_back_once_money_came(factory: OrderFactory) -> None:
    rows = "cut-after.com, Ann Lee, ann\nbeta.com, Bo Lee, bo"
    order = factory.sent(*CMR, rows=rows)
    factory.settle(order, PLACED)
    say(factory, order, GOT, "16")
    for verdict, left_out in ((NOT_PLACED, ()), (PARTLY, ["beta.com"])):
        with pytest.raises(NotAllowed, match="Money came back for it since"):
            factory.settle(order, verdict, left_out=left_out)
    assert fresh(order).due_now == {"USD": Decimal(32)}


def test_what_nobody_answered_for_two_weeks_is_to_be_asked_again(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    today = timezone.localdate()
    asked = say(factory, order, ASKED, "13", on=today - timedelta(days=14))
    say(factory, order, ASKED, "2", on=today - timedelta(days=13))
    assert list(refund_sums.unanswered(today)) == [asked]
    say(factory, order, ASKED, "13", about=asked.pk)
    assert list(refund_sums.unanswered(today)) == []
