"""A MailOps under test: its database, and its practice vendors, queue and web as real processes."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import migrated
from tests.faults.processes import Agent, Cluster, Running

# A PostgreSQL server to make databases on; without one, SQLite files.
SERVER = os.environ.get("DATABASE_URL", "")
IS_POSTGRES = SERVER.startswith("postgres")
FOREIGN = ("SECRET_KEY", "MAILOPS_SEAL_KEYS", "PYTEST_CURRENT_TEST", "LD_PRELOAD", "FAKETIME")
# As short as the system checks allow. Accounts neither stop themselves nor are asked for progress:
# a drill of one order must not change the next.
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


class Installation:
    """One database, the practice vendors, and the processes that run on them.

    `server`: a PostgreSQL server; empty for SQLite. `practice`: the vendors' address until
    `start_practice`. Everything else goes into the environment of all its processes.
    """

    def __init__(
        self, folder: Path, *, server: str = SERVER, practice: str = "", **env: str
    ) -> None:
        self.folder, self.server = folder, server
        self.name = f"drill_{secrets.token_hex(5)}"
        self.running: list[Running] = []
        self.env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.env |= TIMES | {
            "MAILOPS_LIVE": "0",
            "MAILOPS_ENV_FILE": os.devnull,
            "MAILOPS_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "mailops.settings",
            "DATABASE_URL": self.database,
            "MAILOPS_PRACTICE_URL": practice or "http://127.0.0.1:9",
            "PYTHONUNBUFFERED": "1",
            "LAST_SENT_FILE": str(folder / f"{self.name}-last-sent.json"),
            "DISPOSABLE_DATABASE": "1",  # `.ci/run` starts PostgreSQL with fsync=off
        }
        self.env |= env
        self._agent: Agent | None = None
        if server:
            migrated.execute(server, f'CREATE DATABASE "{self.name}"')

    @property
    def database(self) -> str:
        if self.server:
            return migrated.of_name(self.server, self.name)
        return f"sqlite:///{self.file}"

    @property
    def file(self) -> Path:
        """The database file on SQLite."""
        return self.folder / f"{self.name}.sqlite3"

    def migrate(self) -> None:
        if self.server:
            migrated.create(self.server, self.name)
        else:
            migrated.copy_to(self.file)

    def build(self) -> None:
        self.migrate()
        self.start_practice()
        self.ask("build")

    def tear_down(self) -> None:
        for process in self.running:
            process.kill()
        if self.server:
            migrated.execute(self.server, f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def logs(self) -> str:
        """The ends of the logs of the processes that were started last."""
        return "\n".join(
            f"-- {process.log.name}\n{process.output()[-3000:]}" for process in self.running[-6:]
        )

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}-{len(self.running)}.log"

    def start_practice(self, *options: str) -> None:
        """Practice vendors that never deliver, on a port of their own."""
        ledger = str(self.folder / f"{self.name}.ledger")
        command = ("manage.py", "practice_vendors", "--port", "0", "--ledger", ledger)
        delivery = ("--delivery-seconds", "100000")
        process = Running((*command, *delivery, *options), env=self.env, log=self._log("practice"))
        self.running.append(process)
        self.vendors = process.wait_output(r"listen on (http://127\.\S+?),")[1]
        self.env["MAILOPS_PRACTICE_URL"] = self.vendors

    def start_cluster(self, *options: str, **env: str) -> Cluster:
        """A queue whose workers are ready."""
        cluster = Cluster(
            ("manage.py", "qcluster", *options), env=self.env | env, log=self._log("cluster")
        )
        self.running.append(cluster)
        cluster.wait_ready()
        return cluster

    @contextmanager
    def cluster(self, *options: str, **env: str) -> Iterator[Cluster]:
        """`start_cluster`, killed at the end of the block."""
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
        """A gunicorn on a port of its own; returns its address."""
        command = ("-m", "gunicorn", "-c", "python:mailops.gunicorn")
        settings = {"PORT": "0", "WEB_LOG_LEVEL": "info", "WEB_WORKERS": "1"}
        process = Running(command, env=self.env | settings | env, log=self._log("web"))
        self.running.append(process)
        return process.wait_output(r"Listening at: (http://127\.\S+)")[1]

    def ask(self, command: str, **arguments: Any) -> Any:
        """The agent's answer. The first command starts the agent, with `env` as it is then."""
        if self._agent is None:
            self._agent = Agent(env=self.env, log=self._log("agent"))
            self.running.append(self._agent)
        reply = self._agent.ask(command, **arguments)
        assert "error" not in reply, f"{command} {arguments}: {reply['error']}\n{self.logs()}"
        return reply["answer"]

    def restart_agent(self) -> None:
        """The next command starts an agent that reads `env` again."""
        if self._agent:
            self._agent.kill()
        self._agent = None


def second_host(installation: Installation) -> dict[str, str]:
    """The environment of another machine: a data folder of its own with the same keys."""
    folder = installation.folder / "second-host"
    folder.mkdir(exist_ok=True)
    for key in installation.folder.glob("*.practice"):
        shutil.copy(key, folder)
    return {"MAILOPS_DATA": str(folder), "LAST_SENT_FILE": str(folder / "last-sent.json")}
