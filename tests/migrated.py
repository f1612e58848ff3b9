"""Databases that have all tables already: made once in a test run, then copied.

Migrating an empty database takes a quarter of a minute of processor time, and a run needs dozens.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from mailops.ops.processes import BASE_DIR

# The folder that all processes of a test run share; without it nothing is kept.
FOLDER = "MAILOPS_TEST_MIGRATED"


def keep_for_this_run() -> None:
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="mailops-migrated-")


def forget() -> None:
    """Remove what was kept, on the PostgreSQL servers too that still run."""
    folder = Path(os.environ.pop(FOLDER))
    for name in folder.glob("*.server"):
        try:
            execute(name.read_text(), f'DROP DATABASE IF EXISTS "{name.stem}"')
        except psycopg.OperationalError:
            continue  # a test's own server, gone by now
    shutil.rmtree(folder)


def copy_to(file: Path) -> None:
    """A migrated SQLite database at `file`."""
    if FOLDER not in os.environ:
        _migrate(f"sqlite:///{file}", file.parent)
        return
    with _made_once("migrated.sqlite3") as (kept, is_new):
        if is_new:
            _migrate(f"sqlite:///{kept}", kept.parent)
        shutil.copyfile(kept, file)


def create(server: str, name: str) -> None:
    """A migrated PostgreSQL database of that name, instead of an empty one that is there."""
    execute(server, f'DROP DATABASE IF EXISTS "{name}"')
    if FOLDER not in os.environ:
        execute(server, f'CREATE DATABASE "{name}"')
        _migrate(of_name(server, name), Path(os.environ["MAILOPS_DATA"]))
        return
    execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template(server)}"')


def template(server: str) -> str:
    """The name of a migrated database on that server, which this run keeps."""
    folder = os.environ[FOLDER]
    name = f"migrated_{hashlib.sha256(f'{server} {folder}'.encode()).hexdigest()[:12]}"
    with _made_once(f"{name}.server") as (kept, is_new):
        if is_new:
            execute(server, f'CREATE DATABASE "{name}"')
            _migrate(of_name(server, name), kept.parent)
            kept.write_text(server)
    return name


def of_name(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def execute(server: str, *statements: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def _made_once(name: str) -> Iterator[tuple[Path, bool]]:
    """The first of all processes is told that it has to make the file; the others wait for it."""
    kept = Path(os.environ[FOLDER]) / name
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield kept, not kept.exists()
        except BaseException:
            kept.unlink(missing_ok=True)
            raise


def _migrate(url: str, folder: Path) -> None:
    environ = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "mailops.settings",
        "MAILOPS_DATA": str(folder),
        "MAILOPS_ENV_FILE": os.devnull,
        "MAILOPS_LIVE": "0",
        "DISPOSABLE_DATABASE": "1",  # `.ci/run` starts PostgreSQL with fsync=off
    }
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=BASE_DIR, env=environ, check=True)
