"""What is left out is priced out, everywhere at once; a package counts whole."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from mailops.core.money import Totals
from mailops.history.models import Event
from mailops.history.verify import verify
from mailops.notices.kinds import REFUSED, kind_of
from mailops.notices.message_texts import subject_and_text
from orders import submission
from orders.models import NotAllowed, Order, State
from orders.models.counted_cost import sheet_of
from orders.models.inventory import Asset
from orders.outcomes import settlement
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.settling import NOT_PLACED, PARTLY, PLACED
from tests.orders.pages import browser, url
from tests.orders.spending.counting import (
    ALL_LEFT_OUT,
    CMR,
    THREE,
    counted,
    kinds_on,
    line,
    one_left_out,
    spent_of_balance,
    used,
    with_limit,
)
from vendors.models import Price, Vendor
from vendors.practice.server import Practice

LOST = THREE.replace("acme.com", "cut-after.com", 1).replace("partial-", "third-")


def usd(amount: int) -> Totals:
    return Totals(USD=Decimal(amount)) if amount else Totals()


def test_limits_balance_list_and_match_say_the_same_reduced_sum(
    factory: OrderFactory, practice: Practice
) -> None:
    vendor = with_limit(factory.accounts["coldmailreseller"])
    noted = timezone.now() - timedelta(minutes=1)
    Vendor.objects.filter(pk=vendor.pk).update(
        balance=500, balance_currency="USD", balance_at=noted
    )
    order = one_left_out(factory)
    assert order.state == State.ACCEPTED
    assert [charge.amount for charge in practice.ledger.charges()] == ["32.00"]
    assert used(vendor) == spent_of_balance(vendor) == Decimal(32)
    assert fresh(order).due_now == counted(order) == usd(32)
    assert fresh(order).per_month == usd(6)
    assert kinds_on(factory, order, line("32.00", order)) == []
    assert kinds_on(factory, order, line("48.00", order)) == ["amount"]


def test_the_event_has_both_sums_and_the_snapshot_stays(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    event = Event.objects.get(action="order.accepted")
    assert [Totals.from_dict(amounts) for amounts in event.changes["due_now"]] == [usd(48), usd(32)]
    assert order.snapshot
    assert Totals.from_dict(order.snapshot["cost"]["due_now"]) == usd(48)
    page = browser(factory.people.auditor).get(url(order)).content.decode()
    assert "Confirmed $48.00 · left out $16.00 · <b>counts $32.00</b>" in page
    assert verify().is_unbroken


def test_a_whole_acceptance_counts_as_confirmed_and_says_nothing_of_it(
    factory: OrderFactory,
) -> None:
    order = factory.sent(*CMR, rows=THREE.replace("partial-", "third-"))
    assert fresh(order).due_now == counted(order) == usd(48)
    assert "due_now" not in Event.objects.get(action="order.accepted").changes
    assert "· left out" not in browser(factory.people.auditor).get(url(order)).content.decode()


def test_prices_of_today_do_not_matter(factory: OrderFactory, practice: Practice) -> None:
    order = factory.sent(*CMR, rows=LOST)
    Price.objects.filter(vendor=order.vendor).update(amount=99)
    factory.settle(order, PARTLY, left_out=["beta.com"])
    assert counted(order) == usd(32)


def test_prices_that_rose_before_sending_count_as_they_were_sent(factory: OrderFactory) -> None:
    Vendor.objects.update(drift_per_order=10, drift_cumulative=100)
    order = factory.confirmed(*CMR, rows=THREE)
    Price.objects.filter(vendor=order.vendor, item="mailbox").update(amount=4)
    submission.submit(order.pk)
    assert fresh(order).state == State.ACCEPTED
    assert counted(order) == usd(34)  # 2 × (13 + 4)
    page = browser(factory.people.auditor).get(url(order)).content.decode()
    assert "Confirmed $48.00 · rose by $3.00 · left out $17.00 · <b>counts $34.00</b>" in page


@pytest.mark.parametrize(
    "verdicts",
    [
        [(PARTLY, 32), (PLACED, 48)],
        [(PLACED, 48), (PARTLY, 32)],
        [(PARTLY, 32), (NOT_PLACED, 48), (PLACED, 48)],
        [(NOT_PLACED, 48), (PARTLY, 32), (PARTLY, 32)],
    ],
)
def test_each_verdict_counts_anew(factory: OrderFactory, verdicts: list[tuple[str, int]]) -> None:
    vendor = with_limit(factory.accounts["coldmailreseller"])
    order = factory.sent(*CMR, rows=LOST)
    assert used(vendor) == 48, "an unknown outcome counts in full"
    for verdict, cost in verdicts:
        factory.settle(order, verdict, left_out=["beta.com"] if verdict == PARTLY else ())
        assert fresh(order).due_now == usd(cost), verdict
        assert used(vendor) == (0 if verdict == NOT_PLACED else cost)


def test_a_mailbox_alone_is_priced_out_without_its_domain(factory: OrderFactory) -> None:
    order = factory.sent(*CMR, rows=LOST)
    factory.settle(order, PARTLY, left_out=["bo@beta.com"])
    assert counted(order) == usd(45)


def test_mailboxes_on_a_domain_that_is_there_go_with_it(factory: OrderFactory) -> None:
    rows = "cut-after.com, Ann Lee, ann\nother.com, Bo Lee, bo"
    order = factory.sent("woodpecker", "mailboxes", rows=rows)
    factory.settle(order, PARTLY, left_out=["bo@other.com"])
    assert counted(order) == Totals(EUR=Decimal(6))


def test_a_package_counts_whole(factory: OrderFactory) -> None:
    order = factory.sent("scaledmail", "package", word="cut-after")
    factory.settle(order, PARTLY, left_out=["cut-after-b.net"])
    assert counted(order) == fresh(order).due_now == usd(28)
    assert sheet_of(order, order.snapshot["cost"]).due_now == usd(28)  # type: ignore[index]


# Everything left out


def everything_left_out(factory: OrderFactory) -> Order:
    return factory.sent(*CMR, rows=ALL_LEFT_OUT)


def test_an_order_of_which_everything_is_left_out_ends_at_once(
    factory: OrderFactory, practice: Practice
) -> None:
    vendor = with_limit(factory.accounts["coldmailreseller"])
    order = everything_left_out(factory)
    assert order.state == State.UNDELIVERED
    assert order.asset_states() == {Asset.REFUSED}
    (taken,) = practice.ledger.created()
    assert order.reference == taken.reference
    says = f"ColdMailReseller took order {taken.reference} and left out every domain."
    assert order.reason == f"{says} Nothing should be charged."
    assert used(vendor) == 0
    assert fresh(order).due_now == counted(order) == usd(0)
    assert practice.ledger.charges() == []
    page = browser(factory.people.drafter).get(url(order)).content.decode()
    assert "left out $32.00 · <b>counts $0.00</b>" in page
    assert kinds_on(factory, order) == []


def test_its_drafter_is_told_as_of_a_refusal(factory: OrderFactory) -> None:
    everything_left_out(factory)
    event = Event.objects.get(action="order.undelivered")
    kind = kind_of(event)
    assert kind is not None
    assert (kind.name, kind.label) == (REFUSED, "My order was refused or never came")
    subject, text = subject_and_text(event)
    assert "nothing should be charged" in subject
    assert "left out every domain" in text
    assert "may have been charged" not in text


def test_a_verdict_does_not_leave_everything_out(factory: OrderFactory) -> None:
    order = factory.sent(*CMR, rows=LOST)
    names = [entry.name for entry in order.contents]
    for first in ((), (PLACED,)):
        for verdict in first:
            factory.settle(order, verdict)
        before = fresh(order).state
        with pytest.raises(NotAllowed, match="say that it was not placed"):
            settlement.settle(
                order.pk, by=factory.people.confirmer, verdict=PARTLY, reason="x", left_out=names
            )
        assert fresh(order).state == before
        assert counted(order) == usd(48)
