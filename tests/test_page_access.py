"""Every page opens for just the people of the table, and opening a page changes nothing."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client as Browser
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
from orders.outcomes import never_came
from orders.review import delegations
from tests.conftest import OrderFactory
from tests.orders.outcomes.creating import created_order
from tests.orders.pages import typed
from tests.page_table import NONE, PAGES, PEOPLE, SAMPLES, walk
from vendors.models import Contact, Price, PriceVersion, Rate


class Undone(Exception):
    """Rolls a request back."""


class Site:
    """One object behind each page, and a browser for each person."""

    def __init__(self, factory: OrderFactory) -> None:
        draft = factory.draft(word="drafted")
        self.orders = {
            "confirm": factory.reviewed(word="waiting"),
            "back": factory.reviewed(word="waiting-too"),
            "check": factory.sent(word="cut-after"),
            "arrived": factory.sent(word="accepted"),
            "after_all": factory.sent(word="given-up"),
            "processed": (created := created_order(factory)),
            "leave": created,
        }
        never_came.say_not_coming(
            self.orders["after_all"].pk, by=factory.people.confirmer, reason="They say so."
        )
        for page in ("ask", "expected", "not_coming"):
            self.orders[page] = self.orders["arrived"]
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
                match=match, vendor=match.vendor, kind="unrecorded", key="a", says="b"
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
def site(factory: OrderFactory, caplog: pytest.LogCaptureFixture) -> Site:
    caplog.set_level(logging.CRITICAL, "django.request")  # every refusal is a warning there
    return Site(factory)


def everything() -> dict[str, list[Any]]:
    """All rows of all tables, without the browsers' sessions and the read marks."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
        if model not in (Session, Look, Mention)  # marks of reading
    }


def test_every_page_has_a_row_in_the_table() -> None:
    assert sorted(walk()) == sorted(PAGES)


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_opens_for_just_the_people_of_the_table(site: Site, method: str) -> None:
    at = ["get", "post"].index(method)
    answers = {page: site.answers(page, method) for page in PAGES}
    assert {page: codes for page, codes in answers.items() if codes != PAGES[page][at]} == {}


def test_whoever_is_not_logged_in_is_sent_to_the_login_page(site: Site) -> None:
    for page in set(PAGES) - {"login/", "login/code/", "logout/"}:
        for method in ("get", "post"):
            assert site.ask("nobody", page, method)["Location"].startswith("/login/?next="), page


def test_looking_changes_nothing(site: Site) -> None:
    before = everything()
    for name in PEOPLE:
        browser = site.browsers[name]
        for page in PAGES:
            for method in ("get", "head"):
                getattr(browser, method)(site.url(page))
    assert everything() == before


def test_nothing_an_auditor_posts_changes_anything(site: Site) -> None:
    before = everything()
    browser = site.browsers["auditor"]
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
        response = browser.post(site.url(page), typed)
        opens = PAGES[page][1].split()[PEOPLE.index("auditor")]
        assert str(response.status_code) == opens, page
    recorded, after = Event.objects.filter(number__gt=last), everything()
    assert set(recorded.values_list("action", "who")) == {
        ("list.exported", "auditor")
    }  # what an auditor does is recorded, too
    kept = set(map(repr, recorded.values_list()))
    after["history.Event"] = [row for row in after["history.Event"] if row not in kept]
    assert after == before


def test_no_other_method_is_answered_and_none_changes_anything(site: Site) -> None:
    before = everything()
    for name in ("boss", "nobody"):
        browser = site.browsers[name]
        for page in PAGES:
            for method in ("put", "patch", "delete", "options"):
                assert getattr(browser, method)(site.url(page)).status_code == 405, (page, method)
    assert everything() == before


def test_whoever_drafts_changes_nothing_of_another_drafters(
    site: Site, factory: OrderFactory
) -> None:
    order = site.objects["orders/order"]
    mine, theirs = Browser(raise_request_exception=False), site.browsers["drafter"]
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
        "processed",
        "leave",
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
def test_the_queue_has_no_pages_not_even_for_a_superuser(site: Site, model: str) -> None:
    for page in ("", "add/", "1/change/", "1/delete/"):
        assert site.browsers["boss"].get(f"/django_q/{model}/{page}").status_code == 404
    assert site.browsers["boss"].get("/django_q/").status_code == 404


def test_somebody_without_a_role_sees_the_front_page_and_nothing_else(site: Site, db: None) -> None:
    browser = Browser()
    browser.force_login(User.objects.create_user("new", is_staff=True))
    open_to_all = {"", "login/", "logout/", "password_change/", "password_change/done/", "jsi18n/"}
    open_to_all |= {"second-factor/", "second-factor/add/", "my/notices/"}  # one's own
    for page in set(PAGES) - open_to_all:
        assert browser.get(site.url(page)).status_code in (302, 403, 404, 405), page
    today = browser.get("/").content.decode()
    assert "You have no role yet" in today
    assert not [str(order) for order in site.orders.values() if str(order) in today]


def test_somebody_who_is_no_staff_cannot_log_in(people: Any) -> None:
    User.objects.create_user("outsider", password="outsider")
    browser = Browser()
    assert (
        browser.post("/login/", {"username": "outsider", "password": "outsider"}).status_code == 200
    )
    assert browser.get("/").status_code == 302
