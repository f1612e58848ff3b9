"""`manage.py health`: its words and its exit code, whatever the state of the database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command

from mailops.core import heartbeat
from mailops.ops.processes import BASE_DIR
from tests.conftest import OrderFactory
from tests.faults.installation import Installation


def command(*arguments: str) -> tuple[str, int]:
    """What it prints, and its exit code."""
    said, code = StringIO(), 0
    try:
        call_command("health", *arguments, stdout=said)
    except SystemExit as end:
        code = int(end.code or 0)
    return said.getvalue(), code


def test_the_command_says_that_all_is_well(well: None) -> None:
    assert command() == ("Sending works. No problem found.\n", 0)
    assert command("--quiet") == ("", 0)


def test_a_note_alone_is_no_failure(well: None, factory: OrderFactory) -> None:
    factory.accounts["woodpecker"].stop(reason="Holidays")
    said, code = command()
    assert said.startswith("Note: Sending to ")
    assert said.endswith("Sending works. No problem found.\n")
    assert code == 0
    assert command("--quiet") == ("", 0)


def test_a_problem_fails_the_command_and_comes_first(well: None, factory: OrderFactory) -> None:
    factory.accounts["woodpecker"].stop(reason="Holidays")
    cache.delete(heartbeat.BEAT)
    problem = "Problem: Sending has not started yet: no worker has finished a task.\n"
    said, code = command()
    assert code == 1
    assert said.startswith(f"{problem}Note: ")
    assert command("--quiet") == (problem, 1)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A database of its own with nothing in it, and real processes."""
    made = Installation(tmp_path)
    yield made
    made.tear_down()


def python(
    installation: Installation, *command: str, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=installation.env | env,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def asked(installation: Installation, *arguments: str, **env: str) -> tuple[str, int]:
    """The command as a process of its own; whatever happens, it shows no traceback."""
    done = python(installation, "manage.py", "health", *arguments, **env)
    assert done.stderr == ""
    return done.stdout, done.returncode


def after(installation: Installation, code: str) -> None:
    """Run this in the installation's database first."""
    done = python(installation, "-c", f"import django\ndjango.setup()\n{code}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "address", ["postgres://mailops:sesame@127.0.0.1:9/mailops", "sqlite:////no/such/folder/db"]
)
def test_a_database_that_is_away_is_one_sentence(installation: Installation, address: str) -> None:
    said, code = asked(installation, DATABASE_URL=address)
    assert code == 1
    assert said.startswith("Problem: The database can't be read: ")
    assert said.count("\n") == 1
    assert "sesame" not in said


def test_an_empty_database_is_two_sentences(installation: Installation) -> None:
    said, code = asked(installation)
    older, cache_table = said.splitlines()
    assert code == 1
    assert older.startswith("Problem: The database is older than the program: ")
    assert cache_table.startswith("Problem: The table mailops_cache is missing")


def test_the_command_from_the_first_worker_to_a_lost_table(installation: Installation) -> None:
    after(
        installation,
        "from django.core.management import call_command as c; c('migrate', verbosity=0)",
    )
    assert asked(installation) == (
        "Problem: Sending has not started yet: no worker has finished a task.\n"
        "Note: No question to a vendor was asked yet: no worker for questions has started.\n",
        1,
    )
    after(
        installation,
        "from datetime import timedelta; from django.utils import timezone; from django_q.models"
        " import Schedule\nSchedule.objects.update(next_run=timezone.now() +"
        " timedelta(hours=1))\nfrom mailops.core import heartbeat as health; health.beat()",
    )
    after(
        installation,
        "from vendors.models import Vendor; Vendor.objects.create(name='Čapek',"
        " api='woodpecker').stop(reason='?')",
    )
    said, code = asked(installation, PYTHONIOENCODING="ascii")  # a cron job's terminal
    assert "Note: Sending to ?apek is stopped since " in said
    assert code == 0
    assert asked(installation, "--quiet") == ("", 0)
    after(
        installation,
        "from django.db import connection; connection.cursor().execute('DROP TABLE"
        " django_q_schedule')",
    )
    said, code = asked(installation, "--quiet")
    assert said.startswith("Problem: The schedules can't be read: ")
    assert said.count("\n") == code == 1


def test_a_database_that_hangs_ends_the_command_too(
    installation: Installation, hanging: str
) -> None:
    said, code = asked(installation, "--seconds", "0.5", DATABASE_URL=hanging)
    assert said == "Problem: The database did not answer within 0.5 seconds.\n"
    assert code == 1
