"""Workers that vanish, verdicts of people, late answers, and what the database itself refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from orders import submission
from orders.models import NEXT, Attempt, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.outcomes import evidence_lookup, settlement, sweeper
from orders.plan import plan
from orders.sending import classification
from tests.conftest import OrderFactory, fresh, mark
from tests.orders.test_submission import charges
from vendors.http import Lost, NoConnection, Reply
from vendors.models import Vendor
from vendors.practice.server import Practice


def test_a_worker_lost_before_the_mark_releases_the_order(
    factory: OrderFactory, practice: Practice
) -> None:
    attempt = factory.claimed()
    order = attempt.order
    later = timezone.now() + timedelta(hours=1)
    assert sweeper.run(later)["released"] == 1
    assert fresh(order).state == State.CONFIRMED
    assert not mark(attempt, started=0)  # the worker wakes up: it may not send any more
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert charges(practice, order) == 1


def test_a_worker_lost_after_the_mark_leaves_the_outcome_unknown(factory: OrderFactory) -> None:
    attempt = factory.claimed()
    order = attempt.order
    assert submission.recheck(attempt) is not None
    assert mark(attempt)
    assert sweeper.run(timezone.now() + timedelta(hours=1))["unknown"] == 1
    assert fresh(order).state == State.UNKNOWN


def test_a_worker_that_slept_since_its_claim_does_not_send(factory: OrderFactory) -> None:
    attempt = factory.claimed()
    order = attempt.order
    submission.recheck(attempt)
    assert not mark(attempt, started=-10_000)
    assert fresh(order).state == State.CONFIRMED


def test_a_worker_whose_machine_slept_since_its_claim_does_not_send(factory: OrderFactory) -> None:
    """The running clock may stand still while a machine sleeps; the day's clock goes on."""
    attempt = factory.claimed()
    submission.recheck(attempt)
    attempt.claimed_at -= timedelta(hours=1)
    assert not mark(attempt)
    assert fresh(attempt.order).state == State.CONFIRMED


def test_a_worker_that_froze_after_its_mark_settles_the_doubt_it_made(
    factory: OrderFactory,
) -> None:
    attempt = factory.claimed()
    assert attempt.move(Stage.SENDING, since=(Stage.CLAIMED,), sent_at=timezone.now())
    assert sweeper.run(timezone.now() + timedelta(hours=1))["unknown"] == 1
    outcome = NoConnection(submission.HELD_UP)
    assert (
        submission.record_outcome(
            attempt, outcome, classification.verdict_over(attempt.order, outcome)
        )
        == "not_sent"
    )
    order = fresh(attempt.order)
    assert order.state == State.REVIEW
    assert "Nothing was bought" in order.reason


def test_the_database_refuses_a_second_open_attempt(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(
            order=order, number=2, worker="w", digest="d", claimed_at=now, lease_until=now
        )


def test_settled_as_not_placed_waits_for_a_fresh_confirmation_and_sends_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, settlement.NOT_PLACED, reason="Not in their list a day later.")
    order = fresh(order)
    assert order.state == State.REVIEW
    submission.submit(order.pk)
    sweeper.run(timezone.now() + timedelta(hours=1))
    assert practice.ledger.charges() == []
    assert len(practice.ledger.requests()) <= 1
    factory.confirm(order)
    assert order.attempts.get().stage == Stage.NOT_PLACED


def test_settled_as_placed_is_accepted_with_the_reference(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, settlement.PLACED, reason="It is in their list.", reference="W-77")
    order = fresh(order)
    attempt = order.attempts.get()
    assert (order.state, order.reference, attempt.stage) == (State.ACCEPTED, "W-77", Stage.PLACED)
    assert (attempt.settled_by_name, attempt.settled_reason) == (
        "confirmer",
        "It is in their list.",
    )


