"""A backup is restored over a database from which orders were sent since."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mailops.ops.processes import BASE_DIR
from tests.faults import results
from tests.faults.installation import IS_POSTGRES
from tests.faults.processes import wait_for
from tests.faults.scenarios import DrillInstallation
from tests.migrated import execute

VENDORS = {
    "coldmailreseller": "domains",
    "scaledmail": "package",
    "woodpecker": "mailboxes",
    "smartsenders": "domains",
}


class Backup:
    """A copy of the installation's database as it is now."""

    def __init__(self, installation: DrillInstallation, folder: Path) -> None:
        self.installation = installation
        self.file, self.copy = folder / "backup.sqlite3", f"{installation.name}_backup"
        installation.restart_agent()  # PostgreSQL copies no database that somebody uses
        if IS_POSTGRES:
            execute(
                installation.server, f'CREATE DATABASE "{self.copy}" TEMPLATE "{installation.name}"'
            )
            return
        with closing(sqlite3.connect(installation.file)) as database:
            database.execute("VACUUM INTO ?", [str(self.file)])

    def restore(self) -> None:
        name = self.installation.name
        self.installation.restart_agent()
        if IS_POSTGRES:
            execute(
                self.installation.server,
                f'DROP DATABASE "{name}" WITH (FORCE)',
                f'ALTER DATABASE "{self.copy}" RENAME TO "{name}"',
            )
            return
        for suffix in ("-wal", "-shm"):
            Path(f"{self.installation.file}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.file, self.installation.file)


def manage(installation: DrillInstallation, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=BASE_DIR,
        env=installation.env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("noticed_by", ["a worker's task", "the sweep"])
def test_a_restored_backup_buys_nothing_twice_at_any_vendor(
    installation: DrillInstallation, tmp_path: Path, noticed_by: str
) -> None:
    """Confirmed in the backup, sent after it, restored, and a worker runs at once."""
    before = len(installation.ledger()["charges"])
    orders = [
        installation.order("backup", api=api, product=product) for api, product in VENDORS.items()
    ]
    backup = Backup(installation, tmp_path)
    with installation.cluster():
        installation.ask("run_sweep", hours=1)
        installation.wait_state("accepted", *orders)
    assert len(installation.ledger()["charges"]) == before + 4
    backup.restore()
    assert {installation.state(order) for order in orders} == {"confirmed"}

    with installation.cluster():
        if noticed_by == "the sweep":
            installation.ask("run_sweep", hours=1)
        for order in orders:
            installation.ask("enqueue", order=order)
        wait_for(lambda: not installation.ask("queued")["tasks"], "the end of the queue")
        installation.ask("run_sweep", hours=1)
        wait_for(lambda: not installation.ask("queued")["tasks"], "the end of the queue")
        assert "looks like a restored backup" in manage(installation, "health")
        assert {installation.state(order) for order in orders} == {"confirmed"}

        said = manage(installation, "release_sending", "--reason", "Compared with the vendors")
        assert "4 orders wait for confirmation again" in said
        for order in orders:
            installation.ask("enqueue", order=order)
        later = installation.order("later")
        installation.wait_state("accepted", later)
        installation.ask("drain", rounds=1)
    states = {installation.state(order) for order in orders}
    charged = len(installation.ledger()["charges"]) - before - 1
    results.note(
        fault=f"A backup is restored over sent orders, noticed by {noticed_by}",
        expected="review",
        actual=" or ".join(sorted(states)),
        charges=charged,
        attempts=0,
    )
    assert (states, charged) == ({"review"}, 4)
    assert not installation.ask("facts")["broken"]
