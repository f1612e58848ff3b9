"""A live installation refuses what is unsafe, in one sentence each."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from mailops.core import live_rules
from mailops.core.sealed import Sealed
from mailops.ops import start_rules
from tests.test_settings import PRODUCTION, run, setting
from vendors.models import Vendor

STRONG = PRODUCTION["SECRET_KEY"]
SEAL = base64.urlsafe_b64encode(b"0123456789abcdef" * 2).decode()  # the same in all processes


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY has 5 characters; it needs 50 or more."),
        ("SECRET_KEY", "ab" * 40, "SECRET_KEY repeats 2 characters over and over."),
        ("SECRET_KEY", f"django-insecure-{STRONG}", "SECRET_KEY contains “django-insecure”"),
        ("MAILOPS_SEAL_KEYS", "not a key", "MAILOPS_SEAL_KEYS is no key"),
        ("MAILOPS_SEAL_KEYS", f"{SEAL},{SEAL[:-2]}", "Key 2 of 2 in MAILOPS_SEAL_KEYS is no key"),
        ("ALLOWED_HOSTS", "mailops.example.com,*", "ALLOWED_HOSTS lets in “*”"),
        ("ALLOWED_HOSTS", ".com", "ALLOWED_HOSTS lets in “.com”"),
        ("DATABASE_URL", "sqlite:////tmp/x.sqlite3", "A live MailOps needs PostgreSQL."),
    ],
)
def test_it_does_not_start_with(tmp_path: Path, name: str, value: str, says: str) -> None:
    done = run(tmp_path, "manage.py", "check", **PRODUCTION | {name: value})
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {says}" in done.stderr
    assert STRONG not in done.stderr
    assert SEAL[:-2] not in done.stderr


@pytest.mark.parametrize("hosts", [["mailops.example.com"], [".example.com"], ["10.0.0.7"]])
def test_names_of_ones_own_are_let_in(hosts: list[str]) -> None:
    assert live_rules.open_host(hosts) == ""


def test_keys_as_the_documents_tell_to_make_them_are_taken() -> None:
    assert live_rules.weak_secret_key(STRONG) == ""
    assert live_rules.broken_seal_key([SEAL, f" {Fernet.generate_key().decode()} "]) == ""


def test_one_machine_is_live_on_sqlite_where_it_says_so(tmp_path: Path) -> None:
    here = PRODUCTION | {"DATABASE_URL": f"sqlite:///{tmp_path}/live.sqlite3"}
    done = run(tmp_path, "manage.py", "check", **here, MAILOPS_SQLITE_LIVE="1")
    assert done.returncode == 0, done.stderr


def test_a_seal_key_is_made_before_any_key_is_there(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "new_seal_key", MAILOPS_LIVE="1")
    assert done.returncode == 0, done.stderr
    Fernet(done.stdout.strip())
    assert list(tmp_path.iterdir()) == []  # nor is one kept that nobody asked for


def test_files_are_for_the_user_of_the_process_alone(tmp_path: Path) -> None:
    setting(tmp_path, "SECRET_KEY")
    program = "from django.conf import settings; settings.DEBUG; open(settings.DATA_DIR / 'x', 'w')"
    assert run(tmp_path, "-c", program).returncode == 0
    made = {path.name: stat.S_IMODE(os.stat(path).st_mode) for path in tmp_path.iterdir()}
    assert made["x"] == 0o600
    assert set(made.values()) == {0o600}


def test_live_cookies_are_of_this_host_alone_and_no_browser_list_is_entered(tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SECURE_HSTS_PRELOAD")
    assert setting(tmp_path, *names, **PRODUCTION) == [
        "__Host-sessionid",
        "__Host-csrftoken",
        "False",
    ]
    asked = PRODUCTION | {"SECURE_HSTS_PRELOAD": "1"}
    assert setting(tmp_path, "SECURE_HSTS_PRELOAD", **asked) == ["True"]


def sealed_with(key: str, settings: object) -> str:
    settings.SEAL_KEYS = [key]  # type: ignore[attr-defined]
    return str(Sealed("").put({"api_key": "k" * 20}))


def test_a_seal_key_that_opens_nothing_stored_is_refused(db: None, settings: object) -> None:
    assert start_rules.unsafe_database() == ""  # nothing is stored yet
    older, newer = (Fernet.generate_key().decode() for _ in range(2))
    Vendor.objects.create(name="A", api="woodpecker", sealed=sealed_with(older, settings))
    assert start_rules.unsafe_database() == ""
    settings.SEAL_KEYS = [newer]  # type: ignore[attr-defined]
    assert "opens none of the keys and passwords" in start_rules.unsafe_database()
    # one that opens some is the newer of two: `reseal` was forgotten, and pages name the accounts
    Vendor.objects.create(name="B", api="woodpecker", sealed=sealed_with(newer, settings))
    assert start_rules.unsafe_database() == ""
