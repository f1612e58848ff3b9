"""What keeps a confirmed order from being sent: the switch for everything, a planned time, an
account at rest.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from orders import submission
from orders.models import Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import sweeper
from orders.plan import plan
from orders.sending import classification
from tests.conftest import OrderFactory, fresh, mark
from tests.orders.pages import browser, messages_of, url
from vendors.apis.replies import retry_after
from vendors.http import Reply
from vendors.models import SendingSwitch, Vendor
from vendors.practice.server import Practice

SLOW = b'{"title":"Too Many Requests","status":429,"details":"Slow down","timestamp":"2026-05-06T12:00:00Z"}'

HOLD, RELEASE = "/vendors/vendor/hold_all/", "/vendors/vendor/release_all/"


def hold(reason: str = "The bank called.", by: str = "operator") -> None:
    SendingSwitch.current().hold(reason=reason, by=by)


def queued() -> list[int]:
    tasks = [row.task for row in OrmQ.objects.all()]
    return sorted(task["args"][0] for task in tasks if task["func"] == "orders.tasks.submit_order")


# Everything


def test_nothing_is_claimed_while_all_sending_is_held(
    factory: OrderFactory, practice: Practice
) -> None:
    orders = [factory.confirmed(), factory.confirmed("coldmailreseller", "domains", word="other")]
    hold()
    assert [submission.submit(order.pk) for order in orders] == ["nothing to do"] * 2
    assert {fresh(order).state for order in orders} == {State.CONFIRMED}
    assert practice.ledger.requests() == []


def test_held_between_claim_and_mark_puts_the_order_back(
    factory: OrderFactory, practice: Practice
) -> None:
    attempt = factory.claimed()
    hold()
    assert submission.recheck(attempt) is None
    order = fresh(attempt.order)
    assert (order.state, order.tries, attempt.stage) == (State.CONFIRMED, 0, Stage.NOT_SENT)
    assert practice.ledger.requests() == []


def test_the_sweep_rings_for_nothing_while_held_and_for_all_after_the_release(
    factory: OrderFactory,
) -> None:
    before = factory.confirmed()
    hold()
    while_held = factory.confirmed(word="second")
    assert queued() == [before.pk]
    submission.submit(before.pk)
    OrmQ.objects.all().delete()
    assert sweeper.run(timezone.now() + timedelta(hours=1))["rung"] == 0
    SendingSwitch.current().release()
    assert sweeper.run()["rung"] == 2  # the next one, however short the hold was
    assert queued() == sorted([before.pk, while_held.pk])
    assert submission.submit(before.pk) == Stage.ACCEPTED


def test_an_account_opened_again_goes_on_with_the_next_sweep(factory: OrderFactory) -> None:
    order = factory.confirmed()
    order.vendor.stop(reason="Card expired.")
    submission.submit(order.pk)
    order.vendor.resume()
    assert sweeper.run()["rung"] == 1


def test_an_order_says_what_holds_it_by_whom_and_since_when(factory: OrderFactory) -> None:
    order = factory.confirmed()
    hold()
    words = hold_of(fresh(order)).says
    since = timezone.localtime(SendingSwitch.current().stopped_at)
    assert words.startswith("All sending is held since ")
    assert f"{since:%H:%M}" in words
    assert words.endswith(" by operator: The bank called.")
    assert "All sending is held" in browser(factory.people.auditor).get(url(order)).content.decode()
    assert "The bank called." in browser(factory.people.auditor).get("/").content.decode()


def test_a_hold_of_another_day_names_the_day(factory: OrderFactory) -> None:
    order = factory.confirmed()
    hold()
    SendingSwitch.objects.update(stopped_at=timezone.now() - timedelta(days=3))
    day = timezone.localtime(timezone.now() - timedelta(days=3))
    assert f"since {day:%-d %b}, " in hold_of(fresh(order)).says


def test_confirming_while_held_says_so_and_queues_nothing(factory: OrderFactory) -> None:
    order = factory.reviewed()
    hold()
    said = {"digest": plan(fresh(order)).digest}
    response = browser(factory.people.confirmer).post(url(order, "confirm"), said, follow=True)
    assert "All sending is held since" in messages_of(response)
    assert fresh(order).state == State.CONFIRMED
    assert queued() == []


@pytest.mark.parametrize("name", ["operator", "boss"])
def test_who_may_hold_holds_and_releases_with_both_in_the_history(
    factory: OrderFactory, name: str
) -> None:
    person = browser(getattr(factory.people, name))
    person.post(HOLD, {"reason": "The bank called."})
    switch = SendingSwitch.current()
    assert (switch.stopped_reason, switch.stopped_by_name) == ("The bank called.", name)
    person.post(RELEASE)
    assert SendingSwitch.current().stopped_at is None
    held, released = Event.objects.filter(action__startswith="sending.").order_by("number")
    assert (held.action, held.who, held.reason) == ("sending.held", name, "The bank called.")
    assert (released.action, released.who) == ("sending.released", name)


@pytest.mark.parametrize("name", ["drafter", "auditor"])
def test_others_neither_hold_nor_release(factory: OrderFactory, name: str) -> None:
    person: User = getattr(factory.people, name)
    assert browser(person).post(HOLD, {"reason": "No."}).status_code == 403
    assert SendingSwitch.current().stopped_at is None
    hold()
    assert browser(person).post(RELEASE).status_code == 403
    assert SendingSwitch.current().stopped_at is not None


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_hold_needs_a_reason(factory: OrderFactory, reason: str) -> None:
    response = browser(factory.people.operator).post(HOLD, {"reason": reason}, follow=True)
    assert "Say why" in messages_of(response)
    assert SendingSwitch.current().stopped_at is None


def test_looking_at_the_switch_does_not_throw_it(factory: OrderFactory) -> None:
    assert browser(factory.people.operator).get(HOLD).status_code == 405
    assert SendingSwitch.current().stopped_at is None


# Later


def planned(factory: OrderFactory, later: timedelta) -> Order:
    order = factory.reviewed()
    at, digest = timezone.now() + later, plan(fresh(order)).digest
    return submission.confirm(order.pk, by=factory.people.confirmer, digest=digest, planned_for=at)


def test_a_planned_order_is_sent_not_before_its_time(
    factory: OrderFactory, practice: Practice
) -> None:
    order = planned(factory, timedelta(hours=3))
    assert queued() == []
    assert submission.submit(order.pk) == "nothing to do"
    assert sweeper.run(timezone.now() + timedelta(hours=2))["rung"] == 0
    assert sweeper.run(timezone.now() + timedelta(hours=3, minutes=1))["rung"] == 1
    assert (
        submission.submit(order.pk) == "nothing to do"
    )  # a task that comes too early does nothing
    assert practice.ledger.requests() == []
    assert "Planned for" in hold_of(fresh(order)).says


def test_hold_minutes_longer_than_the_plan_win(factory: OrderFactory) -> None:
    Vendor.objects.filter(api="woodpecker").update(hold_minutes=60)
    order = planned(factory, timedelta(minutes=10))
    assert sweeper.run(timezone.now() + timedelta(minutes=11))["rung"] == 0
    assert sweeper.run(timezone.now() + timedelta(minutes=61))["rung"] == 1
    assert fresh(order).state == State.CONFIRMED


def test_a_planned_order_can_be_cancelled_until_then(factory: OrderFactory) -> None:
    order = planned(factory, timedelta(hours=3))
    browser(factory.people.confirmer).post(url(order, "cancel"), {"reason": "Not wanted."})
    assert fresh(order).state == State.CANCELLED
    assert sweeper.run(timezone.now() + timedelta(hours=4))["rung"] == 0
    assert submission.submit(order.pk) == "nothing to do"


def test_a_planned_order_that_changed_meanwhile_goes_back_and_forgets_its_plan(
    unguarded: None, factory: OrderFactory
) -> None:
    order = planned(factory, timedelta(hours=3))
    order.mailboxes.filter(username="sam").update(first_name="Mallory")
    Order.objects.filter(pk=order.pk).update(hold_until=None)
    assert submission.submit(order.pk) == "held back"
    assert (fresh(order).state, fresh(order).planned_for, fresh(order).hold_until) == (
        State.REVIEW,
        None,
        None,
    )


@pytest.mark.parametrize("days", [-1, 91])
def test_a_time_that_has_passed_or_is_far_away_is_refused_on_the_page(
    factory: OrderFactory, days: int
) -> None:
    order = factory.reviewed()
    at = timezone.localtime(timezone.now() + timedelta(days=days))
    said = {"digest": plan(fresh(order)).digest, "planned_for": f"{at:%Y-%m-%dT%H:%M}"}
    response = browser(factory.people.confirmer).post(url(order, "confirm"), said)
    assert response.status_code == 400
    assert "Choose a time that lies ahead" in response.content.decode()
    assert fresh(order).state == State.REVIEW


def test_the_page_plans_an_order_and_the_history_says_for_when(factory: OrderFactory) -> None:
    order = factory.reviewed()
    at = timezone.localtime(timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    said = {"digest": plan(fresh(order)).digest, "planned_for": f"{at:%Y-%m-%dT%H:%M}"}
    response = browser(factory.people.confirmer).post(url(order, "confirm"), said, follow=True)
    assert "Planned for" in messages_of(response)
    assert fresh(order).planned_for == at
    assert (
        Event.objects.get(action="order.confirmed").changes["planned_for"][1][:10]
        == f"{fresh(order).planned_for:%Y-%m-%d}"
    )


# An account at rest


def http_date(seconds: int) -> str:
    return f"{timezone.now() + timedelta(seconds=seconds):%a, %d %b %Y %H:%M:%S} GMT"


def slowed_down(factory: OrderFactory, value: str | None) -> Order:
    """An order whose request the vendor answered with 429."""
    attempt = factory.claimed()
    submission.recheck(attempt)
    assert mark(attempt)
    headers = {} if value is None else {"Retry-After": value}
    reply = Reply(status=429, headers=headers, body=SLOW, seconds=1)
    assert (
        submission.record_outcome(attempt, reply, classification.verdict_over(attempt.order, reply))
        == "not_sent"
    )
    return fresh(attempt.order)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 110, 125),
        ("date", 570, 605),
        (None, 20, 35),
        ("rubbish", 20, 35),
        ("9999999", 3500, 3605),
    ],
)
def test_an_account_that_asks_for_slowness_rests_as_long_as_it_says(
    factory: OrderFactory, value: str | None, least: int, most: int
) -> None:
    began = timezone.now()
    order = slowed_down(factory, http_date(600) if value == "date" else value)
    ended = timezone.now()
    rests = order.vendor.next_turn_at
    assert began + timedelta(seconds=least) < rests < ended + timedelta(seconds=most)
    assert order.state == State.CONFIRMED
    assert order.next_try_at > ended


def test_a_date_that_has_passed_is_no_rest() -> None:
    reply = Reply(
        status=429, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, body=b"", seconds=1
    )
    assert retry_after(reply) == 0


def test_the_accounts_other_orders_wait_and_other_accounts_do_not(
    factory: OrderFactory, practice: Practice
) -> None:
    waiting = factory.confirmed(word="second")
    elsewhere = factory.confirmed("coldmailreseller", "domains", word="third")
    first = slowed_down(factory, "600")
    assert submission.submit(waiting.pk) in ("nothing to do", "account busy")
    assert "asked for a pause until" in hold_of(fresh(waiting)).says
    assert sweeper.run(timezone.now() + timedelta(minutes=5))["rung"] == 1  # the other account's
    assert submission.submit(elsewhere.pk) == Stage.ACCEPTED
    assert len(practice.ledger.requests()) == 1
    OrmQ.objects.all().delete()
    assert sweeper.run(timezone.now() + timedelta(minutes=11))["rung"] == 2
    assert queued() == sorted([first.pk, waiting.pk])


def test_a_shorter_rest_does_not_end_a_longer_one(factory: OrderFactory) -> None:
    from vendors import rate_limit

    vendor = factory.accounts["woodpecker"]
    long = rate_limit.rest(vendor, 600)
    rate_limit.rest(vendor, 10)
    assert Vendor.objects.get(pk=vendor.pk).next_turn_at == long


def test_an_order_planned_for_a_time_when_its_account_rests_waits_for_both(
    factory: OrderFactory,
) -> None:
    order = planned(factory, timedelta(minutes=1))
    Vendor.objects.filter(pk=order.vendor_id).update(
        next_turn_at=timezone.now() + timedelta(minutes=10)
    )
    assert "Planned for" in hold_of(fresh(order)).says
    assert sweeper.run(timezone.now() + timedelta(minutes=2))["rung"] == 0
    assert sweeper.run(timezone.now() + timedelta(minutes=11))["rung"] == 1
