"""The noted balance: what should be left of it, which orders wait for it, and what lets them go."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from orders import submission
from orders.models import Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import sweeper
from orders.plan import plan
from orders.sending.claims import Then, not_sent
from orders.spending import balance
from tests.conftest import OrderFactory, fresh, send
from tests.orders.test_submission import charges
from vendors.models import Vendor
from vendors.practice.server import Practice

CMR = ("coldmailreseller", "domains")  # 19.00 now


def account() -> Vendor:
    return Vendor.objects.get(api="coldmailreseller")


def note(factory: OrderFactory, amount: str, currency: str = "USD", *, floor: Any = 0) -> None:
    """As an Operator does on the account's page."""
    Vendor.objects.filter(pk=account().pk).update(balance_floor=floor)
    browser = Browser()
    browser.force_login(factory.people.operator)
    browser.post(
        f"/vendors/vendor/{account().pk}/balance/",
        {"balance": amount, "balance_currency": currency},
    )


def left() -> Decimal | None:
    return balance.estimate(account())


def test_nothing_is_known_until_somebody_notes_it(
    factory: OrderFactory, django_assert_num_queries: Any
) -> None:
    vendor = account()
    with django_assert_num_queries(0):
        assert balance.estimate(vendor) is None
        assert balance.too_low(vendor, {"USD": Decimal(19)}) == ""


def test_what_was_sent_since_lowers_it(factory: OrderFactory) -> None:
    factory.sent(*CMR, word="before")
    note(factory, "100")
    assert left() == 100
    factory.sent(*CMR, word="fine")
    assert left() == 81
    assert factory.sent(*CMR, word="cut-after").state == State.UNKNOWN
    assert left() == 62
    assert factory.sent(*CMR, word="refused-field").state == State.REFUSED
    assert left() == 62
    attempt = factory.claimed(*CMR, word="claimed")
    assert left() == 43
    note(factory, "500")  # what is on its way may not have been taken off yet
    assert attempt.stage == Stage.CLAIMED
    assert left() == 481


def test_who_noted_how_much_is_in_the_history(factory: OrderFactory) -> None:
    note(factory, "100")
    note(factory, "80.50", "EUR")
    events = Event.objects.filter(action="vendor.balance_noted").order_by("number")
    assert [(event.who, event.changes["balance"]) for event in events] == [
        ("operator", ["", "$100.00"]),
        ("operator", ["$100.00", "€80.50"]),
    ]
    assert account().balance_by_name == "operator"


@pytest.mark.parametrize(
    ("amount", "currency"), [("", "USD"), ("much", "USD"), ("-1", "USD"), ("5", "usd"), ("5", "")]
)
def test_what_is_no_amount_is_not_noted(factory: OrderFactory, amount: str, currency: str) -> None:
    note(factory, amount, currency)
    assert account().balance is None
    assert not Event.objects.filter(action="vendor.balance_noted").exists()


def test_too_low_a_balance_holds_the_order_and_burns_no_attempt(
    factory: OrderFactory, practice: Practice
) -> None:
    note(factory, "30", floor=12)
    order = factory.confirmed(*CMR)
    for _ in range(7):
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        assert submission.submit(order.pk) == "nothing to do"
    order = fresh(order)
    assert (order.state, order.tries, order.attempts.count()) == (State.CONFIRMED, 0, 0)
    day = f"{timezone.localtime():%-d %b}"
    assert (
        hold_of(order).says
        == f"Held. The balance noted on {day} leaves about $30.00 at ColdMailReseller; this order"
        " needs $19.00, and $12.00 shall stay. Add funds at ColdMailReseller, then note the new"
        " balance on the account's page."
    )
    assert hold_of(order).next_actor == "An operator"
    assert Event.objects.filter(action="order.held").count() == 1
    assert practice.ledger.requests() == []


def test_a_new_balance_lets_it_go_within_a_minute(
    factory: OrderFactory, practice: Practice
) -> None:
    note(factory, "18.99")
    order = factory.confirmed(*CMR)
    submission.submit(order.pk)
    OrmQ.objects.all().delete()
    assert sweeper.run()["rung"] == 0
    note(factory, "19.00")
    assert sweeper.run()["rung"] == 1
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert charges(practice, order) == 1
    assert left() == 0


