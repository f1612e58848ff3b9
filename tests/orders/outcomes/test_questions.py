"""Questions to vendors: one an account under way, the oldest first, none lost and none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from orders import tasks
from orders.models import Domain, Order, State
from orders.outcomes import delivery, evidence_lookup, question_queue, questions, sweeper
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.open_orders import PACKAGE, in_queue, later, long_ago, waiting
from vendors import account_reads
from vendors.models import Vendor
from vendors.practice.server import Practice

# When an order is due


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(minutes=1), timedelta(minutes=5)),
        (timedelta(minutes=100), timedelta(minutes=5)),
        (timedelta(hours=10), timedelta(minutes=30)),
        (timedelta(days=10), timedelta(hours=12)),
        (timedelta(days=200), timedelta(days=1)),
    ],
)
def test_the_older_an_order_the_more_rarely_it_is_asked_about(
    settings: Any, age: timedelta, wait: timedelta
) -> None:
    settings.PROGRESS_SECONDS = 300
    now = timezone.now()
    asked_at = now - timedelta(hours=1)
    assert questions.ask_again_at(asked_at, now - age, now) == asked_at + wait


def test_an_order_that_was_never_asked_about_is_due_since_it_came() -> None:
    now = timezone.now()
    since = now - timedelta(days=3)
    assert questions.ask_again_at(None, since, now) == since
    assert questions.ask_again_at(now + timedelta(days=1), since, now) == since


@pytest.mark.parametrize("state", [State.ACCEPTED, State.CREATED])
def test_an_order_is_asked_about_as_long_as_it_is_open(
    unguarded: None, factory: OrderFactory, state: State
) -> None:
    order = waiting(factory)
    year_ago = later() - timedelta(days=365)
    Order.objects.filter(pk=order.pk).update(state=state, state_since=year_ago, asked_at=year_ago)
    assert questions.due_accounts(timezone.now()) == [order.vendor_id]
    Order.objects.filter(pk=order.pk).update(state=State.DELIVERED)
    assert questions.due_accounts(timezone.now()) == []


# What the sweep queues


def test_the_sweep_queues_one_task_for_the_account(factory: OrderFactory) -> None:
    order = waiting(factory)
    waiting(factory)
    assert sweeper.run()["asked"] == 1
    assert sweeper.run()["asked"] == 0
    assert in_queue() == [("orders.tasks.ask_account", (order.vendor_id,))]


def test_queueing_is_not_asking(factory: OrderFactory) -> None:
    order = waiting(factory)
    before = fresh(order).asked_at
    sweeper.run()
    assert fresh(order).asked_at == before
    assert tasks.ask_account(order.vendor_id) == "all asked"
    asked_at, answered_at = fresh(order).asked_at, fresh(order).answered_at
    assert asked_at and before and answered_at
    assert before < asked_at <= answered_at
    assert sweeper.run()["asked"] == 0


def test_the_account_that_waits_longest_comes_first(factory: OrderFactory, settings: Any) -> None:
    settings.QUESTION_WORKERS = 1
    one = waiting(factory, minutes=20)
    other = factory.sent("woodpecker", "mailboxes", word="never-delivered-one")
    third = factory.sent("smartsenders", "domains", word="never-delivered-two")
    long_ago(other, minutes=40)
    long_ago(third, minutes=30)
    OrmQ.objects.all().delete()
    sweeper.run()
    assert in_queue() == [
        ("orders.tasks.ask_account", (other.vendor_id,)),
        ("orders.tasks.ask_account", (third.vendor_id,)),
    ]
    assert one.vendor_id in questions.due_accounts(timezone.now())


def test_a_full_queue_gets_nothing_more(factory: OrderFactory, settings: Any) -> None:
    settings.QUESTION_WORKERS = 1
    waiting(factory)
    for _ in range(2):
        OrmQ.objects.create(key="questions", payload="x", lock=timezone.now())
    assert sweeper.run()["asked"] == 0


def test_what_a_dead_worker_took_fills_no_place(factory: OrderFactory, settings: Any) -> None:
    settings.QUESTION_WORKERS = 1
    waiting(factory)
    taken = timezone.now() + timedelta(seconds=settings.QUEUE_RETRY)
    for _ in range(2):
        OrmQ.objects.create(key="questions", payload="x", lock=taken - timedelta(seconds=91))
    assert question_queue.length(timezone.now()) == 0
    assert sweeper.run()["asked"] == 1


def test_orders_behind_a_line_of_questions_are_not_taken_for_late(factory: OrderFactory) -> None:
    order = factory.confirmed()
    OrmQ.objects.all().delete()
    OrmQ.objects.bulk_create(
        OrmQ(key="questions", payload="x", lock=timezone.now()) for _ in range(sweeper.BACKLOG + 1)
    )
    assert sweeper.run(later(minutes=5))["rung"] == 1
    (row,) = OrmQ.objects.filter(key="mailops")
    assert row.task["args"] == (order.pk,)


def test_an_account_that_is_being_asked_is_not_queued_or_asked_again(factory: OrderFactory) -> None:
    order = waiting(factory)
    lease = account_reads.take(order.vendor_id)
    assert sweeper.run()["asked"] == 0
    assert tasks.ask_account(order.vendor_id) == "is asked already"
    assert lease
    account_reads.give_back(order.vendor_id, lease)
    assert sweeper.run()["asked"] == 1


# Failures


def test_an_account_that_does_not_answer_rests_and_says_why(
    factory: OrderFactory, practice: Practice
) -> None:
    orders = [waiting(factory), waiting(factory)]
    practice.stop()
    assert tasks.ask_account(orders[0].vendor_id) == "rests"
    vendor = Vendor.objects.get(pk=orders[0].vendor_id)
    assert vendor.read_said.startswith("The vendor could not be asked: ")
    assert (vendor.reads_failed, vendor.asking_until) == (1, None)
    asked = [fresh(order).asked_at for order in orders]
    assert sum(at > later(minutes=-1) for at in asked if at) == 1  # the other was not tried
    assert sweeper.run(later(seconds=50))["asked"] == 0
    assert sweeper.run(later(seconds=70))["asked"] == 1


def test_after_a_rest_another_order_is_asked_about(
    factory: OrderFactory, practice: Practice
) -> None:
    one, other = waiting(factory, hours=3), waiting(factory, hours=2)
    practice.stop()
    tasks.ask_account(one.vendor_id)
    Vendor.objects.update(quiet_until=None)
    tasks.ask_account(one.vendor_id)
    assert all(
        (fresh(order).asked_at or later(days=-9)) > later(minutes=-1) for order in (one, other)
    )


def test_an_answer_that_makes_no_sense_makes_the_account_rest(
    factory: OrderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = waiting(factory)

    def progress(*args: Any) -> Any:
        raise KeyError("domain")

    monkeypatch.setattr(type(order.vendor.adapter), "progress", progress)
    assert tasks.ask_account(order.vendor_id) == "rests"
    vendor = Vendor.objects.get(pk=order.vendor_id)
    assert vendor.read_said == "The vendor answered in a form that can't be read."


def test_a_key_that_cannot_be_opened_makes_the_account_rest(
    factory: OrderFactory, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    order = waiting(factory)
    settings.SEAL_KEYS = [Fernet.generate_key().decode()]
    assert tasks.ask_account(order.vendor_id) == "no key"
    assert Vendor.objects.get(pk=order.vendor_id).reads_failed == 1


def test_an_answer_ends_the_rests(factory: OrderFactory) -> None:
    order = waiting(factory)
    Vendor.objects.filter(pk=order.vendor_id).update(
        reads_failed=4, quiet_until=later(minutes=-1), read_said="It did not answer."
    )
    assert tasks.ask_account(order.vendor_id) == "all asked"
    vendor = Vendor.objects.get(pk=order.vendor_id)
    assert (vendor.reads_failed, vendor.quiet_until, vendor.read_said) == (0, None, "")


def test_a_vendor_that_asked_for_a_pause_is_left_alone(factory: OrderFactory) -> None:
    order = waiting(factory)
    Vendor.objects.filter(pk=order.vendor_id).update(next_turn_at=later(minutes=2))
    before = fresh(order).asked_at
    assert sweeper.run()["asked"] == 0
    assert tasks.ask_account(order.vendor_id) == "account busy"
    assert fresh(order).asked_at == before
    assert Vendor.objects.get(pk=order.vendor_id).reads_failed == 0


# The order of the questions


def test_what_a_person_asked_for_comes_first_then_unknown_outcomes_then_the_oldest(
    factory: OrderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    young, old, wanted = (waiting(factory, hours=hours) for hours in (1, 3, 2))
    unknown = factory.sent(*PACKAGE, word="cut-after").attempts.get()
    type(unknown).objects.filter(pk=unknown.pk).update(sent_at=later(minutes=-5))
    Order.objects.filter(pk=wanted.pk).update(wanted_at=timezone.now())
    asked: list[int] = []
    real, real_look = delivery.ask_with, evidence_lookup.look
    monkeypatch.setattr(
        delivery, "ask_with", lambda pk, *a, **k: (asked.append(pk), real(pk, *a, **k))[1]
    )
    monkeypatch.setattr(
        evidence_lookup, "look",
        lambda attempt, **k: (asked.append(attempt.order_id), real_look(attempt, **k))[1],
    )  # fmt: skip
    assert tasks.ask_account(young.vendor_id) == "all asked"
    assert asked == [wanted.pk, unknown.order_id, old.pk, young.pk]
    assert fresh(wanted).wanted_at is None


def seconds_by_questions() -> Callable[[], float]:
    """A clock that goes on by a second with each order that is asked about."""
    began = timezone.now()
    return lambda: float(Order.objects.filter(asked_at__gte=began).count())


def test_what_is_left_after_twenty_seconds_is_queued_again(
    unguarded: None, factory: OrderFactory
) -> None:
    copies(waiting(factory), 22)
    vendor = Vendor.objects.get(api="scaledmail")
    assert questions.ask_account(vendor.pk, clock=seconds_by_questions()) == "goes on"
    assert in_queue() == [("orders.tasks.ask_account", (vendor.pk,))]
    assert Order.objects.filter(answered_at__isnull=False).count() == 20
    assert questions.ask_account(vendor.pk, clock=seconds_by_questions()) == "all asked"
    assert in_queue() == []
    assert Order.objects.filter(answered_at__isnull=False).count() == 23


def copies(order: Order, number_of_them: int) -> None:
    """As many accepted orders more, each asked about a second later than the one before."""
    since = order.asked_at
    made = []
    for number in range(number_of_them):
        other = copy(order)
        other.pk, other.asked_at = None, since and since + timedelta(seconds=number)
        made.append(other)
    Order.objects.bulk_create(made)


def test_none_of_1300_orders_is_asked_twice_before_all_are_asked_once(
    unguarded: None, factory: OrderFactory, settings: Any
) -> None:
    settings.PROGRESS_SECONDS = 0  # as if a minute went by between two sweeps
    order = waiting(factory, hours=5)
    copies(order, 1299)
    times: Counter[int] = Counter()
    for minute in range(66):
        assert questions.enqueue_due(timezone.now()) == 1
        assert in_queue() == [("orders.tasks.ask_account", (order.vendor_id,))]
        began = timezone.now()
        questions.ask_account(order.vendor_id, clock=seconds_by_questions())
        in_queue()  # what is queued at the end waits for the next sweep here
        asked = Order.objects.filter(asked_at__gte=began).values_list("pk", flat=True)
        assert len(asked) == 20
        times.update(asked)
        assert max(times.values()) == 1 or len(times) == 1300
        assert minute != 59 or len(times) == 1200
    assert len(times) == 1300
    assert max(times.values()) == 2


def test_of_a_large_order_forty_open_domains_are_asked_about_those_first_that_waited_longest(
    factory: OrderFactory,
) -> None:
    rows = "\n".join(f"never-delivered-{number}.com, Ann Lee, ann" for number in range(45))
    order = factory.sent("woodpecker", "mailboxes", rows=rows)
    names = [line.name for line in order.contents]
    long_ago(order, hours=1)
    assert tasks.ask_account(order.vendor_id) == "all asked"
    looked = Domain.objects.filter(looked_at__isnull=False)
    assert sorted(looked.values_list("name", flat=True)) == sorted(names[:40])
    first_time = timezone.now()
    long_ago(order, hours=1)
    assert tasks.ask_account(order.vendor_id) == "all asked"
    assert not Domain.objects.filter(name__in=names, looked_at=None).exists()
    again = Domain.objects.filter(name__in=names, looked_at__gt=first_time)
    assert sorted(again.values_list("name", flat=True)) == sorted(names[40:] + names[:35])


def test_domains_that_are_there_are_not_asked_about_again(factory: OrderFactory) -> None:
    rows = "fine.com, Ann Lee, ann\nnever-delivered.com, Sam Ito, sam"
    order = factory.sent("woodpecker", "mailboxes", rows=rows)
    assert delivery.ask(order.pk) == "told"
    Domain.objects.update(looked_at=None)
    assert delivery.ask(order.pk) == "no news"
    looked = Domain.objects.filter(looked_at__isnull=False)
    assert list(looked.values_list("name", flat=True)) == ["never-delivered.com"]
