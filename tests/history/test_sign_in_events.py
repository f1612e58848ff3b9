"""Who came in, who went, who tried; what they looked for; and that names outlive the people who had
them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser

from mailops.auth import roles
from mailops.history import audited, operator, record
from mailops.history.models import Event, Trace
from orders import submission
from orders.models import NotAllowed
from orders.plan import plan
from tests.conftest import OrderFactory, fresh


def sign_in(name: str, password: str) -> Browser:
    browser = Browser()
    browser.post("/login/", {"username": name, "password": password}, REMOTE_ADDR="192.0.2.7")
    return browser


def test_a_sign_in_and_a_sign_out_are_told(people: Any) -> None:
    browser = sign_in("drafter", "drafter")
    came = Event.objects.get(action="user.signed_in")
    assert (came.who, came.user_id, came.subject, came.origin) == (
        "drafter",
        people.drafter.pk,
        "drafter",
        "192.0.2.7",
    )
    assert came.request_id
    browser.post("/logout/")
    assert Event.objects.get(action="user.signed_out").who == "drafter"
    assert not Trace.objects.exists()


def test_a_failed_sign_in_names_only_people_who_exist(people: Any) -> None:
    sign_in("drafter", "wrong-password")
    sign_in("my-secret-password", "drafter")
    nobody, known = Event.objects.filter(action="user.sign_in_failed")
    assert (known.subject, known.subject_id, known.actor) == (
        "drafter",
        str(people.drafter.pk),
        "somebody not signed in",
    )
    assert (nobody.subject, nobody.subject_type, nobody.subject_id) == (
        "a name that nobody has",
        "auth.user",
        "",
    )
    told = json.dumps(list(Event.objects.values("who", "subject", "changes", "reason")))
    assert "wrong-password" not in told
    assert "my-secret-password" not in told


def test_ones_own_new_password_is_told_and_not_shown(people: Any) -> None:
    browser = Browser()
    browser.force_login(people.drafter)
    new = {
        "old_password": "drafter",
        "new_password1": "tractor-lemon-9",
        "new_password2": "tractor-lemon-9",
    }
    assert browser.post("/password_change/", new | {"old_password": "wrong"}).status_code == 200
    assert browser.post("/password_change/", new).status_code == 302
    event = Event.objects.get()
    assert (event.action, event.who, event.subject) == (
        "user.password_changed",
        "drafter",
        "drafter",
    )
    assert "tractor" not in json.dumps(event.changes)
    assert not Trace.objects.exists()


def test_a_password_that_django_hashes_anew_is_no_change_from_outside(
    people: Any, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    sign_in("drafter", "wrong-password")
    assert not Event.objects.filter(action="user.password_hashed_anew").exists()
    sign_in("drafter", "drafter")
    event = Event.objects.get(action="user.password_hashed_anew")
    assert (event.who, event.changes) == ("drafter", {})
    assert User.objects.get(username="drafter").password.startswith("scrypt")
    assert not Trace.objects.exists()
    assert Event.objects.filter(action="user.signed_in").exists()


def test_another_persons_password_and_rights_are_told(people: Any, settings: Any) -> None:
    settings.ONE_PERSON = True  # where nobody else has to agree
    browser = Browser()
    browser.force_login(people.boss)
    new = {
        "password1": "tractor-lemon-9",
        "password2": "tractor-lemon-9",
        "usable_password": "true",
    }
    at = f"/auth/user/{people.drafter.pk}"
    assert browser.post(f"{at}/password/", new).status_code == 302
    changed = {"username": "drafter", "is_staff": "on", "is_superuser": "on", "groups": []}
    assert browser.post(f"{at}/change/", changed).status_code == 302
    rights, password = Event.objects.all()
    assert (password.action, password.who, password.subject) == (
        "user.password_changed",
        "boss",
        "drafter",
    )
    assert "tractor" not in json.dumps(password.changes)
    assert rights.changes == {
        "groups": [["Drafter"], []],
        "is_active": [True, False],
        "is_superuser": [False, True],
    }


def test_an_auditors_search_is_told_once(people: Any) -> None:
    browser = Browser()
    browser.force_login(people.auditor)
    for query in (
        "",
        "?p=1",
        "?q=acme",
        "?q=acme&p=1",
        "?q=acme&o=1",
        "?q=acme&action__exact=order.confirmed",
    ):
        assert browser.get(f"/history/event/{query}").status_code in (200, 302)
    told = [
        event.changes
        for event in Event.objects.filter(action="history.searched").order_by("number")
    ]
    assert told == [
        {"q": [None, "acme"]},
        {"action__exact": [None, "order.confirmed"], "q": [None, "acme"]},
    ]
    assert Event.objects.latest("number").who == "auditor"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("query", ["q=MO-1001", "action=user.signed_in", "q=MO-1001&older=9"])
def test_a_page_outside_searches_nothing_in_an_auditors_name(
    people: Any, site: str, query: str
) -> None:
    browser = Browser()
    browser.force_login(people.auditor)
    with audited():
        for _ in range(2):
            record("user.signed_in", people.auditor, reason="MO-1001")
    at = f"/history/event/?{query}"
    led = browser.get(at, headers={"Sec-Fetch-Site": site})
    assert "led here, and nothing was searched" in led.content.decode()
    assert "Nothing matches" not in led.content.decode()
    assert (
        not led.context["cl"].result_list
        and f'href="?{query.replace("&", "&amp;")}"' in led.content.decode()
    )
    assert not Event.objects.filter(action="history.searched").exists()
    own = browser.get(at, headers={"Sec-Fetch-Site": "same-origin"})
    assert own.context["cl"].result_list
    assert Event.objects.filter(action="history.searched").count() == 1


def test_a_bookmark_searches_and_a_link_without_a_question_opens(people: Any) -> None:
    browser = Browser()
    browser.force_login(people.auditor)
    browser.get("/history/event/?q=acme", headers={"Sec-Fetch-Site": "none"})
    assert Event.objects.filter(action="history.searched").count() == 1
    page = browser.get("/history/event/", headers={"Sec-Fetch-Site": "cross-site"})
    assert page.context["cl"].result_list and "led here" not in page.content.decode()


def test_an_update_that_changes_what_a_role_may_do_is_told(db: None) -> None:
    group = Group.objects.get(name=roles.CONFIRMER)
    may_draft = Group.objects.get(name=roles.DRAFTER).permissions.get(codename="add_order")
    group.permissions.add(may_draft)
    with operator(["manage.py", "migrate"]):
        call_command("migrate", verbosity=0)
    event = Event.objects.get(action="group.changed")
    before, after = event.changes["permissions"]
    assert set(before) - set(after) == {"orders.add_order"}
    assert event.who.startswith("manage.py migrate, os user ")
    assert (
        Trace.objects.get().table_name == "auth_group_permissions"
    )  # the test's own change, not the update's


# When a person goes


def test_a_deleted_person_stays_readable_everywhere(factory: OrderFactory) -> None:
    order = factory.sent()
    boss = Browser()
    boss.force_login(factory.people.boss)
    for person in (factory.people.drafter, factory.people.confirmer):
        assert boss.post(f"/auth/user/{person.pk}/delete/", {"post": "yes"}).status_code == 302
    order = fresh(order)
    assert (order.drafted_by, order.drafted_by_name) == (None, "drafter")
    assert (order.confirmed_by, order.confirmed_by_name) == (None, "confirmer")
    assert [(editor.user, editor.name) for editor in order.editors.all()] == [(None, "drafter")]
    assert boss.get(f"/orders/order/{order.pk}/change/").status_code == 200
    assert set(Event.objects.filter(action="user.deleted").values_list("subject", flat=True)) == {
        "drafter",
        "confirmer",
    }
    assert not Trace.objects.exists()


def test_who_edited_comes_back_under_the_same_name_and_may_not_confirm(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed()
    factory.people.drafter.delete()
    again = User.objects.create_superuser("drafter")
    with pytest.raises(NotAllowed, match="You edited this order"):
        submission.confirm(order.pk, by=again, digest=plan(fresh(order)).digest)
    with (
        pytest.raises(DatabaseError, match="may not confirm it"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE orders_order SET confirmed_by_id = %s WHERE id = %s", [again.pk, order.pk]
        )
