"""Several orders on one page: each with everything against it, each confirmed on its own."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from mailops.history.models import Event
from orders import submission
from orders.admin import batch_rows
from orders.models import ConfirmationRule, Order, State
from orders.plan import plan
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, messages_of, url
from vendors.models import Price, Vendor

PAGE = "/orders/order/together/"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")


def waiting(factory: OrderFactory, *words: str, by: User | None = None) -> list[Order]:
    return [factory.reviewed(word=word, by=by) for word in words]


def shown(person: User, one: Order, *ticked: Order) -> Any:
    query = {"order": [order.pk for order in ticked]} if ticked else {}
    return browser(person).get(PAGE, {"vendor": one.vendor_id, **query})


def read(person: User, *orders: Order) -> None:
    for order in orders:
        browser(person).get(url(order, "confirm"))


def form(*orders: Order, **changed: Any) -> dict[str, Any]:
    numbers = [order.pk for order in orders]
    digests = {f"digest-{order.pk}": plan(fresh(order)).digest for order in orders}
    counted = " ".join(map(str, numbers))
    return {
        "vendor": orders[0].vendor_id,
        "order": numbers,
        "counted": counted,
        **digests,
        **changed,
    }


def rows(response: Any) -> dict[int, batch_rows.Candidate]:
    return {row.order.pk: row for row in response.context["batch"].rows}


def test_the_page_names_the_total_of_what_was_looked_at(factory: OrderFactory) -> None:
    one, two, three = waiting(factory, "one", "two", "three")
    read(factory.people.confirmer, one, two)
    page = shown(factory.people.confirmer, one)
    assert [row.is_ticked for row in page.context["batch"].rows] == [True, True, False]
    assert "Confirm 2 and buy for €24.00" in page.content.decode()
    assert "You have not looked at it yet." in rows(page)[three.pk].unread


def test_each_order_gets_its_own_confirmation(factory: OrderFactory) -> None:
    orders = waiting(factory, "one", "two", "three")
    response = browser(factory.people.confirmer).post(PAGE, form(*orders), follow=True)
    assert "3 orders are confirmed for €36.00" in messages_of(response)
    assert {fresh(order).state for order in orders} == {State.CONFIRMED}
    assert len({fresh(order).digest for order in orders}) == 3
    assert Event.objects.filter(action="order.confirmed").count() == 3
    assert OrmQ.objects.count() == 3
    for order in orders:
        submission.submit(order.pk)
    assert [fresh(order).attempts.count() for order in orders] == [1, 1, 1]


def test_one_that_changed_is_named_and_the_others_go_through(factory: OrderFactory) -> None:
    one, two = waiting(factory, "one", "two")
    sent = form(one, two)
    sent[f"digest-{two.pk}"] = "0" * 64
    response = browser(factory.people.confirmer).post(PAGE, sent, follow=True)
    assert "1 order is confirmed for €12.00" in messages_of(response)
    assert f"{two} was not confirmed. This order changed after you opened it" in messages_of(
        response
    )
    assert [fresh(one).state, fresh(two).state] == [State.CONFIRMED, State.REVIEW]


def test_a_second_click_orders_nothing_twice(factory: OrderFactory) -> None:
    orders = waiting(factory, "one", "two")
    sent = form(*orders)
    confirmer = browser(factory.people.confirmer)
    confirmer.post(PAGE, sent)
    response = confirmer.post(PAGE, sent, follow=True)
    assert "already. Each is ordered once." in messages_of(response)
    assert Event.objects.filter(action="order.confirmed").count() == OrmQ.objects.count() == 2


def test_other_ticks_than_those_of_the_total_confirm_nothing_and_show_the_new_total(
    factory: OrderFactory,
) -> None:
    one, two = waiting(factory, "one", "two")
    response = browser(factory.people.confirmer).post(PAGE, form(one, two, order=[one.pk]))
    assert response.status_code == 409
    assert "Confirm 1 and buy for €12.00" in response.content.decode()
    counted = browser(factory.people.confirmer).post(PAGE, form(one, two, count="1"))
    assert "Confirm 2 and buy for €24.00" in counted.content.decode()
    assert not Event.objects.filter(action="order.confirmed").exists()


def test_ones_own_order_can_not_be_ticked_nor_slipped_in(factory: OrderFactory) -> None:
    (own,), (other,) = waiting(factory, "own", by=factory.people.both), waiting(factory, "other")
    row = rows(shown(factory.people.both, own, own))[own.pk]
    assert (
        not row.is_ticked and not row.may_tick and "somebody else has to confirm it" in row.stops[0]
    )
    response = browser(factory.people.both).post(PAGE, form(own, other), follow=True)
    assert f"{own} was not confirmed. You edited this order" in messages_of(response)
    assert [fresh(own).state, fresh(other).state] == [State.REVIEW, State.CONFIRMED]


def test_the_batch_counts_together_against_a_limit(factory: OrderFactory) -> None:
    one, two, three = waiting(factory, "one", "two", "three")
    read(factory.people.confirmer, one, two, three)
    Vendor.objects.filter(pk=one.vendor_id).update(day_limit=Decimal(25), limit_currency="EUR")
    page = shown(factory.people.confirmer, one)
    assert [row.is_ticked for row in page.context["batch"].rows] == [True, True, False]
    assert "together with the ones above: €1.00 is left." in rows(page)[three.pk].no_room
    response = browser(factory.people.confirmer).post(PAGE, form(one, two, three), follow=True)
    assert "2 orders are confirmed for €24.00" in messages_of(response)
    assert (
        f"{three} was not confirmed. Not confirmed. With its €12.00 it would go over"
        in messages_of(response)
    )


def test_what_changed_since_the_look_unticks_it(factory: OrderFactory) -> None:
    (one,) = waiting(factory, "one")
    read(factory.people.confirmer, one)
    Price.objects.filter(vendor=one.vendor).update(amount="7.50")
    row = rows(shown(factory.people.confirmer, one))[one.pk]
    assert not row.is_ticked and "changed since you looked." in row.unread


def test_a_check_that_stops_an_order_is_said_in_words(factory: OrderFactory) -> None:
    (one,) = waiting(factory, "one")
    Price.objects.filter(vendor=one.vendor).delete()
    row = rows(shown(factory.people.confirmer, one, one))[one.pk]
    assert not row.may_tick and "The price of" in row.stops[0]


def test_an_order_of_another_account_or_state_is_not_touched(factory: OrderFactory) -> None:
    (one,) = waiting(factory, "one")
    other, draft = (
        factory.reviewed("coldmailreseller", "domains", word="other"),
        factory.draft(word="draft"),
    )
    sent = form(one, other, draft)
    response = browser(factory.people.confirmer).post(PAGE, sent, follow=True)
    assert [fresh(order).state for order in (one, other, draft)] == [
        State.CONFIRMED,
        State.REVIEW,
        State.DRAFT,
    ]
    assert f"{draft} was not confirmed." in messages_of(response)


@pytest.mark.parametrize("order", [["x"], ["-1"], [str(10**30)], ["\0"], ["٣"]])
def test_rubbish_confirms_nothing(factory: OrderFactory, order: list[str]) -> None:
    (one,) = waiting(factory, "one")
    response = browser(factory.people.confirmer).post(
        PAGE, form(one) | {"order": order, "counted": order[0]}
    )
    assert response.status_code == 409
    assert browser(factory.people.confirmer).get(f"{PAGE}?vendor=x").status_code == 404


def test_a_page_holds_so_many_and_asks_in_proportion(
    factory: OrderFactory, monkeypatch: Any
) -> None:
    monkeypatch.setattr(batch_rows, "MAX_ORDERS", 2)
    orders = waiting(factory, "one", "two", "three")
    page = shown(factory.people.confirmer, orders[0])
    assert (len(page.context["batch"].rows), page.context["batch"].left_out) == (2, 1)
    with CaptureQueriesContext(connection) as queries:
        batch_rows.batch(orders[0].vendor, by=factory.people.confirmer)
    assert len(queries) <= 10 + 25 * 2
    response = browser(factory.people.confirmer).post(PAGE, form(*orders))
    assert (
        "At most 2 orders are confirmed at a time. Nothing was sent." in response.content.decode()
    )
    assert {fresh(order).state for order in orders} == {State.REVIEW}


def test_who_gave_the_first_of_two_is_told_so_before_and_is_not_asked_again(
    factory: OrderFactory,
) -> None:
    (one,) = waiting(factory, "one")
    ConfirmationRule.objects.create(confirmers=2)
    read(factory.people.confirmer, one)
    before = rows(shown(factory.people.confirmer, one))[one.pk]
    assert any("yours is the first" in warning for warning in before.warnings)
    browser(factory.people.confirmer).post(PAGE, form(one))
    assert fresh(one).state == State.REVIEW
    after = rows(shown(factory.people.confirmer, one))[one.pk]
    assert "You confirmed this order already" in after.stops[0]
    assert not after.may_tick
    theirs = rows(shown(factory.people.both, one))[one.pk]
    assert not any("yours is the first" in warning for warning in theirs.warnings)
