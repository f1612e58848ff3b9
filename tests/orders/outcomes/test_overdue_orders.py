"""An order that a vendor has for too long is named to the people who can act."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from mailops.history.models import Event
from mailops.notices import tasks
from mailops.notices.models import Notice
from mailops.ops.diagnostics import findings
from orders.models import Attempt, Order, State
from orders.outcomes import arrivals, never_came, overdue_orders, sweeper
from tests.conftest import Clock, OrderFactory, fresh
from tests.orders.pages import browser
from vendors.models import Vendor

NAMED = "2 of 2 mailboxes missing, at Woodpecker for 6 days (usual: 3)"
Changes = Callable[[Order], Any]


def late(factory: OrderFactory, clock: Clock) -> Order:
    order = factory.sent(word="never-delivered")
    clock.forward(days=6)
    return order


def everybody_has_an_address() -> None:
    User.objects.update(email=Concat("username", Value("@example.com")))
    tasks.tick()  # what happened so far is past


def waits_for(user: User) -> list[Order]:
    return list(Order.objects.waiting_for(User.objects.get(pk=user.pk)))


def told() -> list[str]:
    return [event.subject for event in Event.objects.filter(action="order.overdue")]


def overdue_now() -> list[Order]:
    return list(overdue_orders.overdue())


def test_an_order_is_overdue_after_the_days_of_its_account_and_not_before(
    factory: OrderFactory, clock: Clock
) -> None:
    order = factory.sent(word="never-delivered")
    assert order.vendor.overdue_days == 5
    clock.forward(days=4, hours=23)
    assert overdue_now() == []
    clock.forward(hours=2)
    assert overdue_now() == [order]
    Vendor.objects.filter(pk=order.vendor_id).update(overdue_days=8)
    assert overdue_now() == []
    clock.forward(days=3)
    assert overdue_now() == [order]


def test_a_never_delivered_order_is_named_on_today_in_one_notice_each_and_by_health(
    factory: OrderFactory, clock: Clock
) -> None:
    everybody_has_an_address()
    order = late(factory, clock)
    people = factory.people
    for user in (people.drafter, people.confirmer):
        assert waits_for(user) == [order]
        page = browser(user).get("/").content.decode()
        assert NAMED in page
        assert "Overdue" in page
    for user in (people.operator, people.auditor):
        assert waits_for(user) == []
    assert sweeper.run()["overdue"] == 1
    assert sweeper.run()["overdue"] == 0
    assert told() == [str(order)]
    assert fresh(order).overdue_told_at
    tasks.tick()
    notices = Notice.objects.filter(kind="overdue").select_related("user")
    names = sorted(notice.user.username for notice in notices if notice.user)
    assert names == ["boss", "both", "confirmer", "drafter"]
    assert {notice.subject for notice in notices} == {f"{order} is overdue"}
    assert all(NAMED in notice.text for notice in notices)
    found = [finding for finding in findings() if "Overdue" in finding.text]
    assert [finding.text for finding in found] == [f"Overdue, the oldest first: {order}, {NAMED}."]
    assert not found[0].is_problem


def test_the_notice_comes_again_after_seven_days_while_nothing_changes(
    factory: OrderFactory, clock: Clock
) -> None:
    order = late(factory, clock)
    sweeper.run()
    clock.forward(days=6, hours=23)
    assert sweeper.run()["overdue"] == 0
    clock.forward(hours=2)
    assert sweeper.run()["overdue"] == 1
    assert told() == [str(order)] * 2


def test_an_expected_day_silences_it_until_that_day_is_over(
    factory: OrderFactory, clock: Clock
) -> None:
    order = late(factory, clock)
    sweeper.run()
    day = timezone.localdate() + timedelta(days=2)
    arrivals.expect(order.pk, by=factory.people.drafter, on=day, reason="Their support says so.")
    assert overdue_now() == []
    assert sweeper.run()["overdue"] == 0
    clock.forward(days=2)
    assert overdue_now() == []
    clock.forward(days=1)
    (found,) = overdue_now()
    assert timezone.localtime(overdue_orders.began(found)).date() == day + timedelta(days=1)
    # Seven days have not passed since the last notice, but something changed in between.
    assert sweeper.run()["overdue"] == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda order: Order.objects.filter(pk=order.pk).update(state=State.DELIVERED),
        lambda order: Attempt.objects.filter(order=order).update(stage="not_placed"),
        # It was created first, and processed later.
        lambda order: Attempt.objects.filter(order=order).update(counted_at=timezone.now()),
    ],
    ids=["delivered", "not placed", "processed today"],
)
def test_what_ended_or_is_new_at_the_vendor_is_not_overdue(
    factory: OrderFactory, clock: Clock, change: Changes
) -> None:
    order = late(factory, clock)
    assert overdue_now() == [order]
    change(order)
    assert overdue_now() == []


def test_a_created_order_is_overdue_after_the_usual_days(
    factory: OrderFactory, clock: Clock
) -> None:
    order = factory.sent("coldmailreseller", "domains")
    Order.objects.filter(pk=order.pk).update(state=State.CREATED, state_since=timezone.now())
    clock.forward(days=2, hours=23)
    assert overdue_now() == []
    clock.forward(hours=2)
    (found,) = overdue_now()
    says = overdue_orders.sentences([found])[order.pk]
    assert says == "not processed, at ColdMailReseller for 3 days (usual: 3)"


def test_all_drafters_look_after_an_order_whose_drafter_left(
    factory: OrderFactory, clock: Clock
) -> None:
    everybody_has_an_address()
    order = late(factory, clock)
    assert waits_for(factory.people.both) == [order]  # as a confirmer
    other = User.objects.create_user("second", email="second@example.com", is_staff=True)
    other.groups.set(factory.people.drafter.groups.all())
    assert waits_for(other) == []
    User.objects.filter(pk=factory.people.drafter.pk).update(is_active=False)
    assert waits_for(other) == [order]
    sweeper.run()
    tasks.tick()
    names = {
        notice.user.username for notice in Notice.objects.filter(kind="overdue") if notice.user
    }
    assert names == {"boss", "both", "confirmer", "second"}


def test_the_oldest_comes_first_and_health_names_three(factory: OrderFactory, clock: Clock) -> None:
    orders = [factory.sent(word=f"never-delivered-{number}") for number in range(4)]
    Attempt.objects.filter(order=orders[2]).update(
        sent_at=timezone.now() - timedelta(days=9), counted_at=timezone.now() - timedelta(days=9)
    )
    clock.forward(days=6)
    assert overdue_now() == [orders[2], orders[0], orders[1], orders[3]]
    (text,) = [finding.text for finding in findings() if "Overdue" in finding.text]
    assert text.index(str(orders[2])) < text.index(str(orders[0])) < text.index(str(orders[1]))
    assert str(orders[3]) not in text
    assert "and 1 more" in text


def test_a_clock_that_was_set_back_does_not_silence_it(factory: OrderFactory, clock: Clock) -> None:
    order = late(factory, clock)
    ahead: datetime = timezone.now() + timedelta(days=300)
    Order.objects.filter(pk=order.pk).update(overdue_told_at=ahead)
    assert sweeper.run()["overdue"] == 1


def test_the_list_says_who_acts_and_since_when_it_is_overdue(
    factory: OrderFactory, clock: Clock
) -> None:
    order = late(factory, clock)
    due: datetime = order.attempts.get().sent_at + timedelta(days=5)  # type: ignore[operator]
    page = browser(factory.people.drafter).get("/orders/order/").content.decode()
    assert f"Overdue since {timezone.localtime(due):%-d %b}" in page
    assert "A confirmer, it is overdue" in page
    own = browser(factory.people.drafter).get(f"/orders/order/{order.pk}/change/")
    assert f"Overdue since {timezone.localtime(due):%-d %b}" in own.content.decode()


def test_an_order_that_was_given_up_is_not_overdue(factory: OrderFactory, clock: Clock) -> None:
    order = late(factory, clock)
    never_came.say_not_coming(order.pk, by=factory.people.confirmer, reason="They say so.")
    assert overdue_now() == []
    assert waits_for(factory.people.confirmer) == []
    assert waits_for(factory.people.drafter) == [order]  # Not delivered: the drafter acts next
