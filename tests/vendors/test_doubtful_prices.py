"""Prices that no order may go by: 0 in a list, gone from a list; and lists that name none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from mailops.history.models import Event
from orders import submission
from orders.drafting import drafts
from orders.models import NotAllowed, Order, State
from orders.plan import plan
from orders.sending.results import Result
from tests.conftest import OrderFactory, fresh, send
from tests.orders.pages import browser
from tests.vendors.orders import Answers
from tests.vendors.raw import RawServer, Visit
from vendors import price_lists
from vendors.apis import REGISTRY
from vendors.http import ReadFailed
from vendors.models import Price, PriceVersion, Vendor

SCALEDMAIL = ("scaledmail", "package")
ITEM = "package.price_practice_google_4"
Sells = Callable[[list[dict[str, Any]]], None]


def package(number: str, price: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "name": number.title(), "price": price, "domains": 4, "frequency": "/monthly"
    } | more  # fmt: skip


GOOGLE, OTHER = package("price_practice_google_4", 28), package("price_other", 99)


@pytest.fixture
def sells(settings: Any, factory: OrderFactory) -> Iterator[Sells]:
    """A ScaledMail whose list of packages is the test's."""
    rows: list[dict[str, Any]] = []

    def act(visit: Visit) -> None:
        visit.read()
        visit.answer(json.dumps({"packages": rows}).encode())

    server = RawServer(act)

    def put(found: list[dict[str, Any]]) -> None:
        settings.PRACTICE_URL = server.url
        rows[:] = found

    yield put
    server.stop()


def account() -> Vendor:
    return Vendor.objects.get(api="scaledmail")


def price() -> Price:
    return Price.objects.get(item=ITEM)


def fetch_page(factory: OrderFactory) -> str:
    """The account's page after an operator read the prices."""
    url = f"/vendors/vendor/{account().pk}/fetch/"
    page = browser(factory.people.operator).post(url, follow=True).content.decode()
    return " ".join(page.replace("&#x27;", "'").split())


def stops(order: Order) -> list[str]:
    return [f"{problem.message} {problem.fix}" for problem in plan(fresh(order)).blocking]


def typed(**changed: Any) -> dict[str, Any]:
    now = price()
    return {
        "vendor": now.vendor_id, "item": now.item, "label": now.label, "amount": now.amount,
        "currency": now.currency, "unit": now.unit, "renewal_amount": "", "domains": 4,
    } | changed  # fmt: skip


def save(factory: OrderFactory, **changed: Any) -> str:
    url = f"/vendors/price/{price().pk}/change/"
    response = browser(factory.people.operator).post(url, typed(**changed), follow=True)
    return response.content.decode()


# 0


def test_a_price_of_0_from_a_list_is_asked_about_and_stops_orders(
    factory: OrderFactory, sells: Sells
) -> None:
    order = factory.draft(*SCALEDMAIL)
    sells([package("price_practice_google_4", 0)])
    said = fetch_page(factory)
    assert "list says 0 for Price_Practice_Google_4, 4 domains" in said
    (stop,) = stops(order)
    assert "is in doubt: ScaledMail's price list says 0" in stop
    with pytest.raises(NotAllowed, match="can't be sent for confirmation"):
        drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    page = browser(factory.people.drafter).get(f"/orders/order/{order.pk}/change/")
    assert "Every price is known" not in page.content.decode()
    listed = browser(factory.people.operator).get("/vendors/price/").content.decode()
    assert "Is it really free?" in listed


def test_an_operator_types_that_it_is_free_and_the_order_goes_on(
    factory: OrderFactory, sells: Sells
) -> None:
    sells([package("price_practice_google_4", 0)])
    price_lists.fetch(account())
    order = factory.draft(*SCALEDMAIL)
    for word in ("", "yes"):
        assert "Type “free” if it really is." in save(factory, really_free=word)
    assert price().doubt and price().free_by_name == ""
    save(factory, really_free="Free")
    assert (price().free_by_name, price().doubt) == ("operator", "")
    assert stops(order) == []
    price_lists.fetch(account())  # the list says the same: it stays answered
    assert (price().free_by_name, price().source) == ("operator", "ScaledMail's price list")
    sells([GOOGLE])
    price_lists.fetch(account())
    sells([package("price_practice_google_4", 0)])
    price_lists.fetch(account())  # it cost something since: it is asked about again
    assert (price().free_by_name, bool(price().doubt)) == ("", True)


def test_the_word_free_is_for_prices_of_0_alone(factory: OrderFactory) -> None:
    assert "This price is not 0." in save(factory, really_free="free", amount="5")
    assert "Type “free”" in save(factory, renewal_amount="0")
    assert price().amount == 28


def test_a_price_that_became_0_after_confirming_sends_nothing(
    factory: OrderFactory, practice: Any
) -> None:
    # Without a tolerance any change of a price would send it back.
    Vendor.objects.update(drift_per_order=50, drift_cumulative=500)
    attempt = factory.claimed(*SCALEDMAIL)
    Price.objects.filter(pk=price().pk).update(amount=0)
    assert send(attempt) == Result.HELD_BACK
    assert fresh(attempt.order).state == State.REVIEW
    assert "nobody has said that it is really free" in fresh(attempt.order).reason
    assert practice.ledger.requests() == []


