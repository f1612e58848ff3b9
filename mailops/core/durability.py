"""PostgreSQL: a commit that was acknowledged survives a crash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# The strictest value stays: an operator may have chosen to wait for a standby.
WAITS = (
    "CASE current_setting('synchronous_commit')"
    " WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END"
)
SESSION = f"SELECT set_config('synchronous_commit', {WAITS}, false)"
# A column of a SELECT that is made within a transaction. Behind a pooler a session's setting may
# stay at another server connection; a transaction's own setting can't.
IN_TRANSACTION = f"set_config('synchronous_commit', {WAITS}, true)"
DURABLE = ("on", "remote_apply")


def turn_on_for_new_connections() -> None:
    connection_created.connect(wait_for_disk, dispatch_uid="mailops.durability")


def wait_for_disk(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    # After connecting, so that it counts for more than what a role or a database has set.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(SESSION)


def problems(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Sentences about settings of the server with which a crash may lose or spoil commits."""
    yield from lost_commits(connection)
    for now, at_first in _settings(connection, "synchronous_commit").values():
        if now in DURABLE and at_first not in DURABLE:
            yield (
                f"New connections to the database begin with synchronous_commit={at_first}. MailOps"
                " turns it on in its own; set it on for its role and database as well."
            )


def lost_commits(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """Those with which even MailOps' own connection loses what was committed."""
    found = _settings(connection, "fsync", "full_page_writes", "synchronous_commit")
    if not found:
        return
    if found["fsync"][0] == "off":
        yield (
            "The database runs with fsync=off: after a power cut orders may be sent twice. Set it"
            " on."
        )
    if found["full_page_writes"][0] == "off":
        yield ("The database runs with full_page_writes=off: a power cut may spoil it. Set it on.")
    now = found["synchronous_commit"][0]
    if now not in DURABLE:
        yield (
            f"MailOps' own connection has synchronous_commit={now}: after a crash orders may be"
            " sent twice. Does a pooler before the database drop settings?"
        )


def _settings(connection: BaseDatabaseWrapper, *names: str) -> dict[str, tuple[str, str]]:
    """By name: the value now, and the one a connection begins with; none on SQLite."""
    if connection.vendor != "postgresql" or settings.DISPOSABLE_DATABASE:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting, reset_val FROM pg_settings WHERE name = ANY(%s)", [list(names)]
        )
        return {name: (now, at_first) for name, now, at_first in cursor.fetchall()}
