"""The pages about prices: the list, what changed on it, typed exchange rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailops.history.models import Event
from tests.conftest import OrderFactory
from tests.orders.pages import browser
from vendors import price_lists
from vendors.models import Price, PriceVersion, Rate, Vendor

CHANGES = "/vendors/priceversion/"


def change(vendor: Vendor, amount: str, *, item: str = "domain.com") -> None:
    price = vendor.prices.get(item=item)
    price.amount = Decimal(amount)
    price_lists.put(price, by="operator")


def typed(vendor: Vendor, **changed: Any) -> dict[str, Any]:
    price = vendor.prices.get(item="domain.com")
    return {
        "vendor": vendor.pk, "item": price.item, "label": price.label, "amount": price.amount, "currency": "USD",
        "unit": price.unit, "renewal_amount": price.renewal_amount,
    } | changed  # fmt: skip


def test_a_price_typed_on_its_page_has_a_version(factory: OrderFactory) -> None:
    cmr = factory.accounts["coldmailreseller"]
    price = cmr.prices.get(item="domain.com")
    browser(factory.people.operator).post(
        f"/vendors/price/{price.pk}/change/", typed(cmr, renewal_amount="16.00")
    )
    newest = PriceVersion.objects.first()
    assert newest is not None
    assert newest.before is not None
    assert (newest.before.says, newest.says, newest.set_by) == (
        "$13.00 a year, then $14.50", "$13.00 a year, then $16.00", "operator",
    )  # fmt: skip
    event = Event.objects.filter(action="price.changed").first()
    assert event is not None
    assert event.changes == {"renewal_amount": ["14.50", "16.00"]}


def test_a_price_deleted_on_its_page_is_named_as_taken_off(factory: OrderFactory) -> None:
    price = factory.accounts["coldmailreseller"].prices.get(item="domain.com")
    browser(factory.people.operator).post(f"/vendors/price/{price.pk}/delete/", {"post": "yes"})
    newest = PriceVersion.objects.first()
    assert newest is not None
    assert (newest.says, newest.source) == ("Taken off the list", "Taken off by operator")


def test_the_list_of_changes_tells_before_after_and_who(factory: OrderFactory) -> None:
    change(factory.accounts["coldmailreseller"], "13.50")
    page = browser(factory.people.auditor).get(CHANGES).content.decode()
    assert "Prices: what changed" in page
    for words in ("$13.00 a year, then $14.50", "$13.50 a year, then $14.50", "operator"):
        assert words in page


def test_the_changes_of_one_price_stand_alone(factory: OrderFactory) -> None:
    cmr = factory.accounts["coldmailreseller"]
    change(cmr, "13.50")
    response = browser(factory.people.drafter).get(
        CHANGES, {"vendor__id__exact": cmr.pk, "item": "domain.com"}
    )
    assert [found.item for found in response.context["cl"].result_list] == [
        "domain.com",
        "domain.com",
    ]


def test_the_account_and_the_price_list_lead_to_the_changes(factory: OrderFactory) -> None:
    cmr = factory.accounts["coldmailreseller"]
    operator = browser(factory.people.operator)
    link = f'href="{CHANGES}?vendor__id__exact={cmr.pk}'
    assert link in operator.get(f"/vendors/vendor/{cmr.pk}/change/").content.decode()
    assert f"{link}&amp;item=domain.com" in operator.get("/vendors/price/").content.decode()


def test_the_list_of_changes_asks_the_same_for_few_and_for_many(factory: OrderFactory) -> None:
    cmr, operator = factory.accounts["coldmailreseller"], browser(factory.people.operator)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.get(CHANGES).status_code == 200
        return len(asked)

    few = queries()
    for n in range(20):
        change(cmr, f"{20 + n}.00")
    assert queries() == few


# Exchange rates


@pytest.fixture
def euro(settings: Any) -> None:
    settings.REPORTING_CURRENCY = "EUR"


def test_an_operator_types_a_rate_and_the_history_has_it(factory: OrderFactory, euro: None) -> None:
    operator = browser(factory.people.operator)
    operator.post("/vendors/rate/add/", {"currency": "USD", "rate": "0.90"})
    operator.post("/vendors/rate/add/", {"currency": "USD", "rate": "0.92"})
    rate = Rate.objects.current()["USD"]
    assert (str(rate), rate.typed_by_name) == ("1 USD = 0.92 EUR", "operator")
    assert Rate.objects.count() == 2
    event = Event.objects.filter(action="rate.added").first()
    assert event is not None
    assert (event.subject, event.who) == ("1 USD = 0.92 EUR", "operator")
    page = operator.get("/vendors/rate/").content.decode()
    assert page.count("Replaced by a newer one") == 1
    assert page.count("In use") == 1


@pytest.mark.parametrize(
    ("currency", "rate"), [("EUR", "1"), ("usd", "1"), ("USD", "0"), ("USD", "-1"), ("USD", "x")]
)
def test_a_rate_that_makes_no_sense_is_refused(
    factory: OrderFactory, euro: None, currency: str, rate: str
) -> None:
    browser(factory.people.operator).post(
        "/vendors/rate/add/", {"currency": currency, "rate": rate}
    )
    assert not Rate.objects.exists()


@pytest.mark.parametrize("name", ["drafter", "confirmer", "auditor"])
def test_nobody_else_types_a_rate(factory: OrderFactory, euro: None, name: str) -> None:
    response = browser(getattr(factory.people, name)).post(
        "/vendors/rate/add/", {"currency": "USD", "rate": "1"}
    )
    assert response.status_code == 403
    assert not Rate.objects.exists()


def test_without_a_reporting_currency_the_page_says_how_to_get_one(
    factory: OrderFactory, settings: Any
) -> None:
    settings.REPORTING_CURRENCY = ""
    operator = browser(factory.people.operator)
    assert "REPORTING_CURRENCY" in operator.get("/vendors/rate/").content.decode()
    assert operator.get("/vendors/rate/add/").status_code == 403


def test_a_missing_price_can_be_added_from_its_link(factory: OrderFactory) -> None:
    cmr = factory.accounts["coldmailreseller"]
    page = browser(factory.people.operator).get(
        "/vendors/price/add/", {"vendor": cmr.pk, "item": "domain.org"}
    )
    assert 'value="domain.org"' in page.content.decode()
    assert not Price.objects.filter(item="domain.org").exists()
