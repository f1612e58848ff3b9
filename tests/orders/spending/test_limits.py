"""Limits for an order, a day and a month, per account and client: what counts, what waits, two
workers at once.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test import Client as Browser
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from orders import submission
from orders.models import Attempt, Client, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import settlement, sweeper
from orders.plan import plan
from orders.sending.claims import Then, not_sent
from orders.spending import limits
from tests.conftest import OrderFactory, claim, fresh, send
from tests.orders.test_submission import charges, in_threads
from vendors.models import Price, Vendor
from vendors.models.spend_limits import DAY, MONTH
from vendors.practice.server import Practice

CMR = ("coldmailreseller", "domains")
COSTS = Decimal("19.00")  # a domain and two mailboxes there


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
        claimed_at=timezone.now() - timedelta(days=1, minutes=1)
    )


# What counts


def test_days_and_months_are_the_installations(settings: Any) -> None:
    settings.TIME_ZONE = "Australia/Sydney"
    timezone.get_default_timezone.cache_clear()
    try:
        zone = ZoneInfo("Australia/Sydney")
        at = datetime(2026, 10, 3, 20, 0, tzinfo=UTC)  # the day there on which an hour is skipped
        start, end = limits.period(DAY, at)
        assert (start, end) == (
            datetime(2026, 10, 4, tzinfo=zone),
            datetime(2026, 10, 5, tzinfo=zone),
        )
        assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=23)
        december = datetime(2026, 12, 31, 12, 30, tzinfo=UTC)
        assert limits.period(MONTH, december) == (
            datetime(2026, 12, 1, tzinfo=zone),
            datetime(2027, 1, 1, tzinfo=zone),
        )
        assert limits.period(MONTH, december + timedelta(hours=1))[0] == datetime(
            2027, 1, 1, tzinfo=zone
        )
    finally:
        settings.TIME_ZONE = "UTC"
        timezone.get_default_timezone.cache_clear()


def test_an_order_counts_from_its_claim_until_it_provably_bought_nothing(
    factory: OrderFactory,
) -> None:
    limit(account(), day_limit=100)
    attempt = factory.claimed(*CMR)
    assert spent(account()) == COSTS
    assert not_sent(attempt, sweeper.WORKER_STOPPED, Then.RELEASE)
    assert spent(account()) == 0
    unknown = factory.sent(*CMR, word="cut-after")
    assert unknown.state == State.UNKNOWN
    assert spent(account()) == COSTS
    factory.settle(unknown, settlement.NOT_PLACED)
    assert spent(account()) == 0
    assert factory.sent(*CMR, word="refused-field").state == State.REFUSED
    assert spent(account()) == 0
    factory.sent(*CMR, word="fine")
    assert spent(account()) == COSTS


def test_yesterday_counts_for_the_month_and_not_for_the_day(factory: OrderFactory) -> None:
    order = factory.sent(*CMR)
    limit(account(), day_limit=100, month_limit=100)
    at = timezone.now()
    last_month = limits.period(MONTH, at)[0] - timedelta(seconds=1)
    Attempt.objects.filter(order=order).update(
        claimed_at=limits.period(DAY, at)[0] - timedelta(seconds=1)
    )
    later = limits.uses(account(), at=at)
    same_month = limits.period(DAY, at)[0] > limits.period(MONTH, at)[0]
    assert [use.used for use in later] == [0, COSTS if same_month else 0]
    Attempt.objects.filter(order=order).update(claimed_at=last_month)
    assert [use.used for use in limits.uses(account(), at=at)] == [0, 0]


def test_amounts_in_another_currency_are_not_added(factory: OrderFactory) -> None:
    factory.sent()  # in euros
    factory.sent(*CMR, word="other")
    limit(northwind(), day_limit=100)
    assert spent(northwind()) == COSTS
    limit(northwind(), limit_currency="EUR")
    assert spent(northwind()) == Decimal("12.00")


def test_a_sum_of_many_cents_is_exact(factory: OrderFactory) -> None:
    limit(account(), day_limit=100)
    for number in range(7):
        order = factory.sent(*CMR, word=f"cents-{number}")
        Attempt.objects.filter(order=order).update(due_now={"USD": "0.10"})
    assert spent(account()) == Decimal("0.70")


def test_where_no_limit_is_set_nothing_is_asked(
    factory: OrderFactory, django_assert_num_queries: Any
) -> None:
    vendor, client, order = account(), northwind(), fresh(factory.draft(*CMR))
    with django_assert_num_queries(0):
        assert limits.uses(vendor, client, at=timezone.now()) == []
        assert limits.warnings(order, {"USD": COSTS}) == []
        assert limits.used_up(order, {"USD": COSTS}, timezone.now()) is None


# While drafting, and confirming


@pytest.mark.parametrize("whose", ["account", "client"])
def test_an_order_over_the_limit_for_one_order_is_stopped(
    factory: OrderFactory, whose: str
) -> None:
    owner = account() if whose == "account" else northwind()
    order = factory.draft(*CMR)
    limit(owner, order_limit=COSTS)
    assert not plan(fresh(order)).blocking
    limit(owner, order_limit=COSTS - Decimal("0.01"))
    (stop,) = plan(fresh(order)).blocking
    assert (
        stop.message
        == f"This order costs $19.00 now, over the limit of $18.99 an order for {owner.name}."
    )


def test_an_order_in_another_currency_than_a_limit_is_stopped(factory: OrderFactory) -> None:
    order = factory.draft(*CMR)
    limit(northwind(), day_limit=1000, limit_currency="EUR")
    (stop,) = plan(fresh(order)).blocking
    assert "the limit of Northwind is in EUR" in stop.message


def test_a_drafter_is_warned_and_a_confirmer_stopped_with_the_sums(factory: OrderFactory) -> None:
    limit(account(), day_limit=40)
    factory.sent(*CMR, word="one")
    order = factory.reviewed(*CMR, word="two")
    factory.confirm(order)  # 38.00: it fits
    third = factory.reviewed(*CMR, word="three")
    (warning,) = plan(fresh(third)).warnings
    says = "With its $19.00 it would go over the limit of $40.00 a day for ColdMailReseller: "
    assert warning.message == f"{says}$38.00 is used or on its way."
    with pytest.raises(NotAllowed, match=r"\$38\.00 is used or on its way\. Choose a later time"):
        factory.confirm(third)
    assert fresh(third).state == State.REVIEW
    limit(account(), day_limit=57)
    factory.confirm(third)


def test_an_order_that_is_planned_counts_for_its_own_day(factory: OrderFactory) -> None:
    limit(account(), day_limit=20)
    factory.sent(*CMR, word="one")
    now = timezone.now()
    for days, word in ((2, "two"), (3, "three")):
        order = factory.reviewed(*CMR, word=word)
        digest = plan(fresh(order)).digest
        at = now + timedelta(days=days)
        submission.confirm(order.pk, by=factory.people.confirmer, digest=digest, planned_for=at)
    more = factory.reviewed(*CMR, word="four")
    digest = plan(fresh(more)).digest
    with pytest.raises(NotAllowed, match="a day"):
        submission.confirm(
            more.pk, by=factory.people.confirmer, digest=digest, planned_for=now + timedelta(days=2)
        )
    submission.confirm(
        more.pk, by=factory.people.confirmer, digest=digest, planned_for=now + timedelta(days=4)
    )


def test_the_pages_show_what_is_used_and_what_the_order_adds(factory: OrderFactory) -> None:
    limit(account(), day_limit=100, month_limit=200)
    limit(northwind(), month_limit=20)
    factory.sent(*CMR, word="one")
    order = factory.reviewed(*CMR, word="two")
    browser = Browser()
    browser.force_login(factory.people.confirmer)
    said = " ".join(browser.get(f"/orders/order/{order.pk}/confirm/").content.decode().split())
    assert (
        "<dt>ColdMailReseller, today</dt> <dd> $19.00 of $100.00 used <br>With this order $38.00"
        " </dd>" in said
    )
    assert (
        "<dt>Northwind, this month</dt> <dd> $19.00 of $20.00 used <br>With this order <b>$38.00,"
        " over the" in said
    )
    assert "There is no room for it in a limit today." in said
    today = " ".join(browser.get("/").content.decode().split())
    assert "Today: $19.00 of $100.00 used." in today
    assert "This month: $19.00 of $200.00 used." in today


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
    assert fresh(second).held_by == ""
    submission.submit(second.pk)  # there is still no room for it
    assert not is_due(second)
    assert "only $1.00 is left" in fresh(second).held_by


def test_a_change_noted_by_a_clock_that_ran_ahead_lets_nothing_go(factory: OrderFactory) -> None:
    first, second = two_confirmed(factory, account())
    submission.submit(first.pk)
    submission.submit(second.pk)
    limit(account(), limits_changed_at=timezone.now() + timedelta(hours=1))
    assert not is_due(second)
    assert fresh(second).held_by


def test_a_changed_limit_does_not_shorten_another_pause(factory: OrderFactory) -> None:
    order = factory.confirmed(*CMR)
    Order.objects.filter(pk=order.pk).update(next_try_at=timezone.now() + timedelta(minutes=5))
    account().mark_limits_changed()
    assert not is_due(order)
    assert "MailOps tries again" in fresh(order).held_by


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
        Attempt.objects.all().update(claimed_at=timezone.now() - timedelta(days=40))
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


def test_confirming_counts_for_the_day_on_which_the_hold_ends(factory: OrderFactory) -> None:
    factory.sent(*CMR, word="one")
    limit(account(), day_limit=20)
    Vendor.objects.filter(pk=account().pk).update(hold_minutes=24 * 60)
    two, three = factory.reviewed(*CMR, word="two"), factory.reviewed(*CMR, word="three")
    factory.confirm(two)  # goes tomorrow, when nothing is used yet
    with pytest.raises(NotAllowed, match="over the limit"):
        factory.confirm(three)
