"""A vendor refuses an order for want of money: the account's other orders wait for a person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client as Browser
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.notices import kinds, message_texts
from orders import submission
from orders.models import Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import sweeper
from orders.sending import classification
from tests.conftest import OrderFactory, fresh, mark, send
from tests.orders.test_submission import charges
from vendors.http import Reply
from vendors.models import Vendor
from vendors.practice.server import Practice

CMR, WOODPECKER = ("coldmailreseller", "domains"), ("woodpecker", "mailboxes")


def account(api: str) -> Vendor:
    return Vendor.objects.get(api=api)


def answered(factory: OrderFactory, kind: tuple[str, str], status: int, body: Any) -> Order:
    """An order whose vendor gave this answer."""
    attempt = factory.claimed(*kind)
    assert mark(attempt)
    reply = Reply(status=status, headers={}, body=json.dumps(body).encode(), seconds=0.1)
    submission.record_outcome(attempt, reply, classification.verdict_over(attempt.order, reply))
    return fresh(attempt.order)


def woodpecker(code: str) -> dict[str, str]:
    return {"type": "business_error", "message": "Not allowed for your account.", "code": code}


def operator(factory: OrderFactory) -> Browser:
    browser = Browser()
    browser.force_login(factory.people.operator)
    return browser


@pytest.mark.parametrize("kind", [CMR, WOODPECKER])
def test_the_accounts_other_orders_wait_and_the_refused_one_stays_refused(
    factory: OrderFactory, practice: Practice, kind: tuple[str, str]
) -> None:
    poor = factory.confirmed(*kind, word="no-funds")
    waiting = factory.confirmed(*kind, word="second")
    elsewhere = factory.confirmed("smartsenders", "domains", word="third")
    assert submission.submit(poor.pk) == Stage.REFUSED
    assert submission.submit(waiting.pk) == "nothing to do"
    assert (fresh(poor).state, fresh(waiting).state) == (State.REFUSED, State.CONFIRMED)
    assert len(practice.ledger.requests()) == 1
    OrmQ.objects.all().delete()
    Order.objects.update(queued_at=None)
    sweeper.run()
    assert [row.task["args"] for row in OrmQ.objects.all()] == [(elsewhere.pk,)]
    hold = hold_of(fresh(waiting))
    assert "has had no money for orders since" in hold.says and f"{poor} was refused." in hold.says
    assert (hold.next_actor, hold.short[-12:]) == ("An operator", "has no funds")
    assert "notes the new balance" in hold.then and "lets it go on" in hold.then
    event = Event.objects.get(action="vendor.no_funds")
    assert str(poor) in event.reason and event.who == ""


def test_an_order_in_a_workers_hand_goes_back_unsent(
    factory: OrderFactory, practice: Practice
) -> None:
    attempt = factory.claimed(*CMR, word="second")
    factory.sent(*CMR, word="no-funds")
    assert send(attempt) == "held back"
    assert (fresh(attempt.order).state, fresh(attempt.order).tries) == (State.CONFIRMED, 0)
    assert charges(practice, attempt.order) == 0


@pytest.mark.parametrize("door", ["balance", "funds"])
def test_a_person_lets_it_go_on(factory: OrderFactory, practice: Practice, door: str) -> None:
    factory.sent(*CMR, word="no-funds")
    order = factory.confirmed(*CMR, word="second")
    vendor = account("coldmailreseller")
    assert vendor.lacks_funds
    page = operator(factory).get(f"/vendors/vendor/{vendor.pk}/change/").content.decode()
    assert "ColdMailReseller has no funds" in page and "1 confirmed order waits" in page
    data = {"balance": "500", "balance_currency": "USD"}
    operator(factory).post(f"/vendors/vendor/{vendor.pk}/{door}/", data)
    vendor = account("coldmailreseller")
    assert (vendor.lacks_funds, vendor.no_funds_said) == (False, "")
    assert (vendor.balance is None) == (door == "funds")
    OrmQ.objects.all().delete()
    assert sweeper.run()["rung"] == 1
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert charges(practice, order) == 1


def test_a_noted_balance_that_is_too_low_holds_the_order_by_itself(factory: OrderFactory) -> None:
    factory.sent(*CMR, word="no-funds")
    order = factory.confirmed(*CMR, word="second")
    vendor = account("coldmailreseller")
    data = {"balance": "0", "balance_currency": "USD"}
    operator(factory).post(f"/vendors/vendor/{vendor.pk}/balance/", data)
    assert submission.submit(order.pk) == "nothing to do"
    assert fresh(order).waiting_for == "balance"


def test_letting_go_on_is_in_the_history_and_for_operators_alone(factory: OrderFactory) -> None:
    factory.sent(*CMR, word="no-funds")
    url = f"/vendors/vendor/{account('coldmailreseller').pk}/funds/"
    for name in ("drafter", "confirmer", "auditor"):
        browser = Browser()
        browser.force_login(getattr(factory.people, name))
        assert browser.post(url).status_code == 403
    assert operator(factory).get(url).status_code == 405
    assert account("coldmailreseller").lacks_funds
    for _ in range(2):  # the second finds nothing to let go on
        operator(factory).post(url)
    event = Event.objects.get(action="vendor.funds_let_go_on")
    said, after = event.changes["no_funds"]
    assert event.who == "operator" and "does not cover this order" in said and after == ""


@pytest.mark.parametrize(
    ("kind", "status", "body", "holds"),
    [
        (WOODPECKER, 422, woodpecker("insufficient_funds"), True),
        (WOODPECKER, 422, woodpecker("payment_failed"), True),
        (WOODPECKER, 422, woodpecker("domain_owner_required"), False),
        (WOODPECKER, 422, woodpecker("invalid_fields"), False),
        # another code may mean anything, and so may the code with another status
        (WOODPECKER, 422, woodpecker("no_funds_left"), False),
        (WOODPECKER, 400, woodpecker("insufficient_funds"), False),
        (CMR, 400, {"status": 400, "message": "Insufficient wallet balance", "data": None}, True),
        (CMR, 422, {"status": 422, "message": "insufficient balance", "data": None}, True),
        (CMR, 400, {"status": 400, "message": "The wallet is empty", "data": None}, False),
        (CMR, 400, {"message": "Insufficient wallet balance"}, False),
        (CMR, 402, {"status": 402, "message": "Insufficient balance", "data": None}, False),
        (("scaledmail", "package"), 400, {"error": "Insufficient balance"}, False),
        (("smartsenders", "domains"), 400, {"message": "Insufficient balance"}, False),
    ],
)
def test_only_what_a_vendor_documents_as_want_of_money_holds_its_account(
    factory: OrderFactory, kind: tuple[str, str], status: int, body: Any, holds: bool
) -> None:
    order = answered(factory, kind, status, body)
    assert account(kind[0]).lacks_funds is holds
    assert order.state == State.REFUSED or not holds


def test_the_first_refusal_stays_the_one_that_is_named(factory: OrderFactory) -> None:
    first, second = (factory.claimed(*CMR, word=word) for word in ("no-funds-a", "no-funds-b"))
    assert submission.recheck(second) and mark(second)
    assert send(first) == Stage.REFUSED
    before = account("coldmailreseller")
    body = {"status": 400, "message": "Insufficient wallet balance", "data": None}
    reply = Reply(status=400, headers={}, body=json.dumps(body).encode(), seconds=0.1)
    verdict = classification.verdict_over(second.order, reply)
    assert submission.record_outcome(second, reply, verdict) == Stage.REFUSED
    after = account("coldmailreseller")
    assert after.no_funds_at == before.no_funds_at
    assert str(first.order) in after.no_funds_said
    assert Event.objects.filter(action="vendor.no_funds").count() == 1


def test_operators_get_a_notice_and_today_says_it(factory: OrderFactory) -> None:
    factory.sent(*CMR, word="no-funds")
    factory.confirmed(*CMR, word="second")
    event = Event.objects.get(action="vendor.no_funds")
    assert kinds.BY_ACTION[event.action] == kinds.STOPPED
    subject, *lines = message_texts.BY_ACTION[event.action](event)
    assert subject == "ColdMailReseller (practice) has no funds"
    assert any("does not cover this order" in line for line in lines)
    page = " ".join(operator(factory).get("/").content.decode().split())
    assert "No funds" in page and "1 order waits." in page
    assert "ColdMailReseller</a> has had no funds since" in page
