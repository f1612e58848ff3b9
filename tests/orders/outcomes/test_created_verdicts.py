"""Verdicts on orders that the vendor only creates: created, created and processed, not placed."""

from __future__ import annotations

from typing import Any

import pytest

from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.outcomes import settlement
from orders.outcomes.settlement import CREATED, NOT_PLACED, PARTLY, PLACED, PROCESSED
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.creating import (
    COSTS,
    CREATE_ONLY,
    created_order,
    leave,
    look_processed,
    posted,
    processing,
    record_processed,
)
from tests.orders.outcomes.settling import answer
from tests.orders.outcomes.test_created_orders import counted
from tests.orders.outcomes.test_delivery import states
from tests.orders.pages import browser, messages_of, url
from tests.orders.spending.test_limits import account, limit, spent

BECOMES = {CREATED: State.CREATED, PROCESSED: State.ACCEPTED, NOT_PLACED: State.REVIEW}
COUNTS = {CREATED: 0, PROCESSED: COSTS["USD"], NOT_PLACED: 0}


def lost(factory: OrderFactory, **kwargs: Any) -> Order:
    order = created_order(factory, word="cut-after", **kwargs)
    assert order.state == State.UNKNOWN
    return order


def settle(factory: OrderFactory, order: Order, verdict: str, **kwargs: Any) -> Order:
    if verdict == PROCESSED:
        kwargs |= {"processing": processing()}
    return factory.settle(fresh(order), verdict, **kwargs)


@pytest.mark.parametrize("verdict", [CREATED, PROCESSED, NOT_PLACED])
def test_a_lost_answer_of_a_created_order_gets_one_of_three_verdicts(
    factory: OrderFactory, verdict: str
) -> None:
    limit(account(), day_limit=100)
    order = lost(factory)
    settle(factory, order, verdict, reference="RJK" if verdict != NOT_PLACED else "")
    assert (fresh(order).state, spent(account())) == (BECOMES[verdict], COUNTS[verdict])
    assert fresh(order).reference == ("RJK" if verdict != NOT_PLACED else "")
    is_processed = Event.objects.filter(action="order.processed").exists()
    assert is_processed == (verdict == PROCESSED)
    assert verify().is_unbroken


@pytest.mark.parametrize("then", [CREATED, PROCESSED, NOT_PLACED])
@pytest.mark.parametrize("first", [CREATED, PROCESSED, NOT_PLACED])
def test_a_verdict_on_a_created_order_may_be_revised_but_from_processed_to_created(
    factory: OrderFactory, first: str, then: str
) -> None:
    limit(account(), day_limit=100)
    order = lost(factory)
    settle(factory, order, first)
    if (first, then) == (PROCESSED, CREATED):
        with pytest.raises(NotAllowed, match="can't get this verdict"):
            settle(factory, order, then)
        settle(factory, order, NOT_PLACED)  # in two steps it may
    settle(factory, order, then)
    assert (fresh(order).state, spent(account())) == (BECOMES[then], COUNTS[then])
    wanted = {"planned"} if then == NOT_PLACED else {"ordered"}
    assert set(states(order).values()) == wanted
    assert fresh(order).due == COSTS
    assert verify().is_unbroken


@pytest.mark.parametrize("verdict", [PLACED, PARTLY])
def test_a_created_order_is_never_settled_as_bought_at_once(
    factory: OrderFactory, verdict: str
) -> None:
    order = lost(factory)
    with pytest.raises(NotAllowed, match="can't get this verdict"):
        settle(factory, order, verdict)
    assert fresh(order).state == State.UNKNOWN


@pytest.mark.parametrize("verdict", [CREATED, PROCESSED])
def test_an_order_that_buys_at_once_is_never_settled_as_created(
    factory: OrderFactory, verdict: str
) -> None:
    order = factory.sent(word="cut-after")
    with pytest.raises(NotAllowed, match="can't get this verdict"):
        settle(factory, order, verdict)


def test_processed_is_no_verdict_of_an_editor_nor_without_its_sum(factory: OrderFactory) -> None:
    order = lost(factory, by=factory.people.both)
    both = {"by": factory.people.both, "verdict": PROCESSED, "reason": "Seen."}
    with pytest.raises(NotAllowed, match="You edited this order"):
        settlement.settle(order.pk, processing=processing(), **both)
    with pytest.raises(NotAllowed, match="Say when it was processed"):
        settlement.settle(order.pk, **both)
    assert fresh(order).state == State.UNKNOWN


