"""How much of a limit is used, and the limits while drafting and confirming."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser
from django.utils import timezone

from orders import submission
from orders.models import Attempt, NotAllowed, State
from orders.outcomes import settlement, sweeper
from orders.plan import plan
from orders.sending.claims import Then, not_sent
from orders.spending import limits
from tests.conftest import OrderFactory, fresh
from tests.orders.spending.test_limits import CMR, COSTS, account, limit, northwind, spent
from vendors.models import Vendor
from vendors.models.spend_limits import DAY, MONTH

# What counts


def test_days_and_months_are_the_installations(settings: Any) -> None:
    settings.TIME_ZONE = "Australia/Sydney"
    timezone.get_default_timezone.cache_clear()
    try:
        zone = ZoneInfo("Australia/Sydney")
        at = datetime(2026, 10, 3, 20, 0, tzinfo=UTC)  # the day there on which an hour is skipped
        start, end = limits.period(DAY, at)
        assert (start, end) == (
            datetime(2026, 10, 4, tzinfo=zone),
            datetime(2026, 10, 5, tzinfo=zone),
        )
        assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=23)
        december = datetime(2026, 12, 31, 12, 30, tzinfo=UTC)
        assert limits.period(MONTH, december) == (
            datetime(2026, 12, 1, tzinfo=zone),
            datetime(2027, 1, 1, tzinfo=zone),
        )
        assert limits.period(MONTH, december + timedelta(hours=1))[0] == datetime(
            2027, 1, 1, tzinfo=zone
        )
    finally:
        settings.TIME_ZONE = "UTC"
        timezone.get_default_timezone.cache_clear()


def test_an_order_counts_from_its_claim_until_it_provably_bought_nothing(
    factory: OrderFactory,
) -> None:
    limit(account(), day_limit=100)
    attempt = factory.claimed(*CMR)
    assert spent(account()) == COSTS
    assert not_sent(attempt, sweeper.WORKER_STOPPED, Then.RELEASE)
    assert spent(account()) == 0
    unknown = factory.sent(*CMR, word="cut-after")
    assert unknown.state == State.UNKNOWN
    assert spent(account()) == COSTS
    factory.settle(unknown, settlement.NOT_PLACED)
    assert spent(account()) == 0
    assert factory.sent(*CMR, word="refused-field").state == State.REFUSED
    assert spent(account()) == 0
    factory.sent(*CMR, word="fine")
    assert spent(account()) == COSTS


def test_yesterday_counts_for_the_month_and_not_for_the_day(factory: OrderFactory) -> None:
    order = factory.sent(*CMR)
    limit(account(), day_limit=100, month_limit=100)
    at = timezone.now()
    last_month = limits.period(MONTH, at)[0] - timedelta(seconds=1)
    Attempt.objects.filter(order=order).update(
        counted_at=limits.period(DAY, at)[0] - timedelta(seconds=1)
    )
    later = limits.uses(account(), at=at)
    same_month = limits.period(DAY, at)[0] > limits.period(MONTH, at)[0]
    assert [use.used for use in later] == [0, COSTS if same_month else 0]
    Attempt.objects.filter(order=order).update(counted_at=last_month)
    assert [use.used for use in limits.uses(account(), at=at)] == [0, 0]


def test_amounts_in_another_currency_are_not_added(factory: OrderFactory) -> None:
    factory.sent()  # in euros
    factory.sent(*CMR, word="other")
    limit(northwind(), day_limit=100)
    assert spent(northwind()) == COSTS
    limit(northwind(), limit_currency="EUR")
    assert spent(northwind()) == Decimal("12.00")


def test_a_sum_of_many_cents_is_exact(factory: OrderFactory) -> None:
    limit(account(), day_limit=100)
    for number in range(7):
        order = factory.sent(*CMR, word=f"cents-{number}")
        Attempt.objects.filter(order=order).update(due_now={"USD": "0.10"})
    assert spent(account()) == Decimal("0.70")


def test_where_no_limit_is_set_nothing_is_asked(
    factory: OrderFactory, django_assert_num_queries: Any
) -> None:
    vendor, client, order = account(), northwind(), fresh(factory.draft(*CMR))
    with django_assert_num_queries(0):
        assert limits.uses(vendor, client, at=timezone.now()) == []
        assert limits.warnings(order, {"USD": COSTS}) == []
        assert limits.used_up(order, {"USD": COSTS}, timezone.now()) is None


# While drafting, and confirming


@pytest.mark.parametrize("whose", ["account", "client"])
def test_an_order_over_the_limit_for_one_order_is_stopped(
    factory: OrderFactory, whose: str
) -> None:
    owner = account() if whose == "account" else northwind()
    order = factory.draft(*CMR)
    limit(owner, order_limit=COSTS)
    assert not plan(fresh(order)).blocking
    limit(owner, order_limit=COSTS - Decimal("0.01"))
    (stop,) = plan(fresh(order)).blocking
    assert (
        stop.message
        == f"This order costs $19.00 now, over the limit of $18.99 an order for {owner.name}."
    )


def test_an_order_in_another_currency_than_a_limit_is_stopped(factory: OrderFactory) -> None:
    order = factory.draft(*CMR)
    limit(northwind(), day_limit=1000, limit_currency="EUR")
    (stop,) = plan(fresh(order)).blocking
    assert "the limit of Northwind is in EUR" in stop.message


def test_a_drafter_is_warned_and_a_confirmer_stopped_with_the_sums(factory: OrderFactory) -> None:
    limit(account(), day_limit=40)
    factory.sent(*CMR, word="one")
    order = factory.reviewed(*CMR, word="two")
    factory.confirm(order)  # 38.00: it fits
    third = factory.reviewed(*CMR, word="three")
    (warning,) = plan(fresh(third)).warnings
    says = "With its $19.00 it would go over the limit of $40.00 a day for ColdMailReseller: "
    assert warning.message == f"{says}$38.00 is used or on its way."
    with pytest.raises(NotAllowed, match=r"\$38\.00 is used or on its way\. Choose a later time"):
        factory.confirm(third)
    assert fresh(third).state == State.REVIEW
    limit(account(), day_limit=57)
    factory.confirm(third)


def test_an_order_that_is_planned_counts_for_its_own_day(factory: OrderFactory) -> None:
    limit(account(), day_limit=20)
    factory.sent(*CMR, word="one")
    now = timezone.now()
    for days, word in ((2, "two"), (3, "three")):
        order = factory.reviewed(*CMR, word=word)
        digest = plan(fresh(order)).digest
        at = now + timedelta(days=days)
        submission.confirm(order.pk, by=factory.people.confirmer, digest=digest, planned_for=at)
    more = factory.reviewed(*CMR, word="four")
    digest = plan(fresh(more)).digest
    with pytest.raises(NotAllowed, match="a day"):
        submission.confirm(
            more.pk, by=factory.people.confirmer, digest=digest, planned_for=now + timedelta(days=2)
        )
    submission.confirm(
        more.pk, by=factory.people.confirmer, digest=digest, planned_for=now + timedelta(days=4)
    )


def test_the_pages_show_what_is_used_and_what_the_order_adds(factory: OrderFactory) -> None:
    limit(account(), day_limit=100, month_limit=200)
    limit(northwind(), month_limit=20)
    factory.sent(*CMR, word="one")
    order = factory.reviewed(*CMR, word="two")
    browser = Browser()
    browser.force_login(factory.people.confirmer)
    said = " ".join(browser.get(f"/orders/order/{order.pk}/confirm/").content.decode().split())
    assert (
        "<dt>ColdMailReseller, today</dt> <dd> $19.00 of $100.00 used <br>With this order $38.00"
        " </dd>" in said
    )
    assert (
        "<dt>Northwind, this month</dt> <dd> $19.00 of $20.00 used <br>With this order <b>$38.00,"
        " over the" in said
    )
    assert "There is no room for it in a limit today." in said
    today = " ".join(browser.get("/").content.decode().split())
    assert "Today: $19.00 of $100.00 used." in today
    assert "This month: $19.00 of $200.00 used." in today


def test_confirming_counts_for_the_day_on_which_the_hold_ends(factory: OrderFactory) -> None:
    factory.sent(*CMR, word="one")
    limit(account(), day_limit=20)
    Vendor.objects.filter(pk=account().pk).update(hold_minutes=24 * 60)
    two, three = factory.reviewed(*CMR, word="two"), factory.reviewed(*CMR, word="three")
    factory.confirm(two)  # goes tomorrow, when nothing is used yet
    with pytest.raises(NotAllowed, match="over the limit"):
        factory.confirm(three)
