"""Database triggers for SQLite and PostgreSQL: rules that hold even against raw SQL."""

# SQLite drops a table's triggers whenever a migration rebuilds the table. So every app installs
# its own after each `migrate`, not only in the migration that first made them.

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Refuses an event on a table. `when` is SQL over OLD and NEW for both engines, or empty."""

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

    def names(self, vendor: str) -> list[str]:
        # SQLite has no TRUNCATE.
        return [self.name] if vendor == "postgresql" or self.event != "TRUNCATE" else []

    def make(self, connection: BaseDatabaseWrapper) -> list[str]:
        if connection.vendor == "postgresql":
            return self.postgresql()
        return [self.sqlite()] if self.event != "TRUNCATE" else []

    def sqlite(self) -> str:
        when = f" WHEN {self.when}" if self.when else ""
        return (
            f"CREATE TRIGGER IF NOT EXISTS {self.name} {self._on} FOR EACH ROW{when} "
            f"BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
        )

    def postgresql(self) -> list[str]:
        # In PostgreSQL a trigger's WHEN clause takes no subquery, but the IF of a function does.
        refuse = (
            f"RAISE EXCEPTION '{self.message}' USING ERRCODE = 'integrity_constraint_violation';"
        )
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
    taken = f"EXISTS (SELECT 1 FROM {table} r WHERE r.id = NEW.id)"  # noqa: S608  (our own table names)
    return (
        Trigger(name=f"{table}_no_update", table=table, event="UPDATE", message=message),
        Trigger(name=f"{table}_no_delete", table=table, event="DELETE", message=message),
        Trigger(name=f"{table}_no_truncate", table=table, event="TRUNCATE", message=message),
        # SQLite's REPLACE deletes the old row without firing the trigger for deletions.
        Trigger(
            name=f"{table}_no_replace", table=table, event="INSERT", message=message, when=taken
        ),
    )


def differ(*columns: str) -> str:
    """SQL that is true where an update changes one of these columns."""
    # "<>" is NULL where one side is NULL, so that case has a term of its own.
    return " OR ".join(
        f"NEW.{c} <> OLD.{c} OR (NEW.{c} IS NULL) <> (OLD.{c} IS NULL)" for c in columns
    )


HIDDEN = "changed, not shown"
_IS_UNTRACKED = {
    "postgresql": "current_setting('mailops.telling', true) IS DISTINCT FROM txid_current()::text",
    "sqlite": "NOT EXISTS (SELECT 1 FROM history_telling)",
}


@dataclass(frozen=True, kw_only=True)
class AuditedTable:
    """A table whose changes outside of `audited()` are written to `history_trace`.

    Values of `secret` columns are never copied. Changes of `quiet` columns leave no trace. `key`:
    the column that names a row, of which a trace keeps 60 characters.
    """

    table: str
    key: str = "id"
    secret: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    events: tuple[str, ...] = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")

    def names(self, vendor: str) -> list[str]:
        events = [event for event in self.events if vendor == "postgresql" or event != "TRUNCATE"]
        return [self._name(event) for event in events]

    def _name(self, event: str) -> str:
        return f"trace_{self.table}_{event.lower()}"

    def make(self, connection: BaseDatabaseWrapper) -> list[str]:
        # A migration may have added a column, so the triggers are dropped and made again.
        if connection.vendor == "postgresql":
            return self._postgresql()
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA table_info({self.table})")
            columns = [row[1] for row in cursor.fetchall() if row[1] not in self.quiet]
        made = []
        for event in self.events:
            if event != "TRUNCATE":
                made += [
                    f"DROP TRIGGER IF EXISTS {self._name(event)}",
                    self._sqlite(event, columns),
                ]
        return made

    def _sqlite(self, event: str, columns: list[str]) -> str:
        row = "OLD" if event == "DELETE" else "NEW"
        changed = " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in columns)
        is_update = event == "UPDATE"
        when = _IS_UNTRACKED["sqlite"] + (f" AND ({changed})" if is_update else "")
        old = self._row_as_json("OLD", columns, only_changed=is_update)
        new = self._row_as_json("NEW", columns, only_changed=is_update)
        before = "NULL" if event == "INSERT" else old
        after = "NULL" if event == "DELETE" else new
        written = '"at", table_name, row_key, what, "before", "after", database_user, origin'
        now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
        key = f"substr({row}.{self.key}, 1, 60)"
        values = f"{now}, '{self.table}', {key}, '{event.lower()}', {before}, {after}, '', ''"
        return (
            f"CREATE TRIGGER {self._name(event)} AFTER {event} ON {self.table} "  # noqa: S608  (our own names)
            f"FOR EACH ROW WHEN {when} "
            f"BEGIN INSERT INTO history_trace ({written}) VALUES ({values}); END"
        )

    def _row_as_json(self, row: str, columns: list[str], *, only_changed: bool) -> str:
        pairs = []
        for c in columns:
            value = f"'{HIDDEN}'" if c in self.secret else f'{row}."{c}"'
            where = f' WHERE OLD."{c}" IS NOT NEW."{c}"' if only_changed else ""
            pairs.append(f"SELECT '{c}' AS k, {value} AS v{where}")
        return f"(SELECT json_group_object(k, v) FROM ({' UNION ALL '.join(pairs)}))"  # noqa: S608  (our own names)

    def _postgresql(self) -> list[str]:
        function = f"trace_{self.table}"
        made = [
            _TRACE.format(
                function=function,
                key=self.key,
                hidden=HIDDEN,
                secret=_texts(self.secret),
                quiet=_texts(self.quiet),
            ),
        ]
        for event in self.events:
            name, each = self._name(event), "STATEMENT" if event == "TRUNCATE" else "ROW"
            made += [
                f"DROP TRIGGER IF EXISTS {name} ON {self.table}",
                (
                    f"CREATE TRIGGER {name} AFTER {event} ON {self.table} FOR EACH {each} "
                    f"WHEN ({_IS_UNTRACKED['postgresql']}) EXECUTE FUNCTION {function}()"
                ),
            ]
        return made


def _texts(names: tuple[str, ...]) -> str:
    return f"ARRAY[{', '.join(repr(name) for name in names)}]::text[]"


Rule = Trigger | AuditedTable
_TRACE = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := to_jsonb(OLD) - {quiet};
    became jsonb := to_jsonb(NEW) - {quiet};
    before jsonb;
    after jsonb;
    row_key text := left(coalesce(coalesce(became, was) ->> '{key}', ''), 60);
BEGIN
    IF TG_OP = 'UPDATE' AND was = became THEN RETURN NULL; END IF;
    SELECT jsonb_object_agg(key,
            CASE WHEN key = ANY({secret}) THEN to_jsonb('{hidden}'::text) ELSE value END)
        INTO before FROM jsonb_each(was)
        WHERE TG_OP <> 'UPDATE' OR value IS DISTINCT FROM became -> key;
    SELECT jsonb_object_agg(key,
            CASE WHEN key = ANY({secret}) THEN to_jsonb('{hidden}'::text) ELSE value END)
        INTO after FROM jsonb_each(became)
        WHERE TG_OP <> 'UPDATE' OR value IS DISTINCT FROM was -> key;
    INSERT INTO history_trace
            ("at", table_name, row_key, what, before, after, database_user, origin, xact)
        VALUES (clock_timestamp(), TG_TABLE_NAME, row_key, lower(TG_OP), before, after,
                session_user, coalesce(host(inet_client_addr()), ''), txid_current());
    RETURN NULL;
END; $$"""


def install(connection: BaseDatabaseWrapper, rules: Iterable[Rule]) -> None:
    with atomic(using=connection.alias), connection.cursor() as cursor:
        for rule in rules:
            for statement in rule.make(connection):
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper, rules: Iterable[Rule]) -> None:
    with atomic(using=connection.alias), connection.cursor() as cursor:
        for rule in rules:
            on = f" ON {rule.table}" if connection.vendor == "postgresql" else ""
            for name in rule.names(connection.vendor):
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing(connection: BaseDatabaseWrapper, rules: Iterable[Rule]) -> list[str]:
    """Names of the triggers that the database does not have or that are switched off."""
    names = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(names)
        found = {row[0] for row in cursor.fetchall()}
    return [name for rule in rules for name in rule.names(connection.vendor) if name not in found]
