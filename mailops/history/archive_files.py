"""Moves the oldest events to files, and verifies such files.

A trigger refuses to delete events. It is dropped and installed again within the transaction that
deletes them and records the archive, so that no other transaction ever finds it missing. A file
is on the disk, read back and verified, before its events are deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from mailops.core import sql_triggers
from mailops.history import record, retention
from mailops.history.hashing import FIELDS, hash_of
from mailops.history.models import TRIGGERS, Archive, Event
from mailops.history.verify import START, Point, rows_after, verify

MOST_RECORDS = 50_000  # of one file, and of one transaction
# On PostgreSQL another transaction may have read the table and wait for this one's lock in order
# to write. So this one gives up well before PostgreSQL looks for a deadlock (after 1 s) and ends
# one of the two.
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '400ms'"
LOCK_NOT_AVAILABLE = "55P03"
_NO_DELETE = tuple(trigger for trigger in TRIGGERS if trigger.event == "DELETE")


class BadArchive(Exception):
    """Nothing was archived, or a file does not fit. The message is the reason, a sentence."""


@dataclass(frozen=True)
class Stretch:
    """Events that may be archived: those after `after` up to `last`. `why` no later ones."""

    after: Point
    last: int
    why: str

    @property
    def records(self) -> int:
        return max(0, self.last - self.after.number)


def stretch(before: datetime, now: datetime | None = None) -> Stretch:
    """The oldest events, all written before that time, none of which an app still needs."""
    now = now or timezone.now()
    if not settings.HISTORY_KEEP_DAYS:
        raise BadArchive("HISTORY_KEEP_DAYS is 0: every record stays in the database.")
    youngest = now - timedelta(days=settings.HISTORY_KEEP_DAYS)
    if before > youngest:
        raise BadArchive(
            f"Records younger than {settings.HISTORY_KEEP_DAYS} days stay: {youngest:%Y-%m-%d} at"
            " the most."
        )
    after = _end()
    too_young = _first(Event.objects.filter(at__gte=before))
    last = (too_young or _last() + 1) - 1
    why = f"record {last + 1} is younger" if too_young else "these are all records"
    first = retention.first_needed(last, before)
    if first is not None:
        last, why = first - 1, f"record {first} is about something that has not long ended"
    return Stretch(after, last, why)


def _end() -> Point:
    last = Archive.objects.order_by("-last").values_list("last", "last_hash").first()
    return Point(*last) if last else START


def _first(events: Any) -> int | None:
    number: int | None = events.order_by("number").values_list("number", flat=True).first()
    return number


def _last() -> int:
    number: int = Event.objects.order_by("-number").values_list("number", flat=True).first() or 0
    return number


def archive(found: Stretch) -> Iterator[Archive]:
    """Move the stretch to files. A crash leaves whole archives and at most one unused file."""
    # A broken chain stays where it is: its evidence is in the database.
    finding = verify()
    if finding.says:
        raise BadArchive(f"{finding.says} Nothing was archived.")
    after = found.after
    while after.number < found.last:
        rows = list(islice(rows_after(after.number), min(MOST_RECORDS, found.last - after.number)))
        path, sha256 = _write_file(after, rows)
        moved = _move(after, rows, path, sha256)
        yield moved
        after = Point(moved.last, moved.last_hash)


def _write_file(after: Point, rows: list[tuple[Any, ...]]) -> tuple[Path, str]:
    folder: Path = settings.HISTORY_ARCHIVE_DIR
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"history-{rows[0][0]:010}-{rows[-1][0]:010}.jsonl"
    temporary = path.with_suffix(f".{os.getpid()}.part")
    # The history names people: others on the machine may not read the file.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        for row in rows:
            fields = dict(zip((*FIELDS, "hash"), row, strict=True))
            fields["at"] = fields["at"].isoformat(timespec="microseconds")
            file.write(json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n")
        file.flush()
        os.fsync(file.fileno())
    # What is deleted next must be on the disk: the file is read back.
    end = _read_file(temporary, after)
    if end != Point(rows[-1][0], rows[-1][-1]):
        raise BadArchive(f"{temporary} does not hold what was written to it. Nothing was archived.")
    sha256 = sha256_of(temporary)
    temporary.replace(path)
    # The new name has to be on the disk as well before the events are deleted.
    _sync(folder)
    return path, sha256


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _move(after: Point, rows: list[tuple[Any, ...]], path: Path, sha256: str) -> Archive:
    first, last = rows[0], rows[-1]
    with _giving_way(first[0], last[0]), transaction.atomic():
        # The event comes first: it takes the lock that makes writers and other archives wait.
        moved = Archive(
            first=first[0],
            last=last[0],
            previous_hash=after.hash,
            last_hash=last[-1],
            file=str(path),
            sha256=sha256,
        )
        record(
            "history.archived",
            Archive(pk=last[0], first=first[0], last=last[0]),
            changes={
                name: [None, getattr(moved, name)]
                for name in ("first", "last", "last_hash", "file", "sha256")
            },
        )
        if _end() != after:
            raise BadArchive(
                "Somebody else archived at the same time. Look at what is left, and start again."
            )
        moved.save(force_insert=True)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(LOCK_TIMEOUT)
        sql_triggers.remove(connection, _NO_DELETE)
        gone, _ = Event.objects.filter(number__lte=last[0]).delete()
        sql_triggers.install(connection, _NO_DELETE)
        if gone != len(rows):
            raise BadArchive(
                f"{gone} records would have gone instead of {len(rows)}. Nothing was archived."
            )
    return moved


@contextmanager
def _giving_way(first: int, last: int) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        raise BadArchive(
            f"Somebody else is using the history, so records {first} to {last} stay in the"
            " database. Start again in a moment, best when nobody works."
        ) from error


def verify_files(paths: Iterable[Path], points: Iterable[Point] = ()) -> int:
    """Verify all archives, from the first event on. Returns how many events they hold.

    `points` are digests that were kept elsewhere. BadArchive names the first file that is wrong.
    """
    known: dict[int, list[Point]] = {}
    for point in points:
        known.setdefault(point.number, []).append(point)
    archives = list(Archive.objects.order_by("last"))
    given: dict[int, list[Path]] = {}
    for file in paths:
        given.setdefault(_first_of(file), []).append(file)
    end = START
    for kept in archives:
        # A crash may have left an unused file beside the right one.
        found = given.get(kept.first, [])
        path = next(
            (file for file in found if sha256_of(file) == kept.sha256), found[0] if found else None
        )
        if path is None:
            raise BadArchive(
                f"The file with records {kept.first} to {kept.last} is missing:"
                f" {Path(kept.file).name}."
            )
        if sha256_of(path) != kept.sha256:
            raise BadArchive(f"{path} was altered since it was written: {_damage(path, end)}")
        end = _read_file(path, end, known)
        if end != Point(kept.last, kept.last_hash):
            raise BadArchive(f"{path} ends with another record than the history tells.")
    return end.number


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_of(path: Path) -> int:
    try:
        with path.open(encoding="utf-8") as file:
            number = json.loads(file.readline())["number"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArchive(f"{path} can't be read as an archive.") from error
    return number if isinstance(number, int) else 0


def _damage(path: Path, after: Point) -> str:
    try:
        _read_file(path, after)
    except BadArchive as bad:
        return str(bad)
    return "its records fit one another, its bytes do not."


def _read_file(path: Path, after: Point, known: dict[int, list[Point]] | None = None) -> Point:
    """The last event of a file. BadArchive names the first event that does not fit."""
    end = after
    with path.open(encoding="utf-8") as file:
        for text in file:
            fields = _fields(path, text, end)
            if fields["number"] != end.number + 1:
                raise BadArchive(f"Record {end.number + 1} is missing from {path}.")
            event_hash = fields.pop("hash")
            if fields["previous_hash"] != end.hash or hash_of(fields) != event_hash:
                raise BadArchive(f"Record {fields['number']} in {path} was altered.")
            end = Point(fields["number"], event_hash)
            for point in (known or {}).get(end.number, ()):
                if point.hash != event_hash:
                    raise BadArchive(
                        f"Record {end.number} in {path} is not the one of {point.source}."
                    )
    return end


def _fields(path: Path, text: str, after: Point) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(text)
        at = parse_datetime(fields["at"])
        assert at is not None and fields.keys() == {*FIELDS, "hash"}
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise BadArchive(f"The record after {after.number} in {path} can't be read.") from error
    return fields | {"at": at}
