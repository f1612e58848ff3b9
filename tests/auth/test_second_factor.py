"""The second factor: added with a first code, asked for after the password, lost, reset, never
shown.
"""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from mailops.auth import two_factor
from mailops.auth.models import Authenticator, RecoveryCode
from mailops.history.models import Event
from tests.auth.conftest import PASSWORD, equipped, sign_in, text
from tests.auth.phone import Phone
from tests.orders.pages import add_url, typed

pytestmark = pytest.mark.django_db


def at_the_code_page(name: str) -> Browser:
    browser = Browser()
    answer = sign_in(name, browser=browser)
    assert answer["Location"] == "/login/code/"
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


def give(browser: Browser, code: str) -> Any:
    return browser.post("/login/code/", {"code": code})


def actions(name: str) -> list[str]:
    return [event.action for event in Event.objects.filter(subject=name).order_by("number")]


def enrol(browser: Browser) -> tuple[Phone, list[str]]:
    """Through the pages: read the key, type a first code, keep the recovery codes."""
    page = browser.get("/second-factor/add/")
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", page.content.decode())
    assert key
    phone = Phone(key[1])
    sealed = page.context["form"].initial["key"]
    done = browser.post("/second-factor/add/", {"key": sealed, "code": phone.code()})
    return phone, re.findall(r"<li><code>([A-Z2-7-]+)</code>", done.content.decode())


# Adding


def test_a_second_factor_is_added_with_its_first_code(who: SimpleNamespace) -> None:
    browser = Browser()
    sign_in("confirmer", browser=browser)
    phone, codes = enrol(browser)
    assert len(set(codes)) == 10
    assert actions("confirmer")[-1] == "user.second_factor_added"
    assert is_in(browser)
    later = at_the_code_page("confirmer")
    assert not is_in(later)
    assert give(later, phone.code())["Location"] == "/"
    assert is_in(later)


def test_looking_at_the_page_keeps_nothing_and_a_wrong_code_adds_nothing(
    who: SimpleNamespace,
) -> None:
    browser = Browser()
    sign_in("confirmer", browser=browser)
    page = browser.get("/second-factor/add/")
    sealed = page.context["form"].initial["key"]
    again = browser.post("/second-factor/add/", {"key": sealed, "code": "000000"})
    assert "This is not the code of now" in text(again)
    assert again.context["key"] == page.context["key"]
    assert not Authenticator.objects.exists()


def test_a_key_shown_to_one_person_is_no_key_for_another(who: SimpleNamespace) -> None:
    one, other = Browser(), Browser()
    sign_in("confirmer", browser=one)
    sign_in("drafter", browser=other)
    page = one.get("/second-factor/add/")
    code = Phone(page.context["key"]).code()
    other.post("/second-factor/add/", {"key": page.context["form"].initial["key"], "code": code})
    other.post("/second-factor/add/", {"key": "rubbish", "code": code})
    assert not Authenticator.objects.exists()


def test_the_picture_and_the_key_are_in_no_cache_and_run_no_script(who: SimpleNamespace) -> None:
    browser = Browser()
    sign_in("confirmer", browser=browser)
    page = browser.get("/second-factor/add/")
    assert "no-store" in page["Cache-Control"]
    assert 'src="data:image/svg+xml' in page.content.decode()


# Logging in


def test_the_password_alone_opens_nothing(who: SimpleNamespace) -> None:
    equipped(who.confirmer)
    browser = at_the_code_page("confirmer")
    for page in (
        "/",
        "/orders/order/",
        "/second-factor/",
        "/second-factor/add/",
        "/password_change/",
    ):
        assert browser.get(page)["Location"].startswith("/login/"), page


def test_a_code_is_taken_once(who: SimpleNamespace) -> None:
    phone, _ = equipped(who.confirmer)
    code = phone.code()
    assert give(at_the_code_page("confirmer"), code).status_code == 302
    again = at_the_code_page("confirmer")
    assert "not right, or it was used already" in text(give(again, code))
    assert not is_in(again)


