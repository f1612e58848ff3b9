"""Verifies the chain: each event is as it was written and in its place, and none is missing.

Events are read by number in portions, each by a short query: memory stays small, and writers do
not wait.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import connection
from django.utils.formats import date_format
from django.utils.timezone import localtime

from mailops.core import sql_triggers
from mailops.history.hashing import FIELDS, hash_of
from mailops.history.models import ALL_TRIGGERS, Archive, Digest, Event, Verification

PORTION = 5000
MISSING = "this record is missing"
UNLINKED = "it does not follow from the record before it"
ALTERED = "its contents were altered"
STRAY = "it does not belong here: the history begins after it"
CUT = "it is missing: the end of the history was cut off"
REWRITTEN = "it is not the record of which a digest was kept"
UNTOLD = "the records before it were taken away, and no record tells of an archive"
FORGED = "it tells of an archive of which nothing is known"


@dataclass(frozen=True)
class Point:
    """An event that is known from a source, such as "the digest of 3 Nov 2026, 04:00"."""

    number: int
    hash: str
    source: str = ""


START = Point(0, "")


@dataclass
class Finding:
    """Result of a verification: the last event in order, the first bad one, and why it is bad.

    Reading began after the number `began`. `point` is the digest that does not fit.
    """

    records: int = 0
    last_hash: str = ""
    bad: int | None = None
    why: str = ""
    missing_triggers: list[str] = field(default_factory=list)
    began: int = field(default=0, compare=False)
    seconds: float = field(default=0, compare=False)
    point: Point | None = field(default=None, compare=False)

    @property
    def is_unbroken(self) -> bool:
        return self.bad is None and not self.missing_triggers

    @property
    def read(self) -> int:
        return self.records - self.began

    @property
    def says(self) -> str:
        """The fault in one sentence; empty where there is none."""
        if self.bad is not None:
            source = self.point.source if self.point else ""
            known = f" Known from {source}." if source else ""
            return f"The history is broken at record {self.bad}: {self.why}.{known}"
        if self.missing_triggers:
            return (
                f"The database no longer refuses edits: {', '.join(self.missing_triggers)} missing."
            )
        return ""


def verify(*, since: Point | None = None, against: Iterable[Point] = ()) -> Finding:
    """Read all events, or those after `since`, up to the first that does not fit.

    `against` are digests that were kept elsewhere. Those of the database are always compared.
    """
    began, kept = time.monotonic(), list(against)
    missing = sql_triggers.missing(connection, ALL_TRIGGERS)
    # Somebody may archive events while they are read here. Then the reading is repeated.
    for _ in range(3):
        start, known = _anchor(), sorted([*_noted(), *kept], key=lambda point: point.number)
        finding = _read(start, since, known)
        if finding.bad is None or _anchor() == start:
            break
    finding.missing_triggers, finding.seconds = missing, time.monotonic() - began
    return finding


def _anchor() -> Point:
    """The last archived event, after which the table begins."""
    last = Archive.objects.order_by("-last").values_list("last", "last_hash").first()
    return Point(*last) if last else START


def _noted() -> Iterator[Point]:
    """Events that the database's own digests and verifications know."""
    digests = Digest.objects.order_by("number").values_list("number", "hash", "at")
    for number, event_hash, at in digests.iterator():
        yield Point(number, event_hash, f"the digest of {_moment(at)}")
    for row in Verification.objects.filter(records__gt=0):
        yield Point(row.records, row.last_hash, f"the verification of {_moment(row.at)}")


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "j M Y, H:i")


def _read(anchor: Point, since: Point | None, known: list[Point]) -> Finding:
    start = since if since and since.number > anchor.number else anchor
    if start is anchor and (bad := _at_the_start(anchor)):
        return bad
    if start is since and _hash_of_record(start.number) != start.hash:
        # The last verified event was changed. Only reading all events finds the first bad one.
        start = anchor
    finding = Finding(records=start.number, last_hash=start.hash, began=start.number)
    expected = iter(known[bisect_right(known, start.number, key=lambda point: point.number) :])
    point = next(expected, None)
    archivings: list[tuple[int, Any]] = []
    for row in rows_after(start.number):
        why = _fault(finding, row)
        if why:
            finding.bad, finding.why = (finding.records + 1 if why == MISSING else row[0]), why
            return finding
        while point and point.number == row[0]:
            if point.hash != row[-1]:
                finding.bad, finding.why, finding.point = row[0], REWRITTEN, point
                return finding
            point = next(expected, None)
        if row[_ACTION] == "history.archived":
            archivings.append((row[0], row[_CHANGES]))
        finding.records, finding.last_hash = row[0], row[-1]
    if point:
        finding.bad, finding.why, finding.point = finding.records + 1, CUT, point
    elif start is anchor:
        _check_archives(finding, anchor, archivings)
    return finding


def _hash_of_record(number: int) -> str | None:
    return Event.objects.filter(number=number).values_list("hash", flat=True).first()


_ACTION, _CHANGES = FIELDS.index("action"), FIELDS.index("changes")
_PREVIOUS = FIELDS.index("previous_hash")
_number_of = itemgetter(0)


def rows_after(number: int) -> Iterator[tuple[Any, ...]]:
    """The fields of every event after this number, its hash last, in order."""
    # Each portion is a query of its own: an open cursor would hold SQLite's writers up.
    while True:
        found = (
            Event.objects.filter(number__gt=number)
            .order_by("number")
            .values_list(*FIELDS, "hash")[:PORTION]
        )
        portion = list(found)
        yield from portion
        if len(portion) < PORTION:
            return
        number = _number_of(portion[-1])


def _fault(so_far: Finding, row: tuple[Any, ...]) -> str:
    if row[0] != so_far.records + 1:
        return MISSING
    if row[_PREVIOUS] != so_far.last_hash:
        return UNLINKED
    if hash_of(dict(zip(FIELDS, row, strict=False))) != row[-1]:
        return ALTERED
    return ""


def _at_the_start(anchor: Point) -> Finding | None:
    # Numbers begin at 1, and an event that was archived must not be in the table again.
    stray = (
        Event.objects.filter(number__lte=anchor.number)
        .order_by("number")
        .values_list("number", flat=True)
        .first()
    )
    if stray is None:
        return None
    return Finding(
        records=anchor.number, last_hash=anchor.hash, began=anchor.number, bad=stray, why=STRAY
    )


def _check_archives(finding: Finding, anchor: Point, archivings: list[tuple[int, Any]]) -> None:
    """Set the fault if archives do not follow from one another, or do not fit their events.

    `archivings`: number and changes of the events that record an archive.
    """
    last, last_hash = 0, ""
    archives = {}
    for archive in Archive.objects.order_by("last"):
        if (archive.first, archive.previous_hash) != (last + 1, last_hash):
            finding.bad, finding.why = archive.first, UNTOLD
            return
        last, last_hash = archive.last, archive.last_hash
        archives[archive.last] = archive
    known = {changes["last"][1]: number for number, changes in archivings if "last" in changes}
    for end, number in known.items():
        if end not in archives:
            finding.bad, finding.why = number, FORGED
            return
    # The event of an archive may lie in a later archive, but that of the last one never does.
    if anchor.number and anchor.number not in known:
        finding.bad, finding.why = anchor.number + 1, UNTOLD
