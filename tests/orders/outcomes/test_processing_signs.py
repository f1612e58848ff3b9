"""Created orders: what the vendor's list says for their having been processed, and what counts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import Attempt, Domain, Order, State
from orders.outcomes import delivery, processing_signs
from orders.spending import limits
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.practising import act, created, paid_paths
from vendors.apis.values import Progress
from vendors.models import Vendor
from vendors.practice.server import Practice

COST = {"USD": "19.00"}  # a .com domain and two mailboxes


def used(order: Order) -> Decimal:
    Vendor.objects.filter(pk=order.vendor_id).update(day_limit=100, limit_currency="USD")
    vendor = Vendor.objects.get(pk=order.vendor_id)
    [use] = [u for u in limits.uses(vendor, at=timezone.now()) if u.period == "day"]
    return use.used


def looks() -> list[Event]:
    return list(Event.objects.filter(action="order.looks_processed"))


def test_what_nobody_processed_looks_like_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = created(factory)
    assert delivery.ask(order.pk) == "no news"
    assert (fresh(order).state, fresh(order).looks_processed_at) == (State.CREATED, None)
    assert (used(order), looks(), practice.ledger.charges()) == (0, [], [])


def test_an_order_that_was_processed_there_is_noticed_and_counts(
    factory: OrderFactory, practice: Practice
) -> None:
    order = created(factory)
    earlier = timezone.now() - timedelta(days=40)
    Attempt.objects.filter(order=order).update(counted_at=earlier)
    act(practice, act="process", domain="acme.com")
    assert delivery.ask(order.pk) == "looks processed"
    [event] = looks()
    today = f"{timezone.now():%-d %b %Y}"
    assert event.reason == f"acme.com has a subscription since {today}."
    assert event.changes["due_now"] == [{}, COST]
    order = fresh(order)
    attempt = order.attempts.get()
    assert order.looks_processed_at
    assert abs(attempt.counted_at - order.looks_processed_at) < timedelta(seconds=1)
    assert (event.attempt, attempt.due_now, used(order)) == (attempt.pk, COST, Decimal("19.00"))
    # The state waits for a person.
    assert (order.state, {*order.domains.values_list("state", flat=True)}) == (
        State.CREATED,
        {"ordered"},
    )
    assert [charge.amount for charge in practice.ledger.charges()] == ["19.00"]
    assert len(paid_paths(practice)) == 1
    assert verify().is_unbroken


def test_it_is_noticed_once(factory: OrderFactory, practice: Practice) -> None:
    order = created(factory)
    act(practice, act="process", domain="acme.com")
    delivery.ask(order.pk)
    assert delivery.ask(order.pk) == "no news"
    assert (len(looks()), used(order)) == (1, Decimal("19.00"))


def test_a_subscription_with_too_few_mailboxes_or_one_that_ended_was_paid_for(
    factory: OrderFactory, practice: Practice
) -> None:
    few, ended = created(factory, word="few-mailboxes"), created(factory, word="acme")
    for name in ("few-mailboxes.com", "acme.com"):
        act(practice, act="process", domain=name)
    act(practice, act="cancel", domain="acme.com")
    assert [delivery.ask(order.pk) for order in (few, ended)] == ["looks processed"] * 2
    assert "reads CANCELLED" in looks()[-1].reason or "reads CANCELLED" in looks()[0].reason


def test_another_users_subscription_counts_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = created(factory, word="other-user")
    act(practice, act="process", domain="other-user.com")
    assert delivery.ask(order.pk) == "no news"
    assert (used(order), looks()) == (0, [])


@pytest.mark.parametrize("mode", ["fail", "rubbish"])
def test_a_read_that_fails_counts_nothing(
    factory: OrderFactory, practice: Practice, mode: str
) -> None:
    order = created(factory)
    act(practice, act="process", domain="acme.com")
    act(practice, act="reads", vendor="coldmailreseller", mode=mode)
    assert delivery.ask(order.pk) == "no answer"
    assert (used(order), looks()) == (0, [])


def test_a_person_who_was_faster_is_left_alone(factory: OrderFactory) -> None:
    order = created(factory)
    Order.objects.filter(pk=order.pk).update(state=State.CANCELLED)
    late = Progress(bought={"acme.com": "acme.com has a subscription since 3 Dec 2026."})
    assert processing_signs.note(order.pk, late) == "settled already"
    assert (fresh(order).looks_processed_at, looks()) == (None, [])


def test_the_sum_that_is_due_later_is_the_one_that_counts(
    factory: OrderFactory, practice: Practice
) -> None:
    order = created(factory)
    cost = order.cost | {"due_now": {}, "due_later": {"USD": "12.34"}}
    Order.objects.filter(pk=order.pk).update(cost=cost)
    act(practice, act="process", domain="acme.com")
    delivery.ask(order.pk)
    assert order.attempts.get().due_now == {"USD": "12.34"}


def test_the_vendors_numbers_are_kept(factory: OrderFactory, practice: Practice) -> None:
    order = created(factory)
    act(practice, act="process", domain="acme.com")
    delivery.ask(order.pk)
    assert set(Domain.objects.get(name="acme.com").vendor_ids) == {"subscriptionId"}


def test_created_orders_are_due_like_accepted_ones(factory: OrderFactory) -> None:
    order = created(factory)
    later = timezone.now() + timedelta(days=1)
    assert order in Order.objects.due_for_progress(later)
