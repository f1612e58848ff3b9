"""A MailOps of its own for fault drills: practice vendors, queue and web as real processes that may
be killed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from mailops.ops.processes import BASE_DIR
from tests.faults import results
from tests.faults.invariants import disagreements

SERVER = os.environ.get(
    "DATABASE_URL", ""
)  # a PostgreSQL server to make databases on; SQLite files without it
IS_POSTGRES = SERVER.startswith("postgres")
FOREIGN = ("SECRET_KEY", "MAILOPS_SEAL_KEYS", "PYTEST_CURRENT_TEST", "LD_PRELOAD", "FAKETIME")
# Short, and yet such as the system checks ask for; accounts neither stop themselves nor are asked
# how orders stand.
TIMES = {
    "QUEUE_WORKERS": "1",
    "QUEUE_POLL": "0.05",
    "QUEUE_TIMEOUT": "62",
    "QUEUE_RETRY": "300",
    "LEASE_SECONDS": "150",
    "CLAIM_FRESH_SECONDS": "15",
    "UNKNOWN_IN_A_ROW": "0",
    "PROGRESS_SECONDS": "1000000",
    "ACCOUNT_AT_ONCE": "8",
}


def wait_for(happened: Callable[[], Any], what: str, *, show: Callable[[], object] = str) -> Any:
    """The first true answer, however long the machine takes for it."""
    until = time.monotonic() + 90
    while not (answer := happened()):
        assert time.monotonic() < until, f"waited in vain for {what}: {show()}"
        time.sleep(0.02)
    return answer


class Running:
    """A process in a session of its own, with a log of its own."""

    def __init__(
        self, command: tuple[str, ...], *, env: Mapping[str, str], log: Path, **options: Any
    ) -> None:
        self.log, self.is_dead = log, False
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, *command],
                cwd=BASE_DIR,
                env=env,
                stdout=options.pop("stdout", output),
                stderr=output,
                stdin=options.pop("stdin", subprocess.DEVNULL),
                start_new_session=True,
                **options,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_said(self, pattern: str) -> re.Match[str]:
        found: re.Match[str] = wait_for(
            lambda: re.search(pattern, self.said()), pattern, show=self.said
        )
        return found

    def kill(self) -> None:
        """The process and all that it started, without a warning; nothing of it runs afterwards."""
        if self.is_dead:  # its number may be another process's by now
            return
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        wait_for(lambda: not _is_group(self.popen.pid), "the end of a session")
        self.is_dead = True

    def wait_end(self) -> int:
        wait_for(lambda: self.popen.poll() is not None, "the end of a process", show=self.said)
        return self.popen.returncode


class Cluster(Running):
    """A qcluster and its processes by their roles; they say who they are when they start."""

    def pids(self, role: str) -> list[int]:
        words = {"worker": "ready for work", "monitor": "monitoring", "pusher": "pushing tasks"}
        return [int(pid) for pid in re.findall(rf"{words[role]} at (\d+)", self.said())]

    def wait_ready(self) -> None:
        for role in ("worker", "monitor", "pusher"):
            wait_for(lambda role=role: self.pids(role), f"a {role}", show=self.said)
        self.wait_said(r"\] running\.")

    @property
    def sentinel(self) -> int:
        return parent_of(self.pids("monitor")[0])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_frozen(pid: int) -> bool:
    return _letter(pid) == "T"


def is_over(pid: int) -> bool:
    """Gone, or a zombie that nobody reaped yet."""
    return _letter(pid) in "ZX"


def _letter(pid: int) -> str:
    """How the kernel calls what the process does."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _is_group(pgid: int) -> bool:
    """Whether any process of the group runs; zombies that nobody reaped yet do not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == pgid and state not in "ZX":
                return True
    return False


class House:
    """One database, the practice vendors, and what runs on them."""

    def __init__(
        self, folder: Path, *, server: str = SERVER, practice: str = "", **env: str
    ) -> None:
        self.folder, self.server = folder, server
        self.name = f"drill_{secrets.token_hex(5)}"
        self.running: list[Running] = []
        self.confirmed: Counter[int] = Counter()
        self.orders = 0
        self.env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.env |= TIMES | {
            "MAILOPS_LIVE": "0",
            "MAILOPS_ENV_FILE": os.devnull,
            "MAILOPS_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "mailops.settings",
            "DATABASE_URL": self.database,
            "MAILOPS_PRACTICE_URL": practice or "http://127.0.0.1:9",
            "PYTHONUNBUFFERED": "1",
        }
        self.env |= env
        self._clerk: Running | None = None
        if server:
            _on(server, f'CREATE DATABASE "{self.name}"')

    @property
    def database(self) -> str:
        if self.server:
            return urlsplit(self.server)._replace(path=f"/{self.name}").geturl()
        return f"sqlite:///{self.file}"

    @property
    def file(self) -> Path:
        """Where SQLite keeps the database."""
        return self.folder / f"{self.name}.sqlite3"

    def build(self) -> None:
        self.start_practice()
        self.ask("build")

    def tear_down(self) -> None:
        for process in self.running:
            process.kill()
        if self.server:
            _on(self.server, f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    # what runs

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}-{len(self.running)}.log"

    def start_practice(self, *options: str) -> None:
        """Practice vendors that never deliver, on a port of their own."""
        ledger = str(self.folder / f"{self.name}.ledger")
        command = (
            "manage.py",
            "practice_vendors",
            "--port",
            "0",
            "--ledger",
            ledger,
            "--delivery-seconds",
            "100000",
        )
        process = Running((*command, *options), env=self.env, log=self._log("practice"))
        self.running.append(process)
        self.vendors = process.wait_said(r"listen on (http://127\.\S+?),")[1]
        self.env["MAILOPS_PRACTICE_URL"] = self.vendors

    def start_cluster(self, *options: str, **env: str) -> Cluster:
        """A queue with its workers, once they are ready."""
        cluster = Cluster(
            ("manage.py", "qcluster", *options), env=self.env | env, log=self._log("cluster")
        )
        self.running.append(cluster)
        cluster.wait_ready()
        return cluster

    @contextmanager
    def cluster(self, *options: str, **env: str) -> Iterator[Cluster]:
        """The same for a while; it ends by the plug."""
        cluster = self.start_cluster(*options, **env)
        try:
            yield cluster
        finally:
            cluster.kill()

    def stop_clusters(self) -> None:
        for process in self.running:
            if isinstance(process, Cluster):
                process.kill()

    def start_web(self, **env: str) -> str:
        """A real gunicorn on a port of its own; its address."""
        command = ("-m", "gunicorn", "-c", "python:mailops.gunicorn")
        settings = {"PORT": "0", "WEB_LOG_LEVEL": "info", "WEB_WORKERS": "1"}
        process = Running(command, env=self.env | settings | env, log=self._log("web"))
        self.running.append(process)
        return process.wait_said(r"Listening at: (http://127\.\S+)")[1]

    def ask(self, what: str, **arguments: Any) -> Any:
        """Have something done inside the house; AssertionError where it could not be done."""
        if self._clerk is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            program = "import django; django.setup(); from tests.faults import agent; agent.main()"
            self._clerk = Running(("-c", program), env=self.env, log=self._log("clerk"), **pipes)
            self.running.append(self._clerk)
        assert self._clerk.popen.stdin and self._clerk.popen.stdout
        self._clerk.popen.stdin.write(json.dumps([what, arguments]) + "\n")
        self._clerk.popen.stdin.flush()
        line = self._clerk.popen.stdout.readline()
        assert line, self._clerk.said()
        answer = json.loads(line)
        assert "error" not in answer, f"{what} {arguments}: {answer['error']}\n{self.logs()}"
        return answer["answer"]

    def change_clerk(self) -> None:
        """The next thing is asked of a new clerk, who reads `env` again."""
        if self._clerk:
            self._clerk.kill()
        self._clerk = None

    def logs(self) -> str:
        """What was said last by everything that ran here."""
        return "\n".join(
            f"-- {process.log.name}\n{process.said()[-3000:]}" for process in self.running[-6:]
        )

    # orders

    def review(
        self,
        word: str,
        *,
        api: str = "coldmailreseller",
        product: str = "domains",
        account: str = "",
    ) -> int:
        """An order waiting for confirmation whose first domain begins with `word`; alone in its
        account by default.
        """
        self.orders += 1
        word = f"{word}-n{self.orders}"
        name = account or f"Account {self.orders}"
        return int(self.ask("review", word=word, api=api, product=product, account_name=name))

    def confirm(self, order: int) -> int:
        self.ask("confirm", order=order)
        self.confirmed[order] += 1
        return order

    def order(self, word: str, **kind: str) -> int:
        """A confirmed order."""
        return self.confirm(self.review(word, **kind))

    def attempts(self, order: int) -> list[dict[str, Any]]:
        return list(self.ask("attempts", order_id=order))

    def stages(self, order: int) -> list[str]:
        return [attempt["stage"] for attempt in self.attempts(order)]

    def state(self, order: int) -> str:
        return str(self.ask("states")[str(order)])

    def wait_state(self, state: str, *orders: int) -> None:
        """Until all of them are in that state."""

        def are_there() -> bool:
            states = self.ask("states")
            return all(states[str(order)] == state for order in orders)

        wait_for(are_there, f"orders {orders} to be {state}", show=self.logs)

    def wait_by_another(self, order: int) -> None:
        """Until a second cluster has sent what a first one sleeps over; the first may hold the
        newest task, too.
        """

        def is_accepted() -> bool:
            self.ask("hand_out_again")
            return self.state(order) == "accepted"

        wait_for(is_accepted, f"order {order} to be sent by another", show=self.logs)

    def wait_worker(self, order: int, stage: str) -> int:
        """The process id of the worker that has the order in hand, at that stage."""

        def found() -> int:
            last = self.attempts(order)[-1:]
            return (
                int(last[0]["worker"].rpartition("/")[2])
                if last and last[0]["stage"] == stage
                else 0
            )

        return int(wait_for(found, f"order {order} to be {stage}", show=self.logs))

    def wait_frozen(self, order: int, stage: str) -> int:
        """The same for a worker that a drill stops there; it is frozen for certain."""
        pid = self.wait_worker(order, stage)
        wait_for(lambda: is_frozen(pid), f"worker {pid} to be frozen", show=self.logs)
        return pid

    # the books

    def ledger(self) -> dict[str, Any]:
        """All that the practice vendors wrote down."""
        found: dict[str, Any] = requests.get(f"{self.vendors}/ledger.json", timeout=60).json()
        return found

    def charges(self, order: int) -> int:
        """How often the vendors charged this order."""
        bodies = {attempt["body_sha256"] for attempt in self.attempts(order)} - {""}
        return sum(charge["body_sha256"] in bodies for charge in self.ledger()["charges"])

    def wait_charge(self, order: int) -> None:
        wait_for(lambda: self.charges(order), f"the charge of order {order}", show=self.logs)

    def close_books(
        self, *, rounds: int = 1, cluster: bool = True, control: bool = True
    ) -> dict[str, Any]:
        """Bring everything to its end, buy a control, and compare the three books. What the
        database holds then.

        `cluster`: start one for it; otherwise one is running.
        """
        if cluster:
            with self.cluster():
                return self.close_books(rounds=rounds, cluster=False, control=control)
        order = self.order("control") if control else 0
        self.ask("drain", rounds=rounds)
        facts: dict[str, Any] = self.ask("facts")
        wrong = disagreements(self.ledger(), facts, self.confirmed)
        assert not wrong, "\n".join([*wrong, self.logs()])
        if control:
            assert facts["states"][str(order)] == "accepted", self.logs()
            assert self.charges(order) == 1
        return facts

    def expect(
        self, fault: str, order: int, facts: dict[str, Any], *, end: str, charges: int
    ) -> None:
        """Note how an order ended in the table of results, and that it ended so."""
        actual, charged = facts["states"][str(order)], self.charges(order)
        stages = [attempt["stage"] for attempt in facts["attempts"] if attempt["order_id"] == order]
        results.note(
            fault=fault, expected=end, actual=actual, charges=charged, attempts=len(stages)
        )
        assert actual in end.split(" or "), (
            fault,
            actual,
            facts["reasons"][str(order)],
            self.logs(),
        )
        assert charged == charges, (fault, charged)


def second_host(house: House) -> dict[str, str]:
    """The environment of another machine: a data folder of its own with the same keys."""
    folder = house.folder / "second-host"
    folder.mkdir(exist_ok=True)
    for key in house.folder.glob("*.practice"):
        shutil.copy(key, folder)
    return {"MAILOPS_DATA": str(folder)}


def _on(server: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
