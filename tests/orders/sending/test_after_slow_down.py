"""After a vendor asked to slow down (429), its list is looked at before the next try."""

from __future__ import annotations

import pytest
from django.utils import timezone

from orders import submission
from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from orders.sending.results import Result
from tests.conftest import PRODUCTS, OrderFactory, fresh
from vendors.models import Vendor
from vendors.practice.server import Practice


def try_again(order: Order) -> Result:
    Order.objects.filter(pk=order.pk).update(next_try_at=None)
    Vendor.objects.filter(pk=order.vendor_id).update(next_turn_at=None)
    return submission.submit(order.pk)


CHARGES_AND_SLOWS = [("scaledmail", "package"), ("coldmailreseller", "domains")]


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_an_order_behind_a_429_is_looked_for_once_before_the_next_try(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    order = factory.sent(api, product, word="busy")
    attempt = order.attempts.get()
    assert (attempt.stage, attempt.evidence_at) == (Stage.NOT_SENT, None)
    assert try_again(order) == Stage.ACCEPTED
    attempt.refresh_from_db()
    assert attempt.evidence_at is not None
    assert not [item for item in attempt.evidence if item["points_to"] == "placed"]


@pytest.mark.parametrize(("api", "product"), CHARGES_AND_SLOWS)
def test_an_order_that_was_taken_behind_a_429_is_not_sent_again(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    """The vendor charged and answered in its own documented form all the same."""
    order = factory.sent(api, product, word="timeout-after")
    Attempt.objects.filter(order=order).update(stage=Stage.NOT_SENT, reply_status=429)
    Order.objects.filter(pk=order.pk).update(state=State.CONFIRMED)
    assert try_again(order) == Result.LISTED_ALREADY
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "it may have taken the order" in order.reason
    assert order.attempts.get().evidence
    assert len(practice.ledger.requests()) == 1


def test_a_vendor_that_cannot_be_looked_at_after_a_429_gets_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent("scaledmail", "package", word="busy")
    Attempt.objects.filter(order=order).update(sent_at=timezone.now())
    practice.stop()
    assert try_again(order) == Result.COULD_NOT_LOOK
    order = fresh(order)
    assert (order.state, order.tries) == (State.CONFIRMED, 2)
    assert order.attempts.get().evidence_at is None