def test_a_created_order_that_was_cancelled_as_not_placed_may_be_created_after_all(
    factory: OrderFactory,
) -> None:
    order = lost(factory)
    settle(factory, order, NOT_PLACED)
    fresh(order).cancel(by=factory.people.confirmer, reason="Not wanted any more.")
    settle(factory, order, CREATED)
    assert fresh(order).state == State.CREATED


def test_a_verdict_of_created_takes_back_what_was_counted(factory: OrderFactory) -> None:
    limit(account(), day_limit=100)
    order = lost(factory)
    settle(factory, order, CREATED)
    look_processed(order)
    assert spent(account()) == COSTS["USD"]
    settle(factory, order, NOT_PLACED)
    assert (counted(order), fresh(order).looks_processed_at) == ({}, None)
    assert spent(account()) == 0


def test_an_order_that_was_left_takes_no_verdict(factory: OrderFactory) -> None:
    order = lost(factory)
    settle(factory, order, CREATED)
    leave(factory, order)
    with pytest.raises(NotAllowed, match="It was left at the vendor"):
        settle(factory, order, NOT_PLACED)
    record_processed(factory, order)
    assert fresh(order).state == State.ACCEPTED


def test_a_late_answer_that_it_was_created_counts_while_nobody_settled(
    factory: OrderFactory,
) -> None:
    order = lost(factory)
    body = b'{"status": 200, "message": "Order created", "data": {"orderId": "RJK7"}}'
    answer(order.attempts.get(), status=200, body=body)
    assert (fresh(order).state, fresh(order).reference) == (State.CREATED, "RJK7")
    assert order.attempts.get().stage == Stage.ACCEPTED


# The page


def said(order: Order, verdict: str, **more: Any) -> dict[str, Any]:
    seen = order.attempts.get().verdict_seen
    return {"verdict": verdict, "reason": "Looked there.", "seen": seen, **more}


def test_the_desk_offers_the_three_verdicts_and_says_what_no_list_shows(
    factory: OrderFactory,
) -> None:
    order = lost(factory)
    page = browser(factory.people.confirmer).get(url(order, "check")).content.decode()
    for words in ("It was created: the order stands there", "It was created and processed:"):
        assert words in page
    assert "It was placed: the vendor has all" not in page
    assert "none of its lists shows an order that is only created" in page


def test_the_desk_settles_as_created_and_processed_with_its_sum(factory: OrderFactory) -> None:
    limit(account(), day_limit=100)
    order = lost(factory)
    confirmer = browser(factory.people.confirmer)
    lacking = confirmer.post(url(order, "check"), said(order, PROCESSED))
    assert lacking.status_code == 400
    assert "This field is required." in lacking.content.decode()
    fields = posted(order)
    other = confirmer.post(url(order, "check"), fields | said(order, PROCESSED, paid_USD="25.00"))
    assert "Say why the wallet paid another sum" in other.content.decode()
    done = confirmer.post(url(order, "check"), fields | said(order, PROCESSED), follow=True)
    assert "it was created and processed" in messages_of(done)
    assert (fresh(order).state, spent(account())) == (State.ACCEPTED, COSTS["USD"])


def test_the_desk_marks_what_the_vendor_left_out_of_a_created_order(factory: OrderFactory) -> None:
    rows = "cut-after.com, Ann Lee, ann\nother.com, Sam Ito, sam"
    order = factory.sent("coldmailreseller", "domains", options=CREATE_ONLY, rows=rows)
    confirmer = browser(factory.people.confirmer)
    everything = ["cut-after.com", "other.com"]
    refused = confirmer.post(url(order, "check"), said(order, CREATED, there=everything))
    assert "You ticked everything" in refused.content.decode()
    confirmer.post(url(order, "check"), said(order, CREATED, there=["other.com"]))
    assert fresh(order).state == State.CREATED
    assert {name: state for name, state in states(order).items() if "other" in name} == {
        "other.com": "refused",
        "sam@other.com": "refused",
    }
