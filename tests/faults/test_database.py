"""The database goes away, or keeps everybody waiting, while an order is on its way."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailops.ops.processes import BASE_DIR
from tests.faults.expectations import expect, run_to_end
from tests.faults.installation import IS_POSTGRES
from tests.faults.processes import wait_for
from tests.faults.scenarios import DrillInstallation
from tests.migrated import execute
from tests.ports import free_ports

on_sqlite = pytest.mark.skipif(
    IS_POSTGRES, reason="a file's lock; the same on PostgreSQL is a lost connection"
)
on_postgres = pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has no server to start again")


# SQLite: another process holds the write lock


@on_sqlite
def test_the_write_lock_is_held_while_the_outcome_is_recorded(
    installation: DrillInstallation,
) -> None:
    order = installation.order("locked")
    with installation.cluster(MAILOPS_DRILL_STOP_AT="answered") as cluster:
        worker = installation.wait_frozen(order, "sending")
        with closing(sqlite3.connect(installation.file, isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            os.kill(worker, signal.SIGCONT)
            time.sleep(7)  # longer than anybody waits by default; the lock is what is drilled
            other.execute("ROLLBACK")
        cluster.wait_output("Processed")
        assert installation.state(order) == "accepted"
    facts = run_to_end(installation)
    expect(
        installation,
        "SQLite locked for 7 s while the outcome is recorded",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )


@on_sqlite
def test_the_write_lock_is_held_until_the_queues_time_is_over(
    installation: DrillInstallation,
) -> None:
    order = installation.order("locked-for-long")
    short = {"VENDOR_READ_SECONDS": "4", "VENDOR_DEADLINE_SECONDS": "5", "QUEUE_TIMEOUT": "8"}
    with installation.cluster(MAILOPS_DRILL_STOP_AT="answered", **short) as cluster:
        worker = installation.wait_frozen(order, "sending")
        with closing(sqlite3.connect(installation.file, isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            os.kill(worker, signal.SIGCONT)
            time.sleep(10)  # longer than the queue gives the task
            other.execute("ROLLBACK")
        cluster.wait_output("after timeout|after death")
    facts = run_to_end(installation)
    expect(
        installation,
        "SQLite locked until the queue's time-out",
        order,
        facts,
        ends={"unknown"},
        charges=1,
    )


# PostgreSQL: the server is started again


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Callable[..., None]]]:
    """A PostgreSQL of its own: its address, and what starts and stops it."""
    programs = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        Path(shutil.which("pg_ctl") or "/none/pg_ctl").parent,
    ]
    found = next((folder for folder in programs if (folder / "initdb").exists()), None)
    if found is None:
        pytest.skip("PostgreSQL's own programs are not here")
    folder = Path(tempfile.mkdtemp(prefix="mailops-drill-pg-"))  # where another user may enter
    folder.chmod(0o755)
    data, port = folder / "data", free_ports(1)[0]
    data.mkdir()
    as_user: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(data, "postgres")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"

    def run(program: str, *arguments: str) -> None:
        with (folder / "log").open("ab") as log:
            command = [*as_user, str(found / program), "-D", str(data), *arguments]
            done = subprocess.run(
                command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=120
            )
        assert done.returncode == 0, (folder / "log").read_text()

    def control(what: str, *how: str) -> None:
        run("pg_ctl", what, "-w", "-t", "90", *([] if what == "stop" else ["-o", options]), *how)

    run("initdb", "-U", "mailops", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
    control("start")
    try:
        yield f"postgres://mailops@127.0.0.1:{port}/postgres", control
    finally:
        control("stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def served(
    postgres: tuple[str, Callable[..., None]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DrillInstallation, Callable[..., None]]]:
    """A installation on that server."""
    installation = DrillInstallation(tmp_path_factory.mktemp("served"), server=postgres[0])
    try:
        installation.build()
        yield installation, postgres[1]
    finally:
        installation.tear_down()


@on_postgres
@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_the_database_is_started_again_while_the_vendor_answers(
    served: tuple[DrillInstallation, Callable[..., None]], how: str
) -> None:
    """A worker that finds the database again in time writes down what it was told; otherwise a
    person looks.
    """
    installation, control = served
    order = installation.order("slow")
    with installation.cluster():
        installation.wait_worker(order, "sending")
        control("restart", "-m", how)
        wait_for(
            lambda: (
                installation.stages(order) != ["sending"] or not installation.ask("is_worked_on")
            ),
            "the worker's answer",
        )
    facts = run_to_end(installation)
    expect(
        installation,
        f"PostgreSQL restarted ({how}) during the POST",
        order,
        facts,
        ends={"accepted", "unknown"},
        charges=1,
    )


@on_postgres
def test_the_database_is_started_again_while_nothing_happens(
    served: tuple[DrillInstallation, Callable[..., None]],
) -> None:
    installation, control = served
    with installation.cluster():
        first = installation.order("before")
        installation.wait_state("accepted", first)
        control("restart", "-m", "fast")
        order = installation.order("after")
        installation.wait_state("accepted", order)
        facts = run_to_end(installation, cluster=False)
    expect(
        installation, "PostgreSQL restarted while idle", order, facts, ends={"accepted"}, charges=1
    )


# PostgreSQL: whoever keeps it turned synchronous_commit off


@pytest.fixture
def careless(
    served: tuple[DrillInstallation, Callable[..., None]],
) -> Iterator[tuple[DrillInstallation, Callable[..., None]]]:
    """Commits stay in memory for ten seconds, as far as role and database go."""
    installation, control = served
    server, name = installation.server, installation.name
    execute(
        server,
        "ALTER ROLE mailops SET synchronous_commit = off",
        f'ALTER DATABASE "{name}" SET synchronous_commit = off',
        "ALTER SYSTEM SET wal_writer_delay = '10s'",
        "SELECT pg_reload_conf()",
    )
    installation.restart_agent()
    yield installation, control
    execute(
        server,
        "ALTER ROLE mailops RESET ALL",
        f'ALTER DATABASE "{name}" RESET ALL',
        "ALTER SYSTEM RESET ALL",
        "SELECT pg_reload_conf()",
    )
    installation.restart_agent()


@on_postgres
def test_a_connection_waits_for_the_disk_whatever_role_and_database_say(
    careless: tuple[DrillInstallation, Callable[..., None]],
) -> None:
    installation, _control = careless
    assert installation.ask("waits_for_disk") == {"connection": "on", "audited": "on"}


@on_postgres
def test_a_crash_of_the_database_forgets_no_mark(
    careless: tuple[DrillInstallation, Callable[..., None]],
) -> None:
    """The order was charged, and then the server is gone at once. It must not be sent again."""
    installation, control = careless
    order = installation.order("crashed")
    with installation.cluster(MAILOPS_DRILL_STOP_AT="answered"):
        installation.wait_frozen(order, "sending")
        control("restart", "-m", "immediate")
    facts = run_to_end(installation)
    expect(
        installation,
        "PostgreSQL crashes after the charge, synchronous_commit off for role and database",
        order,
        facts,
        ends={"unknown"},
        charges=1,
    )


@on_postgres
@pytest.mark.parametrize("command", [("health",), ("check", "--database", "default")])
def test_health_and_check_name_the_settings_that_lose_commits(
    careless: tuple[DrillInstallation, Callable[..., None]], command: tuple[str, ...]
) -> None:
    installation, _control = careless
    execute(
        installation.server, "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"
    )
    said = manage(installation, *command)
    assert "fsync=off" in said
    assert "full_page_writes=off" in said
    assert "New connections to the database begin with synchronous_commit=off" in said


def manage(installation: DrillInstallation, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=BASE_DIR,
        env=installation.env | {"DISPOSABLE_DATABASE": "0"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr
