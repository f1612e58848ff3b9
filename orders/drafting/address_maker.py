"""Makes addresses: from people and domains to mailboxes.

The same wish always gives the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice

from orders.drafting.address_patterns import (
    LONGEST_LOCAL_PART,
    PATTERNS,
    Person,
    fill,
    needs,
    read_patterns,
)
from orders.drafting.intake import MOST_LINES, Row, written

LINES, EVERY, SPREAD = "lines", "every", "spread"
MODES = {
    EVERY: "Everybody on every domain",
    SPREAD: "People spread over the domains",
    LINES: "Each line with a name, no address",
}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The addresses to make. `per_domain` includes the mailboxes that a domain has already."""

    mode: str = EVERY
    people: tuple[Person, ...] = ()
    domains: tuple[str, ...] = ()
    patterns: tuple[str, ...] = tuple(PATTERNS)
    per_domain: int | None = None
    umlauts: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """One address. `clash`: the one wanted first, if taken; `why`: another reason for a change."""

    row: Row
    clash: str = ""
    why: str = ""
    remark: str = ""

    @property
    def is_changed(self) -> bool:
        return bool(self.remark)


@dataclass(frozen=True, kw_only=True)
class Making:
    """The made addresses in order, all lines of the paste box with them, and notes."""

    made: list[Made] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return written(self.rows)

    @property
    def domains(self) -> int:
        return len({made.row.domain for made in self.made})

    @property
    def changed(self) -> int:
        return sum(made.is_changed for made in self.made)


def patterns_from(chosen: str) -> tuple[str, ...]:
    """The patterns to try in order: the chosen one and then the others, or own ones alone."""
    if chosen in PATTERNS:
        return (chosen, *(pattern for pattern in PATTERNS if pattern != chosen))
    return read_patterns(chosen)


class TooMany(Exception):
    """More lines than one order takes."""


def make(wish: Wish, *, rows: Iterable[Row] = (), taken: Mapping[str, str] | None = None) -> Making:
    """Make the addresses. Raises `TooMany`.

    `rows` are the lines of the paste box; those with an address stay as they are. `taken` maps an
    address to the place where it is used.
    """
    rows = list(rows)
    found, notes = _seats(wish, rows)
    # Everybody on every domain may be millions; one more than allowed is enough to refuse.
    seats = list(islice(found, MOST_LINES + 1))
    notes += _nameless(seats)
    maker = _Maker(wish, rows, taken or {})
    made = [
        maker.make(domain, person, line) for domain, person, line in seats if person.has_letters
    ]
    laid, gone = _lay_out(wish, rows, made)
    if len(laid) > MOST_LINES:
        raise TooMany
    if gone:
        named = ", ".join(
            f"{row.domain} {row.first_name} {row.last_name}".strip() for row in gone[:3]
        )
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        notes.append(f"Lines with a name and no address give way to the new ones: {named}{more}.")
    lines = _line_numbers(laid)
    final = [replace(row, number=number) for row, number in zip(laid, lines.values(), strict=True)]
    remarked = [_remarked(one, lines, taken or {}) for one in made]
    return Making(made=remarked, rows=final, notes=notes + _kept(wish, rows, made))


# A domain, the person who gets an address there, and the line that the address is made for.
Seat = tuple[str, Person, Row | None]


def _seats(wish: Wish, rows: list[Row]) -> tuple[Iterator[Seat], list[str]]:
    held: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        if row.username:
            held[row.domain].append(_who(row).key)
    if wish.mode == LINES:
        return _fill_lines(rows), []
    if wish.mode == SPREAD:
        return _spread(wish, held), _without_a_place(wish, held)
    notes = []
    if wish.per_domain and wish.per_domain < len(wish.people):
        notes.append(
            f"There are {len(wish.people)} people for {wish.per_domain} mailboxes a domain: the"
            " first of them are used on each. Spread them over the domains to use them all."
        )
    return _everywhere(wish, held), notes


def _nameless(seats: list[Seat]) -> list[str]:
    names = list(dict.fromkeys(str(person) for _, person, _ in seats if not person.has_letters))
    return [f"No address can be made of the name “{name}”." for name in names[:5]]


def _who(row: Row) -> Person:
    return Person(first=row.first_name, last=row.last_name, picture=row.picture)


def _fill_lines(rows: list[Row]) -> Iterator[Seat]:
    for row in rows:
        if not row.username and (row.first_name or row.last_name):
            yield row.domain, _who(row), row


