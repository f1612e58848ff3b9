"""Archives: old records go to files, the chain goes on where they end, and both verify together."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from mailops import checks
from mailops.core import sql_triggers
from mailops.history import archive_files, digest_files
from mailops.history.archive_files import BadArchive
from mailops.history.chain_breaks import explain
from mailops.history.models import ALL_TRIGGERS, Archive, Event
from mailops.history.verify import verify
from orders.models import Order
from tests.conftest import OrderFactory
from tests.history import forging
from tests.history.forging import write

OLD = timezone.now() - timedelta(days=200)
BEFORE = f"{timezone.localdate() - timedelta(days=120)}"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, settings: Any) -> Path:
    settings.HISTORY_DIGEST_FILE = tmp_path / "digests.jsonl"
    settings.HISTORY_ARCHIVE_DIR = tmp_path / "archive"
    settings.HISTORY_KEEP_DAYS = 90
    return settings.HISTORY_ARCHIVE_DIR


def age(count: int) -> None:
    """Let the first records be old, as if they had been written then."""
    forging.unprotect()
    previous = ""
    for event in Event.objects.order_by("number"):
        if event.number <= count:
            event.at = OLD + timedelta(minutes=event.number)
        event.previous_hash = previous
        previous = event.digest()
        Event.objects.filter(number=event.number).update(
            at=event.at, previous_hash=event.previous_hash, hash=previous
        )
    sql_triggers.install(connection, ALL_TRIGGERS)


@pytest.fixture
def twelve(db: None) -> list[Event]:
    """Eight old records and four new ones."""
    write(12)
    age(8)
    assert verify().is_unbroken
    return list(Event.objects.order_by("number"))


def archive(*options: str, before: str = BEFORE) -> str:
    output = StringIO()
    call_command("archive_history", "--before", before, *options, stdout=output)
    return output.getvalue()


def test_without_yes_it_only_says_what_would_go(twelve: list[Event], kept: Path) -> None:
    assert "Records 1 to 8: record 9 is younger." in archive()
    assert (Event.objects.count(), kept.exists()) == (12, False)


def test_the_chain_goes_on_where_the_archive_ends(twelve: list[Event], kept: Path) -> None:
    said = archive("--yes")
    moved = Archive.objects.get()
    assert moved.says in said
    assert list(Event.objects.order_by("number").values_list("number", flat=True)) == [
        9,
        10,
        11,
        12,
        13,
    ]
    finding = verify()
    assert (finding.says, finding.began, finding.records) == ("", 8, 13)
    told = Event.objects.get(action="history.archived")
    assert (told.who, told.changes["sha256"]) == ("archive_history", [None, moved.sha256])


def test_archives_and_the_rest_verify_together(
    twelve: list[Event], kept: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text(f"3 {twelve[2].hash}\n10 {twelve[9].hash}\n")
    archive("--yes")
    output = StringIO()
    files = [str(path) for path in kept.iterdir()]
    call_command(
        "verify_history", "--archive", *files, "--digests", str(tmp_path / "mine"), stdout=output
    )
    assert "8 archived records fit." in output.getvalue()
    (tmp_path / "mine").write_text(f"3 {twelve[4].hash}\n")
    with pytest.raises(CommandError, match=r"Record 3 in .* is not the one of the digest"):
        call_command("verify_history", "--archive", *files, "--digests", str(tmp_path / "mine"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("because 3", "because 4", "Record 4 in"), ("}\n", "}\n\n", "bytes|can't be read")],
)
def test_an_altered_file_is_noticed(
    twelve: list[Event], kept: Path, old: str, new: str, said: str
) -> None:
    archive("--yes")
    (path,) = kept.iterdir()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CommandError, match=said):
        call_command("verify_history", "--archive", str(path))


def test_a_second_archive_follows_from_the_first(twelve: list[Event], kept: Path) -> None:
    first = archive_files.stretch(OLD + timedelta(minutes=5))
    assert (first.after.number, first.last) == (0, 4)
    list(archive_files.archive(first))
    archive("--yes")
    assert [(a.first, a.last) for a in Archive.objects.all()] == [(1, 4), (5, 8)]
    call_command(
        "verify_history", "--archive", *[str(path) for path in kept.iterdir()], stdout=StringIO()
    )
    assert "nothing to archive" in archive("--yes")


def test_two_at_once_archive_once(twelve: list[Event]) -> None:
    found = archive_files.stretch(OLD + timedelta(minutes=5))
    list(archive_files.archive(found))
    with pytest.raises(BadArchive):
        list(archive_files.archive(found))
    assert (Archive.objects.count(), verify().says) == (1, "")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's readers stop no writer")
def test_an_archive_gives_way_to_somebody_who_read_the_history_and_then_writes(
    committed: None,
) -> None:
    write(6)
    age(4)
    has_read, errors = threading.Event(), []

    def read_and_write() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                assert Event.objects.count() == 6
                has_read.set()
                until, waits = time.monotonic() + 20, 0
                while (
                    not waits and time.monotonic() < until
                ):  # until the archive stands at the table's door
                    cursor.execute(
                        "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode ="
                        " 'AccessExclusiveLock'"
                    )
                    (waits,) = cursor.fetchone()
                write(1)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    reader = threading.Thread(target=read_and_write)
    reader.start()
    assert has_read.wait(20)
    with pytest.raises(CommandError, match="records 1 to 4 stay in the database"):
        archive("--yes")
    reader.join()
    assert (errors, Event.objects.count(), Archive.objects.count()) == ([], 7, 0)
    assert verify().says == ""
    assert archive("--yes").count("are archived in") == 1


# What stays


def test_nothing_young_is_archived(twelve: list[Event], settings: Any) -> None:
    with pytest.raises(CommandError, match="younger than 90 days stay"):
        archive("--yes", before=f"{timezone.localdate()}")
    settings.HISTORY_KEEP_DAYS = 0
    with pytest.raises(CommandError, match="HISTORY_KEEP_DAYS is 0"):
        archive("--yes")


@pytest.mark.parametrize(("days", "is_wrong"), [(0, False), (30, True), (90, False), (-1, False)])
def test_a_time_that_is_too_short_is_refused_at_the_start(
    settings: Any, days: int, is_wrong: bool
) -> None:
    settings.HISTORY_KEEP_DAYS = days
    assert bool(checks.check_history()) is is_wrong


def test_records_of_an_order_stay_until_it_has_long_ended(factory: OrderFactory) -> None:
    write(2)
    order = factory.draft()
    first = (
        Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk))
        .earliest("number")
        .number
    )
    write(2)
    age(Event.objects.count())
    assert f"record {first} is about something that has not long ended" in archive()
    Order.objects.filter(pk=order.pk).update(state="cancelled", state_since=OLD)
    assert f"to {Event.objects.count()}: these are all records" in archive()


def test_a_broken_history_is_not_archived(twelve: list[Event]) -> None:
    forging.unprotect()
    forging.sql("UPDATE history_event SET who = 'mallory' WHERE number = 3")
    with pytest.raises(CommandError, match=r"broken at record 3.*Nothing was archived"):
        archive("--yes")


def test_plain_sql_deletes_nothing_before_or_after(twelve: list[Event]) -> None:
    archive("--yes")
    assert sql_triggers.missing(connection, ALL_TRIGGERS) == []
    for statement in ("DELETE FROM history_event WHERE number <= 9", "DELETE FROM history_archive"):
        with pytest.raises(DatabaseError), transaction.atomic():
            forging.sql(statement)


# Archives made up


def test_an_archive_of_which_no_record_tells_is_found(twelve: list[Event]) -> None:
    forging.unprotect()
    forging.sql("DELETE FROM history_event WHERE number <= 4")
    Archive.objects.create(first=1, last=4, last_hash=twelve[3].hash, file="x", sha256="0" * 64)
    finding = verify()
    assert (finding.bad, explain(finding).what) == (5, "missing")


def test_an_archived_record_that_was_put_back_is_found(twelve: list[Event]) -> None:
    archive("--yes")
    twelve[2].save(force_insert=True)
    assert verify().bad == 3


def test_digests_of_archived_records_are_no_false_alarm(
    twelve: list[Event], people: Any, client: Any
) -> None:
    digest_files.write()
    archive("--yes")
    assert verify().says == ""
    client.force_login(people.auditor)
    said = client.post("/history/event/compare/", {"text": f"3 {twelve[2].hash}"}).content.decode()
    assert "These records are archived" in said
