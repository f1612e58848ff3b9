"""Explains a break of the chain: what was probably done, the events around it, what to do next."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from mailops.history import verify as chain
from mailops.history.hashing import FIELDS, hash_of
from mailops.history.models import Event
from mailops.history.verify import Finding

AROUND = 2  # events shown before and after
WINDOW = 200  # numbers by which an event may have been moved to be recognised

KEEP = (
    "Stop and keep everything as it is: make a copy of the database before anybody mends anything.",
    (
        "Compare the records below with the newest backup that verifies; the backup shows what"
        " really stood there."
    ),
    "Find out who had access to the database since the last verification that was in order.",
    (
        "Tell the owner. MailOps can't mend its history; what is broken stays marked until the"
        " database is restored."
    ),
)
PUT_BACK = (
    "Run manage.py migrate: it puts the protection back.",
    "Find out who took it away; only somebody with full access to the database can.",
    (
        "Compare the history with a digest that was kept elsewhere: while the protection was away,"
        " it could be rewritten."
    ),
)


@dataclass
class Neighbour:
    place: str
    event: Event
    fits: bool

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Label and text of each field that is not empty."""
        found = []
        for item in Event._meta.concrete_fields:
            value = getattr(self.event, item.attname)
            if value not in (None, "", {}) or item.attname in ("previous_hash", "hash"):
                found.append((str(item.verbose_name).capitalize(), _text(item.attname, value)))
        return found


@dataclass
class Explanation:
    what: str = ""
    detail: str = ""
    neighbours: list[Neighbour] = field(default_factory=list)
    steps: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        found = [f"What it is: {self.what}. {self.detail}"] if self.what else []
        for neighbour in self.neighbours:
            event = neighbour.event
            found.append(
                f"  {neighbour.place}: {event.number}, {event.at:%Y-%m-%d %H:%M:%S}, {event.actor}:"
            )
            found.append(f"    {event.action} {event.subject}, hash {event.hash}")
        return found + [f"Next: {step}" for step in self.steps]


def explain(finding: Finding) -> Explanation:
    if finding.bad is None:
        return (
            Explanation("protection gone", "", [], PUT_BACK)
            if finding.missing_triggers
            else Explanation()
        )
    what, detail = _what(finding, finding.bad)
    return Explanation(what, detail, list(_neighbours(finding.bad)), KEEP)


def _what(finding: Finding, bad: int) -> tuple[str, str]:
    event = Event.objects.filter(number=bad).first()
    if finding.why == chain.CUT:
        return "cut off at the end", f"The last record that was still there is {finding.records}."
    if finding.why == chain.REWRITTEN:
        return (
            "rewritten",
            (
                "The records fit one another, but not the digest. Everything from some record"
                " before this one up to the end was written again."
            ),
        )
    if finding.why == chain.STRAY:
        return "inserted", "Its number is one that no record here may have."
    if finding.why in (chain.UNTOLD, chain.FORGED):
        return "missing", "What was archived and what the history tells of it do not agree."
    # From here on the chain itself shows what was done.
    if event is None:
        return "missing", _gap(bad)
    if finding.why == chain.ALTERED:
        return (
            "altered",
            "It stands in its place, but at least one of its fields is not as it was written.",
        )
    return _unlinked(event)


def _gap(bad: int) -> str:
    after = (
        Event.objects.filter(number__gt=bad)
        .order_by("number")
        .values_list("number", flat=True)
        .first()
    )
    if after is None or after == bad + 1:
        return "This one record was taken out."
    return f"Records {bad} to {after - 1} were taken out."


def _unlinked(event: Event) -> tuple[str, str]:
    """For an event whose link to the one before does not fit. Returns what was done, and detail.

    Two facts tell the cases apart: which event has the hash that the link names, and with which
    number the event was written.
    """
    owner = Event.objects.filter(hash=event.previous_hash).values_list("number", flat=True).first()
    was = written_as(event)
    if was is not None and was == event.number:
        if owner is None:
            return (
                "altered",
                (
                    f"This record itself is as it was written. Record {event.number - 1} before it"
                    " is not the one that stood there: it was altered, and its hash made to fit."
                ),
            )
        return "reordered or inserted", f"It was written as the one after record {owner}."
    if owner is not None and owner < event.number - 1:
        return "inserted", _between(owner, event.number)
    if owner is not None and owner > event.number:
        return (
            "reordered",
            f"It was written after what is now record {owner}; records changed places.",
        )
    if was is not None and was > event.number:
        return (
            "missing",
            (
                f"It was written as record {was}: what stood before it was taken out, and the gap"
                " closed."
            ),
        )
    if was is not None:
        return "inserted", f"It was written as record {was}: something was put in before it."
    return (
        "altered",
        (
            "Neither its link to the record before nor its contents fit: it was altered, or put in"
            " by hand."
        ),
    )


def _between(owner: int, number: int) -> str:
    put = (
        f"record {owner + 1} was"
        if owner + 2 == number
        else f"records {owner + 1} to {number - 1} were"
    )
    return f"It was written as the one after record {owner}, so {put} put in between."


def written_as(event: Event) -> int | None:
    """The number, near its own, with which the event's hash is right. None if it was altered."""
    fields: dict[str, Any] = {name: getattr(event, name) for name in FIELDS}
    near = sorted(
        range(event.number - WINDOW, event.number + WINDOW + 1),
        key=lambda number: abs(number - event.number),
    )
    return next(
        (number for number in near if hash_of({**fields, "number": number}) == event.hash), None
    )


def _neighbours(bad: int) -> list[Neighbour]:
    before = list(Event.objects.filter(number__lt=bad).order_by("-number")[:AROUND])[::-1]
    after = list(Event.objects.filter(number__gte=bad).order_by("number")[: AROUND + 1])
    found = []
    for event in [*before, *after]:
        place = (
            "Before it"
            if event.number < bad
            else "The bad record"
            if event.number == bad
            else "After it"
        )
        found.append(Neighbour(place, event, event.hash == event.digest()))
    return found


def _text(name: str, value: Any) -> str:
    if name == "at":
        return str(value.isoformat(timespec="microseconds"))
    if name == "changes" and isinstance(value, dict):
        return "\n".join(f"{key}: {_pair(pair)}" for key, pair in value.items())
    return str(value)


def _pair(pair: Any) -> str:
    values = pair if isinstance(pair, list) and len(pair) == 2 else [pair]
    return " → ".join(
        "nothing" if value is None else json.dumps(value, ensure_ascii=False) for value in values
    )
