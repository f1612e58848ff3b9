"""A vendor's number of a domain in the next draft of mailboxes on it, and where it comes from."""

from __future__ import annotations

from typing import Any

import pytest

from orders.models import Domain, Order, Scratch
from orders.outcomes import delivery
from tests.conftest import OrderFactory
from tests.orders.outcomes.practising import BOUGHT
from tests.orders.pages import add_url, browser, typed, url

ON_DOMAIN = ("coldmailreseller", "mailboxes")
ROWS = "acme.com, New Hand, new"
NO_ID: dict[str, Any] = {"option-subscription_id": "", "option-domain_id": ""}


@pytest.fixture
def number(factory: OrderFactory) -> str:
    """The subscription of a domain that was bought and delivered."""
    order = factory.sent(*BOUGHT)
    delivery.ask(order.pk)
    found: str = Domain.objects.get(name="acme.com").vendor_ids["subscriptionId"]
    return found


def post(factory: OrderFactory, **changed: Any) -> Any:
    page = add_url(factory.accounts[ON_DOMAIN[0]], ON_DOMAIN[1])
    form = typed(*ON_DOMAIN, rows=ROWS) | NO_ID | changed
    return browser(factory.people.drafter).post(page, form)


def shown(response: Any, option: str = "subscription_id") -> str:
    return str(response.context["options"][option].value() or "")


def test_reading_the_lines_fills_it_in_and_says_where_from(
    factory: OrderFactory, number: str
) -> None:
    response = post(factory, read="1")
    assert (shown(response), shown(response, "domain_id")) == (number, "")
    page = response.content.decode()
    assert "Filled in: the Subscription ID of acme.com at ColdMailReseller" in page
    assert ", read " in page


def test_a_saved_draft_has_it(factory: OrderFactory, number: str) -> None:
    response = post(factory, save="1")
    order = Order.objects.latest("pk")
    assert response["Location"] == url(order, "edit")
    assert order.options["subscription_id"] == number
    page = browser(factory.people.drafter).get(url(order, "edit")).content.decode()
    assert "Filled in: the Subscription ID of acme.com" in page


def test_a_draft_that_was_saved_without_shows_it_filled_in(
    factory: OrderFactory, number: str
) -> None:
    options = {"subscription_id": "", "domain_id": "", "confirm": True}
    order = factory.draft(*ON_DOMAIN, rows=ROWS, options=options)
    page = browser(factory.people.drafter).get(url(order, "edit"))
    assert shown(page) == number
    assert Order.objects.get(pk=order.pk).options == options, "looking changes nothing"


def test_nothing_is_sent_with_a_number_that_nobody_saw(factory: OrderFactory, number: str) -> None:
    post(factory, send="1")
    order = Order.objects.latest("pk")
    assert (order.state, order.options["subscription_id"]) == ("draft", "")


def test_entries_that_are_only_kept_stay_as_typed(factory: OrderFactory, number: str) -> None:
    post(factory, keep="1")
    assert number not in str(Scratch.objects.values_list())


@pytest.mark.parametrize(
    "changed",
    [
        {"option-subscription_id": "SUB-9"},
        {"option-domain_id": "DOM-9"},
        {"rows": f"{ROWS}\nbolt.com, New Hand, new"},
        {"rows": "bolt.com, New Hand, new"},
        {"rows": ""},
    ],
)
def test_what_was_typed_or_is_of_several_domains_is_left_alone(
    factory: OrderFactory, number: str, changed: dict[str, Any]
) -> None:
    response = post(factory, read="1", **changed)
    assert shown(response) == changed.get("option-subscription_id", "")
    assert "Filled in:" not in response.content.decode()


def test_a_subscription_that_ended_is_not_joined(factory: OrderFactory, number: str) -> None:
    ids = {"subscriptionId": number, "domainId": "DOM-1"}
    Domain.objects.update(against="Subscription reads CANCELLED.", vendor_ids=ids)
    response = post(factory, read="1")
    assert (shown(response), shown(response, "domain_id")) == ("", "DOM-1")
    Domain.objects.update(vendor_ids={"subscriptionId": number})
    response = post(factory, read="1")
    assert (shown(response), shown(response, "domain_id")) == ("", "")


@pytest.mark.parametrize("changed", [{"state": "gone"}, {"state": "refused"}, {"vendor_ids": {}}])
def test_a_domain_that_is_not_there_gives_none(
    factory: OrderFactory, number: str, changed: dict[str, Any]
) -> None:
    Domain.objects.update(**changed)
    assert shown(post(factory, read="1")) == ""


def test_a_domain_of_another_account_gives_none(factory: OrderFactory, number: str) -> None:
    other = factory.accounts["woodpecker"]
    ids = {"subscriptionId": number}
    Domain.objects.create(name="bolt.com", vendor=other, state="ready", vendor_ids=ids)
    assert shown(post(factory, read="1", rows="bolt.com, New Hand, new")) == ""
