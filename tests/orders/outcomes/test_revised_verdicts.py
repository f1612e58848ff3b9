"""Verdicts that are revised: allowed while nothing happened since, refused afterwards."""

from __future__ import annotations

import pytest

from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.outcomes import delivery, settlement
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.settling import (
    BOUGHT,
    NOT_PLACED,
    PARTLY,
    PLACED,
    TWO_DOMAINS,
    answer,
    claimed_and_marked,
)
from tests.orders.outcomes.test_delivery import states
from tests.orders.pages import browser, url
from tests.orders.test_submission import charges
from vendors.apis.values import Progress
from vendors.practice.server import Practice

FIRST = {PLACED: State.ACCEPTED, PARTLY: State.ACCEPTED, NOT_PLACED: State.REVIEW}


@pytest.mark.parametrize("then", [PLACED, PARTLY, NOT_PLACED])
@pytest.mark.parametrize("first", [PLACED, PARTLY, NOT_PLACED])
def test_any_verdict_may_become_any_other_while_nothing_happened_since(
    factory: OrderFactory, first: str, then: str
) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    out = {PARTLY: ["other.com"]}
    factory.settle(
        order, first, left_out=out.get(first, ()), reference="A-1" if first != NOT_PLACED else ""
    )
    factory.settle(order, then, left_out=out.get(then, ()), reason="Looked again.")
    attempt = order.attempts.get()
    assert fresh(order).state == FIRST[then]
    assert fresh(order).reference == ""
    assert (attempt.settled_reason, attempt.is_settled) == ("Looked again.", True)
    wanted = {PLACED: {"ordered"}, PARTLY: {"ordered", "refused"}, NOT_PLACED: {"planned"}}
    assert set(states(order).values()) == wanted[then]
    kinds = set(settlement.ACTIONS.values())
    assert Event.objects.filter(action__in=kinds, subject_id=str(order.pk)).count() == 2
    assert verify().is_unbroken


def test_placed_stays_once_a_part_was_delivered(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, PLACED)
    delivery.note(order.pk, Progress(mailboxes={"dana@cut-after.com": "ready"}))
    with pytest.raises(NotAllowed, match="A part of it was delivered since"):
        factory.settle(order, NOT_PLACED)
    assert fresh(order).state == State.ACCEPTED
    page = browser(factory.people.confirmer).get(url(order, "check")).content.decode()
    assert "A part of it was delivered since" in page
    assert "Change the verdict" not in page


def test_placed_stays_once_the_order_is_delivered(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, PLACED)
    assert delivery.ask(order.pk) == "delivered"
    with pytest.raises(NotAllowed, match="was delivered since"):
        factory.settle(order, NOT_PLACED)
    assert fresh(order).state == State.DELIVERED


def test_not_placed_stays_once_the_order_was_confirmed_again(factory: OrderFactory) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, NOT_PLACED)
    factory.confirm(order)
    with pytest.raises(NotAllowed, match="confirmed again since"):
        factory.settle(order, PLACED)
    assert fresh(order).state == State.CONFIRMED


def test_not_placed_stays_once_the_order_is_a_draft_again(factory: OrderFactory) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, NOT_PLACED)
    fresh(order).send_back(by=factory.people.confirmer, reason="Other names.")
    with pytest.raises(NotAllowed, match="no longer what was sent"):
        factory.settle(order, PLACED)
    assert fresh(order).state == State.DRAFT


def test_a_cancelled_order_that_was_placed_after_all_is_accepted(factory: OrderFactory) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    factory.settle(order, NOT_PLACED)
    fresh(order).cancel(by=factory.people.confirmer, reason="Not wanted any more.")
    assert set(states(order).values()) == {"planned"}
    factory.settle(order, PLACED, reference="A-1")
    assert (fresh(order).state, fresh(order).reference) == (State.ACCEPTED, "A-1")
    assert set(states(order).values()) == {"ordered"}


def test_an_order_cancelled_before_it_was_sent_takes_no_verdict(factory: OrderFactory) -> None:
    order = factory.confirmed()
    fresh(order).cancel(by=factory.people.confirmer, reason="No.")
    with pytest.raises(NotAllowed, match="is not open"):
        factory.settle(order, PLACED)


def test_a_refusal_after_not_placed_leaves_the_first_request_open_to_another_verdict(
    factory: OrderFactory, practice: Practice
) -> None:
    """The vendor may refuse because it has the first request: without this, only buying twice would
    be left.
    """
    order = factory.sent(word="cut-after")
    factory.settle(order, NOT_PLACED)
    factory.confirm(order)
    Order.objects.filter(pk=order.pk).update(
        known_listed=["dana@cut-after.com", "sam@cut-after.com"]
    )
    attempt = claimed_and_marked(order)
    answer(
        attempt,
        status=422,
        body=b'{"type":"validation_error","message":"Mailbox not found","code":"invalid_fields","fields":[]}',
    )
    assert fresh(order).state == State.REVIEW
    assert "An earlier request of this order may be the cause" in fresh(order).reason
    page = browser(factory.people.confirmer).get(url(order, "check"))
    assert page.context["attempt"].number == 1
    factory.settle(order, PLACED)
    assert fresh(order).state == State.ACCEPTED
    assert list(order.attempts.order_by("number").values_list("stage", flat=True)) == [
        "placed",
        "refused",
    ]
    assert charges(practice, order) == 1


def test_a_name_that_another_order_took_since_stops_the_verdict(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-before")
    factory.settle(order, NOT_PLACED)
    fresh(order).cancel(by=factory.people.confirmer, reason="Drafted anew.")
    other = factory.confirmed(word="cut-before")
    with pytest.raises(NotAllowed, match="was confirmed on another order since"):
        factory.settle(order, PLACED)
    assert (fresh(order).state, fresh(other).state) == (State.CANCELLED, State.CONFIRMED)
    assert order.attempts.get().stage == Stage.NOT_PLACED
    assert set(states(other).values()) == {"ordered"}
