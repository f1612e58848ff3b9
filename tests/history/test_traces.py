"""Traces of untracked changes: kept by the database, reported once, named by health and pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models.signals import pre_migrate

from mailops.core import sql_triggers
from mailops.history import audited, record, untracked_changes
from mailops.history.models import ALL_TRIGGERS as HISTORY_TRIGGERS
from mailops.history.models import TRACE_TRIGGERS, Archive, Event, Trace
from mailops.history.shell import as_person
from mailops.ops.diagnostics import findings
from orders.outcomes import sweeper
from tests.history.raw_changes import RULES, browser, rename, sql


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM history_trace",
        "UPDATE history_trace SET row_key = '0'",
        "UPDATE history_trace SET told = 7, after = NULL",
        "UPDATE history_trace SET told = 7, at = '2020-01-01 00:00:00'",
        "UPDATE history_trace SET told = NULL",
    ],
)
def test_the_database_refuses_edits_of_traces(trace: Trace, attack: str) -> None:
    with pytest.raises(DatabaseError, match="Traces are kept"), transaction.atomic():
        sql(attack)


def test_a_trace_is_told_once(trace: Trace) -> None:
    untracked_changes.tell()
    with pytest.raises(DatabaseError, match="Traces are kept"), transaction.atomic():
        sql("UPDATE history_trace SET told = 8")
    assert untracked_changes.tell() == 0


@pytest.mark.parametrize("which", ["none", "of another row", "of something else"])
def test_the_database_refuses_a_mark_without_an_event_that_tells(
    trace: Trace, people: Any, which: str
) -> None:
    with audited():
        other = record("outside.changed", people.confirmer) if which == "of another row" else None
        named = other or record("user.changed", people.drafter)
    with pytest.raises(DatabaseError, match="event of their own"), transaction.atomic():
        sql("UPDATE history_trace SET told = %s", 99 if which == "none" else named.number)
    assert untracked_changes.tell() == 1


def hidden() -> list[str]:
    return [
        found.text
        for found in findings()
        if found.is_problem and "as told in the history" in found.text
    ]


@pytest.mark.parametrize("by", ["a number", "another trace's event"])
def test_health_names_a_trace_that_was_marked_by_hand(trace: Trace, by: str) -> None:
    untracked_changes.tell()
    with as_person("operator", reason="Why not"):
        rename("told")
    assert hidden() == []
    rename("hidden")
    sql_triggers.remove(connection, TRACE_TRIGGERS)
    told = Trace.objects.get(pk=trace.pk).told
    sql("UPDATE history_trace SET told = %s WHERE told IS NULL", told if by != "a number" else 999)
    sql_triggers.install(connection, TRACE_TRIGGERS)
    assert hidden()[0].startswith("1 change from outside MailOps reads as told")


def test_a_trace_whose_event_was_archived_is_no_alarm(trace: Trace) -> None:
    untracked_changes.tell()
    end = Event.objects.latest("number").number
    Archive.objects.create(first=1, last=end, last_hash="x", file="x", sha256="0" * 64)
    sql_triggers.remove(connection, HISTORY_TRIGGERS)
    Event.objects.all().delete()
    assert hidden() == []
    rename("hidden")
    sql_triggers.remove(connection, TRACE_TRIGGERS)
    sql("UPDATE history_trace SET told = %s WHERE told IS NULL", end - 1)
    assert len(hidden()) == 1


def test_the_sweep_tells(trace: Trace) -> None:
    assert sweeper.run()["outside"] == 1
    trace.refresh_from_db()
    assert Event.objects.get(action="outside.changed").number == trace.told


def test_today_the_history_and_health_say_so(trace: Trace, people: Any) -> None:
    auditor = browser(people.auditor)
    said = "Something was changed outside MailOps."
    assert said in auditor.get("/").content.decode()
    untracked_changes.tell()
    for page in ("/", "/history/event/"):
        shown = " ".join(auditor.get(page).content.decode().split())
        assert said in shown
        assert "1 row was changed in the database itself" in shown
    assert next(f.text for f in findings() if "outside MailOps" in f.text).startswith(
        "Rows were changed outside"
    )


def test_nothing_is_said_where_nothing_was_changed(people: Any) -> None:
    assert "outside MailOps" not in browser(people.auditor).get("/").content.decode()
    assert not [finding for finding in findings() if "outside MailOps" in finding.text]


def test_a_missing_trace_is_a_problem(db: None) -> None:
    sql_triggers.remove(connection, [RULES["orders_order"]])
    texts = [finding.text for finding in findings() if finding.is_problem]
    assert any("no longer traces" in text and "trace_orders_order_insert" in text for text in texts)


def test_a_migration_that_fails_leaves_the_traces_in_place(db: None) -> None:
    """It fails after the history's own part, as any migration might, and before the schema is
    touched.
    """
    gone: list[str] = []

    def fail(**kwargs: Any) -> None:
        gone.extend(sql_triggers.missing(connection, RULES.values()))
        raise RuntimeError("a migration failed")

    last = list(apps.get_app_configs())[-1]
    pre_migrate.connect(fail, sender=last)
    try:
        with pytest.raises(RuntimeError):
            call_command("migrate", "notices", "zero", verbosity=0)
    finally:
        pre_migrate.disconnect(fail, sender=last)
    assert gone
    assert sql_triggers.missing(connection, RULES.values()) == []
