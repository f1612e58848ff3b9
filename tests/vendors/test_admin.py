"""The pages of accounts record each change with before and after, and never a secret."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailops.history.models import Event
from mailops.history.verify import verify
from mailops.proposals.models import Proposal, State
from tests.conftest import OrderFactory
from tests.orders.pages import browser, messages_of
from vendors.apis import REGISTRY
from vendors.models import Price, Vendor
from vendors.practice.server import Practice

HIDDEN = ["", "changed, not shown"]
KEY = "practice-a-key-nobody-may-see"
SETTINGS = {
    "coldmailreseller": {"setting_user_id": "U-1"},
    "scaledmail": {"setting_organization_id": "recOrg"},
    "woodpecker": {},
    "smartsenders": {"setting_body_form": "objects"},
}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")  # every refusal is a warning there


def account(api: str = "woodpecker", **changed: Any) -> dict[str, Any]:
    """The account form filled in."""
    rules = {
        "two_person_rule": "on",
        "order_limit": "2000",
        "limit_currency": "USD",
        "hold_minutes": "0",
        "usual_days": "3",
        "overdue_days": "5",
    }
    return (
        {"name": f"New {api}", "mode": "practice", "why": "A new contract."}
        | rules
        | SETTINGS[api]
        | changed
    )


def account_page(vendor: Vendor, door: str = "change") -> str:
    return f"/vendors/vendor/{vendor.pk}/{door}/"


def approve(by: User) -> None:
    """Whatever is proposed, on the proposal's own page."""
    proposal = Proposal.objects.get(state=State.PROPOSED)
    browser(by).post(f"/proposals/proposal/{proposal.pk}/approve/")
    proposal.refresh_from_db()
    assert proposal.state == State.APPROVED


def the(action: str) -> Event:
    return Event.objects.filter(action=action).latest("number")


def changes(action: str) -> dict[str, Any]:
    found: dict[str, Any] = the(action).changes
    return found


# Vendor accounts


@pytest.mark.parametrize("api", sorted(REGISTRY))
def test_a_new_account_is_recorded_without_its_key(people: Any, api: str) -> None:
    response = browser(people.operator).post(
        f"/vendors/vendor/add/?api={api}", account(api, secret_api_key=KEY)
    )  # fmt: skip
    vendor = Vendor.objects.get()
    assert response.status_code == 302
    assert (vendor.secrets.open(), vendor.order_limit) == (
        {},
        0,
    )  # it can do nothing before somebody approves
    event = the("vendor.added")
    assert (event.who, event.subject) == ("operator", f"New {api} (practice)")
    assert event.changes["name"] == [None, f"New {api}"]
    assert "secret_api_key" not in event.changes
    approve(people.confirmer)
    vendor.refresh_from_db()
    assert (vendor.secrets.open(), vendor.order_limit) == ({"api_key": KEY}, 2000)
    assert the("vendor.changed").changes["secret_api_key"] == HIDDEN
    assert not [event for event in Event.objects.all() if KEY in json.dumps(event.changes)]
    assert verify().is_unbroken


def test_a_changed_rule_is_recorded_with_before_and_after(factory: OrderFactory) -> None:
    vendor = factory.accounts["woodpecker"]
    data = account(name="Woodpecker", order_limit="750.50", limit_currency="EUR", hold_minutes="15")
    browser(factory.people.operator).post(account_page(vendor), data)
    assert changes("vendor.changed") == {
        "order_limit": ["2000.00", "750.50"],
        "hold_minutes": [0, 15],
    }


def test_saving_the_form_writes_only_what_it_shows(factory: OrderFactory) -> None:
    """A worker may stop the account, or take its turn, between the form's reading and its writing."""
    vendor = factory.accounts["woodpecker"]
    with CaptureQueriesContext(connection) as said:
        browser(factory.people.operator).post(
            account_page(vendor), account(name="Woodpecker", hold_minutes="3")
        )
    form, limits_changed = [
        query["sql"] for query in said if query["sql"].startswith('UPDATE "vendors_vendor"')
    ]
    assert '"hold_minutes"' in form
    others = ("stopped_at", "next_turn_at", "opened_at")
    assert not any(f'"{name}"' in sql for name in others for sql in (form, limits_changed))


def test_a_changed_setting_is_recorded(factory: OrderFactory) -> None:
    vendor = factory.accounts["coldmailreseller"]
    data = account("coldmailreseller", name="ColdMailReseller", setting_user_id="U-202")
    browser(factory.people.operator).post(account_page(vendor), data)
    approve(factory.people.confirmer)
    assert changes("vendor.changed") == {"setting_user_id": ["U-201", "U-202"]}


def test_a_new_key_says_only_that_it_changed(factory: OrderFactory) -> None:
    vendor = factory.accounts["woodpecker"]
    (old,) = vendor.secrets.open().values()
    data = account(name="Woodpecker", limit_currency="EUR", secret_api_key=KEY)
    browser(factory.people.operator).post(account_page(vendor), data)
    approve(factory.people.confirmer)
    assert changes("vendor.changed") == {"secret_api_key": HIDDEN}
    vendor.refresh_from_db()
    assert vendor.secrets.open() == {"api_key": KEY}
    for event in Event.objects.all():
        assert KEY not in json.dumps(event.changes)
        assert old not in json.dumps(event.changes)


def test_an_empty_key_field_keeps_the_key_and_records_nothing(factory: OrderFactory) -> None:
    vendor = factory.accounts["woodpecker"]
    before = vendor.sealed
    browser(factory.people.operator).post(
        account_page(vendor), account(name="Woodpecker", limit_currency="EUR")
    )
    vendor.refresh_from_db()
    assert vendor.sealed == before
    assert not Event.objects.filter(action="vendor.changed").exists()


