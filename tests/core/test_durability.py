"""A commit is on the disk before it is acknowledged."""

from __future__ import annotations

import pytest
from django.db import connection

from mailops.core import durability

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="a setting of SQLite")
FULL = 2


@on_sqlite
def test_sqlite_writes_each_commit_to_the_disk(committed: None) -> None:
    connection.close()  # what counts is a new connection
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (FULL,)
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a setting of PostgreSQL")
def test_a_stricter_setting_of_postgresql_stays(committed: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = remote_apply")
        cursor.execute(durability.SESSION)
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("remote_apply",)
    connection.close()
