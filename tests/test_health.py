"""Health: what a monitor is told, what an operator is told, with everything broken that can be."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from django_q.models import Schedule

from mailops import health, triggers
from mailops.history.models import TRIGGERS
from mailops.processes import BASE_DIR
from orders.models import Attempt, Order
from tests.conftest import Desk
from vendors.models import SendingSwitch, Vendor


@pytest.fixture(autouse=True)
def quiet_cache(db: None) -> None:
    cache.clear()


def problems() -> list[str]:
    return [finding.text for finding in health.findings() if finding.is_problem]


def notes() -> list[str]:
    return [finding.text for finding in health.findings() if not finding.is_problem]


def beaten(*, ago: timedelta = timedelta()) -> None:
    """A heartbeat at that time; the schedule is not due meanwhile."""
    cache.set(health.BEAT, timezone.now() - ago, timeout=None)
    Schedule.objects.update(next_run=timezone.now() + timedelta(minutes=1))


def command(*arguments: str) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("health", *arguments, stdout=said)
    except SystemExit as ended:
        return int(str(ended.code)), said.getvalue()
    return 0, said.getvalue()


def test_all_is_well() -> None:
    beaten()
    assert problems() == []
    assert command() == (0, "Sending works.\n")
    assert command("--quiet") == (0, "")


def test_a_worker_that_never_ran_is_a_problem() -> None:
    cache.delete(health.BEAT)
    code, said = command()
    assert code == 1
    assert "Problem: Sending has not started yet. Is a worker running?" in said


def test_a_stale_heartbeat_says_since_when() -> None:
    beaten(ago=timedelta(minutes=20))
    assert health.status().kind == "bad"
    (problem,) = problems()
    assert problem.startswith("Nothing is sending since ")
    assert command("--quiet")[0] == 1


def test_a_heartbeat_from_the_future_is_a_problem() -> None:
    beaten(ago=timedelta(hours=-1))
    assert any("clocks" in problem for problem in problems())


def test_a_confirmed_order_that_nobody_takes_up_is_a_problem(desk: Desk) -> None:
    beaten()
    order = desk.confirmed()
    assert problems() == []
    Order.objects.filter(pk=order.pk).update(state_since=timezone.now() - timedelta(minutes=10))
    assert any("1 order is confirmed, held by nothing" in problem for problem in problems())
    SendingSwitch.current().hold(reason="lunch", by="operator")
    assert problems() == []
    assert any("All sending is held" in note and "by operator: lunch" in note for note in notes())


def test_an_order_whose_lease_ran_out_long_ago_is_a_problem(desk: Desk) -> None:
    beaten()
    attempt = desk.claimed()
    assert problems() == []
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=timezone.now() - timedelta(minutes=10))
    assert any("being sent for too long" in problem for problem in problems())


def test_an_unknown_outcome_and_a_stopped_account_are_notes(desk: Desk) -> None:
    desk.sent(word="cut-after")
    Vendor.objects.get(api="scaledmail").stop(reason="card expired")
    beaten()
    assert problems() == []
    assert any("of unknown outcome" in note for note in notes())
    assert any("Sending to ScaledMail is stopped since" in note and "card expired" in note for note in notes())


def test_an_overdue_schedule_is_a_problem() -> None:
    beaten()
    Schedule.objects.update(next_run=timezone.now() - timedelta(minutes=10))
    assert any("“Sweep” should have run" in problem for problem in problems())


def test_a_history_that_could_be_changed_is_a_problem() -> None:
    beaten()
    triggers.remove(connection, TRIGGERS)
    try:
        assert any("history" in problem for problem in problems())
    finally:
        triggers.install(connection, TRIGGERS)


def test_healthz_says_one_word_without_a_session() -> None:
    beaten()
    browser = Browser()
    answer = browser.get("/healthz", headers={"host": "10.0.0.7"})
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert browser.head("/healthz").status_code == 200
    assert browser.post("/healthz").status_code == 405
    beaten(ago=timedelta(minutes=20))
    answer = browser.get("/healthz")
    assert (answer.status_code, answer.content) == (503, b"not ok\n")


UNREACHABLE = """
import django
django.setup()
from django.test import Client
browser = Client(raise_request_exception=False)
browser.cookies["sessionid"] = "a-session"
answer = browser.get("/healthz")
print(answer.status_code, answer.content)
"""


@pytest.mark.parametrize("address", ["postgres://mailops@127.0.0.1:9/mailops", "sqlite:////nowhere/mailops.sqlite3"])
def test_a_database_that_is_away_is_said_in_one_sentence(tmp_path: Path, address: str) -> None:
    env = {**os.environ, "DATABASE_URL": address, "MAILOPS_DATA": str(tmp_path)}
    env |= {"DJANGO_SETTINGS_MODULE": "mailops.settings"}
    where = {"cwd": BASE_DIR, "env": env, "capture_output": True, "text": True, "timeout": 120}
    told = subprocess.run([sys.executable, "manage.py", "health"], **where)
    assert told.returncode == 1
    assert told.stdout.startswith("Problem: The database can't be reached")
    assert "Traceback" not in told.stdout + told.stderr
    asked = subprocess.run([sys.executable, "-c", UNREACHABLE], **where)
    assert asked.stdout.strip() == "503 b'not ok\\n'", asked.stderr


def test_an_empty_database_is_told_apart_from_one_that_is_away(tmp_path: Path) -> None:
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}", "MAILOPS_DATA": str(tmp_path)}
    env |= {"DJANGO_SETTINGS_MODULE": "mailops.settings"}
    told = subprocess.run(
        [sys.executable, "manage.py", "health"], cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 1
    assert "manage.py migrate" in told.stdout
    assert "manage.py createcachetable" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr
