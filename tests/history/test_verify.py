"""Verification: every kind of forgery is found at the right record, named, and told to everybody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import Schedule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailops.history import record, tasks, verification_runs
from mailops.history.chain_breaks import explain
from mailops.history.hashing import FIELDS
from mailops.history.models import Event, Verification
from mailops.history.verify import Point, verify
from mailops.ops.diagnostics import findings
from tests.history import forging
from tests.history.forging import write


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Any, settings: Any) -> None:
    settings.HISTORY_DIGEST_FILE = tmp_path / "digests.jsonl"


@pytest.fixture
def six(db: None) -> list[Event]:
    """Six records, and nothing that keeps anybody from changing them."""
    forging.unprotect()
    return write(6)


def end_of(events: list[Event]) -> list[Point]:
    return [Point(events[-1].number, events[-1].hash, "the digest of yesterday")]


def test_the_hash_is_over_every_column_but_itself() -> None:
    assert {*FIELDS, "hash"} == {field.attname for field in Event._meta.concrete_fields}


def test_old_records_keep_their_hash() -> None:
    event = Event(
        number=7, at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), who="Zoë", user_id=3, action="a.b",
        subject_type="c.d", subject_id="1", subject="x", reason="“why”", changes={"b": 1, "a": [None, 0.25]},
        previous_hash="0" * 64,
    )  # fmt: skip
    assert event.digest() == "fe936420cf77e61f7bac754d9accacf519c826d86f3a3e9aea6adab8ff0914cd"


# What was done, and where

FORGERIES: dict[str, tuple[Callable[[], Any], int, str]] = {
    "altered": (
        lambda: forging.sql("UPDATE history_event SET who = 'mallory' WHERE number = 3"),
        3,
        "altered",
    ),
    "deleted": (lambda: forging.delete(3), 3, "missing"),
    "first deleted": (lambda: forging.delete(1), 1, "missing"),
    "deleted, gap closed": (lambda: forging.close_gap(3), 3, "missing"),
    "inserted": (lambda: forging.insert(4), 5, "inserted"),
    "swapped": (lambda: forging.swap(2, 4), 2, "reordered"),
    "neighbours swapped": (lambda: forging.swap(3, 4), 3, "reordered"),
    "renumbered": (lambda: forging.renumber(6, 9), 6, "missing"),
    "before the first": (lambda: forging.renumber(4, 0), 0, "inserted"),
    "cut off": (lambda: forging.cut(5), 5, "cut off at the end"),
    "emptied": (lambda: forging.cut(1), 1, "cut off at the end"),
    "rewritten": (lambda: forging.rewrite(2, who="mallory"), 6, "rewritten"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_found_at_its_record_and_named(six: list[Event], forgery: str) -> None:
    act, bad, what = FORGERIES[forgery]
    act()
    finding = verify(against=end_of(six))
    assert (finding.bad, explain(finding).what) == (bad, what)


def test_the_neighbours_are_shown_in_full(six: list[Event]) -> None:
    forging.sql("UPDATE history_event SET who = 'mallory' WHERE number = 4")
    shown = explain(verify()).neighbours
    assert [(n.event.number, n.fits) for n in shown] == [
        (2, True),
        (3, True),
        (4, False),
        (5, True),
        (6, True),
    ]
    assert ("Who", "mallory") in shown[2].rows
    assert {label for label, _ in shown[0].rows} >= {
        "Number",
        "At",
        "Reason",
        "Hash",
        "Previous hash",
    }


KINDS = ("edit", "delete", "gap", "insert", "swap", "rewrite", "cut")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(KINDS),
    where=st.integers(2, 9),
    other=st.integers(2, 9),
    field=st.sampled_from(
        ["who", "action", "subject", "subject_id", "reason", "origin", "request_id", "worker"]
    ),
    text=st.text(
        st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]),
        max_size=20,
    ),
)
def test_any_forgery_is_found(
    six: list[Event], kind: str, where: int, other: int, field: str, text: str
) -> None:
    with transaction.atomic():
        events = [*six, *write(4)]
        try:
            began = forge(kind, events, where=where, other=other, field=field, text=text)
            finding = verify(against=end_of(events))
            assert finding.bad == began
        finally:
            transaction.set_rollback(True)


def forge(
    kind: str, events: list[Event], *, where: int, other: int, field: str, text: str
) -> int | None:
    """Forge, and say at which record it has to be found; None where nothing was changed by it."""
    last = len(events)
    is_same = getattr(events[where - 1], field) == text
    if kind == "edit":
        forging.sql(f"UPDATE history_event SET {field} = %s WHERE number = %s", [text, where])
        return None if is_same else where
    if kind == "rewrite":
        forging.rewrite(where, **{field: text})
        return None if is_same else last
    if kind == "swap":
        forging.swap(where, other)
        return None if where == other else min(where, other)
    {
        "delete": forging.delete,
        "gap": forging.close_gap,
        "insert": forging.insert,
        "cut": forging.cut,
    }[kind](where)
    return where + 1 if kind == "insert" else where


# Shortcuts


def test_what_is_new_is_read_from_the_last_verified_record_on(db: None) -> None:
    write(6)
    verification_runs.check_new()
    write(2)
    assert verification_runs.check_new().read == 2


def test_the_shortcut_is_never_trusted_for_the_whole(six: list[Event]) -> None:
    verification_runs.check_new()
    forging.sql("UPDATE history_event SET who = 'mallory' WHERE number = 2")
    assert verification_runs.check_new().bad is None
    assert verification_runs.check_whole().bad == 2


def test_a_verified_record_that_changed_since_makes_the_shortcut_start_over(
    six: list[Event],
) -> None:
    verification_runs.check_new()
    forging.rewrite(5, who="mallory")
    assert verification_runs.check_new().bad == 6


def test_an_end_cut_off_since_the_last_verification_is_found(six: list[Event]) -> None:
    verification_runs.check_whole()
    forging.cut(5)
    assert verification_runs.check_new().bad == 5


def test_a_cut_off_end_is_not_forgotten_once_new_records_take_its_place(six: list[Event]) -> None:
    verification_runs.check_whole()
    forging.cut(5)
    for _ in range(3):
        write(2)
        for check in (verification_runs.check_new, verification_runs.check_whole):
            assert check().bad is not None
            assert Verification.objects.broken() is not None


# What runs leave behind


def actions() -> list[str]:
    return list(
        Event.objects.filter(action__startswith="history.")
        .order_by("number")
        .values_list("action", flat=True)
    )


def test_a_daily_run_leaves_one_record_and_an_hourly_one_none(db: None) -> None:
    write(6)
    assert (tasks.verify_whole(), tasks.verify_new(), tasks.verify_new()) == ("unbroken",) * 3
    assert actions() == ["history.verified"]
    assert verify().is_unbroken


def test_bad_news_is_recorded_once_by_the_hourly_run(six: list[Event]) -> None:
    tasks.verify_new()
    write(2)
    forging.sql("UPDATE history_event SET who = 'mallory' WHERE number = 8")
    said = tasks.verify_new()
    assert "broken at record 8" in said
    assert tasks.verify_new() == said
    told = Event.objects.filter(action="history.found_broken", changes__bad__1=8)
    assert told.count() == 1


def test_everybody_is_told_of_a_broken_history(people: Any, six: list[Event], client: Any) -> None:
    forging.delete(3)
    tasks.verify_whole()
    client.force_login(people.drafter)
    assert "broken at record 3" in client.get("/").content.decode()
    assert [f for f in findings() if f.is_problem and "broken at record 3" in f.text]


def test_a_verification_that_stays_away_is_a_problem(six: list[Event]) -> None:
    tasks.verify_whole()
    Verification.objects.update(at=timezone.now() - timedelta(days=3))
    assert [f for f in findings() if "not verified for two days" in f.text]


def test_the_schedules_are_there_once_and_have_the_time_they_need(committed: None) -> None:
    call_command("migrate", verbosity=0)
    rows = Schedule.objects.filter(func__startswith="mailops.history.").order_by("func")
    assert [row.func.rpartition(".")[2] for row in rows] == [
        "verify_new",
        "verify_whole",
        "write_digest",
    ]
    assert "540" in str(rows[1].kwargs)


def test_the_command_names_the_break_its_neighbours_and_what_to_do(six: list[Event]) -> None:
    forging.delete(3)
    with pytest.raises(CommandError) as failed:
        call_command("verify_history")
    said = str(failed.value)
    assert "broken at record 3: this record is missing" in said
    assert (
        "Before it: 2" in said
        and "After it: 4" in said
        and "Next: Stop and keep everything" in said
    )


# While others write


def test_a_verification_while_others_append_finds_nothing(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailops.history.verify.PORTION", 7)
    write(30)
    done, errors = threading.Event(), []

    def append() -> None:
        try:
            for _ in range(5):
                write(3)
        except Exception as error:
            errors.append(error)
        finally:
            done.set()
            connection.close()

    threads = [threading.Thread(target=append) for _ in range(2)]
    for thread in threads:
        thread.start()
    found = [verify().says]
    while not done.is_set():
        found.append(verify().says)
    for thread in threads:
        thread.join(60)
    assert (set(found), errors) == ({""}, [])
    assert verify().records == 60


def test_subjects_of_a_verification_are_readable(db: None) -> None:
    write(6)
    tasks.verify_whole()
    told = Event.objects.get(action="history.verified")
    assert (told.subject, told.changes["records"]) == ("the whole history", [None, 6])
    with transaction.atomic():
        assert record("test.more", told).number == 8
