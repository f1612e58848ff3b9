"""On every page, a change that loosens waits for a second person; one that tightens does not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages import get_messages

from mailops.auth import roles
from mailops.history.models import Event
from mailops.proposals.models import Proposal
from mailops.proposals.policies import POLICIES
from orders.models import Client
from tests.conftest import OrderFactory
from tests.proposals.setting import WHY, account_form, person_form, role, signed_in, waiting
from vendors.models import Vendor

KEY = "practice-a-key-nobody-may-see"
SECRET = "correct-horse-battery-77"


@pytest.fixture
def account(factory: OrderFactory) -> Vendor:
    """With something set wherever something can be loosened."""
    vendor = factory.accounts["coldmailreseller"]
    vendor.day_limit, vendor.month_limit, vendor.drift_per_order, vendor.balance_floor = (
        3000,
        9000,
        10,
        50,
    )
    vendor.hold_minutes = 15
    vendor.save()
    vendor.refresh_from_db()
    return vendor


def amounts(vendor: Vendor) -> dict[str, Any]:
    names = ("day_limit", "month_limit", "drift_per_order", "balance_floor")
    return {name: getattr(vendor, name) for name in names}


def save(by: User, vendor: Vendor, **changed: Any) -> Any:
    typed = {
        name: value for name, value in (amounts(vendor) | changed).items() if value is not None
    }
    typed = account_form(vendor, **typed)
    return signed_in(by).post(
        f"/vendors/vendor/{vendor.pk}/change/", {k: v for k, v in typed.items() if v is not None}
    )


def standing(item: Any) -> dict[str, Any]:
    return POLICIES[item._meta.label_lower].read(type(item).objects.get(pk=item.pk))


@pytest.mark.parametrize(
    "changed",
    [
        {"order_limit": "2000.01"}, {"order_limit": ""}, {"day_limit": "9999"}, {"month_limit": ""},
        {"limit_currency": "EUR"}, {"drift_per_order": "11"}, {"drift_cumulative": "5"}, {"balance_floor": "1"},
        {"hold_minutes": "14"}, {"two_person_rule": ""}, {"secret_api_key": KEY}, {"setting_user_id": "U-999"},
    ],
)  # fmt: skip
def test_what_loosens_an_account_waits(
    factory: OrderFactory, account: Vendor, changed: dict[str, str]
) -> None:
    before = standing(account)
    response = save(factory.people.operator, account, **changed)
    assert response.status_code == 302
    assert standing(account) == before
    assert set(waiting().values) == set(changed)
    assert (waiting().why, waiting().proposed_by) == (WHY, factory.people.operator)
    assert not Event.objects.filter(action="vendor.changed").exists()
    assert Event.objects.get(action="proposal.made").reason == WHY


@pytest.mark.parametrize(
    "changed",
    [
        {"order_limit": "1999"}, {"day_limit": "1"}, {"drift_per_order": ""}, {"drift_per_order": "9"},
        {"balance_floor": "51"}, {"hold_minutes": "16"}, {"name": "Another name"},
    ],
)  # fmt: skip
def test_what_tightens_an_account_is_done_at_once_and_needs_no_reason(
    factory: OrderFactory, account: Vendor, changed: dict[str, str]
) -> None:
    save(factory.people.operator, account, **changed, why="")
    assert Event.objects.get(action="vendor.changed").changes.keys() == changed.keys()
    assert not Proposal.objects.exists()


def test_one_save_keeps_what_it_may_and_proposes_the_rest(
    factory: OrderFactory, account: Vendor
) -> None:
    response = save(
        factory.people.operator, account, name="Renamed", day_limit="10", order_limit="5000"
    )
    account.refresh_from_db()
    assert (account.name, account.day_limit, account.order_limit) == ("Renamed", 10, 2000)
    assert set(waiting().values) == {"order_limit"}
    assert Event.objects.get(action="vendor.changed").changes == {
        "name": ["ColdMailReseller", "Renamed"],
        "day_limit": ["3000.00", "10"],
    }
    (said,) = [str(message) for message in get_messages(response.wsgi_request)]
    assert said == "Saved. The new order limit waits for a second person."
    page = (
        signed_in(factory.people.auditor)
        .get(f"/vendors/vendor/{account.pk}/change/")
        .content.decode()
    )
    assert "Order limit: $2,000.00 → $5,000.00" in page


def test_amounts_in_another_currency_are_no_lower_ones(
    factory: OrderFactory, account: Vendor
) -> None:
    save(factory.people.operator, account, limit_currency="EUR", order_limit="1900")
    assert standing(account)["order_limit"] == "2000.00"
    assert set(waiting().values) == {"limit_currency", "order_limit"}


def test_without_a_reason_nothing_is_saved_and_what_was_typed_is_kept(
    factory: OrderFactory, account: Vendor
) -> None:
    response = save(factory.people.operator, account, name="Renamed", order_limit="5000", why=" ")
    page = response.content.decode()
    assert "This needs a second person: say why. Nothing is saved yet." in page
    assert 'value="Renamed"' in page
    assert 'value="5000"' in page
    assert Vendor.objects.get(pk=account.pk).name == "ColdMailReseller"
    assert not Proposal.objects.exists()


def test_a_new_account_can_do_nothing_before(factory: OrderFactory) -> None:
    typed = {
        "name": "New",
        "mode": "practice",
        "hold_minutes": "0",
        "usual_days": "3",
        "overdue_days": "5",
        "limit_currency": "EUR",
        "why": WHY,
    }
    typed |= {"secret_api_key": KEY}  # no limits at all, and the two-person rule off
    signed_in(factory.people.operator).post("/vendors/vendor/add/?api=woodpecker", typed)
    new = Vendor.objects.get(name="New")
    assert (new.order_limit, new.day_limit, new.month_limit, new.two_person_rule) == (0, 0, 0, True)
    assert not new.has_its_secrets
    proposal = waiting()
    assert set(proposal.values) == {
        "order_limit",
        "day_limit",
        "month_limit",
        "two_person_rule",
        "secret_api_key",
    }
    assert proposal.subject_id == str(new.pk)
    assert (
        signed_in(factory.people.operator).get(f"/vendors/vendor/{new.pk}/change/").status_code
        == 200
    )
    assert signed_in(factory.people.operator).get("/").status_code == 200
    signed_in(factory.people.confirmer).post(f"/proposals/proposal/{proposal.pk}/approve/")
    new.refresh_from_db()
    assert (new.order_limit, new.two_person_rule, new.secrets.open()) == (
        None,
        False,
        {"api_key": KEY},
    )


def test_a_live_account_waits_and_is_made_live_by_the_approval(
    factory: OrderFactory, account: Vendor, settings: Any
) -> None:
    settings.LIVE = True
    save(factory.people.operator, account, mode="live")
    assert Vendor.objects.get(pk=account.pk).is_practice
    settings.LIVE = False
    signed_in(factory.people.confirmer).post(f"/proposals/proposal/{waiting().pk}/approve/")
    assert Vendor.objects.get(
        pk=account.pk
    ).is_practice  # a practice installation holds no live account
    settings.LIVE = True
    signed_in(factory.people.confirmer).post(f"/proposals/proposal/{waiting().pk}/approve/")
    assert not Vendor.objects.get(pk=account.pk).is_practice


@pytest.mark.parametrize(("typed", "waits"), [("50", False), ("200", True), ("", True)])
def test_a_clients_higher_limit_waits(factory: OrderFactory, typed: str, waits: bool) -> None:
    client = Client.objects.get(name="Northwind")
    Client.objects.filter(pk=client.pk).update(day_limit=100)
    form = {"name": "Northwind", "day_limit": typed, "limit_currency": "USD", "why": WHY}
    signed_in(factory.people.operator).post(f"/orders/client/{client.pk}/change/", form)
    client.refresh_from_db()
    assert client.day_limit == (100 if waits else 50)
    assert Proposal.objects.count() == waits


def test_a_drafter_neither_sets_a_clients_limit_nor_proposes_one(factory: OrderFactory) -> None:
    client = Client.objects.get(name="Northwind")
    Client.objects.filter(pk=client.pk).update(day_limit=100)
    form = {"name": "Northwind", "day_limit": "999", "limit_currency": "USD", "why": WHY}
    signed_in(factory.people.drafter).post(f"/orders/client/{client.pk}/change/", form)
    assert standing(client)["day_limit"] == "100.00"
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("page", ["vendors/vendor", "orders/client", "auth/user", "auth/group"])
def test_the_lists_change_nothing(factory: OrderFactory, page: str) -> None:
    """Neither by editable columns nor by actions."""
    items = [*Vendor.objects.all(), *Client.objects.all(), *User.objects.all()]
    before = [standing(item) for item in items]
    pks = [str(item.pk) for item in items]
    rows = {
        f"form-{n}-{name}": value
        for n in range(4)
        for name, value in {"id": pks[n], "order_limit": "9"}.items()
    }
    typed = {
        "action": "delete_selected",
        "_selected_action": pks,
        "_save": "1",
        "form-TOTAL_FORMS": "4",
    } | rows
    signed_in(factory.people.boss).post(
        f"/{page}/", typed | {"form-INITIAL_FORMS": "4", "is_superuser": "on"}
    )
    assert [standing(item) for item in items] == before
    assert not Proposal.objects.exists()


def test_every_page_of_a_policy_is_one_that_proposes() -> None:
    from mailops.proposals.approval_admin import ApprovalAdmin

    for policy in POLICIES.values():
        page = admin.site.get_model_admin(policy.model)
        assert isinstance(page, ApprovalAdmin)
        assert not page.list_editable
        assert page.actions is None
        assert not page.inlines


# People


def save_person(by: User, user: User, **changed: Any) -> Any:
    return signed_in(by).post(f"/auth/user/{user.pk}/change/", person_form(user, **changed))


@pytest.mark.parametrize(
    "changed", [{"groups": [roles.DRAFTER, roles.OPERATOR]}, {"is_superuser": "on"}]
)
def test_more_rights_wait(people: Any, changed: dict[str, Any]) -> None:
    before = standing(people.drafter)
    typed = changed | ({"groups": role(*changed["groups"])} if "groups" in changed else {})
    save_person(people.boss, people.drafter, **typed)
    assert standing(people.drafter) == before
    assert set(waiting().values) == set(changed)


@pytest.mark.parametrize("name", ["is_active", "is_staff"])
def test_letting_somebody_in_waits_and_locking_them_out_does_not(people: Any, name: str) -> None:
    save_person(people.boss, people.drafter, **{name: None}, why="")
    assert not getattr(User.objects.get(pk=people.drafter.pk), name)
    save_person(people.boss, User.objects.get(pk=people.drafter.pk), **{name: "on"})
    assert not getattr(User.objects.get(pk=people.drafter.pk), name)
    assert waiting().values == {name: True}


def test_swapping_roles_takes_the_old_one_at_once(people: Any) -> None:
    save_person(people.boss, people.drafter, groups=role(roles.AUDITOR))
    assert not people.drafter.groups.exists()
    assert waiting().values == {"groups": [roles.AUDITOR]}
    assert Event.objects.get(action="user.changed").changes == {"groups": [[roles.DRAFTER], []]}
    second = User.objects.create_superuser("second")
    signed_in(second).post(f"/proposals/proposal/{waiting().pk}/approve/")
    assert [group.name for group in people.drafter.groups.all()] == [roles.AUDITOR]


def test_a_new_person_can_not_sign_in_before(people: Any) -> None:
    typed = {
        "username": "nora",
        "usable_password": "true",
        "password1": SECRET,
        "password2": SECRET,
    }
    typed |= {"is_staff": "on", "groups": role(roles.OPERATOR), "why": WHY}
    signed_in(people.boss).post("/auth/user/add/", typed)
    nora = User.objects.get(username="nora")
    assert (nora.is_staff, nora.groups.exists()) == (False, False)
    assert set(waiting().values) == {"is_staff", "groups"}


def test_somebody_elses_password_waits(people: Any) -> None:
    typed = {"usable_password": "true", "password1": SECRET, "password2": SECRET}
    page = f"/auth/user/{people.confirmer.pk}/password/"
    missing = signed_in(people.boss).post(page, typed)
    assert "A second person has to approve this: say why." in missing.content.decode()
    assert signed_in(people.boss).post(page, typed | {"why": WHY}).status_code == 302
    assert User.objects.get(pk=people.confirmer.pk).check_password("confirmer")
    second = User.objects.create_superuser("second")
    signed_in(second).post(f"/proposals/proposal/{waiting().pk}/approve/")
    assert User.objects.get(pk=people.confirmer.pk).check_password(SECRET)


def test_switching_a_password_off_is_done_at_once(people: Any) -> None:
    page = f"/auth/user/{people.confirmer.pk}/password/"
    signed_in(people.boss).post(page, {"usable_password": "false", "unset-password": "1"})
    assert not User.objects.get(pk=people.confirmer.pk).has_usable_password()
    assert Event.objects.get(action="user.password_changed").subject == "confirmer"


def test_ones_own_password_is_changed_where_the_present_one_is_asked_for(people: Any) -> None:
    typed = {"usable_password": "true", "password1": SECRET, "password2": SECRET, "why": WHY}
    response = signed_in(people.boss).post(f"/auth/user/{people.boss.pk}/password/", typed)
    assert response["Location"] == "/password_change/"
    assert User.objects.get(pk=people.boss.pk).check_password("boss")


# One person


def test_one_person_alone_changes_it_at_once_and_the_record_says_so(
    factory: OrderFactory, account: Vendor, settings: Any
) -> None:
    settings.ONE_PERSON = True
    page = (
        signed_in(factory.people.operator)
        .get(f"/vendors/vendor/{account.pk}/change/")
        .content.decode()
    )
    assert (
        "This installation is marked as one-person: changes like this need no second person."
        in page
    )
    assert 'name="why"' not in page
    save(factory.people.operator, account, order_limit="5000", secret_api_key=KEY)
    account.refresh_from_db()
    assert (account.order_limit, account.secrets.open()["api_key"]) == (5000, KEY)
    assert not Proposal.objects.exists()
    assert "marked as one-person" in Event.objects.get(action="vendor.changed").reason
    save(factory.people.operator, account, name="Renamed")
    assert Event.objects.latest("number").reason == ""


def test_one_person_alone_sets_a_password(people: Any, settings: Any) -> None:
    settings.ONE_PERSON = True
    typed = {"usable_password": "true", "password1": SECRET, "password2": SECRET}
    signed_in(people.boss).post(f"/auth/user/{people.drafter.pk}/password/", typed)
    assert User.objects.get(pk=people.drafter.pk).check_password(SECRET)
    assert "marked as one-person" in Event.objects.get(action="user.password_changed").reason


@pytest.mark.parametrize("spelling", ["{}", "_0A{}", "_2B{}", "0{}", "_20{}"])
def test_no_spelling_of_a_number_goes_around_the_second_person(people: Any, spelling: str) -> None:
    """Django reads " 5" and "+5" as 5, and "_0A5" as a line break and 5."""
    typed = {
        "usable_password": "true",
        "password1": SECRET,
        "password2": SECRET,
        "why": WHY,
        "set-password": "1",
    }
    boss = signed_in(people.boss)
    for person in (people.confirmer, people.boss):
        boss.post(f"/auth/user/{spelling.format(person.pk)}/password/", typed)
        assert not User.objects.get(pk=person.pk).check_password(SECRET)