def test_it_is_looked_at_again_without_anybody(factory: OrderFactory) -> None:
    """An order that was refused gives back what it would have taken."""
    note(factory, "20")
    attempt = factory.claimed(*CMR, word="first")
    order = factory.confirmed(*CMR, word="second")
    assert submission.submit(order.pk) == "nothing to do"
    assert not_sent(attempt, sweeper.WORKER_STOPPED, Then.RELEASE)
    Order.objects.filter(pk=attempt.order_id).update(
        next_try_at=timezone.now() + timedelta(hours=1)
    )
    OrmQ.objects.all().delete()
    assert sweeper.run(timezone.now() + timedelta(minutes=11))["rung"] == 1


def test_without_a_floor_an_order_waits_that_the_balance_cannot_pay(
    factory: OrderFactory, practice: Practice
) -> None:
    note(factory, "18.99", floor=None)
    order = factory.sent(*CMR)
    assert (order.state, order.waiting_for) == (State.CONFIRMED, "balance")
    assert "leaves about $18.99" in hold_of(order).says and "shall stay" not in hold_of(order).says
    assert practice.ledger.requests() == []
    note(factory, "19", floor=None)
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert left() == 0


def test_the_page_of_an_account_says_what_waits_with_a_floor_and_without(
    factory: OrderFactory,
) -> None:
    browser = Browser()
    browser.force_login(factory.people.operator)
    for floor, says in ((None, "this can't pay."), (12, "would leave less than $12.00.")):
        note(factory, "5", floor=floor)
        page = browser.get(f"/vendors/vendor/{account().pk}/change/").content.decode()
        assert f"An order waits that {says}" in " ".join(page.split())


def test_a_balance_that_nobody_keeps_up_can_be_forgotten(
    factory: OrderFactory, practice: Practice
) -> None:
    note(factory, "1", floor=None)
    order = factory.sent(*CMR)
    browser = Browser()
    browser.force_login(factory.people.confirmer)
    assert browser.post(f"/vendors/vendor/{account().pk}/forget/").status_code == 403
    browser.force_login(factory.people.operator)
    for _ in range(2):  # the second finds nothing to forget
        browser.post(f"/vendors/vendor/{account().pk}/forget/")
    event = Event.objects.get(action="vendor.balance_forgotten")
    assert (event.who, event.changes["balance"]) == ("operator", ["$1.00", ""])
    assert left() is None
    assert submission.submit(order.pk) == Stage.ACCEPTED


def test_a_balance_in_another_currency_holds_nothing(factory: OrderFactory) -> None:
    note(factory, "1", "EUR")
    assert factory.sent(*CMR).state == State.ACCEPTED
    assert left() == 1


def test_drafter_and_confirmer_are_told_before(factory: OrderFactory) -> None:
    note(factory, "5")
    order = factory.reviewed(*CMR)
    (warning,) = plan(fresh(order)).warnings
    assert "leaves about $5.00 at ColdMailReseller; this order needs $19.00." in warning.message
    browser = Browser()
    browser.force_login(factory.people.confirmer)
    assert (
        "this order needs $19.00"
        in browser.get(f"/orders/order/{order.pk}/confirm/").content.decode()
    )
    assert "About $5.00 left of the balance noted" in browser.get("/").content.decode()
    browser.force_login(factory.people.operator)
    page = " ".join(browser.get(f"/vendors/vendor/{account().pk}/change/").content.decode().split())
    assert "$5.00 was noted by operator" in page
    assert "about <b>$5.00</b> is left" in page


@pytest.mark.parametrize(("word", "ends"), [("fine", Stage.ACCEPTED), ("cut-after", Stage.UNKNOWN)])
def test_what_was_on_its_way_when_the_balance_was_noted_stays_taken_off(
    factory: OrderFactory, word: str, ends: str
) -> None:
    attempt = factory.claimed(*CMR, word=word)
    note(factory, "100")
    assert left() == 81
    assert send(attempt) == ends
    assert left() == 81
