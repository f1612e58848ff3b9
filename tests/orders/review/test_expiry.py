"""A waiting review and a confirmation expire, say so, and never while something may be bought."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from orders import submission
from orders.models import Attempt, Order, State
from orders.outcomes import sweeper as sweep
from orders.review import expiry
from tests.conftest import OrderFactory, claim, fresh
from tests.orders.pages import browser, url
from tests.orders.test_submission import charges, in_threads
from vendors.models import Vendor
from vendors.practice.server import Practice

CMR = ("coldmailreseller", "domains")


def age(order: Order, days: float) -> None:
    """Let the order be older by so many days."""
    names = ["state_since", "confirmed_at", "hold_until", "planned_for"]
    changed: dict[str, Any] = {name: models.F(name) - timedelta(days=days) for name in names}
    Order.objects.filter(pk=order.pk).update(**changed)


def expired_events() -> list[str]:
    return list(Event.objects.filter(action__endswith="_expired").values_list("action", flat=True))


def test_a_review_becomes_a_draft_again_after_its_days_and_says_why(factory: OrderFactory) -> None:
    order = factory.reviewed()
    age(order, 13.9)
    assert sweep.run()["expired"] == 0
    age(order, 0.2)
    assert sweep.run()["expired"] == 1
    assert fresh(order).state == State.DRAFT
    assert expired_events() == ["order.review_expired"]
    says = "Nobody confirmed it within 14 days, so it is a draft again. Nothing was bought."
    assert says in browser(factory.people.drafter).get(url(order)).content.decode()
    assert sweep.run()["expired"] == 0


def test_a_confirmation_of_an_order_that_can_not_go_expires(factory: OrderFactory) -> None:
    order = factory.confirmed()
    order.vendor.stop(reason="Let us see.")
    age(order, 7.1)
    assert sweep.run()["expired"] == 1
    again = fresh(order)
    assert (again.state, again.confirmed_by, again.hold_until) == (State.REVIEW, None, None)
    assert (
        "confirmer confirmed it on" in again.reason
        and "It needs a fresh confirmation." in again.reason
    )
    assert not again.mailboxes.exclude(state="planned").exists()
    assert expired_events() == ["order.confirmation_expired"]
    assert (
        again.reason
        in browser(factory.people.confirmer).get(url(order, "confirm")).content.decode()
    )


def test_the_days_of_an_order_planned_for_later_count_from_then(factory: OrderFactory) -> None:
    order = factory.reviewed()
    planned_for = timezone.now() + timedelta(days=20)
    digest = submission.plan(order).digest
    submission.confirm(
        order.pk, by=factory.people.confirmer, digest=digest, planned_for=planned_for
    )
    assert expiry.expires_at(fresh(order)) == planned_for + timedelta(days=7)
    age(order, 26.9)
    assert sweep.run()["expired"] == 0
    age(order, 0.2)
    assert sweep.run()["expired"] == 1
    assert "for which it was planned" in fresh(order).reason


def test_with_zero_days_nothing_expires(factory: OrderFactory, settings: Any) -> None:
    settings.REVIEW_DAYS = settings.CONFIRMATION_DAYS = 0
    orders = [factory.reviewed(word="one"), factory.confirmed(word="two")]
    for order in orders:
        age(order, 1000)
        assert expiry.expires_at(fresh(order)) is None
    assert sweep.run()["expired"] == 0


@pytest.mark.parametrize(
    "state", [State.SENDING, State.UNKNOWN, State.DRAFT, State.ACCEPTED, State.CANCELLED]
)
def test_no_other_order_expires(factory: OrderFactory, state: str) -> None:
    order = factory.confirmed()
    Order.objects.filter(pk=order.pk).update(state=state)
    age(order, 1000)
    assert expiry.expires_at(fresh(order)) is None
    assert not Order.objects.overdue(timezone.now()).exists()


def test_an_order_that_was_taken_for_not_placed_waits_for_people_alone(
    factory: OrderFactory,
) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, "not_placed")
    age(order, 1000)
    assert sweep.run()["expired"] == 0
    assert expiry.expires_at(fresh(order)) is None
    assert fresh(order).state == State.REVIEW


def test_a_worker_that_comes_before_the_sweep_sends_nothing_either(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    age(order, 7.1)
    assert submission.submit(order.pk) == "nothing to do"
    assert fresh(order).state == State.REVIEW
    assert not Attempt.objects.exists()
    assert expired_events() == ["order.confirmation_expired"]
    assert charges(practice, order) == 0


def test_the_pages_say_when_it_expires(factory: OrderFactory) -> None:
    order = factory.reviewed()
    age(order, 10.5)
    for page in ("change", "confirm"):
        told = browser(factory.people.confirmer).get(url(order, page)).content.decode()
        assert "Expires" in told and "in 3" in told
        assert "It is a draft again then, and nothing is bought." in told


# At the same moment, on two connections


def test_the_sweep_waits_for_a_claim_that_is_being_written_and_then_leaves_it_alone(
    committed: None, factory: OrderFactory
) -> None:
    order = factory.confirmed(*CMR)
    claimed, may_commit = threading.Event(), threading.Event()
    soon = timezone.now() + timedelta(
        days=7, seconds=1
    )  # by the sweep's clock it is over, by the worker's not yet

    def worker() -> str:
        with transaction.atomic():
            Vendor.objects.locked(order.vendor_id)
            fresh(order).transition(State.SENDING, action="order.claimed")
            claimed.set()
            may_commit.wait(1)
        return "claimed"

    def sweeper() -> int:
        claimed.wait(10)
        return _swept(soon)

    turn = iter([worker, sweeper])
    results = in_threads(2, lambda: next(turn)())
    assert sorted(map(str, results)) == ["0", "claimed"]
    assert fresh(order).state == State.SENDING
    assert expired_events() == []


def test_a_claim_finds_nothing_once_the_sweep_was_faster(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed(*CMR)
    soon = timezone.now() + timedelta(days=7, seconds=1)
    turn = iter([lambda: _swept(soon), lambda: claim(order.pk)])
    swept, attempt = sorted(
        in_threads(2, lambda: next(turn)()), key=lambda found: not isinstance(found, int)
    )
    assert (swept, attempt) in [(1, None), (0, Attempt.objects.first())]
    state = fresh(order).state
    assert state == (State.REVIEW if swept else State.SENDING)
    assert Attempt.objects.count() == 1 - swept
    assert Event.objects.filter(action="order.claimed").count() == 1 - swept


def _swept(now: datetime) -> int:
    return expiry.sweep(now, at_most=10)


def test_nothing_is_queued_for_what_expired(factory: OrderFactory) -> None:
    order = factory.confirmed()
    OrmQ.objects.all().delete()
    age(order, 8)
    done = sweep.run()
    assert (done["expired"], done["rung"]) == (1, 0)
    assert not OrmQ.objects.exists() and connection.in_atomic_block