@pytest.mark.parametrize("who", ["operator", "auditor", "drafter"])
def test_a_stored_key_is_never_on_the_page(factory: OrderFactory, who: str) -> None:
    vendor = factory.accounts["woodpecker"]
    (key,) = vendor.secrets.open().values()
    page = browser(getattr(factory.people, who)).get(account_page(vendor)).content.decode()
    assert key not in page
    assert "gAAAA" not in page  # nor its sealed form
    assert ("Stored and sealed" if who == "operator" else "secrets stored: api key") in page


def test_a_rejected_form_does_not_send_the_key_back(factory: OrderFactory) -> None:
    data = account(name="", secret_api_key=KEY)
    page = browser(factory.people.operator).post(account_page(factory.accounts["woodpecker"]), data)
    assert page.status_code == 200
    assert KEY not in page.content.decode()


@pytest.mark.parametrize("key", ["••••••••", "key: abc", "two\nlines", "kéy"])
def test_what_cannot_be_a_key_is_refused(factory: OrderFactory, key: str) -> None:
    vendor = factory.accounts["woodpecker"]
    page = browser(factory.people.operator).post(
        account_page(vendor), account(name="Woodpecker", secret_api_key=key)
    )
    assert "This is no key" in page.content.decode()
    assert Vendor.objects.get(pk=vendor.pk).sealed == vendor.sealed


def test_a_practice_installation_takes_no_live_account(factory: OrderFactory) -> None:
    vendor = factory.accounts["woodpecker"]
    page = browser(factory.people.operator).post(
        account_page(vendor), account(name="Woodpecker", mode="live")
    )
    assert "This is a practice installation" in page.content.decode()
    vendor.refresh_from_db()
    assert vendor.is_practice


def test_an_account_is_never_deleted(factory: OrderFactory) -> None:
    page = account_page(factory.accounts["woodpecker"], "delete")
    assert browser(factory.people.boss).post(page, {"post": "yes"}).status_code == 403
    assert Vendor.objects.count() == 4


@pytest.mark.parametrize("door", ["stop", "resume"])
def test_the_stop_switch_leaves_who_and_why(factory: OrderFactory, door: str) -> None:
    vendor = factory.accounts["woodpecker"]
    operator = browser(factory.people.operator)
    operator.post(account_page(vendor, "stop"), {"reason": "card expired"})
    vendor.refresh_from_db()
    assert (vendor.is_stopped, vendor.stopped_reason) == (True, "card expired")
    if door == "resume":
        operator.post(account_page(vendor, "resume"))
        vendor.refresh_from_db()
        assert (vendor.is_stopped, vendor.stopped_reason) == (False, "")
    event = the({"stop": "vendor.stopped", "resume": "vendor.resumed"}[door])
    assert (event.who, event.subject) == ("operator", "Woodpecker (practice)")
    assert event.reason == ("card expired" if door == "stop" else "")


@pytest.mark.parametrize("reason", ["", "   "])
def test_sending_is_not_stopped_without_a_reason(factory: OrderFactory, reason: str) -> None:
    vendor = factory.accounts["woodpecker"]
    browser(factory.people.operator).post(account_page(vendor, "stop"), {"reason": reason})
    vendor.refresh_from_db()
    assert not vendor.is_stopped
    assert not Event.objects.filter(action="vendor.stopped").exists()


# Asking the vendor


@pytest.mark.parametrize("api", sorted(REGISTRY))
def test_a_good_key_is_tested_and_the_test_recorded(factory: OrderFactory, api: str) -> None:
    response = browser(factory.people.operator).post(
        account_page(factory.accounts[api], "test"), follow=True
    )
    assert "The key works" in messages_of(response)
    assert changes("vendor.key_tested") == {"worked": [None, True]}


@pytest.mark.parametrize("api", sorted(REGISTRY))
@pytest.mark.parametrize(
    ("key", "said"),
    [("wrong-key", "did not accept this key"), ("", "No key is stored for this account yet.")],
)
def test_a_key_that_does_not_work_is_said_and_recorded(
    factory: OrderFactory, api: str, key: str, said: str
) -> None:
    vendor = factory.accounts[api]
    vendor.sealed = str(
        vendor.secrets.put({"api_key": key}) if key else vendor.secrets.drop("api_key")
    )
    vendor.save()
    response = browser(factory.people.operator).post(account_page(vendor, "test"), follow=True)
    assert said in messages_of(response)
    assert changes("vendor.key_tested") == {"worked": [None, False]}


def test_prices_read_from_the_vendor_are_recorded_with_before_and_after(
    factory: OrderFactory,
) -> None:
    vendor = factory.accounts["woodpecker"]
    Price.objects.filter(vendor=vendor, item="mailbox.GOOGLE").update(amount="5.00")
    response = browser(factory.people.operator).post(account_page(vendor, "fetch"), follow=True)
    assert "prices were read from Woodpecker" in messages_of(response)
    event = Event.objects.filter(action="vendor.prices_fetched").first()
    assert event is not None
    assert event.changes == {"mailbox.GOOGLE": ["5.00 EUR", "6.00 EUR"]}
    assert event.who == "operator"


def test_a_vendor_that_cannot_be_reached_keeps_the_prices(
    factory: OrderFactory, practice: Practice
) -> None:
    vendor = factory.accounts["woodpecker"]
    before = list(Price.objects.values())
    practice.stop()
    response = browser(factory.people.operator).post(account_page(vendor, "fetch"), follow=True)
    assert "The vendor could not be asked" in messages_of(response)
    assert list(Price.objects.values()) == before