def test_a_late_answer_never_overwrites_a_settled_verdict(factory: OrderFactory) -> None:
    order = factory.sent(word="timeout-before")
    attempt = order.attempts.get()
    factory.settle(order, settlement.NOT_PLACED)
    reply = Reply(status=202, headers={}, body=b"", seconds=1)
    assert (
        submission.record_outcome(attempt, reply, classification.verdict_over(order, reply))
        == "late"
    )
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "Accepted" in order.attempts.get().late_answer


@pytest.mark.parametrize(
    ("verdict", "outcome", "is_news"),
    [
        (settlement.NOT_PLACED, Reply(status=202, headers={}, body=b"", seconds=1), True),
        (settlement.NOT_PLACED, NoConnection("held up"), False),
        (settlement.PLACED, NoConnection("held up"), True),
        (settlement.PLACED, Reply(status=202, headers={}, body=b"", seconds=1), False),
        (settlement.PLACED, Lost("cut"), False),
    ],
)
def test_only_an_answer_that_speaks_against_the_verdict_is_news(
    factory: OrderFactory, verdict: str, outcome: Reply | NoConnection | Lost, is_news: bool
) -> None:
    order = factory.sent(word="timeout-before")
    attempt = order.attempts.get()
    factory.settle(order, verdict)
    assert (
        submission.record_outcome(attempt, outcome, classification.verdict_over(order, outcome))
        == "late"
    )
    attempt.refresh_from_db()
    assert (attempt.news_at is not None, bool(attempt.late_answer)) == (is_news, True)


def test_evidence_is_kept_with_its_age_and_is_never_a_verdict(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    found = evidence_lookup.look(order.attempts.get(), by=factory.people.confirmer)
    assert any(item.points_to == "placed" for item in found)
    order = fresh(order)
    assert order.state == State.UNKNOWN
    assert order.attempts.get().evidence_at is not None


def test_the_sweep_queues_a_confirmed_order_whose_task_is_gone(factory: OrderFactory) -> None:
    order = factory.confirmed()
    OrmQ.objects.all().delete()
    assert sweeper.run()["rung"] == 0  # not so soon
    later = timezone.now() + timedelta(minutes=5)
    assert sweeper.run(later)["rung"] == 1
    assert sweeper.run(later)["rung"] == 0
    assert OrmQ.objects.get().task["args"] == (order.pk,)


def test_a_long_backlog_is_not_taken_for_lost_tasks(factory: OrderFactory) -> None:
    order = factory.confirmed()
    OrmQ.objects.bulk_create(
        OrmQ(key="mailops", payload="x", lock=timezone.now()) for _ in range(sweeper.BACKLOG)
    )
    later = timezone.now() + timedelta(minutes=5)
    assert sweeper.run(later)["rung"] == 0
    Order.objects.filter(pk=order.pk).update(queued_at=None)
    assert sweeper.run(later)["rung"] == 1


def test_a_practice_installation_sends_nothing_to_a_live_account(
    unguarded: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed("coldmailreseller", "domains")
    Vendor.objects.filter(pk=order.vendor_id).update(mode="live")
    Order.objects.filter(pk=order.pk).update(digest=plan(fresh(order)).digest)
    assert submission.submit(order.pk) == "held back"
    assert "practice installation" in fresh(order).reason
    assert fresh(order).attempts.get().sent_at is None


# The states


def test_a_move_that_the_table_does_not_name_raises(factory: OrderFactory) -> None:
    order = factory.draft()
    for to in set(State) - NEXT[State.DRAFT] - {State.DRAFT}:
        with pytest.raises(NotAllowed), transaction.atomic():
            order.transition(to, action="test")
    assert fresh(order).state == State.DRAFT


def test_the_database_knows_the_states(factory: OrderFactory) -> None:
    order = factory.draft()
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(state="lost")


def test_history_cannot_be_changed_in_the_database(factory: OrderFactory) -> None:
    factory.draft()
    for change in (
        lambda: Event.objects.update(who="nobody"),
        lambda: Event.objects.all().delete(),
    ):
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            change()
