"""Pages about prices, contacts, clients and people record each change, without secrets."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from mailops.auth import roles
from mailops.history.verify import verify
from orders.models import Client
from tests.conftest import OrderFactory
from tests.orders.pages import browser
from tests.vendors.test_admin import HIDDEN, approve, changes, the
from vendors.models import Contact, Price, Vendor


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")  # every refusal is a warning there


# Prices, contacts, clients


def price(vendor: Vendor, **changed: Any) -> dict[str, Any]:
    return {"vendor": vendor.pk, "item": "mailbox.NEW", "label": "New", "amount": "4.20", "currency": "EUR"} | {
        "unit": "month"
    } | changed  # fmt: skip


def test_a_typed_price_is_recorded_from_its_first_amount_to_its_end(factory: OrderFactory) -> None:
    vendor, operator = factory.accounts["woodpecker"], browser(factory.people.operator)
    operator.post("/vendors/price/add/", price(vendor))
    made = Price.objects.get(item="mailbox.NEW")
    assert (made.source, str(made.amount)) == ("Typed by operator", "4.20")
    assert changes("price.added")["amount"] == [None, "4.20"]
    assert changes("price.added")["vendor"] == [None, "Woodpecker (practice)"]
    operator.post(f"/vendors/price/{made.pk}/change/", price(vendor, amount="4.50"))
    assert changes("price.changed") == {"amount": ["4.20", "4.50"]}
    operator.post(f"/vendors/price/{made.pk}/delete/", {"post": "yes"})
    assert not Price.objects.filter(item="mailbox.NEW").exists()
    assert (the("price.deleted").subject, the("price.deleted").who) == (
        "New at Woodpecker",
        "operator",
    )
    assert verify().is_unbroken


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": "-1"},
        {"amount": "1.234"},
        {"amount": "NaN"},
        {"currency": "usd"},
        {"amount": "1" * 20},
    ],
)
def test_a_price_that_makes_no_sense_is_refused(
    factory: OrderFactory, changed: dict[str, str]
) -> None:
    page = browser(factory.people.operator).post(
        "/vendors/price/add/", price(factory.accounts["woodpecker"], **changed)
    )  # fmt: skip
    assert page.status_code == 200
    assert page.context["adminform"].form.errors
    assert not Price.objects.filter(item="mailbox.NEW").exists()


def test_a_changed_contact_and_client_are_recorded(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    contact = Contact.objects.get()
    fields = {name: getattr(contact, name) for name in CONTACT_FIELDS}
    drafter.post(f"/vendors/contact/{contact.pk}/change/", fields | {"city": "Dallas"})
    assert changes("contact.changed") == {"city": ["Austin", "Dallas"]}
    client = Client.objects.get(name="Northwind")
    data = {
        "name": "Northwind",
        "main_domain": "northwind.com",
        "forward_to": "northwind.org",
        "contact": "",
    }
    drafter.post(f"/orders/client/{client.pk}/change/", data)
    assert changes("client.changed") == {
        "forward_to": ["northwind.com", "northwind.org"],
        "contact": [str(contact), None],
    }


CONTACT_FIELDS = (
    "name", "first_name", "last_name", "email", "company", "address_line_one", "address_line_two", "city", "state",
    "postal_code", "country", "phone_country_code", "phone",
)  # fmt: skip


# People

PASSWORD = "correct-horse-battery-77"


def test_a_new_user_is_recorded_without_the_password(people: Any) -> None:
    data = {
        "username": "nora",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    browser(people.boss).post("/auth/user/add/", data)
    assert User.objects.get(username="nora").check_password(PASSWORD)
    event = the("user.added")
    assert (event.who, event.subject) == ("boss", "nora")
    assert event.changes["username"] == [None, "nora"]
    assert PASSWORD not in json.dumps(event.changes)


def test_a_changed_role_is_recorded_with_before_and_after(people: Any) -> None:
    user = people.drafter
    second = User.objects.create_superuser("second", password="second")
    groups = [Group.objects.get(name=name).pk for name in (roles.DRAFTER, roles.CONFIRMER)]
    data = {
        "username": user.username,
        "is_staff": "on",
        "is_active": "on",
        "groups": groups,
        "why": "A promotion.",
    }
    dates = {
        "date_joined_0": f"{user.date_joined:%Y-%m-%d}",
        "date_joined_1": f"{user.date_joined:%H:%M:%S}",
    }
    browser(people.boss).post(f"/auth/user/{user.pk}/change/", data | dates)
    assert user.groups.count() == 1
    approve(second)
    assert user.groups.count() == 2
    before, after = changes("user.changed")["groups"]
    assert (before, sorted(after)) == ([roles.DRAFTER], [roles.CONFIRMER, roles.DRAFTER])


def test_a_password_set_by_an_administrator_is_recorded_but_not_shown(
    committed: None, people: Any
) -> None:
    user = people.drafter
    second = User.objects.create_superuser("second", password="second")
    data = {
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "why": "It was forgotten.",
    }
    response = browser(people.boss).post(f"/auth/user/{user.pk}/password/", data)
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.check_password("drafter")
    approve(second)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    event = the("user.changed")
    assert (event.who, event.subject, event.changes) == ("second", "drafter", {"password": HIDDEN})
    assert event.reason == "Proposed by boss, approved by second: It was forgotten."


def test_a_deleted_user_leaves_a_readable_history(people: Any) -> None:
    user = people.operator
    browser(people.boss).post(f"/auth/user/{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert (the("user.deleted").who, the("user.deleted").subject) == ("boss", "operator")


def test_roles_are_read_only_even_for_a_superuser(people: Any) -> None:
    group = Group.objects.get(name=roles.DRAFTER)
    boss = browser(people.boss)
    for page in (f"{group.pk}/change/", f"{group.pk}/delete/", "add/"):
        assert boss.post(f"/auth/group/{page}", {"name": "Gods", "post": "yes"}).status_code == 403
    assert set(Group.objects.values_list("name", flat=True)) == set(roles.ROLES)
