"""The frame of every page: content policy, navigation, error pages."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.forms import Media
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mailops.middleware import POLICY
from mailops.templatetags.page_filters import age, without

STOCK_PAGES = [
    "/auth/user/",
    "/auth/user/?q=drafter&is_active__exact=1&o=-1",
    "/auth/user/?q=nobody-has-this-name",
    "/auth/user/add/",
    "/auth/group/",
    "/orders/client/",
    "/orders/client/add/",
    "/orders/client/add/?_popup=1",
    "/orders/domain/",
    "/orders/mailbox/",
    "/orders/order/",
    "/vendors/vendor/",
    "/vendors/price/",
    "/vendors/contact/",
    "/vendors/contact/add/",
    "/history/event/",
    "/password_change/",
    "/password_change/done/",
    "/no-such-page/",
]
NAV = re.compile(r'<nav id="nav".*?</nav>', re.DOTALL)
LINK = re.compile(r'<a href="([^"]+)"')
INLINE = re.compile(
    r"<style|<script(?![^>]*\bsrc=)|\s(?:style|on\w+)\s*=\s*[\"']|javascript:", re.IGNORECASE
)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def links(client: Client) -> list[str]:
    """The addresses in the sidebar of the password page, which everyone may open."""
    sidebar = NAV.search(client.get("/password_change/").content.decode())
    assert sidebar
    return LINK.findall(sidebar.group())


@pytest.fixture
def boss(people: SimpleNamespace) -> Client:
    return signed_in(people.boss)


# the policy


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/login/", "/no-such-page/", "/jsi18n/"])
def test_strangers_get_the_policy(client: Client, path: str) -> None:
    assert client.get(path).headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("path", STOCK_PAGES)
def test_stock_pages_carry_the_policy_and_keep_to_it(boss: Client, path: str) -> None:
    response = boss.get(path)
    page = response.content.decode()
    assert response.headers["Content-Security-Policy"] == POLICY
    assert not INLINE.search(page), INLINE.search(page)


def test_a_users_own_pages_keep_to_the_policy(boss: Client, people: SimpleNamespace) -> None:
    for page in ("change", "password", "delete"):
        content = boss.get(f"/auth/user/{people.drafter.pk}/{page}/").content.decode()
        assert not INLINE.search(content), INLINE.search(content)


@pytest.mark.parametrize("path", STOCK_PAGES)
def test_a_page_has_one_main_heading(boss: Client, path: str) -> None:
    assert len(re.findall(r"<h1[ >]", boss.get(path).content.decode())) == 1


# the way about


@pytest.mark.parametrize("name", ["drafter", "confirmer", "operator", "auditor", "boss"])
def test_every_link_in_the_sidebar_opens(people: SimpleNamespace, name: str) -> None:
    client = signed_in(getattr(people, name))
    found = links(client)
    assert {path: client.get(path).status_code for path in found} == dict.fromkeys(found, 200)


def test_the_sidebar_has_only_what_a_person_may_open(people: SimpleNamespace) -> None:
    new_order, users = reverse("admin:orders_order_add"), reverse("admin:auth_user_changelist")
    drafter, auditor = links(signed_in(people.drafter)), links(signed_in(people.auditor))
    assert new_order in drafter
    assert users not in drafter
    assert new_order not in auditor
    assert users in auditor
    assert {new_order, users} <= set(links(signed_in(people.boss)))


def test_without_a_role_there_is_only_today(db: None) -> None:
    client = signed_in(User.objects.create_user("new", password="new", is_staff=True))
    assert links(client) == ["/"]
    assert 'name="q"' not in client.get("/password_change/").content.decode()


def test_the_open_section_is_marked_and_names_the_list(boss: Client) -> None:
    page = boss.get("/auth/group/").content.decode()
    assert (
        re.findall(r'<a href="([^"]+)" aria-current="page"', page) == ["/auth/group/"] * 2
    )  # sidebar, phone's menu
    assert "<h1>Roles</h1>" in page


def test_new_order_is_its_own_section(boss: Client) -> None:
    page = boss.get("/orders/order/add/").content.decode()
    assert set(re.findall(r'<a href="([^"]+)" aria-current="page"', page)) == {"/orders/order/add/"}


def test_an_apps_own_index_leads_to_today(boss: Client) -> None:
    assert boss.get("/auth/").headers["Location"] == "/"


def test_the_queues_tables_have_no_pages(boss: Client) -> None:
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]
    assert apps.is_installed("django_q")
    for path in ("/django_q/", "/django_q/schedule/", "/django_q/schedule/add/", "/django_q/ormq/"):
        assert boss.get(path).status_code == 404


@pytest.mark.django_db
def test_the_login_page_asks_the_database_nothing(
    client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        page = client.get("/login/").content.decode()
    assert "Sending" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(("live", "shown"), [(False, True), (True, False)])
def test_practice_is_said_out_loud(client: Client, settings: Any, live: bool, shown: bool) -> None:
    settings.LIVE = live
    assert ("Practice: nothing is bought." in client.get("/login/").content.decode()) is shown


# one's own account


def test_logging_out_takes_a_post(boss: Client) -> None:
    assert boss.get("/logout/").status_code == 405
    assert "You are logged out" in boss.post("/logout/").content.decode()
    assert boss.get("/").status_code == 302


def test_a_person_changes_their_own_password(people: SimpleNamespace) -> None:
    client = signed_in(people.drafter)
    assert 'href="/password_change/"' in client.get("/").content.decode()
    new = {"new_password1": "a-better-passphrase", "new_password2": "a-better-passphrase"}
    assert (
        "was not changed"
        in client.post("/password_change/", {"old_password": "wrong", **new}).content.decode()
    )
    assert client.post("/password_change/", {"old_password": "drafter", **new}).status_code == 302
    people.drafter.refresh_from_db()
    assert people.drafter.check_password("a-better-passphrase")
    assert client.get("/").status_code == 200


# when something is wrong


def test_a_missing_page_keeps_the_frame(boss: Client) -> None:
    response = boss.get("/no-such-page/")
    assert response.status_code == 404
    assert "This page does not exist" in response.content.decode()
    assert links(boss)[0] in LINK.findall(response.content.decode())


def test_a_forbidden_page_says_why(people: SimpleNamespace) -> None:
    response = signed_in(people.drafter).get("/auth/user/")
    assert response.status_code == 403
    assert "Your role does not include it" in response.content.decode()
    assert response.headers["Content-Security-Policy"] == POLICY


def test_a_form_without_its_token_buys_nothing_and_says_so(people: SimpleNamespace) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.boss)
    response = client.post("/logout/")
    assert response.status_code == 403
    assert "nothing was bought" in response.content.decode()


@pytest.mark.parametrize("template", ["400.html", "500.html", "403_csrf.html"])
def test_pages_for_our_own_faults_need_no_context(template: str) -> None:
    page = render_to_string(template)
    assert "MailOps" in page
    assert not INLINE.search(page)


# small parts


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=-18, seconds=-5), "18 minutes ago"),
        (timedelta(hours=-2, minutes=-30), "2 hours ago"),
        (timedelta(days=3, minutes=1), "in 3 days"),
    ],
)
def test_ages_are_in_words(away: timedelta, words: str) -> None:
    assert age(timezone.now() + away).replace("\xa0", " ") == words


def test_unused_scripts_are_left_out() -> None:
    media = Media(css={"all": ["a.css"]}, js=["admin/js/core.js", "admin/js/urlify.js"])
    tags = without(media, "urlify prepopulate")
    assert "core.js" in tags
    assert "a.css" in tags
    assert "urlify" not in tags
