"""Database triggers: rules that hold even against raw SQL, on SQLite and PostgreSQL.

SQLite drops a table's triggers whenever a migration rebuilds the table, so every app installs its own again after
each `migrate`, not only in the migration that first made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One rule on one table. `when` is SQL over OLD and NEW, readable by both engines; empty means always."""

    name: str
    table: str
    event: Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
    message: str
    columns: tuple[str, ...] = ()
    when: str = ""

    @property
    def _on(self) -> str:
        of = f" OF {', '.join(self.columns)}" if self.columns else ""
        return f"BEFORE {self.event}{of} ON {self.table}"

    def sqlite(self) -> str:
        when = f" WHEN {self.when}" if self.when else ""
        return (
            f"CREATE TRIGGER IF NOT EXISTS {self.name} {self._on} FOR EACH ROW{when} "
            f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
        )

    def postgresql(self) -> list[str]:
        # a trigger's WHEN clause may not hold a subquery in PostgreSQL, a function's IF may
        refuse = f"RAISE EXCEPTION '{self.message}' USING ERRCODE = 'integrity_constraint_violation';"
        body = f"IF {self.when} THEN {refuse} END IF;" if self.when else refuse
        row = "OLD" if self.event == "DELETE" else "NEW"
        done = "RETURN NULL;" if self.event == "TRUNCATE" else f"RETURN {row};"
        each = "STATEMENT" if self.event == "TRUNCATE" else "ROW"
        function = f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql"
        return [
            f"{function} AS $$ BEGIN {body} {done} END; $$",
            f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}",
            f"CREATE TRIGGER {self.name} {self._on} FOR EACH {each} EXECUTE FUNCTION {self.name}()",
        ]


def append_only(table: str, message: str) -> tuple[Trigger, ...]:
    """Rules by which the rows of a table, whose key is `id`, are only ever added to."""
    taken = f"EXISTS (SELECT 1 FROM {table} r WHERE r.id = NEW.id)"  # noqa: S608 (our own table names)
    return (
        Trigger(name=f"{table}_no_update", table=table, event="UPDATE", message=message),
        Trigger(name=f"{table}_no_delete", table=table, event="DELETE", message=message),
        Trigger(name=f"{table}_no_truncate", table=table, event="TRUNCATE", message=message),
        # SQLite's REPLACE deletes the old row without asking the trigger for deletions
        Trigger(name=f"{table}_no_replace", table=table, event="INSERT", message=message, when=taken),
    )


def differ(*columns: str) -> str:
    """SQL that is true where an update changes one of these columns."""
    return " OR ".join(f"NEW.{c} <> OLD.{c} OR (NEW.{c} IS NULL) <> (OLD.{c} IS NULL)" for c in columns)


def install(connection: BaseDatabaseWrapper, triggers: tuple[Trigger, ...]) -> None:
    """Make the triggers exist; safe to repeat."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for trigger in triggers:
                for statement in trigger.postgresql():
                    cursor.execute(statement)
            return
        for trigger in triggers:
            if trigger.event != "TRUNCATE":  # SQLite has no TRUNCATE
                cursor.execute(trigger.sqlite())


def remove(connection: BaseDatabaseWrapper, triggers: tuple[Trigger, ...]) -> None:
    """Drop the triggers, for a migration run backwards and for tests that empty the tables."""
    with connection.cursor() as cursor:
        for trigger in triggers:
            on = f" ON {trigger.table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}{on}")


def missing(connection: BaseDatabaseWrapper, triggers: tuple[Trigger, ...]) -> list[str]:
    """Names of the triggers that the database does not have."""
    postgres = connection.vendor == "postgresql"
    names = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        if postgres
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(names)
        found = {row[0] for row in cursor.fetchall()}
    return [t.name for t in triggers if t.name not in found and (postgres or t.event != "TRUNCATE")]