def test_a_doubtful_price_is_no_offer_elsewhere(factory: OrderFactory) -> None:
    order = factory.draft("coldmailreseller", "domains")
    url = f"/orders/order/{order.pk}/elsewhere/"
    before = browser(factory.people.drafter).get(url).content.decode()
    Price.objects.filter(vendor=account()).update(amount=0)
    after = browser(factory.people.drafter).get(url).content.decode()
    assert before.count("SM Google 100%") > 0 and "SM Google 100%" not in after


# Gone


def test_a_price_that_vanished_is_named_everywhere_and_stops_orders(
    factory: OrderFactory, sells: Sells
) -> None:
    order = factory.draft(*SCALEDMAIL)
    label = price().label
    sells([OTHER])
    assert "list has no price any more for" in fetch_page(factory) and label in fetch_page(factory)
    since = price().gone_at
    assert since and price().amount == 28
    (stop,) = stops(order)
    assert "ScaledMail's price list has no price for it any more since" in stop
    listed = browser(factory.people.operator).get("/vendors/price/").content.decode()
    assert f"Not in the list since {since:%-d %b %Y}" in listed
    newest = PriceVersion.objects.filter(item=ITEM).first()
    assert newest and (newest.says, newest.removed) == ("Taken off the list", True)
    assert newest.source == "ScaledMail's price list has no price for it"
    event = Event.objects.filter(action="vendor.prices_fetched").order_by("number").last()
    versions = PriceVersion.objects.filter(item=ITEM).count()
    price_lists.fetch(account())  # still gone: no news
    assert price().gone_at == since
    assert PriceVersion.objects.filter(item=ITEM).count() == versions
    assert event is not None


def test_the_history_names_what_vanished_once(factory: OrderFactory, sells: Sells) -> None:
    sells([OTHER])
    for _ in range(2):
        price_lists.fetch(account())
    events = Event.objects.filter(action="vendor.prices_fetched").order_by("-number")[:2]
    second, first = events
    assert first.changes[ITEM] == ["28.00 USD", "no price in the list any more"]
    assert ITEM not in second.changes


@pytest.mark.parametrize("how", ["listed again", "typed"])
def test_a_price_that_is_back_can_be_ordered(factory: OrderFactory, sells: Sells, how: str) -> None:
    order = factory.draft(*SCALEDMAIL)
    sells([OTHER])
    price_lists.fetch(account())
    assert stops(order)
    if how == "typed":
        save(factory, amount="30")
    else:
        sells([OTHER, GOOGLE])
        price_lists.fetch(account())
    assert price().gone_at is None and stops(order) == []
    newest = PriceVersion.objects.filter(item=ITEM).first()
    assert newest and not newest.removed


def test_a_typed_price_is_an_operators_word_and_never_gone(
    factory: OrderFactory, sells: Sells
) -> None:
    save(factory, amount="30")
    sells([OTHER])
    assert price_lists.fetch(account()).gone == list(Price.objects.filter(gone_at__isnull=False))
    assert price().gone_at is None


# Lists that name none


@pytest.mark.parametrize("rows", [[], [{"id": "price_1", "price": "cheap"}]])
def test_an_empty_list_changes_nothing_and_says_so(
    factory: OrderFactory, sells: Sells, rows: list[dict[str, Any]]
) -> None:
    before = list(Price.objects.order_by("pk").values())
    sells(rows)
    assert "ScaledMail's price list names no price. Nothing was changed." in fetch_page(factory)
    assert list(Price.objects.order_by("pk").values()) == before
    assert not Event.objects.filter(action="vendor.prices_fetched").exists()
    with pytest.raises(ReadFailed):
        price_lists.fetch(account())


# Currencies


def test_a_list_keeps_its_own_currency(factory: OrderFactory, sells: Sells) -> None:
    Vendor.objects.filter(pk=account().pk).update(order_limit=Decimal(500), limit_currency="USD")
    order = factory.draft(*SCALEDMAIL)
    sells([package("price_practice_google_4", 28, currency="eur")])
    price_lists.fetch(account())
    assert price().currency == "EUR"
    assert plan(fresh(order)).cost.due_now.as_dict() == {"EUR": "28.00"}
    (stop,) = stops(order)
    assert "€28.00" in stop and "is in USD" in stop


@pytest.mark.parametrize(
    ("row", "then"),
    [
        ({}, ["USD"]),
        ({"currency": None}, ["USD"]),
        ({"currency": "GBP"}, ["GBP"]),
        ({"currency": " gbp "}, ["GBP"]),
        ({"currency": "pounds"}, []),
        ({"currency": 826}, []),
    ],
)
def test_scaledmails_dollars_are_for_lists_without_a_currency(
    row: dict[str, Any], then: list[str]
) -> None:
    answers = Answers({"/api/v1/packages": {"packages": [package("price_1", 5, **row)]}})
    found = REGISTRY["scaledmail"].prices({}, answers)
    assert [line.currency for line in found] == then


def test_an_order_of_a_vanished_price_comes_back_before_it_is_sent(
    factory: OrderFactory, practice: Any
) -> None:
    order = factory.confirmed(*SCALEDMAIL)
    Price.objects.filter(pk=price().pk).update(gone_at=order.created_at)
    assert submission.submit(order.pk) == Result.HELD_BACK
    assert "has no price for it any more" in fresh(order).reason
    assert practice.ledger.requests() == []