def _everywhere(wish: Wish, held: Mapping[str, list[tuple[str, str]]]) -> Iterator[Seat]:
    # People without a mailbox on the domain come first. While more mailboxes are wanted, everybody
    # gets another.
    for domain in wish.domains:
        here = held.get(domain, [])
        fresh = _without(wish.people, set(here))
        if wish.per_domain is None:
            yield from ((domain, person, None) for person in fresh)
        else:
            wanted = max(wish.per_domain - len(here), 0)
            yield from (
                (domain, person, None)
                for person in islice(chain(fresh, cycle(wish.people)), wanted)
            )


def _without(people: Iterable[Person], keys: set[tuple[str, str]]) -> Iterator[Person]:
    return (person for person in people if person.key not in keys)


def _spread(wish: Wish, held: Mapping[str, list[tuple[str, str]]]) -> Iterator[Seat]:
    # One after the other over the domains. With a number for each domain, a domain gets the next so
    # many people.
    if wish.per_domain is None:
        for person, domain in zip(wish.people, cycle(wish.domains), strict=False):
            if person.key not in held.get(domain, []):
                yield domain, person, None
        return
    turn = cycle(wish.people)
    for domain in wish.domains:
        for _ in range(wish.per_domain - len(held.get(domain, []))):
            yield domain, next(turn), None


def _without_a_place(wish: Wish, held: Mapping[str, list[tuple[str, str]]]) -> list[str]:
    if wish.per_domain is None:
        empty = len(wish.domains) - len(wish.people)
        return (
            [f"{empty} of the domains get no mailbox: there are fewer people."] if empty > 0 else []
        )
    places = sum(max(wish.per_domain - len(held.get(domain, [])), 0) for domain in wish.domains)
    left = len(wish.people) - places
    if left <= 0 or not places:
        return []
    first = wish.people[places]
    who = f"{first} has" if left == 1 else f"{left} people, from {first} on, have"
    return [
        f"{who} no place: the domains take {places} more mailboxes. Add domains, or raise the"
        " number on each."
    ]


class _Maker:
    """Gives out addresses one by one, each once."""

    def __init__(self, wish: Wish, rows: list[Row], taken: Mapping[str, str]) -> None:
        self.wish = wish
        self.used = {row.address for row in rows if row.username} | set(taken)
        self.about: dict[str, Row] = {}
        self.has: dict[tuple[str, tuple[str, str]], int] = defaultdict(int)
        self.next_number: dict[str, int] = {}
        self.pictures = {
            _who(row).key: row.picture for row in reversed(rows) if str(_who(row)) and row.picture
        }
        for row in rows:
            self._learn(row)

    def _learn(self, row: Row) -> None:
        # The first line of a domain that has a value counts, as it does when an order is saved.
        known = self.about.setdefault(row.domain, replace(row, picture=""))
        years, forward_to = (
            (row.years if known.years == 1 else known.years),
            known.forward_to or row.forward_to,
        )
        picture = known.picture or ("" if row.username or str(_who(row)) else row.picture)
        self.about[row.domain] = replace(known, years=years, forward_to=forward_to, picture=picture)
        if row.username:
            self.has[row.domain, _who(row).key] += 1

    def make(self, domain: str, person: Person, line: Row | None) -> Made:
        parts = person.parts(umlauts=self.wish.umlauts)
        turn = self.has[domain, person.key]
        self.has[domain, person.key] += 1
        patterns, why = self._patterns(person, parts, turn)
        wanted = fill(patterns[0], parts)
        username = self._free(domain, patterns, parts, is_again=turn >= len(self.wish.patterns))
        self.used.add(f"{username}@{domain}")
        clash = f"{wanted}@{domain}" if username != wanted and "{n}" not in patterns[0] else ""
        if len(username) >= LONGEST_LOCAL_PART - 1:
            why = f"{why} Shortened to {LONGEST_LOCAL_PART} characters.".strip()
        about = self.about.get(domain, Row(number=0, domain=domain))
        picture = person.picture or self.pictures.get(person.key, "") or about.picture
        row = Row(
            number=line.number if line else 0,
            domain=domain,
            first_name=person.first,
            last_name=person.last,
            username=username,
            picture=picture,
            forward_to=about.forward_to,
            years=about.years,
        )
        return Made(row=row, clash=clash, why=why)

    def _patterns(self, person: Person, parts: dict[str, str], turn: int) -> tuple[list[str], str]:
        """The patterns to try, in this order, and a sentence on the part that the name lacks."""
        start = turn % len(self.wish.patterns)
        in_turn = [*self.wish.patterns[start:], *self.wish.patterns[:start]]
        can = [pattern for pattern in in_turn if all(parts[part] for part in needs(pattern))]
        if can and can[0] == in_turn[0]:
            return can, ""
        lacks = "last" if parts["first"] else "first"
        return can or ["{first}" if parts["first"] else "{last}"], f"{person} has no {lacks} name."

    def _free(
        self, domain: str, patterns: list[str], parts: dict[str, str], *, is_again: bool
    ) -> str:
        # The first pattern with a free address; if none has one, the first pattern with a number.
        if not is_again:
            for pattern in patterns:
                if "{n}" in pattern:
                    return self._numbered(domain, pattern, parts, start=1)
                if f"{fill(pattern, parts)}@{domain}" not in self.used:
                    return fill(pattern, parts)
        return self._numbered(domain, patterns[0], parts, start=1 if "{n}" in patterns[0] else 2)

    def _numbered(self, domain: str, pattern: str, parts: dict[str, str], *, start: int) -> str:
        # The next number is remembered: counting from 1 for each of thousands takes too long.
        key = f"{fill(pattern, parts)}@{domain}"
        number = self.next_number.get(key, start)
        while f"{fill(pattern, parts, number)}@{domain}" in self.used:
            number += 1
        self.next_number[key] = number + 1
        return fill(pattern, parts, number)


