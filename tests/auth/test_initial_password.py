"""A password that somebody else typed opens one page: the one on which it is changed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Browser

from mailops.auth import roles
from mailops.history import audited
from mailops.history.models import Event
from mailops.proposals import workflow
from tests.auth.conftest import PASSWORD, sign_in, text
from tests.proposals.setting import WHY, signed_in, waiting

pytestmark = pytest.mark.django_db
GIVEN, OWN = "typed-by-the-boss-77", "entirely-other-words-7"
TYPED = {"usable_password": "true", "password1": GIVEN, "password2": GIVEN, "why": WHY}
ASKED = "/password_change/"


@pytest.fixture
def nora(who: SimpleNamespace) -> User:
    """Added on the page, her role given by whoever may."""
    signed_in(who.boss).post("/auth/user/add/", TYPED | {"username": "nora"})
    nora = User.objects.get(username="nora")
    with audited():
        nora.is_staff = True
        nora.save()
        nora.groups.set(Group.objects.filter(name=roles.CONFIRMER))
    return nora


def entered(name: str, password: str = GIVEN) -> Browser:
    browser = Browser()
    sign_in(name, password=password, browser=browser)
    return browser


def is_asked(browser: Browser) -> bool:
    answer = browser.get("/")
    return answer.status_code == 302 and answer["Location"] == ASKED


def change(browser: Browser, new: str = OWN, old: str = GIVEN) -> Any:
    return browser.post(ASKED, {"old_password": old, "new_password1": new, "new_password2": new})


def test_whoever_was_added_opens_nothing_before_they_chose_a_password(nora: User) -> None:
    browser = entered("nora")
    for page in (
        "/",
        "/orders/order/",
        "/second-factor/",
        "/my/notices/",
        "/password_change/done/",
        "/no/such/page/",
    ):
        assert browser.get(page)["Location"] == ASKED, page
    assert browser.post("/orders/order/1/confirm/", {"digest": "x"})["Location"] == ASKED
    page = text(browser.get(ASKED))
    assert "Somebody else knows your password." in page and 'id="nav"' not in page
    assert change(browser).status_code == 302
    assert browser.get("/").status_code == 200
    event = Event.objects.filter(action="user.password_changed").get()
    assert (event.who, event.subject) == ("nora", "nora")
    assert not is_asked(entered("nora", OWN))


def test_the_same_password_again_is_no_other_one(nora: User) -> None:
    browser = entered("nora")
    assert "Choose another one." in text(change(browser, GIVEN))
    assert is_asked(browser)


def test_every_open_session_owes_it_and_one_change_ends_the_others(nora: User) -> None:
    here, there = entered("nora"), entered("nora")
    assert is_asked(here) and is_asked(there)
    change(here)
    assert there.get("/")["Location"].startswith("/login/")


def test_logging_out_stays_open(nora: User) -> None:
    browser = entered("nora")
    assert browser.post("/logout/").status_code == 200
    assert browser.get("/")["Location"].startswith("/login/")


def test_the_second_factor_comes_after_it(nora: User, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["Confirmer"]
    browser = entered("nora")
    assert is_asked(browser)
    change(browser)
    assert browser.get("/")["Location"] == "/second-factor/"


@pytest.mark.parametrize("one_person", [True, False])
def test_a_password_that_somebody_else_set_is_asked_for_too(
    who: SimpleNamespace, settings: Any, one_person: bool
) -> None:
    """Also where its owner approved it: another typed it."""
    settings.ONE_PERSON = one_person
    second = User.objects.create_superuser("second", password=PASSWORD)
    before = entered("second", PASSWORD)
    change(before, OWN, PASSWORD)
    assert not is_asked(before)
    signed_in(who.boss).post(f"/auth/user/{second.pk}/password/", TYPED)
    if not one_person:
        workflow.approve(waiting().pk, by=second)
    assert before.get("/")["Location"].startswith("/login/")
    assert is_asked(entered("second"))


def test_whoever_was_made_by_a_command_is_not_asked(who: SimpleNamespace) -> None:
    """As the demo and `createsuperuser` do: nobody's sign-in typed the password."""
    from orders.management.commands import demo

    User.objects.all().delete()
    demo.make_people()
    drafter = User.objects.get(username="drafter")
    assert Event.objects.filter(action="user.added", subject_id=str(drafter.pk)).exists()
    assert signed_in(drafter).get("/").status_code == 200
    assert signed_in(User.objects.create_superuser("root")).get("/").status_code == 200
