"""What stands between a confirmed order and a mistake: the mark, the lists, the switches, the
limits, the breaker.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from orders import submission
from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import evidence_lookup, settlement, sweeper
from orders.plan import plan
from orders.sending.results import Result
from tests.conftest import OrderFactory, claim, fresh, mark, send
from tests.orders.test_submission import charges
from tests.vendors.raw import Act, Visit, listening
from vendors.models import SendingSwitch, Vendor
from vendors.practice.server import Practice

LATER = timedelta(hours=1)


def taking(number: str) -> Act:
    """ColdMailReseller, answering every order with the same number."""

    def act(visit: Visit) -> None:
        visit.read()
        visit.answer(json.dumps({"status": 200, "data": {"orderId": number}}).encode())

    return act


# The mark


def test_the_mark_is_saved_before_a_byte_arrives(
    committed: None, factory: OrderFactory, settings: Any
) -> None:
    """Seen from the vendor's side, over a database connection of its own, while the request is on
    its way.
    """
    seen: list[tuple[str, str]] = []

    def act(visit: Visit) -> None:
        visit.read()
        seen.extend(Attempt.objects.values_list("stage", "body_sha256"))
        connection.close()
        taking("R-1")(visit)

    with listening(act) as vendor:
        settings.PRACTICE_URL = vendor.url
        assert factory.sent("coldmailreseller", "domains").state == State.ACCEPTED
        assert seen == [(Stage.SENDING, hashlib.sha256(vendor.visits[0].body).hexdigest())]


def test_an_answer_under_another_orders_number_is_unknown(
    factory: OrderFactory, settings: Any
) -> None:
    with listening(taking("R-1")) as vendor:
        settings.PRACTICE_URL = vendor.url
        first = factory.sent("coldmailreseller", "domains", word="first")
        second = factory.sent("coldmailreseller", "domains", word="second")
    assert (first.state, first.reference) == (State.ACCEPTED, "R-1")
    assert (second.state, second.reference) == (State.UNKNOWN, "")
    assert f"R-1, which {first} has" in second.reason


# The vendor's list, read before sending


def settled_wrongly(factory: OrderFactory) -> Order:
    """The vendor took and charged it, the answer was lost, and a person said that it was not
    placed.
    """
    order = factory.sent(word="cut-after")
    assert order.state == State.UNKNOWN
    factory.settle(order, settlement.NOT_PLACED)
    return factory.confirm(order)


def test_what_the_vendor_lists_already_is_not_sent_again_unasked(
    factory: OrderFactory, practice: Practice
) -> None:
    order = settled_wrongly(factory)
    assert submission.submit(order.pk) == "listed already"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "lists dana@cut-after.com, sam@cut-after.com already" in order.reason
    assert charges(practice, order) == len(practice.ledger.requests()) == 1
    factory.settle(order, settlement.PLACED, reason="It is the order that was taken for lost.")
    assert fresh(order).state == State.ACCEPTED


def test_whoever_was_told_of_the_list_may_confirm_again(
    factory: OrderFactory, practice: Practice
) -> None:
    order = settled_wrongly(factory)
    submission.submit(order.pk)
    factory.confirm(order)
    submission.submit(order.pk)
    assert len(practice.ledger.requests()) == 2
    attempt = order.attempts.first()
    assert attempt is not None
    assert attempt.before == ["dana@cut-after.com", "sam@cut-after.com"]
    assert not any(item.points_to == "placed" for item in evidence_lookup.look(attempt))


def test_a_list_that_cannot_be_read_sends_nothing_and_ends_before_a_person(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    order = factory.confirmed()
    practice.stop()
    for _ in range(settings.NOT_SENT_TRIES):
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        assert submission.submit(order.pk) == "could not look"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "Nothing was bought" in order.reason
    assert not order.attempts.exists()


# The switches


def test_while_all_sending_is_held_nothing_is_sent(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    SendingSwitch.current().hold(reason="the books are being checked", by="operator")
    assert submission.submit(order.pk) == "nothing to do"
    assert sweeper.run(timezone.now() + LATER)["rung"] == 0
    assert "by operator: the books are being checked" in hold_of(fresh(order)).says
    assert practice.ledger.requests() == []
    SendingSwitch.current().release()
    assert sweeper.run(timezone.now() + LATER)["rung"] == 1
    assert submission.submit(order.pk) == Stage.ACCEPTED


def test_all_sending_held_between_claim_and_sending_puts_the_order_back(
    factory: OrderFactory, practice: Practice
) -> None:
    attempt = factory.claimed()
    SendingSwitch.current().hold(reason="wait", by="operator")
    assert submission.recheck(attempt) is None
    assert fresh(attempt.order).state == State.CONFIRMED
    assert practice.ledger.requests() == []


def test_a_planned_order_is_not_sent_before_its_time(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.reviewed()
    at = timezone.now() + timedelta(minutes=30)
    digest = plan(fresh(order)).digest
    submission.confirm(order.pk, by=factory.people.confirmer, digest=digest, planned_for=at)
    assert not OrmQ.objects.exists()
    assert submission.submit(order.pk) == "nothing to do"
    assert sweeper.run(at - timedelta(minutes=1))["rung"] == 0
    assert sweeper.run(at + timedelta(minutes=1))["rung"] == 1
    assert practice.ledger.requests() == []


# How many at a time


def test_an_account_has_only_so_many_orders_on_their_way(
    factory: OrderFactory, settings: Any
) -> None:
    settings.ACCOUNT_AT_ONCE = 2
    orders = [
        factory.confirmed("coldmailreseller", "domains", word=word)
        for word in ("one", "two", "three")
    ]
    attempts = [claim(order.pk) for order in orders[:2]]
    assert None not in attempts
    OrmQ.objects.all().delete()
    assert submission.submit(orders[2].pk) == "nothing to do"
    assert not orders[2].attempts.exists()
    assert factory.sent("scaledmail", "package").state == State.ACCEPTED  # another account goes on
    OrmQ.objects.all().delete()
    assert attempts[0] and send(attempts[0]) == Stage.ACCEPTED
    assert sweeper.run()["rung"] == 1
    assert [row.task["args"] for row in OrmQ.objects.all()] == [(orders[2].pk,)]
    assert submission.submit(orders[2].pk) == Stage.ACCEPTED


def test_a_problem_that_came_up_after_confirming_stops_the_order(
    factory: OrderFactory, practice: Practice
) -> None:
    attempt = factory.claimed("coldmailreseller", "domains")
    Vendor.objects.filter(api="coldmailreseller").update(order_limit=1)
    assert send(attempt) == Result.HELD_BACK
    order = fresh(attempt.order)
    assert order.state == State.REVIEW
    assert "over the limit of $1.00" in order.reason
    assert practice.ledger.requests() == []


def test_woodpecker_gets_one_order_at_a_time(factory: OrderFactory, settings: Any) -> None:
    settings.ACCOUNT_AT_ONCE = 4
    factory.claimed(word="one")
    other = factory.confirmed(word="two")
    assert submission.submit(other.pk) == "nothing to do"
    assert not other.attempts.exists()


# The breaker


@pytest.mark.parametrize(
    ("api", "product"),
    [("coldmailreseller", "domains"), ("scaledmail", "package"), ("woodpecker", "mailboxes")],
)
def test_a_refused_key_stops_its_account(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    waiting = factory.confirmed(api, product, word="waiting")
    assert factory.sent(api, product, word="bad-key").state == State.REFUSED
    vendor = Vendor.objects.get(api=api)
    assert "does not accept the key" in vendor.stopped_reason
    assert Event.objects.get(action="vendor.stopped").reason == vendor.stopped_reason
    assert submission.submit(waiting.pk) == "nothing to do"
    vendor.resume()
    assert submission.submit(waiting.pk) == Stage.ACCEPTED


def test_three_unknown_outcomes_in_a_row_stop_the_account(factory: OrderFactory) -> None:
    words = [f"cut-before-{name}" for name in ("a", "b", "c", "d")]
    for word in words[:2]:
        assert factory.sent("coldmailreseller", "domains", word=word).state == State.UNKNOWN
    vendor = factory.accounts["coldmailreseller"]
    assert not Vendor.objects.get(pk=vendor.pk).is_stopped
    factory.sent("coldmailreseller", "domains", word=words[2])
    assert "3 outcomes in a row are unknown" in Vendor.objects.get(pk=vendor.pk).stopped_reason
    Vendor.objects.get(pk=vendor.pk).resume()
    factory.sent("coldmailreseller", "domains", word=words[3])  # the count begins anew
    assert not Vendor.objects.get(pk=vendor.pk).is_stopped


def test_an_outcome_that_is_known_in_between_keeps_the_account_open(factory: OrderFactory) -> None:
    for word in ("cut-before-a", "cut-before-b", "fine", "cut-before-c"):
        factory.sent("coldmailreseller", "domains", word=word)
    assert not Vendor.objects.get(api="coldmailreseller").is_stopped


def test_workers_that_vanish_while_sending_stop_the_account_too(factory: OrderFactory) -> None:
    for word in ("a", "b", "c"):
        attempt = factory.claimed("coldmailreseller", "domains", word=word)
        assert submission.recheck(attempt) is not None
        assert mark(attempt)
        sweeper.run(timezone.now() + LATER)
    assert Vendor.objects.get(api="coldmailreseller").is_stopped
