"""Lines of the control report: records and orders in words, and how many are read of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from mailops.history.models import Event
from orders.audit.evidence_pack.scope import ORDER, bounds

MOST_LINES = 500  # of a section
MOST_READ = 10 * MOST_LINES  # rows of one kind that are read for a section
MOST_FIELDS = 12  # of a record, in one line


@dataclass(frozen=True, kw_only=True)
class Line:
    """One finding of the report."""

    at: datetime | None
    who: str
    what: str
    about: str = ""
    record: int | None = None  # the number of the record behind the finding
    order: int | None = None


@dataclass(frozen=True)
class Cut:
    """Stands among the lines where more rows exist than are read, with a sentence about that."""

    says: str


@dataclass(frozen=True, kw_only=True)
class Period:
    """From a day to a day, both included."""

    first: date
    last: date
    since: datetime = field(init=False)
    until: datetime = field(init=False)

    def __post_init__(self) -> None:
        since, until = bounds(self.first, self.last)
        object.__setattr__(self, "since", since)
        object.__setattr__(self, "until", until)

    def events(self, *actions: str) -> QuerySet[Event]:
        """The period's records with these actions, or all of them, oldest first."""
        found = Event.objects.filter(at__gte=self.since, at__lt=self.until).order_by("number")
        return found.filter(action__in=actions) if actions else found


def line(event: Event, what: str = "") -> Line:
    is_order = event.subject_type == ORDER and event.subject_id.isdecimal()
    return Line(
        at=event.at,
        who=event.actor,
        what=what or in_words(event),
        about=event.subject,
        record=event.number,
        order=int(event.subject_id) if is_order else None,
    )


def lines(
    found: QuerySet[Any], kind: str = "these records", to_line: Callable[[Any], Line] = line
) -> Iterator[Line | Cut]:
    """A line for each of the first `MOST_READ` rows, then a `Cut` where there are more."""
    # One row more than is used shows that there are more, without a count over all.
    rows = list(found[: MOST_READ + 1])
    yield from map(to_line, rows[:MOST_READ])
    if len(rows) > MOST_READ:
        yield Cut(f"Of {kind} only the first {MOST_READ:,} are counted; there are more.")


def in_words(event: Event, names: Iterable[str] = ()) -> str:
    """A record in one line: action, changes of the fields `names` (of all by default), reason."""
    words = event.action.partition(".")[2].replace("_", " ").capitalize()
    # A record may change hundreds of fields. The line links to the record, which shows all.
    wanted = [name for name in names or sorted(event.changes) if name in event.changes]
    changed = "; ".join(_change(name, event.changes[name]) for name in wanted[:MOST_FIELDS])
    return ". ".join(part.rstrip(".") for part in (words, changed, event.reason) if part) + "."


def _change(name: str, pair: Any) -> str:
    # Some records keep a plain value instead of the pair of old and new.
    before, after = pair if isinstance(pair, list) and len(pair) == 2 else (None, pair)
    is_new = before in (None, "", [], {})
    words = _text(after) if is_new else f"{_text(before)} became {_text(after)}"
    return f"{name.replace('_', ' ')}: {words}"


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    if isinstance(value, list):
        return ", ".join(map(_text, value))[:200]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:200]
