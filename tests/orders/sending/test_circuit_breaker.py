"""The breaker: an account closes itself before more is lost, and a person opens it again."""

from __future__ import annotations

from typing import Any

import pytest

from mailops.history.models import Event
from orders import submission
from orders.models import Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.sending import classification
from tests.conftest import OrderFactory, fresh, mark
from vendors.http import Reply
from vendors.models import Vendor
from vendors.practice.server import Practice

CMR = ("coldmailreseller", "domains")


def account(api: str = "woodpecker") -> Vendor:
    return Vendor.objects.get(api=api)


def sent_and_lost(factory: OrderFactory, number: int, word: str = "cut-after") -> Order:
    return factory.sent(rows=f"{word}-{number}.com, Dana Reyes, dana")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_closes_the_account(factory: OrderFactory, status: int) -> None:
    attempt = factory.claimed()
    submission.recheck(attempt)
    assert mark(attempt)
    body = (
        f'{{"title":"No","status":{status},"details":"Invalid API key","timestamp":"now"}}'.encode()
    )
    reply = Reply(status=status, headers={}, body=body, seconds=1)
    submission.record_outcome(attempt, reply, classification.verdict_over(attempt.order, reply))
    assert "does not accept the key" in account().stopped_reason
    event = Event.objects.get(action="vendor.stopped")
    assert event.reason == account().stopped_reason


def test_a_refused_key_over_the_wire_closes_the_account_for_the_next_order(
    factory: OrderFactory, practice: Practice
) -> None:
    order, waiting = factory.confirmed(word="bad-key"), factory.confirmed(word="next")
    assert submission.submit(order.pk) == Stage.REFUSED
    assert account().is_stopped
    assert submission.submit(waiting.pk) == "nothing to do"
    assert "does not accept the key" in hold_of(fresh(waiting)).says
    assert len(practice.ledger.requests()) == 1


@pytest.mark.parametrize("word", ["no-funds", "refused-field"])
def test_any_other_refusal_leaves_it_open(factory: OrderFactory, word: str) -> None:
    assert factory.sent(word=word).state == State.REFUSED
    assert not account().is_stopped


def test_three_unknown_in_a_row_close_the_account(factory: OrderFactory, settings: Any) -> None:
    for number in range(settings.UNKNOWN_IN_A_ROW):
        assert not account().is_stopped
        assert sent_and_lost(factory, number).state == State.UNKNOWN
    assert "3 outcomes in a row are unknown" in account().stopped_reason
    assert Event.objects.filter(action="vendor.stopped").count() == 1


def test_an_answer_in_between_breaks_the_row(factory: OrderFactory) -> None:
    for number in range(2):
        sent_and_lost(factory, number)
    assert factory.sent().state == State.ACCEPTED
    for number in range(2, 4):
        sent_and_lost(factory, number)
    assert not account().is_stopped
    sent_and_lost(factory, 4)
    assert account().is_stopped


def test_an_account_that_was_opened_again_counts_afresh(factory: OrderFactory) -> None:
    for number in range(3):
        sent_and_lost(factory, number)
    account().resume()
    for number in range(3, 5):
        sent_and_lost(factory, number)
    assert not account().is_stopped
    sent_and_lost(factory, 5)
    assert account().is_stopped


@pytest.mark.parametrize("limit", [0, -1])
def test_nought_never_closes_it(factory: OrderFactory, settings: Any, limit: int) -> None:
    settings.UNKNOWN_IN_A_ROW = limit
    for number in range(4):
        assert sent_and_lost(factory, number).state == State.UNKNOWN
    assert not account().is_stopped


def test_other_accounts_go_on(factory: OrderFactory) -> None:
    for number in range(2):
        sent_and_lost(factory, number)
    assert factory.sent(*CMR, word="cut-after").state == State.UNKNOWN  # not the third of this row
    assert not account().is_stopped
    sent_and_lost(factory, 3)
    assert account().is_stopped
    assert not account("coldmailreseller").is_stopped
    assert factory.sent(*CMR, word="fine").state == State.ACCEPTED


def test_an_account_that_a_person_stopped_keeps_their_reason(factory: OrderFactory) -> None:
    attempts = [
        factory.sent(rows=f"cut-after-{number}.com, Dana Reyes, dana") for number in range(2)
    ]
    assert {order.state for order in attempts} == {State.UNKNOWN}
    attempt = factory.claimed(word="third")
    submission.recheck(attempt)
    assert mark(attempt)
    account().stop(reason="Card expired.")
    reply = Reply(status=500, headers={}, body=b"", seconds=1)
    submission.record_outcome(attempt, reply, classification.verdict_over(attempt.order, reply))
    assert account().stopped_reason == "Card expired."


def test_workers_that_died_while_sending_count_as_unknown(
    factory: OrderFactory, settings: Any
) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from orders.outcomes import sweeper

    settings.UNKNOWN_IN_A_ROW = 1
    attempt = factory.claimed()
    submission.recheck(attempt)
    assert mark(attempt)
    assert sweeper.run(timezone.now() + timedelta(hours=1))["unknown"] == 1
    assert account().is_stopped
