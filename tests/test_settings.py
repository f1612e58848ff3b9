"""Settings: practice needs nothing, production says what it lacks, the clocks fit together."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as now
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from mailops import checks
from mailops.ops.processes import BASE_DIR

PRODUCTION = {
    "MAILOPS_LIVE": "1",
    "SECRET_KEY": "k3y-" * 15 + "with-enough-different-letters-0123456789",
    "MAILOPS_SEAL_KEYS": Fernet.generate_key().decode(),
    "ALLOWED_HOSTS": "mailops.example.com",
    "DATABASE_URL": "postgres://mailops:x@127.0.0.1:9/mailops",
}


def run(data: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A process with no settings but these; nothing of the tests' own environment."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "SYSTEMROOT")
    }
    clean |= {
        "MAILOPS_DATA": str(data),
        "MAILOPS_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "mailops.settings",
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=clean | env,
        capture_output=True,
        text=True,
        timeout=120,
    )


def setting(data: Path, *names: str, **env: str) -> list[str]:
    """The values of these settings in such a process."""
    shown = ", ".join(f"settings.{name}" for name in names)
    done = run(data, "-c", f"from django.conf import settings\nprint({shown}, sep='\\n')", **env)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# Production


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "MAILOPS_SEAL_KEYS", "ALLOWED_HOSTS", "DATABASE_URL"]
)
@pytest.mark.parametrize("is_empty", [False, True])
def test_production_does_not_start_without(tmp_path: Path, name: str, is_empty: bool) -> None:
    env = {key: value for key, value in PRODUCTION.items() if key != name}
    done = run(tmp_path, "manage.py", "check", **env, **({name: ""} if is_empty else {}))
    assert done.returncode != 0
    assert f"ImproperlyConfigured: Set {name}" in done.stderr
    assert list(tmp_path.iterdir()) == []  # nor does it make up a key of its own


@pytest.mark.parametrize(("typed", "is_read"), [("", ""), ("eur", "EUR"), (" CHF ", "CHF")])
def test_the_reporting_currency_is_a_code_or_nothing(
    tmp_path: Path, typed: str, is_read: str
) -> None:
    assert setting(tmp_path, "REPORTING_CURRENCY", REPORTING_CURRENCY=typed) in ([is_read], [])


def test_a_reporting_currency_that_is_no_code_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", REPORTING_CURRENCY="euro")
    assert "ImproperlyConfigured: REPORTING_CURRENCY is a three-letter code" in done.stderr


def test_production_does_not_start_with_debug(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", **PRODUCTION, DEBUG="1")
    assert done.returncode != 0
    assert "ImproperlyConfigured: DEBUG shows secrets in error pages" in done.stderr


@pytest.mark.parametrize(
    "program", [("-m", "mailops.supervisor", "--only", "web"), ("manage.py", "qcluster")]
)
def test_no_part_of_production_starts_without_its_keys(
    tmp_path: Path, program: tuple[str, ...]
) -> None:
    done = run(tmp_path, *program, MAILOPS_LIVE="1")
    assert done.returncode != 0
    assert "Set SECRET_KEY" in done.stderr


def test_production_with_all_it_needs_passes_the_deployment_checks(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_production_keeps_cookies_to_https_and_shows_no_practice(tmp_path: Path) -> None:
    names = (
        "DEBUG",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SESSION_COOKIE_HTTPONLY",
    )
    assert setting(tmp_path, *names, **PRODUCTION) == ["False", "True", "True", "True", "True"]
    assert setting(tmp_path, "LIVE", "ALLOWED_HOSTS", **PRODUCTION) == [
        "True",
        "['mailops.example.com']",
    ]


def test_the_proxys_word_is_believed_only_when_told_so(tmp_path: Path) -> None:
    assert setting(tmp_path, "TRUST_FORWARDED_FOR", **PRODUCTION) == ["False"]
    behind = PRODUCTION | {"BEHIND_HTTPS_PROXY": "1"}
    assert setting(tmp_path, "TRUST_FORWARDED_FOR", "SECURE_PROXY_SSL_HEADER", **behind) == [
        "True", "('HTTP_X_FORWARDED_PROTO', 'https')",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "typed", ["http://mailops.example.com", "mailops.example.com", "https://mailops.example.com/x"]
)
def test_links_in_notices_lead_to_an_https_address_or_nowhere(tmp_path: Path, typed: str) -> None:
    done = run(tmp_path, "manage.py", "check", **PRODUCTION, MAILOPS_URL=typed)
    assert "ImproperlyConfigured: MAILOPS_URL" in done.stderr


def test_production_sends_no_mail_until_it_has_a_server(tmp_path: Path) -> None:
    assert setting(tmp_path, "MAIL_IS_SET", **PRODUCTION) == ["False"]
    server = {
        "EMAIL_URL": "smtp+tls://me:pass@mail.example.com:587",
        "MAILOPS_URL": "https://mailops.example.com/",
    }
    names = ("MAIL_IS_SET", "EMAIL_HOST", "EMAIL_USE_TLS", "EMAIL_TIMEOUT", "MAILOPS_URL")
    assert setting(tmp_path, *names, **PRODUCTION, **server) == [
        "True", "mail.example.com", "True", "10", "https://mailops.example.com",
    ]  # fmt: skip


# Practice


@pytest.mark.parametrize(
    "env", [{}, {"DATABASE_URL": "", "SECRET_KEY": "", "MAILOPS_SEAL_KEYS": ""}]
)
def test_practice_needs_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    done = run(tmp_path, "manage.py", "check", **env)
    assert done.returncode == 0, done.stderr
    engine, host = setting(tmp_path, "DATABASES['default']['ENGINE']", "ALLOWED_HOSTS[0]", **env)
    assert (engine, host) == ("django.db.backends.sqlite3", "localhost")


def test_practice_makes_its_keys_once_and_for_itself_alone(tmp_path: Path) -> None:
    first = setting(tmp_path, "SECRET_KEY", "SEAL_KEYS")
    assert setting(tmp_path, "SECRET_KEY", "SEAL_KEYS") == first
    assert setting(tmp_path / "other", "SECRET_KEY", "SEAL_KEYS") != first
    for key in tmp_path.glob("*.practice"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_settings_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("TIME_ZONE=Europe/Berlin\nALLOWED_HOSTS=a.example.com,b.example.com\n")
    assert setting(tmp_path, "TIME_ZONE", "ALLOWED_HOSTS", MAILOPS_ENV_FILE=str(file)) == [
        "Europe/Berlin", "['a.example.com', 'b.example.com']",
    ]  # fmt: skip


# The clocks


QUEUE = (
    "workers", "queue_limit", "bulk", "timeout", "retry", "guard_cycle", "sync", "orm", "max_attempts", "ack_failures",
)  # fmt: skip


def clocks(data: Path, **env: str) -> tuple[dict[str, Any], float, int]:
    queue = setting(data, *(f"Q_CLUSTER['{name}']" for name in QUEUE), **env)
    deadline, lease = setting(data, "VENDOR_DEADLINE_SECONDS", "LEASE_SECONDS", **env)
    return dict(zip(QUEUE, queue, strict=True)), float(deadline), int(lease)


@pytest.mark.parametrize("env", [{}, PRODUCTION])
def test_a_task_is_never_handed_out_twice_while_it_runs(
    tmp_path: Path, env: dict[str, str]
) -> None:
    queue, deadline, lease = clocks(tmp_path, **env)
    workers, limit, bulk, timeout, retry = (
        int(queue[name]) for name in ("workers", "queue_limit", "bulk", "timeout", "retry")
    )
    assert retry > (timeout + 4) * (1 + ceil((limit + bulk) / workers))
    assert deadline < timeout < lease - 60
    assert (queue["guard_cycle"], queue["sync"], queue["orm"]) == ("0.5", "False", "default")
    assert (queue["max_attempts"], queue["ack_failures"]) == ("1", "True")


def test_a_claim_grows_stale_long_before_its_lease_ends() -> None:
    assert now.CLAIM_FRESH_SECONDS < now.LEASE_SECONDS / 2
    assert now.VENDOR_CONNECT_SECONDS <= now.VENDOR_DEADLINE_SECONDS
    assert now.VENDOR_READ_SECONDS <= now.VENDOR_DEADLINE_SECONDS


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"QUEUE_RETRY": "60"}, "handed out twice"),
        ({"QUEUE_WORKERS": "1", "QUEUE_RETRY": "190"}, "Set QUEUE_RETRY over 192"),
        ({"VENDOR_DEADLINE_SECONDS": "60"}, "stop a task while a vendor may still answer"),
        ({"LEASE_SECONDS": "120"}, "Set LEASE_SECONDS over 120"),
    ],
)
def test_clocks_that_do_not_fit_stop_every_command(
    tmp_path: Path, env: dict[str, str], said: str
) -> None:
    done = run(tmp_path, "manage.py", "check", **env)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize(
    ("changed", "number"),
    [({"sync": True}, 1), ({"orm": None}, 2), ({"retry": 192}, 3), ({"guard_cycle": 0.3}, 6)],
)
def test_a_queue_that_could_spend_twice_is_an_error(
    settings: Any, changed: dict[str, Any], number: int
) -> None:
    assert checks.check_queue() == []
    settings.Q_CLUSTER = settings.Q_CLUSTER | changed
    assert [found.id for found in checks.check_queue()] == [f"mailops.E00{number}"]


def test_one_second_over_the_formula_is_enough(settings: Any) -> None:
    settings.Q_CLUSTER = settings.Q_CLUSTER | {
        "workers": 4,
        "queue_limit": 4,
        "bulk": 1,
        "timeout": 60,
        "retry": 193,
    }
    assert checks.check_queue() == []


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_cache_that_workers_do_not_share_is_an_error(settings: Any, backend: str) -> None:
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    assert [found.id for found in checks.check_database()] == ["mailops.E012"]


def test_a_transaction_across_the_whole_request_is_an_error(settings: Any) -> None:
    changed = settings.DATABASES["default"] | {"ATOMIC_REQUESTS": True}
    settings.DATABASES = settings.DATABASES | {"default": changed}
    assert [found.id for found in checks.check_database()] == ["mailops.E010"]


# The pages of users


@pytest.fixture
def stock_pages() -> Iterator[None]:
    """Django's own pages of users and roles, as they are registered where ours are not."""
    ours = {model: type(admin.site.get_model_admin(model)) for model in (User, Group)}
    admin.site.unregister([*ours])
    admin.site.register(User, UserAdmin)
    admin.site.register(Group, GroupAdmin)
    yield
    admin.site.unregister([*ours])
    for model, page in ours.items():
        admin.site.register(model, page)


def test_the_pages_of_users_and_roles_are_our_own() -> None:
    assert checks.check_user_pages() == []


def test_the_stock_pages_of_users_and_roles_are_errors(stock_pages: None) -> None:
    found = checks.check_user_pages()
    assert [error.id for error in found] == ["mailops.E030"] * 2
    assert [error.msg for error in found] == [
        "The admin pages of users are not MailOps' own.",
        "The admin pages of groups are not MailOps' own.",
    ]


def test_users_without_any_page_are_an_error(stock_pages: None) -> None:
    admin.site.unregister(User)
    assert [error.id for error in checks.check_user_pages()] == ["mailops.E030"] * 2
    admin.site.register(User, UserAdmin)


def test_the_check_sees_that_nobody_imports_our_pages(tmp_path: Path) -> None:
    code = (
        "import sys, types\n"
        "sys.modules['mailops.admin'] = types.ModuleType('mailops.admin')\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(['manage.py', 'check'])\n"
    )
    done = run(tmp_path, "-c", code)
    assert done.returncode != 0
    assert "mailops.E030" in done.stderr
