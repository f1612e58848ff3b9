"""Limits for a day and a month at the claim, per account and client: holds, two workers at once."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client as Browser
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from orders import submission
from orders.models import Attempt, Client, Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import sweeper
from orders.spending import limits
from tests.conftest import OrderFactory, claim, fresh, send
from tests.orders.test_submission import charges, in_threads
from vendors.models import Price, Vendor
from vendors.practice.server import Practice

CMR = ("coldmailreseller", "domains")
COSTS = Decimal("19.00")  # a domain and two mailboxes there


def held_by(order: Order) -> str:
    hold = hold_of(order)
    assert hold
    return hold.says


def limit(owner: Vendor | Client, **limits_: Any) -> None:
    type(owner)._default_manager.filter(pk=owner.pk).update(**limits_)


def account(api: str = "coldmailreseller") -> Vendor:
    return Vendor.objects.get(api=api)


def northwind() -> Client:
    return Client.objects.get(name="Northwind")


def spent(owner: Vendor | Client) -> Decimal:
    owner.refresh_from_db()
    (use,) = limits.uses(owner, at=timezone.now(), sent_only=True)
    return use.used


def a_day_ago(order: Order) -> None:
    """The order was sent yesterday."""
    Attempt.objects.filter(order=order).update(
        counted_at=timezone.now() - timedelta(days=1, minutes=1)
    )


# At the claim


def two_confirmed(factory: OrderFactory, owner: Vendor | Client) -> list[Order]:
    """Two confirmed orders, and a limit for both that came later and has room for one."""
    orders = [factory.confirmed(*CMR, word=word) for word in ("one", "two")]
    limit(owner, day_limit=COSTS + 1)
    return orders


@pytest.mark.parametrize("whose", ["account", "client"])
def test_an_order_in_flight_is_counted_and_the_next_one_waits_for_tomorrow(
    factory: OrderFactory, practice: Practice, whose: str
) -> None:
    owner = account() if whose == "account" else northwind()
    first, second = two_confirmed(factory, owner)
    assert claim(first.pk) is not None  # not sent, not even marked
    assert submission.submit(second.pk) == "nothing to do"
    second = fresh(second)
    assert (second.state, second.tries, second.attempts.count()) == (State.CONFIRMED, 0, 0)
    assert (
        hold_of(second).says
        == f"Held. Of the limit of $20.00 a day for {owner.name} only $1.00 is left. It goes on"
        " tomorrow."
    )
    assert Event.objects.get(action="order.held").reason == hold_of(second).says
    assert practice.ledger.requests() == []


def test_it_goes_on_by_itself_when_the_day_turns(factory: OrderFactory, practice: Practice) -> None:
    first, second = two_confirmed(factory, account())
    assert submission.submit(first.pk) == Stage.ACCEPTED
    assert submission.submit(second.pk) == "nothing to do"
    OrmQ.objects.all().delete()
    assert sweeper.run()["rung"] == 0
    a_day_ago(first)
    assert sweeper.run(timezone.now() + timedelta(minutes=11))["rung"] == 1
    Order.objects.filter(pk=second.pk).update(next_try_at=timezone.now())
    assert submission.submit(second.pk) == Stage.ACCEPTED
    assert charges(practice, second) == 1
    assert fresh(second).waiting_for == ""


def test_waiting_again_is_told_once(factory: OrderFactory) -> None:
    first, second = two_confirmed(factory, account())
    submission.submit(first.pk)
    for _ in range(8):  # more often than an order may be tried
        Order.objects.filter(pk=second.pk).update(next_try_at=None)
        assert submission.submit(second.pk) == "nothing to do"
    assert fresh(second).state == State.CONFIRMED
    assert Event.objects.filter(action="order.held").count() == 1


def test_what_a_refused_order_frees_is_used(factory: OrderFactory) -> None:
    refused = factory.confirmed(*CMR, word="refused-field")
    order = factory.confirmed(*CMR, word="two")
    limit(account(), day_limit=COSTS)
    attempt = claim(refused.pk)
    assert attempt is not None
    assert submission.submit(order.pk) == "nothing to do"
    assert send(attempt) == Stage.REFUSED
    Order.objects.filter(pk=order.pk).update(next_try_at=None)
    assert submission.submit(order.pk) == Stage.ACCEPTED


def test_a_raised_limit_lets_it_go_within_a_minute(factory: OrderFactory) -> None:
    first, second = two_confirmed(factory, northwind())
    submission.submit(first.pk)
    submission.submit(second.pk)
    browser = Browser()
    browser.force_login(factory.people.operator)
    data = {
        "name": "Northwind",
        "main_domain": "northwind.com",
        "day_limit": "50",
        "limit_currency": "USD",
    }
    browser.post(f"/orders/client/{northwind().pk}/change/", data | {"why": "They grow."})
    assert northwind().day_limit == 20
    workflow.approve(Proposal.objects.get().pk, by=factory.people.confirmer)
    assert Event.objects.filter(action="client.changed").latest("number").changes == {
        "day_limit": ["20.00", "50.00"]
    }
    OrmQ.objects.all().delete()
    assert sweeper.run()["rung"] == 1
    assert submission.submit(second.pk) == Stage.ACCEPTED


@pytest.mark.parametrize("whose", ["account", "client"])
def test_a_changed_limit_makes_a_held_order_due_once(factory: OrderFactory, whose: str) -> None:
    owner = account() if whose == "account" else northwind()
    first, second = two_confirmed(factory, owner)
    submission.submit(first.pk)
    submission.submit(second.pk)
    assert not is_due(second)
    owner.mark_limits_changed()
    assert is_due(second)
    assert hold_of(fresh(second)) is None
    submission.submit(second.pk)  # there is still no room for it
    assert not is_due(second)
    assert "only $1.00 is left" in held_by(fresh(second))


def test_a_change_noted_by_a_clock_that_ran_ahead_lets_nothing_go(factory: OrderFactory) -> None:
    first, second = two_confirmed(factory, account())
    submission.submit(first.pk)
    submission.submit(second.pk)
    limit(account(), limits_changed_at=timezone.now() + timedelta(hours=1))
    assert not is_due(second)
    assert hold_of(fresh(second))


def test_a_changed_limit_does_not_shorten_another_pause(factory: OrderFactory) -> None:
    order = factory.confirmed(*CMR)
    Order.objects.filter(pk=order.pk).update(next_try_at=timezone.now() + timedelta(minutes=5))
    account().mark_limits_changed()
    assert not is_due(order)
    assert "MailOps tries again" in held_by(fresh(order))


def is_due(order: Order) -> bool:
    return Order.objects.due(timezone.now()).filter(pk=order.pk).exists()


def test_an_order_that_no_day_has_room_for_goes_to_a_person(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed(*CMR)
    limit(account(), day_limit=COSTS - 1)
    assert submission.submit(order.pk) == "nothing to do"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "It costs more than the limit of $18.00 a day" in order.reason
    assert practice.ledger.requests() == []


def test_a_smaller_order_behind_it_goes_out_meanwhile(factory: OrderFactory) -> None:
    factory.sent(*CMR, word="one")
    large, small = (
        factory.confirmed(*CMR, word="large"),
        factory.confirmed(*CMR, rows="small.com, Ann Lee, ann"),
    )
    limit(account(), day_limit=COSTS + 17)
    OrmQ.objects.all().delete()
    Order.objects.filter(pk=small.pk).update(queued_at=None)
    assert submission.submit(large.pk) == "nothing to do"
    assert [row.task["args"] for row in OrmQ.objects.all()] == [(small.pk,)]
    assert submission.submit(small.pk) == Stage.ACCEPTED


def test_only_an_operator_sets_a_clients_limits(factory: OrderFactory) -> None:
    browser = Browser()
    browser.force_login(factory.people.drafter)
    data = {
        "name": "Northwind",
        "main_domain": "northwind.com",
        "day_limit": "9999",
        "limit_currency": "USD",
    }
    assert browser.post(f"/orders/client/{northwind().pk}/change/", data).status_code == 302
    assert northwind().day_limit is None
    browser.force_login(factory.people.operator)
    browser.post(f"/orders/client/{northwind().pk}/change/", data)
    assert northwind().day_limit == 9999


# Two workers at once


@pytest.mark.parametrize("whose", ["account", "client"])
def test_two_workers_at_once_can_not_both_squeeze_in(
    committed: None, factory: OrderFactory, practice: Practice, settings: Any, whose: str
) -> None:
    """Each over a connection of its own; for the client, at two different accounts."""
    settings.ACCOUNT_AT_ONCE = 20
    owner = account() if whose == "account" else northwind()
    Price.objects.filter(vendor__api="scaledmail").update(amount=COSTS)
    other = CMR if whose == "account" else ("scaledmail", "package")
    for number in range(4):
        Attempt.objects.all().update(counted_at=timezone.now() - timedelta(days=40))
        limit(owner, day_limit=None)
        orders = [
            factory.confirmed(*CMR, word=f"one{number}"),
            factory.confirmed(*other, word=f"two{number}"),
        ]
        limit(owner, day_limit=COSTS * 2 - 1)
        turn = iter(orders)
        claimed = in_threads(2, lambda turn=turn: claim(next(turn).pk))
        assert sorted(attempt is None for attempt in claimed) == [False, True], claimed
        assert sorted(fresh(order).state for order in orders) == [State.CONFIRMED, State.SENDING]
        assert spent(owner) == COSTS


def test_a_claim_waits_for_another_accounts_claim_for_the_same_client(
    committed: None, factory: OrderFactory
) -> None:
    """The other worker has counted and not committed yet."""
    order, other = factory.confirmed(*CMR), factory.confirmed("scaledmail", "package")
    limit(northwind(), day_limit=COSTS)
    counted, go_on, claimed = threading.Event(), threading.Event(), []

    def first() -> None:
        with transaction.atomic():
            list(Client.objects.select_for_update(no_key=True))
            Attempt.objects.create(
                order=other, number=1, worker="other/1", digest=other.digest, claimed_at=timezone.now(),
                lease_until=timezone.now() + timedelta(minutes=5), due_now={"USD": str(COSTS)},
            )  # fmt: skip
            counted.set()
            go_on.wait(20)

    def second() -> None:
        assert counted.wait(20)
        claimed.append(claim(order.pk))

    turn = iter([first, second])
    watcher = threading.Thread(
        target=lambda: (counted.wait(20), until_somebody_waits(claimed), go_on.set())
    )
    watcher.start()
    in_threads(2, lambda: next(turn)())
    watcher.join(30)
    assert claimed == [None]
    assert (
        "Nothing is left of the limit of $19.00 a day for Northwind" in hold_of(fresh(order)).says
    )


def until_somebody_waits(done: list[Any]) -> None:
    """Until a connection waits for a lock, or nobody had to; SQLite lets one write at a time and
    can't be asked.
    """
    until = time.monotonic() + (10 if connection.vendor == "postgresql" else 0.5)
    try:
        while time.monotonic() < until and not done:
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    )
                    if cursor.fetchone()[0]:
                        return
            time.sleep(0.05)
    finally:
        connection.close()


def test_a_limit_that_never_has_room_is_said_before_one_that_has_room_later(
    factory: OrderFactory,
) -> None:
    factory.sent(*CMR, word="one")
    order = factory.confirmed(*CMR, word="two")
    limit(account(), day_limit=COSTS - 1, month_limit=COSTS + 1)
    submission.submit(order.pk)
    assert fresh(order).state == State.REVIEW
    assert "a day" in fresh(order).reason