def _lay_out(wish: Wish, rows: list[Row], made: list[Made]) -> tuple[list[Row], list[Row]]:
    """All lines in order, the new ones below their domain; and the lines with a name replaced.

    A domain's line without an address gives way to its mailboxes. A line that got its address stays
    in its place.
    """
    if wish.mode == LINES:
        filled = {one.row.number: one.row for one in made}
        done = {row.domain for row in filled.values()}
        kept = (
            row for row in rows if row.username or row.number in filled or row.domain not in done
        )
        return [filled.get(row.number, row) for row in kept], []
    new: dict[str, list[Row]] = defaultdict(list)
    for one in made:
        new[one.row.domain].append(one.row)
    last = {row.domain: i for i, row in enumerate(rows)}
    laid: list[Row] = []
    gone: list[Row] = []
    people = {_who(row).key for rows_of in new.values() for row in rows_of}
    for i, row in enumerate(rows):
        if row.username or row.domain not in new:
            laid.append(row)
        elif (row.first_name or row.last_name) and _who(row).key not in people:
            gone.append(row)
        if last[row.domain] == i:
            laid += new.pop(row.domain, [])
    return laid + [row for rows_of in new.values() for row in rows_of], gone


def _line_numbers(rows: list[Row]) -> dict[str, int]:
    # Headings count: people look for the line in the paste box.
    headings = len(written(rows).splitlines()) - len(rows)
    return {
        row.address or f"{i} {row.domain}": i for i, row in enumerate(rows, 1 + max(headings, 0))
    }


def _remarked(made: Made, lines: Mapping[str, int], taken: Mapping[str, str]) -> Made:
    row = replace(made.row, number=lines[made.row.address])
    wanted, where = made.clash.partition("@")[0], ""
    if made.clash in lines:
        where = f"{wanted} is taken on line {lines[made.clash]}."
    elif made.clash:
        where = f"{made.clash} is {taken.get(made.clash, 'taken')}."
    return replace(made, row=row, remark=f"{made.why} {where}".strip())


def _kept(wish: Wish, rows: list[Row], made: list[Made]) -> list[str]:
    if wish.mode == LINES or wish.per_domain is None:
        return []
    count: dict[str, int] = defaultdict(int)
    for row in [*rows, *(one.row for one in made)]:
        count[row.domain] += bool(row.username)
    more = [domain for domain in wish.domains if count[domain] > wish.per_domain]
    if not more:
        return []
    named = ", ".join(more[:3]) + (f" and {len(more) - 3} more" if len(more) > 3 else "")
    boxes = "mailbox" if wish.per_domain == 1 else "mailboxes"
    return [
        f"More than {wish.per_domain} {boxes} stood there already: {named}. Nothing was added"
        " there."
    ]
