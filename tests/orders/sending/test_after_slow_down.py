"""After a vendor asked to slow down (429), its list is looked at before the next try."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from orders import submission
from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from orders.sending.results import Result
from tests.conftest import PRODUCTS, OrderFactory, fresh
from vendors import vendor_reader
from vendors.http import Reply, json_bytes
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


def listing(status: int, body: Any) -> Any:
    """Replaces the account's reader: every read gets this answer."""
    reply = Reply(status=status, headers={}, body=json_bytes(body), seconds=0)
    return lambda vendor, **more: lambda request: reply


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, {}), (403, {"message": "no"}), (200, {"ok": False}), (200, {"status": 500}), (200, 7)],
)
@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_a_list_that_can_not_be_read_after_a_429_stops_the_next_try(
    factory: OrderFactory, practice: Practice, monkeypatch: pytest.MonkeyPatch, api: str,
    product: str, status: int, body: Any,
) -> None:  # fmt: skip
    order = factory.sent(api, product, word="busy")
    asked = len(practice.ledger.requests())
    monkeypatch.setattr(vendor_reader, "reader", listing(status, body))
    try_again(order)
    assert fresh(order).state == State.CONFIRMED
    assert len(practice.ledger.requests()) == asked


def subscription(**changed: Any) -> dict[str, Any]:
    row = {"subscriptionId": "S-1", "domain": "busy.com", "totalMailboxQuantity": 1}
    pages = {"totalPages": 1}
    return {"status": 200, "data": {"subscriptions": [row | changed], "pagination": pages}}


TRACES = [
    ("coldmailreseller", "domains", subscription()),
    ("coldmailreseller", "domains", subscription(periodStart="1970-01-01T00:00:00Z")),
    ("coldmailreseller", "domains", subscription(subscriptionStatus="CANCELLED")),
    ("smartsenders", "domains", [{"domain_name": "busy.com", "created_at": None}]),
    ("woodpecker", "mailboxes", {"mailboxes": [{"email": "dana@busy.com", "status": "ORDERED"}]}),
]


@pytest.mark.parametrize(("api", "product", "body"), TRACES)
def test_a_trace_behind_a_429_goes_to_a_person(
    factory: OrderFactory, practice: Practice, monkeypatch: pytest.MonkeyPatch, api: str,
    product: str, body: Any,
) -> None:  # fmt: skip
    order = factory.sent(api, product, word="busy")
    asked = len(practice.ledger.requests())
    monkeypatch.setattr(vendor_reader, "reader", listing(200, body))
    assert try_again(order) == Result.LISTED_ALREADY
    assert fresh(order).state == State.REVIEW
    assert len(practice.ledger.requests()) == asked


def test_what_began_long_before_the_order_is_no_trace(
    factory: OrderFactory, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = factory.sent("coldmailreseller", "domains", word="busy")
    body = subscription(periodStart="2020-01-01T00:00:00Z")
    monkeypatch.setattr(vendor_reader, "reader", listing(200, body))
    assert try_again(order) == Stage.ACCEPTED
