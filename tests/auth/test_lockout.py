"""Guessing passwords ends quickly, tells nothing, stores nothing typed, and is recorded."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from mailops.auth import lockout
from mailops.history.models import Event
from tests.auth.conftest import PASSWORD, sign_in, text

pytestmark = pytest.mark.django_db
TYPED = "a-password-typed-wrong"


def guess(name: str, *, times: int = 5, **meta: Any) -> list[int]:
    return [sign_in(name, password=TYPED, **meta).status_code for _ in range(times)]


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(who: SimpleNamespace) -> None:
    assert guess("drafter") == [200, 200, 200, 200, 429]
    answer = sign_in("drafter")
    assert (answer.status_code, 0 < int(answer["Retry-After"]) <= 900) == (429, True)
    assert "Try again in 15 minutes" in text(answer)
    assert "_auth_user_id" not in answer.wsgi_request.session


def test_the_page_says_the_same_of_a_name_that_nobody_has(who: SimpleNamespace) -> None:
    guess("drafter", REMOTE_ADDR="10.1.1.1")
    guess("no-such-person", REMOTE_ADDR="10.1.1.2")
    pages = [
        text(sign_in(name, REMOTE_ADDR=place))
        for name, place in (("drafter", "10.1.1.1"), ("no-such-person", "10.1.1.2"))
    ]
    assert pages[0] == pages[1]
    before = [
        text(sign_in(n, password=TYPED, REMOTE_ADDR="10.1.1.3"))
        for n in ("confirmer", "nobody-here")
    ]
    assert "nobody-here" in before[1]
    assert before[0].partition("<form")[0] == before[1].partition("<form")[0]


def test_somebody_elsewhere_is_not_locked_out_by_a_few_guesses(who: SimpleNamespace) -> None:
    guess("drafter", REMOTE_ADDR="10.1.1.1")
    assert sign_in("drafter", REMOTE_ADDR="10.1.1.2").status_code == 302


def test_guesses_of_one_name_from_many_addresses_lock_the_name(who: SimpleNamespace) -> None:
    for place in range(5):
        guess("drafter", times=4, REMOTE_ADDR=f"10.1.2.{place}")
    assert sign_in("drafter", REMOTE_ADDR="10.9.9.9").status_code == 429
    assert sign_in("confirmer", REMOTE_ADDR="10.9.9.9").status_code == 302


def test_one_address_that_tries_many_names_is_locked(who: SimpleNamespace) -> None:
    for number in range(20):
        guess(f"person{number}", times=1, REMOTE_ADDR="10.1.1.1")
    assert sign_in("drafter", REMOTE_ADDR="10.1.1.1").status_code == 429
    assert sign_in("drafter", REMOTE_ADDR="10.1.1.2").status_code == 302


def test_whoever_logs_in_as_themselves_clears_nobody_elses_count(who: SimpleNamespace) -> None:
    guess("confirmer", times=4)
    assert sign_in("drafter").status_code == 302
    assert sign_in("confirmer", password=TYPED).status_code == 429


def test_a_lock_ends_by_itself_and_knocking_does_not_prolong_it(who: SimpleNamespace) -> None:
    guess("drafter")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert sign_in("drafter").status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert sign_in("drafter").status_code == 302


@pytest.mark.parametrize(("trusted", "status"), [(False, 429), (True, 302)])
def test_the_visitors_address_is_the_one_that_the_history_notes(
    who: SimpleNamespace, settings: Any, trusted: bool, status: int
) -> None:
    settings.TRUST_FORWARDED_FOR = trusted
    guess("drafter", HTTP_X_FORWARDED_FOR="1.1.1.1, 10.1.1.1")
    assert sign_in("drafter", HTTP_X_FORWARDED_FOR="1.1.1.1, 10.1.1.2").status_code == status


@pytest.mark.parametrize(
    ("proxies", "came", "noted"),
    [
        (1, "6.6.6.6, 10.1.1.1", "10.1.1.1"), (2, "6.6.6.6, 10.1.1.1, 172.16.0.1", "10.1.1.1"),
        (2, "10.1.1.1, 172.16.0.1", "10.1.1.1"), (2, "10.1.1.1", "10.1.1.1"), (2, "", "127.0.0.1"),
        (3, "6.6.6.6,10.1.1.1 ,172.16.0.1,172.16.0.2", "10.1.1.1"),
    ],
)  # fmt: skip
def test_behind_several_proxies_the_outermosts_word_counts(
    who: SimpleNamespace, settings: Any, proxies: int, came: str, noted: str
) -> None:
    settings.TRUST_FORWARDED_FOR, settings.PROXIES_IN_FRONT = True, proxies
    guess("drafter", times=1, HTTP_X_FORWARDED_FOR=came)
    assert (
        Event.objects.get(action="user.sign_in_failed").origin
        == AccessAttempt.objects.get().ip_address
        == noted
    )


def test_nothing_typed_is_stored(who: SimpleNamespace) -> None:
    guess(PASSWORD[::-1], times=1)
    guess("drafter", times=3)
    assert {(row.post_data, row.get_data.strip("-\n")) for row in AccessAttempt.objects.all()} <= {
        ("", ""), ("\n---------\n\n---------\n", ""),
    }  # fmt: skip
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            assert TYPED not in repr(cursor.fetchall()), table


def test_a_lock_is_recorded_once_and_only_under_a_name_that_exists(who: SimpleNamespace) -> None:
    guess("drafter", times=8)
    guess("my-own-password", times=8, REMOTE_ADDR="10.1.1.9")
    [event] = Event.objects.filter(action="user.locked_out")
    assert (event.subject, event.origin) == ("drafter", "127.0.0.1")
    assert not Event.objects.filter(subject__contains="my-own-password").exists()


def test_a_superuser_unlocks_on_the_page_and_it_is_recorded(who: SimpleNamespace) -> None:
    guess("drafter")
    boss = Browser()
    boss.force_login(who.boss)
    row = AccessAttempt.objects.get()
    assert "Unlock drafter" in text(boss.get("/axes/accessattempt/"))
    boss.post(f"/axes/accessattempt/{row.pk}/unlock/")
    assert sign_in("drafter").status_code == 302
    assert Event.objects.get(action="user.unlocked").who == "boss"


def test_the_command_unlocks_a_name_or_an_address(who: SimpleNamespace, capsys: Any) -> None:
    guess("drafter")
    call_command("unlock", "drafter")
    assert Event.objects.get(action="user.unlocked").who == "manage.py unlock"
    assert sign_in("drafter").status_code == 302
    guess("x", times=20)
    call_command("unlock", address="127.0.0.1")
    assert sign_in("drafter").status_code == 302
    for given in ({}, {"address": "not an address"}):
        with pytest.raises(CommandError):
            call_command("unlock", **given)


# Addresses


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("10.1.1.1", "10.1.1.1"), ("::ffff:10.1.1.1", "10.1.1.1"), ("::FFFF:0a01:0101", "10.1.1.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("2001:db8:1:2::", "2001:db8:1:2::"), ("::1", "::"),
        ("fe80::1%eth0", "fe80::"), ("unknown", None), ("", None), ("10.1.1.1:8080", None), ("[2001:db8::1]", None),
        ("10.1.1.1/8", None), ("1", None), ("%", None), ("2001:db8::1::2", None),
    ],
)  # fmt: skip
def test_an_ipv6_visitor_counts_by_the_network(text: str, counted: str | None) -> None:
    assert lockout.counted_as(text) == counted


def test_other_addresses_of_the_same_network_are_no_way_around(who: SimpleNamespace) -> None:
    for number in range(5):
        guess("drafter", times=1, REMOTE_ADDR=f"2001:db8:1:2::{number}")
    assert sign_in("drafter", REMOTE_ADDR="2001:db8:1:2:ffff::9").status_code == 429
    assert sign_in("drafter", REMOTE_ADDR="2001:db8:1:3::1").status_code == 302


def test_visitors_without_an_address_count_as_one(who: SimpleNamespace, settings: Any) -> None:
    settings.TRUST_FORWARDED_FOR = True
    assert guess("drafter", times=4, HTTP_X_FORWARDED_FOR="unknown") == [200, 200, 200, 200]
    assert guess("drafter", times=1, HTTP_X_FORWARDED_FOR="10.1.1.1:5004") == [429]
    assert sign_in("drafter", HTTP_X_FORWARDED_FOR="10.1.1.1").status_code == 302
    call_command("unlock", "drafter")
    assert sign_in("drafter", HTTP_X_FORWARDED_FOR="unknown").status_code == 302


def test_unlocking_lets_in_whom_the_address_keeps_out(who: SimpleNamespace) -> None:
    place = {"REMOTE_ADDR": "2001:db8:1:2::5"}
    for number in range(19):
        guess(f"person{number}", times=1, **place)
    guess("drafter", times=1, **place)
    assert sign_in("drafter", **place).status_code == 429
    boss = Browser()
    boss.force_login(who.boss)
    page = boss.get("/axes/accessattempt/")
    assert "2001:db8:1:2::/64" in text(page) and "every name from its address" in text(page)
    done = boss.post(
        f"/axes/accessattempt/{AccessAttempt.objects.get(username='drafter').pk}/unlock/",
        follow=True,
    )
    assert "can log in again, and so can everybody at the address 2001:db8:1:2::/64." in text(done)
    assert (
        Event.objects.get(action="user.unlocked").reason
        == "Everybody at this address too: 2001:db8:1:2::/64."
    )
    assert sign_in("drafter", **place).status_code == 302


def test_the_command_takes_any_address_of_the_network(who: SimpleNamespace) -> None:
    guess("drafter", REMOTE_ADDR="2001:db8:1:2::5")
    call_command("unlock", address="2001:db8:1:2::/64")
    assert sign_in("drafter", REMOTE_ADDR="2001:db8:1:2::6").status_code == 302
