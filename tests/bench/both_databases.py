"""Runs a bench on SQLite, and on PostgreSQL where `DATABASE_URL` names one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mailops.ops.processes import BASE_DIR
from tests import migrated
from tests.browser import stack


def run_on_each(module: str, arguments: list[str]) -> int:
    """The worst exit code. Each runs in a process of its own, since Django knows one at a time."""
    worst = 0
    with tempfile.TemporaryDirectory(prefix="mailops-bench-") as folder:
        sqlite = Path(folder) / "bench.sqlite3"
        migrated.copy_to(sqlite)
        worst = _run(module, arguments, folder, f"sqlite:///{sqlite}")
        if os.environ.get("DATABASE_URL", "").startswith("postgres"):
            with stack.database(Path(folder)) as address:
                worst = max(worst, _run(module, arguments, folder, address))
        else:
            print("PostgreSQL was left out: DATABASE_URL names none.")
    return worst


def _run(module: str, arguments: list[str], folder: str, address: str) -> int:
    environ = os.environ | {"DATABASE_URL": address, "MAILOPS_DATA": folder, "MAILOPS_LIVE": "0"}
    command = [sys.executable, "-m", module, "--one", *arguments]
    return subprocess.run(command, cwd=BASE_DIR, env=environ).returncode
