"""The roles: their permissions, and that auditors hold no other."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

from mailops.auth import roles
from tests.conftest import OrderFactory
from tests.orders.pages import browser


def permissions(role: str) -> set[str]:
    found = Permission.objects.filter(group__name=role).values_list(
        "content_type__app_label", "codename"
    )
    return {f"{app}.{code}" for app, code in found}


@pytest.mark.parametrize("role", sorted(roles.ROLES))
def test_a_role_holds_its_permissions_and_no_other(role: str, db: None) -> None:
    assert permissions(role) == roles.ROLES[role]


def test_an_auditor_may_change_nothing() -> None:
    verbs = {name.split(".")[1].split("_")[0] for name in roles.ROLES[roles.AUDITOR]}
    assert verbs == {"view", "verify", "export"}


def test_drafters_and_auditors_approve_no_proposal() -> None:
    may = {role for role, names in roles.ROLES.items() if "proposals.approve_proposal" in names}
    assert may == {roles.CONFIRMER, roles.OPERATOR}


@pytest.mark.parametrize("name", ["orders.confirm_order", "orders.settle_order"])
def test_only_confirmers_decide(name: str) -> None:
    assert {role for role, names in roles.ROLES.items() if name in names} == {roles.CONFIRMER}


def test_only_operators_touch_accounts_and_prices() -> None:
    for role, names in roles.ROLES.items():
        touches = {
            name
            for name in names
            if name.startswith("vendors.") and not name.startswith("vendors.view_")
        }
        assert role == roles.OPERATOR or touches <= {
            "vendors.add_contact",
            "vendors.change_contact",
        }


def test_no_role_manages_people_or_touches_the_history_or_the_queue() -> None:
    for names in roles.ROLES.values():
        assert not {
            n
            for n in names
            if n.split(".")[0] in ("auth", "history", "django_q") and not is_looking(n)
        }


def is_looking(name: str) -> bool:
    return name.split(".")[1].split("_")[0] in ("view", "verify", "export")


def test_a_tampered_role_is_mended_by_the_next_migration(committed: None) -> None:
    auditor = Group.objects.get(name=roles.AUDITOR)
    auditor.permissions.add(Permission.objects.get(codename="confirm_order"))
    Group.objects.get(name=roles.DRAFTER).delete()
    call_command("migrate", verbosity=0)
    for role in roles.ROLES:
        assert permissions(role) == roles.ROLES[role]


@pytest.mark.parametrize("others", [[roles.CONFIRMER], [roles.DRAFTER, roles.OPERATOR]])
def test_an_auditor_gets_no_other_role_on_the_users_page(
    factory: OrderFactory, others: list[str]
) -> None:
    groups = [Group.objects.get(name=name).pk for name in (roles.AUDITOR, *others)]
    user = factory.people.auditor
    typed = {"username": user.username, "is_active": "on", "is_staff": "on", "groups": groups}
    typed |= {"date_joined_0": "2026-01-01", "date_joined_1": "10:00"}
    response = browser(factory.people.boss).post(f"/auth/user/{user.pk}/change/", typed)
    assert b"An auditor may hold no other role" in response.content
    assert [group.name for group in user.groups.all()] == [roles.AUDITOR]


def test_an_auditor_gets_no_other_role_when_added(people: Any) -> None:
    groups = [Group.objects.get(name=name).pk for name in (roles.AUDITOR, roles.CONFIRMER)]
    typed = {"username": "sly", "usable_password": "true", "is_staff": "on", "groups": groups}
    typed |= {"password1": "correct-horse-77", "password2": "correct-horse-77"}
    response = browser(people.boss).post("/auth/user/add/", typed)
    assert b"An auditor may hold no other role" in response.content
    assert not User.objects.filter(username="sly").exists()
