"""Who may open and do what: one row for every page of the admin site, and the rules behind the
roles.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import transaction
from django.test import Client as Browser
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from mailops.auth import roles
from mailops.auth.models import Authenticator
from mailops.history.models import Event
from mailops.notices.models import SharedAddress
from mailops.proposals import workflow
from mailops.proposals.policies import Wanted
from orders.models import (
    Client,
    ConfirmationRule,
    Delegation,
    Domain,
    Finding,
    Look,
    Mailbox,
    Match,
    Mention,
    NeverBuy,
    Scratch,
)
from orders.review import delegations
from tests.conftest import OrderFactory
from tests.orders.pages import typed
from vendors.models import Contact, Price, PriceVersion, Rate

PEOPLE = [
    "drafter",
    "confirmer",
    "operator",
    "auditor",
    "boss",
    "nobody",
]  # boss: a superuser; nobody: not logged in

ALL, NONE = "200 200 200 200 200 302", "403 403 403 403 403 302"
AWAY = "302 302 302 302 302 302"
LOST = "404 404 404 404 404 302"
POSTED = "405 405 405 405 405 302"  # a page that does something and shows nothing
BOSS, DRAFTING = "403 403 403 403 200 302", "200 403 403 403 200 302"
CONFIRMING, OPERATING = "403 200 403 403 200 302", "403 403 200 403 200 302"
CHECKING, CONTACTS = "403 403 403 200 200 302", "200 403 200 403 200 302"
OPERATED, DRAFTED = "403 403 302 403 302 302", "302 403 403 403 302 302"
MATCHING = "403 200 200 403 200 302"
EXPORTING, TAKEN = "405 405 405 405 405 302", "403 200 200 200 200 302"
DECIDED = "403 302 302 403 302 302"
SHARED = "403 403 200 200 200 302"
WITH_REASON = "200 200 403 403 200 302"


def stock(
    model: str,
    *,
    see: str = ALL,
    add: str = NONE,
    change: str = NONE,
    delete: str = NONE,
    past: str = AWAY,
) -> Any:
    """The stock pages of one model: page -> what a GET and what an empty POST answer."""
    return {
        f"{model}/": (see, see),
        f"{model}/add/": (add, add),
        f"{model}/<path:object_id>/change/": (see, change),
        f"{model}/<path:object_id>/delete/": (delete, delete),
        f"{model}/<path:object_id>/history/": (past, past),
        f"{model}/<path:object_id>/": (AWAY, AWAY),
    }


PAGES: dict[str, tuple[str, str]] = {
    "": (ALL, ALL),
    "login/": ("302 302 302 302 302 200", ALL.replace("302", "200")),
    "logout/": (POSTED, ALL),
    "login/code/": (AWAY, AWAY),
    "second-factor/": (ALL, ALL),
    "second-factor/add/": (ALL, ALL),
    "second-factor/codes/": (POSTED, AWAY),
    "second-factor/remove/": (POSTED, AWAY),
    "password_change/": (ALL, ALL),
    "password_change/done/": (ALL, POSTED),
    "autocomplete/": (NONE, POSTED),
    "jsi18n/": (ALL, POSTED),
    "r/<path:content_type_id>/<path:object_id>/": (LOST, LOST),
    "^(?P<app_label>history|auth|proposals|doors|axes|notices|vendors|orders)/$": (AWAY, AWAY),
    "(?P<url>.*)$": (LOST, LOST),
    **stock("history/event", past=ALL),
    "history/event/verify/": (CHECKING, CHECKING.replace("200", "302")),
    "history/event/compare/": (CHECKING.replace("200", "302"), CHECKING.replace("200", "400")),
    "history/event/digest/": (CHECKING, CHECKING),
    "history/event/export/": (EXPORTING, CHECKING),
    "my/notices/": (ALL, ALL.replace("200", "400")),
    "my/notices/test/": (POSTED, AWAY),
    "my/notices/forget/": (POSTED, AWAY),
    **stock("notices/sharedaddress", see=SHARED, add=OPERATING, change=OPERATING, delete=OPERATING),
    "notices/sharedaddress/<int:pk>/test/": (POSTED, OPERATED),
    **stock("auth/user", see=CHECKING, add=BOSS, change=BOSS, delete=BOSS),
    "auth/user/<id>/password/": (BOSS, BOSS),
    **stock("auth/group", see=CHECKING),
    **stock("proposals/proposal"),
    "proposals/proposal/<int:pk>/approve/": (POSTED, DECIDED),
    "proposals/proposal/<int:pk>/decline/": (
        POSTED,
        DECIDED.replace("302 302 403 302 302", "400 400 403 400 302"),
    ),
    "proposals/proposal/<int:pk>/withdraw/": (POSTED, "403 403 302 403 403 302"),
    **stock("doors/authenticator", see=CHECKING),
    "doors/authenticator/<int:pk>/reset/": (BOSS, BOSS.replace("200", "400")),
    **stock("axes/accessattempt", see=BOSS),
    "axes/accessattempt/<int:pk>/unlock/": (POSTED, BOSS.replace("200", "302")),
    **stock("vendors/vendor", add=OPERATING, change=OPERATING),
    "vendors/vendor/<int:pk>/test/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/fetch/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/balance/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/stop/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/resume/": (POSTED, OPERATED),
    "vendors/vendor/hold_all/": (POSTED, OPERATED),
    "vendors/vendor/release_all/": (POSTED, OPERATED),
    **stock("vendors/price", add=OPERATING, change=OPERATING, delete=OPERATING),
    **stock("vendors/priceversion"),
    "vendors/priceversion/export/": (EXPORTING, TAKEN),
    **stock(
        "vendors/rate"
    ),  # typed where a reporting currency is set: see tests/vendors/test_prices_pages.py
    **stock("vendors/contact", add=CONTACTS, change=CONTACTS),
    **stock("orders/domain", past=ALL),
    "orders/domain/export/": (EXPORTING, TAKEN),
    **stock("orders/mailbox", past=ALL),
    "orders/mailbox/export/": (EXPORTING, TAKEN),
    "orders/client/export/": (EXPORTING, TAKEN),
    **stock("orders/client", add=DRAFTING, change=CONTACTS),
    **stock("orders/neverbuy", add=OPERATING, change=OPERATING, delete=OPERATING),
    **stock("orders/match", add=MATCHING),
    "orders/match/add/": (MATCHING, MATCHING.replace("200", "400")),
    "orders/match/<path:object_id>/change/": (ALL, ALL),
    "orders/match/<int:pk>/take/": (POSTED, MATCHING.replace("200", "302")),
    "orders/match/<int:pk>/settle/": (POSTED, MATCHING.replace("200", "400")),
    **stock("orders/finding"),
    **stock("orders/confirmationrule", add=OPERATING, change=OPERATING, delete=OPERATING),
    **stock("orders/delegation", add=CONFIRMING),
    "orders/delegation/<int:pk>/end/": (POSTED, "403 302 403 403 302 302"),  # the confirmer's own
    **stock("orders/order", add=DRAFTING, change=ALL),
    "orders/order/volume/": (ALL, POSTED),
    "orders/order/export/": (EXPORTING, TAKEN),
    "orders/order/evidence/": (CHECKING, CHECKING.replace("200", "400")),
    "orders/order/control/": (CHECKING, POSTED),
    "orders/order/together/": (CONFIRMING, CONFIRMING),
    "orders/order/<int:pk>/comment/": ("200 200 200 403 200 302", "400 400 400 403 400 302"),
    "orders/order/<int:pk>/edit/": (DRAFTING, DRAFTING.replace("200", "400")),
    "orders/order/<int:pk>/send/": (POSTED, DRAFTED),
    "orders/order/<int:pk>/confirm/": (CONFIRMING, CONFIRMING.replace("200", "409")),
    "orders/order/<int:pk>/back/": (WITH_REASON, WITH_REASON.replace("200", "400")),
    "orders/order/<int:pk>/cancel/": (WITH_REASON, WITH_REASON.replace("200", "400")),
    "orders/order/<int:pk>/copy/": (POSTED, DRAFTED),
    "orders/order/<int:pk>/delivered/": (CONFIRMING, CONFIRMING.replace("200", "400")),
    "orders/order/<int:pk>/check/": (CONFIRMING, CONFIRMING.replace("200", "400")),
    "orders/order/<int:pk>/elsewhere/": (ALL, DRAFTED),
    "orders/order/<int:pk>/availability/": (ALL, DRAFTED),
    "orders/order/<int:pk>/suggest/": (POSTED, "404 403 403 403 404 302"),  # of a vendor that can't
    "orders/order/<int:pk>/take/": (POSTED, DRAFTED),
    "orders/order/<int:pk>/news/": (CONFIRMING, CONFIRMING.replace("200", "400")),
}
SAMPLES = {  # pages whose address has no object of ours in it
    "r/<path:content_type_id>/<path:object_id>/": "r/1/1/",
    "^(?P<app_label>history|auth|proposals|doors|axes|notices|vendors|orders)/$": "orders/",
    "(?P<url>.*)$": "no/such/page/",
}


def walk(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    """Every address pattern of the project."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry, pattern)
        else:
            yield pattern


