"""A MailOps of its own for fault drills: database, practice vendors and queue as real processes that may be killed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from mailops.processes import BASE_DIR

SERVER = os.environ.get("DATABASE_URL", "")  # a PostgreSQL server to make databases on; SQLite files without it
IS_POSTGRES = SERVER.startswith("postgres")


def wait_for(happened: Callable[[], Any], what: str, *, show: Callable[[], object] = str) -> Any:
    """The first true answer, however long the machine takes for it."""
    until = time.monotonic() + 60
    while not (answer := happened()):
        assert time.monotonic() < until, f"waited in vain for {what}: {show()}"
        time.sleep(0.02)
    return answer


class House:
    """One database with what runs on it. `name` is the database's, too."""

    def __init__(self, folder: Path, name: str, *, practice: str = "") -> None:
        self.folder, self.name = folder, name
        self.log = folder / f"{name}.log"
        self.running: list[subprocess.Popen[bytes]] = []
        self.env = {
            **os.environ,
            "MAILOPS_LIVE": "0",
            "MAILOPS_ENV_FILE": os.devnull,
            "MAILOPS_DATA": str(folder),  # the keys in it are shared by all houses of a folder
            "DJANGO_SETTINGS_MODULE": "mailops.settings",
            "DATABASE_URL": self.database,
            "MAILOPS_PRACTICE_URL": practice,  # a part of what is confirmed, so the same in all houses of a folder
            "QUEUE_WORKERS": "1",
            "QUEUE_POLL": "0.05",
        }

    # -- the database -------------------------------------------------------------------------------------------------

    @property
    def database(self) -> str:
        if IS_POSTGRES:
            return urlsplit(SERVER)._replace(path=f"/drill_{self.name}").geturl()
        return f"sqlite:///{self.folder / self.name}.sqlite3"

    def copy_database_of(self, other: House | None) -> None:
        """An empty database, or one with all that the other holds."""
        if IS_POSTGRES:
            template = f' TEMPLATE "drill_{other.name}"' if other else ""
            on_server(f'DROP DATABASE IF EXISTS "drill_{self.name}"', f'CREATE DATABASE "drill_{self.name}"{template}')
        elif other:
            for file in self.folder.glob(f"{other.name}.sqlite3*"):
                shutil.copy(file, self.folder / file.name.replace(other.name, self.name, 1))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What any other program would read from the database."""
        if IS_POSTGRES:
            import psycopg

            with psycopg.connect(self.database) as connection:
                return list(connection.execute(sql).fetchall())
        with closing(sqlite3.connect(self.folder / f"{self.name}.sqlite3", timeout=20)) as file:
            return list(file.execute(sql).fetchall())

    # -- what runs ----------------------------------------------------------------------------------------------------

    def start(self, *command: str, **env: str) -> subprocess.Popen[bytes]:
        """A process in a session of its own, its output added to the log."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=BASE_DIR,
                env=self.env | env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def start_practice(self) -> str:
        """The practice vendors, which never deliver, on a port of their own; their address."""
        options = ("--port", "0", "--ledger", str(self.folder / f"{self.name}.ledger"), "--delivery-seconds", "100000")
        self.start("manage.py", "practice_vendors", *options)

        def listens() -> str:
            return next((word.rstrip(",") for word in self.said().split() if word.startswith("http://127.")), "")

        self.env["MAILOPS_PRACTICE_URL"] = wait_for(listens, "the practice vendors", show=self.said)
        return self.env["MAILOPS_PRACTICE_URL"]

    def start_cluster(self, **env: str) -> subprocess.Popen[bytes]:
        return self.start("manage.py", "qcluster", **env)

    def python(self, code: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run Python on the house's database to its end, however it ends."""
        command = [sys.executable, "-c", f"import django\ndjango.setup()\n{code}"]
        return subprocess.run(
            command, cwd=BASE_DIR, env=self.env | env, capture_output=True, text=True, timeout=120
        )  # fmt: skip

    def run(self, code: str) -> str:
        """The same where it has to end well; what it printed."""
        done = self.python(code)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def books(self, domain: str) -> dict[str, Any]:
        """What the practice vendors wrote down about this domain."""
        address = f"{self.env['MAILOPS_PRACTICE_URL']}/ledger.json?domain={domain}"
        found: dict[str, Any] = requests.get(address, timeout=30).json()
        return found

    def pull_the_plug(self, *processes: subprocess.Popen[bytes]) -> None:
        """Kill these, or everything, with all their children, without a warning."""
        for process in processes or self.running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def tear_down(self) -> None:
        self.pull_the_plug()
        if IS_POSTGRES:
            on_server(f'DROP DATABASE IF EXISTS "drill_{self.name}" WITH (FORCE)')


def on_server(*statements: str) -> None:
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
