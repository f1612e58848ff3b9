"""Prices between confirming and sending: read again where the vendor tells them, compared with what
was confirmed.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from mailops.history.models import Event
from orders import submission
from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from orders.plan import plan
from orders.review import shown_plans
from orders.sending import preflight, price_drift
from tests.conftest import OrderFactory, fresh
from tests.orders.test_submission import charges
from vendors import price_lists
from vendors.models import Price, Vendor
from vendors.practice.server import Practice

CMR = (
    "coldmailreseller",
    "domains",
)  # a domain at 13.00 a year, then 14.50, and two mailboxes at 3.00 a month


def account(api: str = "coldmailreseller") -> Vendor:
    return Vendor.objects.get(api=api)


def allow(per_order: Any, cumulative: Any = 100, api: str = "coldmailreseller") -> None:
    Vendor.objects.filter(api=api).update(drift_per_order=per_order, drift_cumulative=cumulative)


def reprice(item: str, amount: Any, **more: Any) -> None:
    assert Price.objects.filter(vendor=account(), item=item).update(amount=amount, **more)


def only_attempt(order: Order) -> Attempt:
    return order.attempts.get()


# Compared with what was confirmed


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("3.75", "Mailboxes rose from $3.00 to $3.75: $1.50 more than was confirmed for 2."),
        ("2.50", "Mailboxes fell from $3.00 to $2.50: $1.00 less than was confirmed for 2."),
    ],
)
def test_without_a_tolerance_any_change_goes_back_line_by_line(
    factory: OrderFactory, practice: Practice, amount: str, says: str
) -> None:
    order = factory.confirmed(*CMR)
    reprice("mailbox", amount)
    assert submission.submit(order.pk) == "held back"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert (
        order.reason
        == f"Not sent, because it is no longer what was confirmed. The price changed. {says}"
    )
    assert practice.ledger.requests() == []


def test_a_rise_within_the_tolerance_is_sent_and_written_down(
    factory: OrderFactory, practice: Practice
) -> None:
    allow("1.50")
    order = factory.confirmed(*CMR)
    reprice("mailbox", "3.75")
    assert submission.submit(order.pk) == Stage.ACCEPTED
    attempt = only_attempt(order)
    assert (attempt.due_now, attempt.rise) == ({"USD": "20.50"}, {"USD": "1.50"})
    event = Event.objects.get(action="attempt.prices_moved")
    assert event.attempt == attempt.pk
    assert "Mailboxes rose from $3.00 to $3.75" in event.reason
    assert event.changes["due_now"] == [{"USD": "19.00"}, {"USD": "20.50"}]
    assert charges(practice, order) == 1
    assert attempt.body_sha256 == practice.ledger.charges()[0].body_sha256
    browser = Browser()
    browser.force_login(factory.people.auditor)
    assert "had risen by $1.50" in browser.get(f"/orders/order/{order.pk}/change/").content.decode()


def test_a_cent_over_the_tolerance_goes_back(factory: OrderFactory, practice: Practice) -> None:
    allow("1.49")
    order = factory.confirmed(*CMR)
    reprice("mailbox", "3.75")
    assert submission.submit(order.pk) == "held back"
    assert (
        "$1.50 more than was confirmed for 2. At most $1.49 more was allowed for."
        in fresh(order).reason
    )
    assert practice.ledger.requests() == []


def test_a_price_that_fell_is_sent_where_there_is_a_tolerance(factory: OrderFactory) -> None:
    allow("1.00", 0)
    order = factory.confirmed(*CMR)
    reprice("mailbox", "2.50")
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert (only_attempt(order).due_now, only_attempt(order).rise) == ({"USD": "18.00"}, {})


def test_what_rises_every_year_counts_as_well(factory: OrderFactory) -> None:
    allow("1.00")
    order = factory.confirmed(*CMR)
    reprice("domain.com", "13.00", renewal_amount="16.00")
    assert submission.submit(order.pk) == "held back"
    assert "The renewal of Domains .com, 1 year rose from $14.50 to $16.00" in fresh(order).reason


def test_one_line_down_does_not_hide_another_up_beyond_a_total(factory: OrderFactory) -> None:
    """Less now and more every month: the month decides."""
    allow("1.00")
    order = factory.confirmed(*CMR)
    reprice("domain.com", "3.00")
    reprice("mailbox", "5.00")
    assert submission.submit(order.pk) == "held back"


def test_accepted_rises_add_up_for_thirty_days(factory: OrderFactory) -> None:
    allow("2.00", "3.50")
    orders = [factory.confirmed(*CMR, word=word) for word in ("one", "two", "three")]
    reprice("mailbox", "3.75")
    assert submission.submit(orders[0].pk) == Stage.ACCEPTED
    assert submission.submit(orders[1].pk) == Stage.ACCEPTED
    assert submission.submit(orders[2].pk) == "held back"
    assert "would come to more than $3.50" in fresh(orders[2]).reason
    Attempt.objects.filter(order=orders[0]).update(claimed_at=timezone.now() - timedelta(days=31))
    factory.confirm(fresh(orders[2]))  # at the new price, so nothing has risen
    assert submission.submit(orders[2].pk) == Stage.ACCEPTED
    assert only_attempt_with_stage(orders[2], Stage.ACCEPTED).rise == {}


def only_attempt_with_stage(order: Order, stage: Stage) -> Attempt:
    return order.attempts.get(stage=stage)


def test_without_a_sum_for_thirty_days_no_rise_is_accepted(factory: OrderFactory) -> None:
    allow("2.00", None)
    order = factory.confirmed(*CMR)
    reprice("mailbox", "3.01")
    assert submission.submit(order.pk) == "held back"


def test_a_tolerance_that_was_raised_after_confirming_does_not_count(factory: OrderFactory) -> None:
    allow("1.00")
    order = factory.confirmed(*CMR)
    allow("50.00")
    reprice("mailbox", "3.75")
    assert submission.submit(order.pk) == "held back"
    assert "At most $1.00 more was allowed for" in fresh(order).reason


def test_a_tolerance_that_was_taken_away_after_confirming_is_gone(factory: OrderFactory) -> None:
    allow("5.00")
    order, other = factory.confirmed(*CMR), factory.confirmed(*CMR, word="other")
    allow(None)
    assert submission.submit(other.pk) == Stage.ACCEPTED  # its prices are the confirmed ones
    reprice("mailbox", "3.01")
    assert submission.submit(order.pk) == "held back"


def test_a_confirmer_confirms_the_tolerance_that_the_page_showed(factory: OrderFactory) -> None:
    order = factory.reviewed(*CMR)
    current = plan(fresh(order))
    shown_plans.remember(current)
    allow("5.00")
    with pytest.raises(shown_plans.PlanChanged) as refused:
        submission.confirm(order.pk, by=factory.people.confirmer, digest=current.digest)
    assert refused.value.changes == ["How much its prices may rise until it is sent was changed."]


@pytest.mark.parametrize("column", ["first_name", "username"])
def test_no_tolerance_covers_anything_but_prices(
    unguarded: None, factory: OrderFactory, practice: Practice, column: str
) -> None:
    allow("50.00")
    order = factory.confirmed(*CMR)
    reprice("mailbox", "3.01")
    order.mailboxes.filter(username="sam").update(**{column: "mallory"})
    assert submission.submit(order.pk) == "held back"
    assert practice.ledger.requests() == []


def test_a_snapshot_changed_behind_the_back_is_no_excuse(
    unguarded: None, factory: OrderFactory, practice: Practice
) -> None:
    allow("1.00")
    order = factory.confirmed(*CMR)
    snapshot = order.snapshot | {"may_rise": {"USD": "500.00"}}
    Order.objects.filter(pk=order.pk).update(snapshot=snapshot)
    allow("500.00")
    reprice("mailbox", "30.00")
    assert submission.submit(order.pk) == "held back"
    assert practice.ledger.requests() == []


def test_a_rise_that_goes_over_a_limit_goes_back(factory: OrderFactory, practice: Practice) -> None:
    allow("5.00")
    order = factory.confirmed(*CMR)
    Vendor.objects.update(day_limit=20)
    reprice("mailbox", "3.75")
    assert submission.submit(order.pk) == "held back"
    assert (
        "Of the limit of $20.00 a day for ColdMailReseller only $1.00 is left"
        in fresh(order).reason
    )
    assert practice.ledger.requests() == []


def test_another_currency_or_period_is_no_drift() -> None:
    line = {
        "item": "a", "label": "A", "quantity": 2, "multiplier": 1, "unit_price": "1.00", "renewal": None,
        "unit": "month", "currency": "USD", "due_now": "2.00", "per_month": "2.00", "per_year": None, "remark": "",
    }  # fmt: skip
    totals = {"due_now": {"USD": "2.00"}, "per_month": {"USD": "2.00"}, "per_year": {}}
    before = {"host": "h", "request": {}, "secrets": {}, "cost": {"lines": [line]} | totals}
    for change in (
        {"currency": "EUR"},
        {"unit": "year"},
        {"quantity": 3},
        {"label": "B"},
        {"unit_price": None},
    ):
        assert (
            price_drift.between(before, before | {"cost": {"lines": [line | change]} | totals})
            is None
        )
    assert price_drift.between(before, before | {"cost": {"lines": []} | totals}) is None
    assert price_drift.between(before, before | {"host": "elsewhere"}) is None
    found = price_drift.between(before, before)
    assert found is not None and found.says == []


# Read again


def grow_old(api: str, minutes: int = 10) -> None:
    Price.objects.filter(vendor__api=api).update(as_of=timezone.now() - timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("api", "product"),
    [("woodpecker", "mailboxes"), ("scaledmail", "package"), ("smartsenders", "domains")],
)
def test_old_prices_are_read_again_before_the_claim(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    order = factory.confirmed(api, product)
    grow_old(api)
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert (
        Event.objects.filter(action="vendor.prices_fetched", subject=str(order.vendor)).count() == 1
    )
    assert not Price.objects.filter(
        vendor=order.vendor, as_of__lt=timezone.now() - timedelta(minutes=5)
    ).exists()
    assert charges(practice, order) == 1


def test_prices_that_were_just_read_are_not_read_again(factory: OrderFactory) -> None:
    for word in ("one", "two"):
        assert factory.sent(word=word).state == State.ACCEPTED
    assert not Event.objects.filter(
        action="vendor.prices_fetched", subject="Woodpecker (practice)"
    ).exists()


def test_typed_prices_are_an_operators_and_not_read_again(factory: OrderFactory) -> None:
    order = factory.reviewed()
    Price.objects.filter(vendor=order.vendor).update(source="Typed by operator")
    grow_old("woodpecker")
    factory.confirm(order)
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert not Event.objects.filter(
        action="vendor.prices_fetched", subject=str(order.vendor)
    ).exists()


def test_the_vendors_new_price_sends_the_order_back(
    factory: OrderFactory, practice: Practice
) -> None:
    """The list said less when the order was confirmed."""
    order = factory.reviewed()
    item = Price.objects.filter(vendor=order.vendor, item="mailbox.GOOGLE")
    now = item.get().amount
    item.update(amount=now - Decimal("1.00"))
    factory.confirm(order)
    grow_old("woodpecker")
    assert submission.submit(order.pk) == "held back"
    assert (
        f"rose from €{now - 1} to €{now}: €2.00 more than was confirmed for 2"
        in fresh(order).reason
    )
    assert practice.ledger.requests() == []


def test_a_price_that_the_list_no_longer_names_goes_back(
    unguarded: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.reviewed()
    Price.objects.filter(vendor=order.vendor, item="mailbox.GOOGLE").delete()
    gone = Price.objects.filter(vendor=order.vendor).first()
    assert gone
    Price.objects.create(vendor=order.vendor, item="mailbox.YAHOO", label="Yahoo", amount=5, unit="month",
                         currency="EUR", source=gone.source, as_of=timezone.now())  # fmt: skip
    Order.objects.filter(pk=order.pk).update(options={"provider": "YAHOO"})
    order = fresh(order)
    factory.confirm(order)
    grow_old("woodpecker")
    assert submission.submit(order.pk) == "price gone"
    assert "price list does not name Yahoo any more" in fresh(order).reason
    assert practice.ledger.requests() == []


def test_prices_that_can_not_be_read_are_a_try_and_end_before_a_person(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    order = factory.confirmed("scaledmail", "package")
    grow_old("scaledmail")
    practice.stop()
    for number in range(settings.NOT_SENT_TRIES):
        assert fresh(order).tries == number
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        assert submission.submit(order.pk) == "could not read prices"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "ScaledMail's prices have to be read before sending" in order.reason
    assert not order.attempts.exists()


def test_a_busy_account_is_no_failed_try(factory: OrderFactory) -> None:
    order = factory.confirmed("scaledmail", "package")
    grow_old("scaledmail")
    Vendor.objects.filter(pk=order.vendor_id).update(
        next_turn_at=timezone.now() + timedelta(minutes=2)
    )
    assert preflight.PRICES.read(order) == "account busy"
    order = fresh(order)
    assert (order.state, order.tries, order.queued_at) == (State.CONFIRMED, 0, None)


def test_a_fresh_confirmation_reads_old_prices_anew(factory: OrderFactory) -> None:
    order = factory.reviewed()
    Order.objects.filter(pk=order.pk).update(prices_at=timezone.now())
    factory.confirm(order)
    grow_old("woodpecker")
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert (
        Event.objects.filter(action="vendor.prices_fetched", subject=str(order.vendor)).count() == 1
    )


def test_prices_that_grow_old_while_the_vendor_is_asked_are_read_again_later(
    factory: OrderFactory, settings: Any
) -> None:
    order = factory.confirmed()
    price_lists.fetch(order.vendor)
    settings.PRICES_FRESH_SECONDS = 0
    assert submission.submit(order.pk) == "looked, not fresh any more"
    assert (fresh(order).state, fresh(order).queued_at, fresh(order).tries) == (
        State.CONFIRMED,
        None,
        0,
    )