class Undone(Exception):
    """Rolls a request back."""


class House:
    """One object behind each page, and a browser for each person."""

    def __init__(self, factory: OrderFactory) -> None:
        draft = factory.draft(word="drafted")
        self.orders = {
            "confirm": factory.reviewed(word="waiting"),
            "back": factory.reviewed(word="waiting-too"),
            "check": factory.sent(word="cut-after"),
            "delivered": factory.sent(word="accepted"),
        }
        match = Match.objects.create(
            vendor=factory.accounts["woodpecker"],
            begins_on="2026-01-01",
            ends_on="2026-01-31",
            compared=0,
            agreed=0,
            lines=0,
        )
        wanted = Wanted(values={"order_limit": "3000.00"}, reasons={"order_limit": "More."})
        with transaction.atomic():
            about, by = factory.accounts["woodpecker"], factory.people.operator
            proposal = workflow.propose(about, wanted, by=by, why="A large order.")
        self.objects = {
            "history/event": Event.objects.latest("number"),
            "notices/sharedaddress": SharedAddress.objects.create(name="On call"),
            "auth/user": factory.people.operator,
            "auth/group": Group.objects.get(name=roles.AUDITOR),
            "proposals/proposal": proposal,
            "doors/authenticator": Authenticator.objects.create(
                user=factory.people.both, name="App", sealed=""
            ),
            "axes/accessattempt": AccessAttempt.objects.create(
                username="drafter", ip_address="10.0.0.1", failures_since_start=5
            ),
            "vendors/vendor": factory.accounts["woodpecker"],
            "vendors/price": Price.objects.first(),
            "vendors/priceversion": PriceVersion.objects.first(),
            "vendors/rate": Rate.objects.create(
                currency="USD", to="EUR", rate="0.92", typed_by_name="operator"
            ),
            "vendors/contact": Contact.objects.first(),
            "orders/domain": Domain.objects.first(),
            "orders/mailbox": Mailbox.objects.first(),
            "orders/client": Client.objects.first(),
            "orders/neverbuy": NeverBuy.objects.create(pattern="never.com", reason="It is ours."),
            "orders/match": match,
            "orders/finding": Finding.objects.create(
                match=match, vendor=match.vendor, kind="not_ours", key="a", says="b"
            ),
            "orders/confirmationrule": ConfirmationRule.objects.create(confirmers=0),
            "orders/delegation": delegations.make(
                Delegation(
                    to_user=factory.people.both,
                    ends_at=timezone.now() + timedelta(days=1),
                    reason="On leave.",
                ),
                by=factory.people.confirmer,
            ),
            "orders/order": draft,
        }
        self.browsers = {}
        for name in PEOPLE:
            self.browsers[name] = Browser(raise_request_exception=False)
            if name != "nobody":
                self.browsers[name].force_login(getattr(factory.people, name))
        self.cookies = {name: dict(browser.cookies) for name, browser in self.browsers.items()}

    def url(self, page: str) -> str:
        words = page.split("/")
        place = self.orders.get(words[-2]) if len(words) > 2 else None
        place = place or self.objects.get("/".join(words[:2]))
        number = str(place.pk) if place else ""
        address = SAMPLES.get(page, page)
        for slot in ("<path:object_id>", "<int:pk>", "<id>"):
            address = address.replace(slot, number)
        return f"/{address}"

    def ask(self, name: str, page: str, method: str) -> Any:
        """The answer to one request, with all that it changed undone."""
        browser = self.browsers[name]
        browser.cookies.load(self.cookies[name])
        try:
            with transaction.atomic():
                response = getattr(browser, method)(self.url(page))
                raise Undone
        except Undone:
            return response

    def answers(self, page: str, method: str) -> str:
        return " ".join(str(self.ask(name, page, method).status_code) for name in PEOPLE)