@pytest.mark.parametrize(
    "code", ["000000", "", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-00001", "+12345", "1e5"]
)
def test_what_is_no_code_opens_nothing(who: SimpleNamespace, code: str) -> None:
    equipped(who.confirmer)
    browser = at_the_code_page("confirmer")
    assert give(browser, code).status_code == 200
    assert not is_in(browser)


def test_a_recovery_code_opens_once_and_is_recorded(who: SimpleNamespace) -> None:
    _, codes = equipped(who.confirmer)
    assert give(at_the_code_page("confirmer"), codes[0].lower()).status_code == 302
    assert "user.used_recovery_code" in actions("confirmer")
    assert Event.objects.get(action="user.used_recovery_code").changes == {
        "recovery codes left": [10, 9]
    }
    assert give(at_the_code_page("confirmer"), codes[0]).status_code == 200
    assert give(at_the_code_page("confirmer"), codes[1]).status_code == 302


def test_somebody_elses_recovery_code_opens_nothing(who: SimpleNamespace) -> None:
    equipped(who.confirmer)
    _, codes = equipped(who.operator)
    assert give(at_the_code_page("confirmer"), codes[0]).status_code == 200


def test_wrong_codes_have_to_wait_longer_each_time(
    who: SimpleNamespace, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECOND_FACTOR_THROTTLE_SECONDS = 60
    phone, _ = equipped(who.confirmer)
    browser = at_the_code_page("confirmer")
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    give(browser, "000000")
    assert "Too many wrong codes. Wait 60 seconds" in text(give(browser, phone.code()))
    monkeypatch.setattr(timezone, "now", lambda: moment + timedelta(seconds=61))
    give(browser, "000000")
    assert "Wait 2 minutes" in text(give(browser, phone.code()))


def test_wrong_codes_count_as_failed_sign_ins(who: SimpleNamespace) -> None:
    equipped(who.confirmer)
    browser = at_the_code_page("confirmer")
    assert [give(browser, "000000").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    assert sign_in("confirmer").status_code == 429


@pytest.mark.parametrize("change", ["password", "active", "late"])
def test_the_second_step_ends_with_the_first_ones_truth(who: SimpleNamespace, change: str) -> None:
    phone, _ = equipped(who.confirmer)
    browser = at_the_code_page("confirmer")
    if change == "late":
        session = browser.session
        session["doors_pending"] |= {"at": session["doors_pending"]["at"] - 601}
        session.save()
    elif change == "active":
        type(who.confirmer).objects.filter(pk=who.confirmer.pk).update(is_active=False)
    else:
        who.confirmer.set_password("something-else-1234")
        who.confirmer.save()
    assert give(browser, phone.code())["Location"] == "/login/"
    assert not is_in(browser)


def test_logging_in_leads_nowhere_outside(who: SimpleNamespace) -> None:
    phone, _ = equipped(who.confirmer)
    browser = Browser()
    browser.post(
        "/login/?next=https://evil.example/", {"username": "confirmer", "password": PASSWORD}
    )
    assert give(browser, phone.code())["Location"] == "/"


def test_the_session_gets_another_number_when_somebody_logs_in(who: SimpleNamespace) -> None:
    phone, _ = equipped(who.confirmer)
    browser = at_the_code_page("confirmer")
    before = browser.session.session_key
    give(browser, phone.code())
    assert browser.session.session_key != before


# At rest


def test_neither_key_nor_recovery_codes_lie_open_in_the_database(who: SimpleNamespace) -> None:
    phone, codes = equipped(who.confirmer)
    stored = repr(list(Authenticator.objects.values_list())) + repr(
        list(RecoveryCode.objects.values_list())
    )
    for secret in (
        phone.key.hex(),
        base64.b32encode(phone.key).decode(),
        *codes,
        *(c.replace("-", "") for c in codes),
    ):
        assert secret not in stored


def test_a_key_moves_to_a_new_seal_key(who: SimpleNamespace, settings: Any) -> None:
    from cryptography.fernet import Fernet

    phone, _ = equipped(who.confirmer)
    settings.SEAL_KEYS = [Fernet.generate_key().decode(), *settings.SEAL_KEYS]
    call_command("reseal", verbosity=0)
    settings.SEAL_KEYS = settings.SEAL_KEYS[:1]
    assert give(at_the_code_page("confirmer"), phone.code()).status_code == 302


def test_a_key_that_cannot_be_opened_lets_nobody_in_and_says_what_to_do(
    who: SimpleNamespace, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    phone, _ = equipped(who.confirmer)
    settings.SEAL_KEYS = [Fernet.generate_key().decode()]
    assert "Ask a superuser to reset it" in text(give(at_the_code_page("confirmer"), phone.code()))


# Who must have one


@pytest.mark.parametrize(
    ("name", "owes"), [("confirmer", True), ("boss", True), ("drafter", False)]
)
def test_whose_role_asks_for_one_opens_nothing_before_it_is_added(
    who: SimpleNamespace, settings: Any, name: str, owes: bool
) -> None:
    settings.SECOND_FACTOR_ROLES = ["Confirmer", "superuser"]
    browser = Browser()
    sign_in(name, browser=browser)
    assert is_in(browser) is not owes
    if owes:
        for page in ("/orders/order/", "/password_change/", "/login/", "/no/such/page/"):
            assert browser.get(page)["Location"] == "/second-factor/", page
        assert (
            browser.post("/orders/order/1/confirm/", {"digest": "x"})["Location"]
            == "/second-factor/"
        )
        assert "nothing else opens before" in text(browser.get("/second-factor/"))
        enrol(browser)
        assert is_in(browser)


def test_in_practice_nobody_must_have_one(who: SimpleNamespace, settings: Any) -> None:
    assert settings.SECOND_FACTOR_ROLES == []
    assert not any(two_factor.is_required(user) for user in vars(who).values())


def test_whose_role_asks_for_one_cannot_remove_it(who: SimpleNamespace, settings: Any) -> None:
    browser = Browser()
    sign_in("confirmer", browser=browser)
    enrol(browser)
    settings.SECOND_FACTOR_ROLES = ["Confirmer"]
    browser.post("/second-factor/remove/")
    assert Authenticator.objects.exists()
    settings.SECOND_FACTOR_ROLES = []
    browser.post("/second-factor/remove/")
    assert not Authenticator.objects.exists() and not RecoveryCode.objects.exists()
    assert actions("confirmer")[-1] == "user.second_factor_removed"


# Lost


def test_a_superuser_resets_a_lost_one_with_a_reason_and_the_person_is_logged_out(
    who: SimpleNamespace,
) -> None:
    browser, boss = Browser(), Browser()
    sign_in("confirmer", browser=browser)
    enrol(browser)
    sign_in("boss", browser=boss)
    device = Authenticator.objects.get()
    assert boss.post(f"/doors/authenticator/{device.pk}/reset/", {"reason": " "}).status_code == 400
    assert Authenticator.objects.exists()
    boss.post(
        f"/doors/authenticator/{device.pk}/reset/",
        {"reason": "Called back on the number that we have."},
    )
    assert not Authenticator.objects.exists() and not RecoveryCode.objects.exists()
    event = Event.objects.filter(action="user.second_factor_removed").get()
    assert (event.who, event.subject, event.reason) == (
        "boss",
        "confirmer",
        "Called back on the number that we have.",
    )
    assert not is_in(browser)
    assert sign_in("confirmer")["Location"] == "/"


def test_nobody_resets_their_own(who: SimpleNamespace) -> None:
    boss = Browser()
    sign_in("boss", browser=boss)
    enrol(boss)
    device = Authenticator.objects.get()
    answer = boss.post(
        f"/doors/authenticator/{device.pk}/reset/", {"reason": "I may."}, follow=True
    )
    assert "Nobody resets their own second factor" in text(answer)
    assert Authenticator.objects.exists()


def test_the_only_superuser_is_helped_by_the_command(who: SimpleNamespace) -> None:
    equipped(who.boss)
    call_command("reset_second_factor", "boss", reason="Phone fell into the lake.")
    assert sign_in("boss")["Location"] == "/"
    assert (
        Event.objects.get(action="user.second_factor_removed").who
        == "manage.py reset_second_factor"
    )


def test_a_new_phone_replaces_the_old_one_and_ends_other_sessions(who: SimpleNamespace) -> None:
    here, there = Browser(), Browser()
    sign_in("confirmer", browser=here)
    old, old_codes = enrol(here)
    sign_in("confirmer", browser=there)
    give(there, old.code())
    assert is_in(there)
    new, _ = enrol(here)
    assert not is_in(there) and is_in(here)
    for code in (old.code(), old_codes[0]):
        assert give(at_the_code_page("confirmer"), code).status_code == 200
    assert give(at_the_code_page("confirmer"), new.code()).status_code == 302


def test_new_recovery_codes_end_the_old_ones(who: SimpleNamespace) -> None:
    browser = Browser()
    sign_in("confirmer", browser=browser)
    _, old = enrol(browser)
    new = re.findall(
        r"<li><code>([A-Z2-7-]+)</code>", browser.post("/second-factor/codes/").content.decode()
    )
    assert len(new) == 10 and not set(old) & set(new)
    assert give(at_the_code_page("confirmer"), old[0]).status_code == 200
    assert give(at_the_code_page("confirmer"), new[0]).status_code == 302


# The other door: a draft sent after the session ended


def test_going_on_with_a_draft_asks_for_the_code_too(
    who: SimpleNamespace, accounts: dict[str, Any]
) -> None:
    phone, _ = equipped(who.drafter)
    url = add_url(accounts["woodpecker"], "mailboxes")
    browser, draft = Browser(), typed() | {"username": "drafter", "password": PASSWORD}
    for code in ("", "000000"):
        assert "is not right" in text(browser.post(url, draft | {"code": code}))
        assert not is_in(browser)
    assert browser.post(url, draft | {"code": phone.code()}).status_code == 302
    assert is_in(browser)
