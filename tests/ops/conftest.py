"""Installations in which nothing is wrong, and a database that hangs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.ops.health_state import make_well


@pytest.fixture
def well(db: None) -> None:
    """Nothing is wrong: a worker reported just now, and no schedule is late."""
    make_well()


@pytest.fixture
def well_committed(committed: None) -> None:
    make_well()


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[str]:
    """The address of a database that answers nobody."""
    file = tmp_path / "hangs.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE t (a)")
        holder.execute("BEGIN EXCLUSIVE")
        yield f"sqlite:///{file}"