@pytest.fixture
def house(factory: OrderFactory, caplog: pytest.LogCaptureFixture) -> House:
    caplog.set_level(logging.CRITICAL, "django.request")  # every refusal is a warning there
    return House(factory)


def everything() -> dict[str, list[Any]]:
    """All rows of all tables, but for the sessions of the browsers and what tells who has read
    what.
    """
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
        if model not in (Session, Look, Mention)  # marks of reading
    }


def test_every_page_has_a_row_in_the_table() -> None:
    assert sorted(walk()) == sorted(PAGES)


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_opens_for_just_the_people_of_the_table(house: House, method: str) -> None:
    at = ["get", "post"].index(method)
    told = {page: house.answers(page, method) for page in PAGES}
    assert {page: codes for page, codes in told.items() if codes != PAGES[page][at]} == {}


def test_whoever_is_not_logged_in_is_sent_to_the_login_page(house: House) -> None:
    for page in set(PAGES) - {"login/", "login/code/", "logout/"}:
        for method in ("get", "post"):
            assert house.ask("nobody", page, method)["Location"].startswith("/login/?next="), page


def test_looking_changes_nothing(house: House) -> None:
    before = everything()
    for name in PEOPLE:
        browser = house.browsers[name]
        for page in PAGES:
            for method in ("get", "head"):
                getattr(browser, method)(house.url(page))
    assert everything() == before


