"""Orders that the vendor only created: nothing is counted until somebody says they are processed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from mailops.core.money import Totals
from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import Attempt, Domain, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.outcomes import created_orders
from orders.outcomes.created_orders import OldPage, Shown
from orders.plan import plan
from orders.spending import balance
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.creating import (
    CMR,
    COSTS,
    CREATE_ONLY,
    TWO_DOMAINS,
    created_order,
    leave,
    look_processed,
    processing,
    record_processed,
    shown,
)
from tests.orders.outcomes.test_delivery import states
from tests.orders.spending.test_limits import account, limit, northwind, spent
from tests.orders.test_submission import charges
from vendors.models import Vendor
from vendors.practice.server import Practice


def counted(order: Order) -> Totals:
    return Totals.from_dict(order.attempts.get().due_now)


def events(order: Order, action: str) -> int:
    return Event.objects.filter(action=action, subject_id=str(order.pk)).count()


# Created


def test_an_order_that_is_only_created_gets_its_own_state_and_counts_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = created_order(factory)
    assert (order.state, order.attempts.get().stage) == (State.CREATED, Stage.ACCEPTED)
    assert order.reference == practice.ledger.created()[0].reference
    assert (counted(order), order.due_now, order.due_later) == ({}, {}, COSTS)
    assert set(states(order).values()) == {"ordered"}  # so that nobody else may take the names
    assert events(order, "order.created") == 1
    assert verify().is_unbroken


def test_what_the_vendor_left_out_of_a_created_order_is_refused(factory: OrderFactory) -> None:
    order = created_order(factory, rows=TWO_DOMAINS)
    assert order.state == State.CREATED
    assert states(order)["partial.com"] == "refused"
    assert "partial.com" in order.reason


def test_an_order_that_the_vendor_processes_at_once_is_accepted_as_before(
    factory: OrderFactory,
) -> None:
    order = factory.sent(*CMR)
    assert (order.state, counted(order)) == (State.ACCEPTED, COSTS)
    assert "due_later" not in order.snapshot["cost"]


def test_create_only_over_a_day_limit_is_confirmed_and_created_with_nothing_used(
    factory: OrderFactory,
) -> None:
    limit(account(), day_limit=10)
    Vendor.objects.filter(pk=account().pk).update(
        balance=Decimal(5), balance_at=timezone.now(), balance_floor=Decimal(1)
    )
    before = balance.estimate(account())
    order = created_order(factory)
    assert order.state == State.CREATED, order.reason
    assert (spent(account()), balance.estimate(account())) == (0, before)


def test_a_created_order_waits_for_no_room_in_a_limit_that_is_exceeded(
    factory: OrderFactory,
) -> None:
    limit(northwind(), day_limit=30)
    order = created_order(factory)
    record_processed(factory, order, paid=Totals({"USD": Decimal(40)}), why_other="A higher price.")
    assert spent(northwind()) == 40
    assert created_order(factory, word="afterwards").state == State.CREATED


def test_the_order_limit_takes_what_is_due_later_too(factory: OrderFactory) -> None:
    limit(account(), order_limit=10)
    order = factory.draft(*CMR, options=CREATE_ONLY, word="later")
    [problem] = [problem for problem in plan(fresh(order)).blocking if problem.field == "limit"]
    assert "This order costs $19.00 when it is processed" in problem.message


def test_an_unknown_outcome_counts_nothing_while_it_is_only_created(factory: OrderFactory) -> None:
    limit(account(), day_limit=100)
    order = created_order(factory, word="cut-after")
    assert (order.state, spent(account())) == (State.UNKNOWN, 0)


# It was processed


def test_a_processed_order_is_accepted_and_counts_from_that_moment_on(
    factory: OrderFactory,
) -> None:
    limit(account(), day_limit=100)
    order = created_order(factory)
    Attempt.objects.filter(order=order).update(sent_at=timezone.now() - timedelta(days=3))
    yesterday = timezone.now() - timedelta(days=1)
    record_processed(factory, order, at=yesterday)
    attempt = order.attempts.get()
    assert (fresh(order).state, attempt.due_now) == (State.ACCEPTED, {"USD": "19.00"})
    assert (attempt.counted_at, attempt.processed_at) == (yesterday, yesterday)
    assert attempt.processed_by == "Kim"
    assert spent(account()) == 0  # yesterday's limit has it
    assert (fresh(order).due_now, fresh(order).due_later) == (COSTS, {})
    assert set(Domain.objects.filter(order=order).values_list("ordered_at", flat=True)) == {
        yesterday
    }
    event = Event.objects.get(action="order.processed")
    assert event.changes["due_now"] == [{}, {"USD": "19.00"}]
    assert (event.who, event.reason) == ("confirmer", "It has a subscription there.")
    assert verify().is_unbroken


@pytest.mark.parametrize(
    ("at", "says"), [(timedelta(hours=1), "lies ahead"), (timedelta(hours=-1), "It was sent on")]
)
def test_an_order_was_processed_after_it_was_sent_and_not_in_the_future(
    factory: OrderFactory, at: timedelta, says: str
) -> None:
    order = created_order(factory)
    with pytest.raises(NotAllowed, match=says):
        record_processed(factory, order, at=timezone.now() + at)
    assert (fresh(order).state, counted(order)) == (State.CREATED, {})


def test_another_sum_than_was_confirmed_wants_a_reason(factory: OrderFactory) -> None:
    order = created_order(factory)
    other = Totals({"USD": Decimal("21.50")})
    with pytest.raises(NotAllowed, match="another sum"):
        record_processed(factory, order, paid=other)
    assert counted(order) == {}
    record_processed(factory, order, paid=other, why_other="The price rose.")
    assert (counted(order), fresh(order).due_now) == (other, other)
    assert "The price rose." in Event.objects.get(action="order.processed").reason


def test_an_old_page_records_nothing(factory: OrderFactory) -> None:
    order = created_order(factory)
    for old in (
        Shown(digest="0" * 64, attempt=order.attempts.get().pk),
        Shown(digest=order.digest, attempt=0),
    ):
        with pytest.raises(OldPage):
            created_orders.record_processed(
                order.pk,
                by=factory.people.confirmer,
                shown=old,
                processing=processing(),
                reason="Seen.",
            )
    assert (fresh(order).state, counted(order)) == (State.CREATED, {})


def test_the_second_of_two_records_finds_it_processed_and_counts_nothing(
    factory: OrderFactory,
) -> None:
    limit(account(), day_limit=100)
    order = created_order(factory)
    both = shown(order)
    for is_second in (False, True):
        record = {"by": factory.people.confirmer, "shown": both, "reason": "Seen."}
        if is_second:
            with pytest.raises(OldPage, match="It reads: Accepted"):
                created_orders.record_processed(order.pk, processing=processing(), **record)
        else:
            created_orders.record_processed(order.pk, processing=processing(), **record)
    assert (spent(account()), events(order, "order.processed")) == (COSTS["USD"], 1)


@pytest.mark.parametrize("who", ["drafter", "operator", "auditor"])
def test_only_a_confirmer_says_that_it_was_processed(factory: OrderFactory, who: str) -> None:
    order = created_order(factory)
    with pytest.raises(NotAllowed, match="Your role"):
        record_processed(factory, order, by=getattr(factory.people, who))
    assert fresh(order).state == State.CREATED


def test_an_editor_does_not_say_it_where_a_second_person_confirms(factory: OrderFactory) -> None:
    order = created_order(factory, by=factory.people.both)
    with pytest.raises(NotAllowed, match="You edited this order"):
        record_processed(factory, order, by=factory.people.both)
    assert order not in Order.objects.waiting_for(factory.people.both)
    assert order in Order.objects.waiting_for(factory.people.confirmer)
    Order.objects.filter(pk=order.pk).update(confirmers_needed=0)  # the drafter may confirm alone
    assert order in Order.objects.waiting_for(factory.people.both)
    record_processed(factory, order, by=factory.people.both)
    assert fresh(order).state == State.ACCEPTED


# Leave it


def test_an_order_that_is_left_ends_and_frees_its_names(
    factory: OrderFactory, practice: Practice
) -> None:
    order = created_order(factory)
    leave(factory, order)
    assert (fresh(order).state, counted(order)) == (State.CANCELLED, {})
    assert set(states(order).values()) == {"planned"}
    assert created_orders.is_left(fresh(order))
    assert charges(practice, order) == 0
    assert factory.sent(*CMR, word="later").state == State.ACCEPTED
    assert verify().is_unbroken


def test_a_left_order_that_was_processed_after_all_is_accepted(factory: OrderFactory) -> None:
    limit(account(), day_limit=100)
    order = created_order(factory)
    leave(factory, order)
    record_processed(factory, order)
    assert (fresh(order).state, spent(account())) == (State.ACCEPTED, COSTS["USD"])
    assert set(states(order).values()) == {"ordered"}


def test_a_left_order_is_not_processed_after_all_once_another_has_its_names(
    factory: OrderFactory,
) -> None:
    order = created_order(factory)
    leave(factory, order)
    factory.confirmed(*CMR, word="later")
    with pytest.raises(NotAllowed, match="confirmed on another order since"):
        record_processed(factory, order)
    assert (fresh(order).state, counted(order)) == (State.CANCELLED, {})


def test_names_of_a_created_order_are_held_against_everybody(factory: OrderFactory) -> None:
    created_order(factory)
    other = factory.draft("coldmailreseller", "domains", word="later")
    assert any("later.com" in problem.message for problem in plan(fresh(other)).problems)


# It looks processed


def test_what_looks_processed_is_left_only_with_the_words_whose_it_is(
    factory: OrderFactory,
) -> None:
    limit(account(), day_limit=100)
    order = created_order(factory)
    look_processed(order)
    assert spent(account()) == COSTS["USD"]
    with pytest.raises(NotAllowed, match="It looks processed"):
        leave(factory, order)
    assert spent(account()) == COSTS["USD"]
    leave(factory, order, whose="It is Acme's own subscription.")
    attempt = order.attempts.get()
    assert (fresh(order).state, spent(account())) == (State.CANCELLED, 0)
    assert (attempt.counted_at, fresh(order).looks_processed_at) == (attempt.claimed_at, None)
    event = Event.objects.get(action="order.left")
    assert "It is Acme's own subscription." in event.reason
    assert event.changes["due_now"] == [{"USD": "19.00"}, {}]


def test_recording_what_looks_processed_changes_the_state_alone(factory: OrderFactory) -> None:
    limit(account(), day_limit=100)
    order = created_order(factory)
    look_processed(order)
    before = order.attempts.get()
    at = fresh(order).looks_processed_at
    assert at
    typed = at.replace(second=0, microsecond=0)  # browsers send no seconds
    record_processed(factory, order, at=max(typed, before.sent_at or typed))
    after = order.attempts.get()
    assert (after.due_now, after.counted_at) == (before.due_now, before.counted_at)
    assert (fresh(order).state, spent(account())) == (State.ACCEPTED, COSTS["USD"])


def test_what_looks_processed_stands_on_top_of_what_waits(factory: OrderFactory) -> None:
    older = created_order(factory, word="older")
    waiting = factory.reviewed(word="waiting")
    newer = created_order(factory, word="newer")
    confirmer = factory.people.confirmer
    assert list(Order.objects.waiting_for(confirmer)) == [older, waiting, newer]
    look_processed(newer)
    assert list(Order.objects.waiting_for(confirmer)) == [newer, older, waiting]
