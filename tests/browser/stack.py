"""The real stack, started the way a user starts it, with data, ports and a database of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from mailops.ops.processes import BASE_DIR
from tests import migrated
from tests.ports import free_ports

READY = "MailOps is ready"
DEADLINE = "3"  # seconds that a vendor gets; those that never answer are waited for
FOREIGN = (
    "SECRET_KEY",
    "MAILOPS_SEAL_KEYS",
    "MAILOPS_PRACTICE_URL",
    "DEBUG",
    "PYTEST_CURRENT_TEST",
)


def until(happened: Callable[[], Any], what: str, *, seconds: float = 60) -> Any:
    """Wait until something is so, and give what it was; fail with words where it never is."""
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


@contextmanager
def database(data: Path) -> Iterator[str]:
    """The address of a migrated database of the kind that the test run uses; gone afterwards."""
    outer = os.environ.get("DATABASE_URL", "")
    if not outer.startswith("postgres"):
        migrated.copy_to(data / "mailops.sqlite3")
        yield f"sqlite:///{data / 'mailops.sqlite3'}"
        return
    name = f"mailops_browser_{secrets.token_hex(6)}"
    migrated.create(outer, name)
    try:
        yield migrated.of_name(outer, name)
    finally:
        migrated.execute(outer, f"DROP DATABASE {name} WITH (FORCE)")


class Stack:
    """`python -m mailops.supervisor` in a session of its own."""

    def __init__(self, data: Path, database_url: str) -> None:
        self.data, self.database_url = data, database_url
        port, practice_port = free_ports(2)
        self.url, self.practice_url = (
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:{practice_port}",
        )
        self._said = data / "said.txt"
        self.environ = {
            name: value for name, value in os.environ.items() if name not in FOREIGN
        } | {
            "DJANGO_SETTINGS_MODULE": "mailops.settings",
            "MAILOPS_DATA": str(data),
            "MAILOPS_ENV_FILE": os.devnull,
            "MAILOPS_LIVE": "0",
            "DATABASE_URL": database_url,
            "PORT": str(port),
            "PRACTICE_PORT": str(practice_port),
            "VENDOR_READ_SECONDS": "2",
            "VENDOR_DEADLINE_SECONDS": DEADLINE,
            "PROGRESS_SECONDS": "1",
            "FRESH_SIGN_IN_MINUTES": "600",  # longer than any run; one test lets time pass
            # Tests bring about unknown outcomes; none may stop an account for the others
            "UNKNOWN_IN_A_ROW": "0",
        }

    def start(self) -> None:
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mailops.supervisor"],
                cwd=BASE_DIR,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: READY in self.said or self._process.poll() is not None, READY, seconds=180)
        assert self._process.poll() is None, f"MailOps did not start:\n{self.said}"

    def stop(self) -> None:
        """One SIGTERM to the main process; whatever it started has to be gone with it."""
        try:
            self._process.terminate()
            self._process.wait(60)
            left = self._left()
            assert not left, f"left running after the stop: {left}"
        finally:
            for pid in [self._process.pid, *self._left()]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()

    def _left(self) -> dict[int, str]:
        """Processes that were started with this stack's data folder, where the system tells
        (/proc).
        """
        mark = f"MAILOPS_DATA={self.data}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (
                        (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    )
        return found

    @property
    def said(self) -> str:
        """Everything that all of its processes printed so far."""
        return self._said.read_text(errors="replace")

    @property
    def logins(self) -> dict[str, str]:
        """The demo people's passwords by name."""
        lines = (self.data / "demo-logins.txt").read_text().splitlines()
        return dict(line.split() for line in lines)

    def books(self, domain: str) -> dict[str, list[dict[str, Any]]]:
        """What the practice vendors have in their own ledger about a domain: charges, created,
        requests.
        """
        with urllib.request.urlopen(
            f"{self.practice_url}/ledger.json?domain={domain}", timeout=10
        ) as answer:
            return json.load(answer)

    def manage(self, *arguments: str) -> str:
        """The output of a management command of this stack."""
        command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
        done = subprocess.run(
            command, cwd=BASE_DIR, env=self.environ, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sweep(self) -> None:
        """What runs every minute, now."""
        self.manage("shell", "-c", "from orders.tasks import sweep; sweep()")

    def stored(self) -> bytes:
        """All that the database holds, as it lies there."""
        if self.database_url.startswith("sqlite"):
            return b"".join(
                path.read_bytes() for path in sorted(self.data.glob("mailops.sqlite3*"))
            )
        with psycopg.connect(self.database_url) as reader:
            names = reader.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            rows = [
                row for (name,) in names for row in reader.execute(f"SELECT t::text FROM {name} t")
            ]
        return "\n".join(text for (text,) in rows).encode()