def test_nothing_an_auditor_posts_changes_anything(house: House) -> None:
    before = everything()
    browser = house.browsers["auditor"]
    typed = {
        "reason": "because",
        "verdict": "placed",
        "digest": "x",
        "look": "1",
        "username": "mallory",
        "name": "x",
    }
    typed |= {"comment": "Hello @confirmer", "order": "1", "counted": "1"}
    last = Event.objects.latest("number").number
    for page in set(PAGES) - {
        "logout/",
        "history/event/verify/",
    }:  # a verification leaves its record and its result
        response = browser.post(house.url(page), typed)
        opens = PAGES[page][1].split()[PEOPLE.index("auditor")]
        assert str(response.status_code) == opens, page
    told, after = Event.objects.filter(number__gt=last), everything()
    assert set(told.values_list("action", "who")) == {
        ("list.exported", "auditor")
    }  # what an auditor does is told too
    kept = set(map(repr, told.values_list()))
    after["history.Event"] = [row for row in after["history.Event"] if row not in kept]
    assert after == before


def test_no_other_method_is_answered_and_none_changes_anything(house: House) -> None:
    before = everything()
    for name in ("boss", "nobody"):
        browser = house.browsers[name]
        for page in PAGES:
            for method in ("put", "patch", "delete", "options"):
                assert getattr(browser, method)(house.url(page)).status_code == 405, (page, method)
    assert everything() == before


