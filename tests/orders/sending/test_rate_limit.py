"""Politeness: all workers share an account's pace and its orders under way, and no account holds up
another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from orders import submission
from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import delivery, sweeper
from orders.sending import classification, preflight, task_queue
from tests.conftest import OrderFactory, claim, fresh, mark
from tests.orders.test_submission import charges, in_threads
from vendors import rate_limit, vendor_reader
from vendors.apis.values import Progress
from vendors.http import Reply, Request
from vendors.models import Vendor
from vendors.practice.server import Practice

CMR = ("coldmailreseller", "domains")


def account(api: str) -> Vendor:
    return Vendor.objects.get(api=api)


def reserved(vendor: Vendor, *, max_wait: float = 1e6) -> tuple[datetime, float | None]:
    """A turn taken as a worker does: the moment it took it for, and how long it has to wait."""
    with transaction.atomic():
        locked = Vendor.objects.locked(vendor.pk)
        now = timezone.now()
        wait = rate_limit.acquire(locked, max_wait=max_wait, now=now)
    return now + timedelta(seconds=wait or 0), wait


# The pace


def test_turns_that_many_workers_take_at_once_are_a_gap_apart(
    committed: None, factory: OrderFactory, settings: Any
) -> None:
    settings.VENDOR_PACE = 1
    vendor = account("smartsenders")
    gap = timedelta(seconds=vendor.adapter.pace_seconds)
    taken: list[tuple[datetime, float | None]] = []

    def take() -> None:
        for _ in range(5):
            taken.append(reserved(vendor))

    assert in_threads(8, take) == [None] * 8
    moments = sorted(at for at, wait in taken if wait is not None)
    assert len(moments) == 40
    assert all(later - earlier >= gap for earlier, later in pairwise(moments))


def test_an_account_without_a_limit_has_a_turn_at_once(factory: OrderFactory) -> None:
    assert [reserved(account("woodpecker"))[1] for _ in range(3)] == [0, 0, 0]
    assert account("woodpecker").next_turn_at is None


def test_a_turn_too_far_off_is_not_taken(factory: OrderFactory) -> None:
    vendor = account("smartsenders")
    at = timezone.now() + timedelta(minutes=5)
    Vendor.objects.filter(pk=vendor.pk).update(next_turn_at=at)
    assert reserved(vendor, max_wait=2)[1] is None
    assert account("smartsenders").next_turn_at == at


def test_a_slower_pace_can_be_set(factory: OrderFactory, settings: Any) -> None:
    settings.VENDOR_PACE = 3
    vendor = account("smartsenders")
    (first, _), (second, _) = reserved(vendor), reserved(vendor)
    assert second - first >= timedelta(seconds=3)


def test_a_turn_that_a_wrong_clock_wrote_does_not_block_the_account(factory: OrderFactory) -> None:
    order = factory.confirmed()
    Vendor.objects.filter(pk=order.vendor_id).update(
        next_turn_at=timezone.now() + timedelta(days=1)
    )
    assert vendor_reader.rests_until(fresh(order).vendor) is None
    assert hold_of(fresh(order)) is None
    Order.objects.filter(pk=order.pk).update(queued_at=None)
    assert sweeper.run()["rung"] == 1
    assert submission.submit(order.pk) == Stage.ACCEPTED


def test_a_rest_replaces_a_turn_that_a_wrong_clock_wrote(factory: OrderFactory) -> None:
    vendor = account("woodpecker")
    Vendor.objects.filter(pk=vendor.pk).update(next_turn_at=timezone.now() + timedelta(days=1))
    until = rate_limit.rest(vendor, 60)
    assert account("woodpecker").next_turn_at == until


def test_a_lease_that_a_wrong_clock_wrote_is_over(factory: OrderFactory) -> None:
    attempt = factory.claimed()
    assert sweeper.run()["released"] == 0
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=timezone.now() + timedelta(days=1))
    assert sweeper.run()["released"] == 1
    assert fresh(attempt.order).state == State.CONFIRMED


def test_orders_go_before_the_questions_that_mailops_asks_by_itself(
    factory: OrderFactory, settings: Any
) -> None:
    settings.VENDOR_PACE = 1
    vendor = account("smartsenders")
    own = sum(
        1 for _ in range(10) if reserved(vendor, max_wait=rate_limit.BY_ITSELF)[1] is not None
    )
    assert own < 10
    assert reserved(vendor, max_wait=rate_limit.AN_ORDER)[1] is not None


def test_a_question_answered_with_429_lets_the_account_rest(factory: OrderFactory) -> None:
    vendor = account("woodpecker")

    def read(request: Request) -> Reply:
        return Reply(status=429, headers={"Retry-After": "90"}, body=b"", seconds=0)

    rate_limit.throttled(read, vendor, max_wait=1)(Request(method="GET", path="/"))
    rests = account("woodpecker").next_turn_at
    assert rests and rests > timezone.now() + timedelta(seconds=30)
    with pytest.raises(rate_limit.Busy, match="can't be asked so often"):
        rate_limit.throttled(read, vendor, max_wait=1)(Request(method="GET", path="/"))


# How many at once


def work_off(is_done: Callable[[], bool]) -> Callable[[], None]:
    """A worker: takes queued orders one by one, sweeping where nothing is queued, until all is
    done.
    """

    def work() -> None:
        ends = time.monotonic() + 90
        while time.monotonic() < ends and not is_done():
            row = OrmQ.objects.order_by("?").first()
            if row is None:
                sweeper.run()
                time.sleep(0.05)
            elif OrmQ.objects.filter(pk=row.pk).delete()[0]:
                submission.submit(row.task["args"][0])

    return work


def test_woodpecker_never_has_two_orders_under_way(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    orders = [factory.confirmed(word=f"w{number}") for number in range(8)]

    def is_done() -> bool:
        return not Order.objects.exclude(state=State.ACCEPTED).exists()

    assert in_threads(8, work_off(is_done)) == [None] * 8
    assert is_done()
    assert [charges(practice, order) for order in orders] == [1] * 8
    assert Attempt.objects.count() == 8
    spans = sorted(Attempt.objects.values_list("sent_at", "ended_at"))
    assert all(ended <= sent for (_, ended), (sent, _) in pairwise(spans))


def test_a_second_order_of_a_busy_account_is_not_claimed_until_the_first_ends(
    factory: OrderFactory,
) -> None:
    first = factory.claimed()
    second = factory.confirmed(word="second")
    assert submission.submit(second.pk) == "nothing to do"
    assert fresh(second).queued_at is None
    submission.recheck(first)
    assert mark(first)
    reply = Reply(status=202, headers={}, body=b"", seconds=1)
    submission.record_outcome(first, reply, classification.verdict_over(first.order, reply))
    assert submission.submit(second.pk) == Stage.ACCEPTED


def test_where_a_vendor_has_no_limit_the_installations_own_applies(
    factory: OrderFactory, settings: Any
) -> None:
    settings.ACCOUNT_AT_ONCE = 2
    orders = [factory.confirmed(*CMR, word=f"c{number}") for number in range(3)]
    claims = [claim(order.pk) for order in orders]
    assert [claim is not None for claim in claims] == [True, True, False]


def test_one_account_with_a_stuck_order_does_not_hold_up_the_others(
    factory: OrderFactory, practice: Practice
) -> None:
    stuck = factory.claimed()  # its worker hangs
    behind = factory.confirmed(word="behind")
    others = [
        factory.confirmed(*CMR, word="two"),
        factory.confirmed("smartsenders", "domains", word="three"),
    ]
    assert submission.submit(behind.pk) == "nothing to do"
    assert [submission.submit(order.pk) for order in others] == [Stage.ACCEPTED] * 2
    done = sweeper.run(timezone.now() + timedelta(hours=1))
    assert done["released"] == 1
    assert done["rung"] == 2  # the stuck one, and the one behind it
    assert stuck.order_id in [row.task["args"][0] for row in OrmQ.objects.all()]


# Whose turn is next


def waiting(factory: OrderFactory, count: int) -> list[Order]:
    """Confirmed orders whose ring was for nothing, as the account was busy."""
    orders = [factory.confirmed(word=f"n{number}") for number in range(count)]
    OrmQ.objects.all().delete()
    Order.objects.update(queued_at=None)
    return orders


def test_the_next_one_is_the_oldest_and_one_alone(factory: OrderFactory) -> None:
    orders = waiting(factory, 3)
    task_queue.enqueue_next(orders[0].vendor_id)
    assert [row.task["args"] for row in OrmQ.objects.all()] == [(orders[0].pk,)]
    task_queue.enqueue_next(orders[0].vendor_id)
    assert sorted(row.task["args"] for row in OrmQ.objects.all()) == [
        (orders[0].pk,),
        (orders[1].pk,),
    ]


def test_nobody_is_rung_for_while_all_have_a_task_or_are_held(factory: OrderFactory) -> None:
    first, second = waiting(factory, 2)
    Order.objects.filter(pk=first.pk).update(queued_at=timezone.now())
    Order.objects.filter(pk=second.pk).update(next_try_at=timezone.now() + timedelta(minutes=5))
    task_queue.enqueue_next(first.vendor_id)
    assert not OrmQ.objects.exists()


def test_sending_one_order_rings_for_the_next_of_its_account_alone(factory: OrderFactory) -> None:
    order = factory.confirmed(word="first")
    elsewhere = factory.confirmed(*CMR)
    second, third = waiting(factory, 2)
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert [row.task["args"] for row in OrmQ.objects.all()] == [(second.pk,)]
    assert fresh(third).queued_at is None
    assert fresh(elsewhere).queued_at is None


@pytest.mark.parametrize("word", ["refused-field", "cut-after"])
def test_a_bad_end_rings_for_the_next_as_well(factory: OrderFactory, word: str) -> None:
    order = factory.confirmed(word=word)
    (second,) = waiting(factory, 1)
    submission.submit(order.pk)
    assert [row.task["args"] for row in OrmQ.objects.all()] == [(second.pk,)]


# Workers that die before the mark


def test_an_order_that_kills_its_workers_ends_with_a_person(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    order = factory.confirmed()
    for number in range(1, settings.NOT_SENT_TRIES + 1):
        assert preflight.LISTING.read(order) is None
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        assert claim(order.pk) is not None
        assert sweeper.run(timezone.now() + timedelta(hours=1))["released"] == 1
        assert fresh(order).tries == (number if number < settings.NOT_SENT_TRIES else 0)
    order = fresh(order)
    assert order.state == State.REVIEW
    assert (
        f"Not sent after {settings.NOT_SENT_TRIES} tries. The worker stopped before it sent"
        " anything." in order.reason
    )
    assert set(order.attempts.values_list("stage", flat=True)) == {Stage.NOT_SENT}
    assert practice.ledger.requests() == []


def test_a_worker_that_is_always_late_ends_with_a_person(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    settings.CLAIM_FRESH_SECONDS = -1
    order = factory.confirmed()
    words = []
    for _ in range(settings.NOT_SENT_TRIES):
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        words.append(submission.submit(order.pk))
    assert words == ["too late"] * settings.NOT_SENT_TRIES
    assert fresh(order).state == State.REVIEW
    assert practice.ledger.requests() == []


# Locks that could wait for each other


def test_claims_outcomes_verdicts_and_progress_at_once_never_lock_each_other_out(
    committed: None, factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    """Every kind of transaction on one account, over and over: none may end in a deadlock."""
    settings.UNKNOWN_IN_A_ROW = 0
    settings.ACCOUNT_AT_ONCE = 50
    orders = [factory.confirmed(*CMR, word=f"o{number}") for number in range(6)]
    unknown = [factory.sent(*CMR, word=f"cut-after-{number}") for number in range(6)]
    drafts = [factory.reviewed(*CMR, word=f"r{number}") for number in range(6)]
    seconds = iter(range(1, 100))
    lock = threading.Lock()
    jobs: list[Callable[[], object]] = []
    for order, doubt, draft in zip(orders, unknown, drafts, strict=True):
        jobs += [
            lambda pk=order.pk: submission.submit(pk),
            lambda doubt=doubt: late_429(doubt, next(seconds)),
            lambda doubt=doubt: factory.settle(doubt, "placed"),
            lambda draft=draft: factory.confirm(draft),
            lambda doubt=doubt: delivery.note(doubt.pk, Progress()),
            sweeper.run,
            lambda: task_queue.enqueue_next(account("coldmailreseller").pk),
        ]

    def work() -> None:
        while True:
            with lock:
                if not jobs:
                    return
                job = jobs.pop()
            try:
                job()
            except submission.NotAllowed:
                pass
            finally:
                connection.close()

    assert in_threads(8, work) == [None] * 8
    assert not jobs


def late_429(order: Order, seconds: int) -> str:
    attempt = order.attempts.get()
    reply = Reply(status=429, headers={"Retry-After": str(seconds)}, body=b"", seconds=1)
    return submission.record_outcome(
        attempt, reply, classification.verdict_over(attempt.order, reply)
    )
