"""The first `make run`: killed half-way, on a full disk, twice in a folder, on a newer database."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mailops.ops import running_lock
from mailops.ops.processes import BASE_DIR
from tests.faults.installation import IS_POSTGRES, Installation
from tests.ports import free_ports

POINTS = ("demo, people", "demo, accounts", "demo, prices", "demo, orders")


def run(
    env: dict[str, str], *command: str, most_bytes: int = -1
) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if most_bytes >= 0:  # as a full disk: a write to a file fails
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=limit,
    )


@pytest.fixture
def empty(tmp_path: Path) -> Installation:
    """Practice vendors run; there is no database yet."""
    return Installation(tmp_path)


def test_a_first_start_that_was_killed_can_be_made_again(empty: Installation) -> None:
    try:
        empty.start_practice()
        for name in ("secret_key", "mailops_seal_keys"):
            (empty.folder / f"{name}.practice").touch()  # killed before the key was written
        assert run(empty.env, "manage.py", "migrate", "-v0").returncode == 0
        for point in POINTS:
            killed = run(empty.env | {"MAILOPS_DRILL_KILL_AT": point}, "manage.py", "demo")
            assert killed.returncode == -9, killed.stderr
        done = run(empty.env, "manage.py", "demo", "--no-orders")
        assert done.returncode == 0, done.stderr
        assert "Sign in as one of these people" in done.stdout
        counted = (
            "from orders.models import Order;"
            "from django.contrib.auth.models import User; from vendors.models import Vendor, Price;"
            "print(User.objects.count(), Vendor.objects.count(),"
            " Vendor.objects.filter(prices=None).count(), Order.objects.count())"
        )
        said = run(empty.env, "manage.py", "shell", "-v0", "-c", counted).stdout
        assert said.split() == ["4", "4", "0", "0"]
    finally:
        empty.tear_down()


def supervisor(env: dict[str, str], **options: int) -> str:
    port = free_ports(2)[0]
    done = run(env | {"PORT": str(port)}, "-m", "mailops.supervisor", **options)
    assert done.returncode == 1
    return done.stdout + done.stderr


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    env = {name: value for name, value in Installation(tmp_path).env.items() if name != "SERVER"}
    run(env, "manage.py", "check")  # the keys exist
    said = supervisor(env, most_bytes=0)
    assert said.strip() == (
        f"MailOps can't write to its data folder {tmp_path}: File too large. Make room, or set"
        " MAILOPS_DATA to a folder where it may write."
    )


@pytest.mark.parametrize("folder", ["/proc", "/proc/mailops"])
def test_a_read_only_folder_is_one_sentence(tmp_path: Path, folder: str) -> None:
    said = supervisor(Installation(tmp_path).env | {"MAILOPS_DATA": folder}).strip()
    assert said.startswith("MailOps can't ")
    assert folder in said
    assert "\n" not in said


def test_a_second_run_in_the_folder_names_the_first(tmp_path: Path) -> None:
    with running_lock.take(tmp_path, address="http://127.0.0.1:8000/"):
        said = supervisor(Installation(tmp_path).env)
    assert said.strip() == (
        f"This MailOps runs already: http://127.0.0.1:8000/  (process {os.getpid()}, data in"
        f" {tmp_path})"
    )


@pytest.mark.skipif(IS_POSTGRES, reason="the same rows on any database")
def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with closing(sqlite3.connect(installation.file)) as database:
        database.execute(
            "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app, name, applied)"
        )
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES"
            " ('orders', '9999_from_the_future', '2030-01-01 00:00:00')"
        )
        database.commit()
    sentence = "The database is newer than the program: it has orders.9999_from_the_future"
    for command in (
        ("-m", "mailops.supervisor"),
        ("-m", "mailops.supervisor", "--only", "worker"),
        ("-m", "gunicorn", "-c", "python:mailops.gunicorn"),
    ):
        done = run(installation.env | {"PORT": str(free_ports(2)[0])}, *command)
        assert done.returncode == 1
        assert (done.stdout + done.stderr).strip().splitlines()[0].startswith(sentence)
        assert "Traceback" not in done.stderr
    assert sentence in run(installation.env, "manage.py", "health").stdout