def test_whoever_drafts_changes_nothing_of_another_drafters(
    house: House, factory: OrderFactory
) -> None:
    """Neither the draft nor what its drafter typed and has not saved."""
    order = house.objects["orders/order"]
    mine, theirs = Browser(raise_request_exception=False), house.browsers["drafter"]
    other = User.objects.create_user("drafter2", is_staff=True)
    other.groups.set([Group.objects.get(name=roles.DRAFTER)])
    mine.force_login(other)
    theirs.post(f"/orders/order/{order.pk}/edit/", typed(keep="1"))
    kept = Scratch.objects.get()
    before = everything()
    for door in (
        "edit",
        "send",
        "cancel",
        "back",
        "take",
        "suggest",
        "availability",
        "elsewhere",
        "confirm",
        "check",
    ):
        for more in ({}, {"keep": "1"}, {"unsaved": kept.token}, {"reason": "because"}):
            mine.post(f"/orders/order/{order.pk}/{door}/?unsaved={kept.token}", typed() | more)
    assert everything() == before
    page = mine.get(
        f"/orders/order/add/?vendor={order.vendor_id}&product={order.product}&unsaved={kept.token}"
    )
    assert "drafted.com" not in page.content.decode()


def test_nothing_is_deleted_or_done_in_bulk() -> None:
    assert [page for page in admin.site._registry.values() if page.actions is not None] == []


def test_only_what_leaves_no_hole_can_be_deleted_even_by_a_superuser() -> None:
    pages = {page for page, rows in PAGES.items() if page.endswith("/delete/") and rows[0] != NONE}
    assert {page.partition("/<")[0] for page in pages} == {
        "auth/user", "vendors/price", "orders/neverbuy", "orders/confirmationrule", "notices/sharedaddress",
    }  # fmt: skip


@pytest.mark.parametrize("model", ["schedule", "success", "failure", "ormq", "task"])
def test_the_queue_has_no_pages_not_even_for_a_superuser(house: House, model: str) -> None:
    for page in ("", "add/", "1/change/", "1/delete/"):
        assert house.browsers["boss"].get(f"/django_q/{model}/{page}").status_code == 404
    assert house.browsers["boss"].get("/django_q/").status_code == 404


def test_somebody_without_a_role_sees_the_front_page_and_nothing_else(
    house: House, db: None
) -> None:
    browser = Browser()
    browser.force_login(User.objects.create_user("new", is_staff=True))
    open_to_all = {"", "login/", "logout/", "password_change/", "password_change/done/", "jsi18n/"}
    open_to_all |= {"second-factor/", "second-factor/add/", "my/notices/"}  # one's own
    for page in set(PAGES) - open_to_all:
        assert browser.get(house.url(page)).status_code in (302, 403, 404, 405), page
    today = browser.get("/").content.decode()
    assert "You have no role yet" in today
    assert not [str(order) for order in house.orders.values() if str(order) in today]


def test_somebody_who_is_no_staff_cannot_log_in(people: Any) -> None:
    User.objects.create_user("outsider", password="outsider")
    browser = Browser()
    assert (
        browser.post("/login/", {"username": "outsider", "password": "outsider"}).status_code == 200
    )
    assert browser.get("/").status_code == 302


# The roles


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


# Auditors hold no other role


@pytest.mark.parametrize("others", [[roles.CONFIRMER], [roles.DRAFTER, roles.OPERATOR]])
def test_an_auditor_gets_no_other_role_on_the_users_page(
    house: House, factory: OrderFactory, others: list[str]
) -> None:
    groups = [Group.objects.get(name=name).pk for name in (roles.AUDITOR, *others)]
    user = factory.people.auditor
    typed = {"username": user.username, "is_active": "on", "is_staff": "on", "groups": groups}
    typed |= {"date_joined_0": "2026-01-01", "date_joined_1": "10:00"}
    response = house.browsers["boss"].post(f"/auth/user/{user.pk}/change/", typed)
    assert b"An auditor may hold no other role" in response.content
    assert [group.name for group in user.groups.all()] == [roles.AUDITOR]


def test_an_auditor_gets_no_other_role_when_added(house: House) -> None:
    groups = [Group.objects.get(name=name).pk for name in (roles.AUDITOR, roles.CONFIRMER)]
    typed = {"username": "sly", "usable_password": "true", "is_staff": "on", "groups": groups}
    typed |= {"password1": "correct-horse-77", "password2": "correct-horse-77"}
    response = house.browsers["boss"].post("/auth/user/add/", typed)
    assert b"An auditor may hold no other role" in response.content
    assert not User.objects.filter(username="sly").exists()
