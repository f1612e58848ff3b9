"""Reading the chain: is every record as it was written, in its place, and is none missing?

Records are read by number in portions, each a short query, so that memory stays small and writers
are not held up. What is appended meanwhile stands at the end and is in order.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.db import connection

from mailops.history.hashing import FIELDS, hash_of

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
    """A record that is known from elsewhere, and how: "the digest of 3 Nov 2026, 04:00"."""

    number: int
    hash: str
    told: str = ""


START = Point(0, "")


@dataclass
class Finding:
    """What a verification found: how far the chain is in order, the first bad record, and why it is
    bad.
    """

    records: int = 0
    last_hash: str = ""
    bad: int | None = None
    why: str = ""
    missing_triggers: list[str] = field(default_factory=list)
    began: int = field(default=0, compare=False)  # the number after which reading began
    seconds: float = field(default=0, compare=False)
    point: Point | None = field(default=None, compare=False)  # the digest that does not fit

    @property
    def is_unbroken(self) -> bool:
        return self.bad is None and not self.missing_triggers

    @property
    def read(self) -> int:
        return self.records - self.began

    @property
    def says(self) -> str:
        """What is wrong, in one sentence; empty where nothing is."""
        if self.bad is not None:
            told = f" Known from {self.point.told}." if self.point and self.point.told else ""
            return f"The history is broken at record {self.bad}: {self.why}.{told}"
        if self.missing_triggers:
            return (
                f"The database no longer refuses edits: {', '.join(self.missing_triggers)} missing."
            )
        return ""


def verify(*, since: Point | None = None, against: Iterable[Point] = ()) -> Finding:
    """Read the chain and stop at the first record that does not fit: all of it, or what came after
    a record.

    `against` are digests that were kept elsewhere; those in the database are asked in any case.
    """
    from mailops.core import sql_triggers
    from mailops.history.models import ALL_TRIGGERS

    began, kept = time.monotonic(), list(against)
    missing = sql_triggers.missing(connection, ALL_TRIGGERS)
    for _ in range(3):  # an archive that is made meanwhile takes records away under the reader
        start, known = _anchor(), sorted([*_noted(), *kept], key=lambda point: point.number)
        finding = _read(start, since, known)
        if finding.bad is None or _anchor() == start:
            break
    finding.missing_triggers, finding.seconds = missing, time.monotonic() - began
    return finding


def _anchor() -> Point:
    """The last archived record, after which the table begins."""
    from mailops.history.models import Archive

    last = Archive.objects.order_by("-last").values_list("last", "last_hash").first()
    return Point(*last) if last else START


def _noted() -> Iterator[Point]:
    """What the database itself knows of the chain: digests, and how far it was in order before."""
    from django.utils.formats import date_format
    from django.utils.timezone import localtime

    from mailops.history.models import Digest, Verification

    for number, hash, at in (
        Digest.objects.order_by("number").values_list("number", "hash", "at").iterator()
    ):
        yield Point(number, hash, f"the digest of {date_format(localtime(at), 'j M Y, H:i')}")
    for row in Verification.objects.filter(records__gt=0):
        yield Point(
            row.records,
            row.last_hash,
            f"the verification of {date_format(localtime(row.at), 'j M Y, H:i')}",
        )


def _read(anchor: Point, since: Point | None, known: list[Point]) -> Finding:
    from mailops.history.models import Event

    start = since if since and since.number > anchor.number else anchor
    if start is anchor and (bad := _at_the_start(anchor)):
        return bad
    if start is since and Event.objects.filter(number=start.number).values_list(
        "hash", flat=True
    ).first() != (start.hash):
        start = anchor  # not as it was left: only the whole tells where it went wrong
    finding = Finding(records=start.number, last_hash=start.hash, began=start.number)
    expected = iter(known[bisect_right(known, start.number, key=lambda point: point.number) :])
    point = next(expected, None)
    told: list[tuple[int, Any]] = []
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
            told.append((row[0], row[_CHANGES]))
        finding.records, finding.last_hash = row[0], row[-1]
    if point:
        finding.bad, finding.why, finding.point = finding.records + 1, CUT, point
    elif start is anchor:
        _check_archives(finding, anchor, told)
    return finding


_ACTION, _CHANGES = FIELDS.index("action"), FIELDS.index("changes")
_PREVIOUS = FIELDS.index("previous_hash")
_number_of = itemgetter(0)


def rows_after(number: int) -> Iterator[tuple[Any, ...]]:
    """The fields of every record after this one, its hash last, in order."""
    from mailops.history.models import Event

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
    """A record with a number that none can have, or that was put back after it had been archived."""
    from mailops.history.models import Event

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


def _check_archives(finding: Finding, anchor: Point, told: list[tuple[int, Any]]) -> None:
    """Every archive is told of by a record, and the files follow from one another."""
    from mailops.history.models import Archive

    last, last_hash = 0, ""
    archives = {}
    for archive in Archive.objects.order_by("last"):
        if (archive.first, archive.previous_hash) != (last + 1, last_hash):
            finding.bad, finding.why = archive.first, UNTOLD
            return
        last, last_hash = archive.last, archive.last_hash
        archives[archive.last] = archive
    known = {what["last"][1]: number for number, what in told if "last" in what}
    for end, number in known.items():
        if end not in archives:
            finding.bad, finding.why = number, FORGED
            return
    # the record of an archive may lie in a later one, but never that of the last
    if anchor.number and anchor.number not in known:
        finding.bad, finding.why = anchor.number + 1, UNTOLD
