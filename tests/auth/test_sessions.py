"""Sessions end: after a day's work, when unused, with another password; and what each answer tells
the browser.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client as Browser

from mailops.auth import sessions
from mailops.auth.checks import check_auth
from mailops.history.models import Event
from tests.auth.conftest import PASSWORD, sign_in, text

pytestmark = pytest.mark.django_db


def entered(name: str = "drafter") -> Browser:
    browser = Browser()
    sign_in(name, browser=browser)
    return browser


def aged(browser: Browser, **hours: float) -> Browser:
    session = browser.session
    for name, count in hours.items():
        session[getattr(sessions, name)] = int(time.time() - 3600 * count)
    session.save()
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


def test_a_session_ends_after_its_hours_however_much_it_was_used(who: SimpleNamespace) -> None:
    assert is_in(aged(entered(), BEGAN=11.9))
    browser = aged(entered(), BEGAN=12.1)
    assert not is_in(browser)
    assert "You were logged out because MailOps was not used for a while" in text(
        browser.get("/login/")
    )


def test_an_unused_session_ends_where_the_setting_says_so(
    who: SimpleNamespace, settings: Any
) -> None:
    assert is_in(aged(entered(), USED=5))
    settings.SESSION_IDLE_MINUTES = 60
    assert is_in(aged(entered(), USED=0.9))
    assert not is_in(aged(entered(), USED=1.1))


def test_a_page_that_looks_for_news_by_itself_does_not_keep_a_session_alive(
    who: SimpleNamespace, settings: Any
) -> None:
    settings.SESSION_IDLE_MINUTES = 60
    browser = aged(entered(), USED=0.9)
    used = browser.session[sessions.USED]
    browser.get("/", headers={"Sec-Fetch-Mode": "cors"})
    assert browser.session[sessions.USED] == used
    browser.get("/", headers={"Sec-Fetch-Mode": "navigate"})
    assert browser.session[sessions.USED] > used


def change_password(browser: Browser, old: str, new: str) -> Any:
    return browser.post(
        "/password_change/", {"old_password": old, "new_password1": new, "new_password2": new}
    )


def test_another_password_needs_the_present_one_ends_other_sessions_and_is_recorded(
    who: SimpleNamespace,
) -> None:
    here, there = entered(), entered()
    new = "entirely-other-words-7"
    assert change_password(here, "guessed", new).status_code == 200
    assert not Event.objects.filter(action="user.password_changed").exists()
    assert change_password(here, PASSWORD, new).status_code == 302
    assert is_in(here) and not is_in(there)
    [event] = Event.objects.filter(action="user.password_changed")
    assert (event.who, event.subject, event.changes) == ("drafter", "drafter", {})


@pytest.mark.parametrize("weak", ["short-1", "password1234", "drafterdrafter", "123456789012"])
def test_a_weak_password_is_refused(who: SimpleNamespace, weak: str) -> None:
    assert change_password(entered(), PASSWORD, weak).status_code == 200


PLACES = ["/", "/login/", "/healthz", "/no/such/page/", "/orders/order/", "/second-factor/", "/password_change/",
          "/jsi18n/", "/auth/user/", "/orders/order/99999/confirm/", "/axes/accessattempt/"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("is_inside", [True, False])
def test_every_answer_tells_the_browser_to_be_careful(
    who: SimpleNamespace, place: str, is_inside: bool
) -> None:
    browser = entered("confirmer") if is_inside else Browser(raise_request_exception=False)
    assert_careful(browser.get(place))


def assert_careful(answer: Any) -> None:
    policy = answer["Content-Security-Policy"]
    assert (
        "default-src 'none'" in policy
        and "unsafe" not in policy
        and "frame-ancestors 'none'" in policy
    )
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_errors_and_the_lock_out_page_are_careful_too(who: SimpleNamespace, settings: Any) -> None:
    for _ in range(5):
        locked = sign_in("drafter", password="wrong")
    assert locked.status_code == 429
    assert_careful(locked)
    strict = Browser(enforce_csrf_checks=True)
    refused = strict.post("/login/", {"username": "x", "password": "y"})
    assert refused.status_code == 403
    assert_careful(refused)
    assert_careful(Browser().put("/login/"))
    settings.ALLOWED_HOSTS = ["mailops.example.com"]
    assert_careful(
        Browser(raise_request_exception=False).get("/", headers={"Host": "evil.example"})
    )


def test_a_crash_is_careful_too(who: SimpleNamespace, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.auth.crashing"
    answer = Browser(raise_request_exception=False).get("/")
    assert answer.status_code == 500
    assert_careful(answer)


def test_cookies_are_kept_from_scripts_and_from_other_sites(who: SimpleNamespace) -> None:
    browser = Browser()
    browser.get("/login/")
    sign_in("drafter", browser=browser)
    for name in ("sessionid", "csrftoken"):
        assert (browser.cookies[name]["httponly"], browser.cookies[name]["samesite"]) == (
            True,
            "Lax",
        )


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_there_is_no_other_door_than_get_and_post(who: SimpleNamespace, method: str) -> None:
    assert getattr(entered("boss"), method)("/orders/order/").status_code == 405


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("SECOND_FACTOR_ROLES", ["Confirmer", "Boss"], 1),
        ("SIGN_IN_TRIES", 0, 2),
        ("PRACTICE_URL", "http://10.0.0.5:8001", 3),
        ("PRACTICE_URL", "http://169.254.169.254/latest", 3),
        ("PROXIES_IN_FRONT", 0, 4),
    ],
)
def test_settings_that_leave_a_door_open_are_errors(
    settings: Any, name: str, value: Any, number: int
) -> None:
    assert check_auth() == []
    setattr(settings, name, value)
    assert [found.id for found in check_auth()] == [f"mailops.E02{number}"]
