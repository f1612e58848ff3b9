"""Pasted text to rows: every line is a row, or bad with what to change; none is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orders.drafting.intake.cells import (
    beyond_domain,
    read_destination,
    read_domain,
    read_name,
    read_picture,
    read_username,
    read_years,
    without_www,
)
from orders.drafting.intake.columns import Column, Layout, has_place, layout_of, notes_on
from orders.drafting.intake.delimited import Line, Unreadable, cells, lines, separator_of, tidy
from orders.drafting.intake.idn import weigh_letters
from orders.drafting.intake.rows import BadCell, BadLine, Doubt, Result, Row
from orders.validation.public_suffixes import registrable, weigh_ending
from vendors.apis.values import Product

MOST_LINES = 5000
Words = tuple[str, str]


@dataclass
class Reading:
    """The result of reading. Nothing is saved while `bad` has lines."""

    rows: list[Row] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    heading_line: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def headings_found(self) -> bool:
        return self.heading_line is not None


def read(text: str, product: Product, *, most: int = MOST_LINES) -> Reading:
    """Read pasted lines: domain, name, address, and optional picture, forward to, years.

    Cells are separated by tab, semicolon, comma or bar. A first line of headings may name the
    columns in another order.
    """
    # A separator found in the headings holds for all lines; without headings each line has its own.
    layout, separator, found = laid_out(text)
    reader = Reader(product, layout or Layout(), separator)
    if layout and found:
        reader.reading.heading_line = found[0].number
        found = found[1:]
    for line in found[:most]:
        reader.take(line)
    if len(found) > most:
        reader.stop_at(found[most], count=len(found), most=most)
    reading = reader.reading
    reading.columns = reader.layout.columns(product)
    reading.notes = notes_on(reader.layout, product)
    return reading


def laid_out(text: str) -> tuple[Layout | None, str, list[Line]]:
    """The layout if the first line has headings, the separator of all lines then, the lines."""
    first = next(lines(text), None)
    if first is None:
        return None, "", []
    try:
        layout = layout_of(cells(first.text))
    except Unreadable:
        layout = None
    separator = separator_of(tidy(first.text)) if layout else ""
    return layout, separator, list(lines(text, separator))


class Reader:
    """Reads line by line; remembers earlier lines, since a domain's lines must agree."""

    def __init__(self, product: Product, layout: Layout, separator: str) -> None:
        self.product, self.layout, self.separator = product, layout, separator
        self.reading = Reading()
        self.seen: dict[str, Row] = {}
        self.weighed: dict[str, list[Words]] = {}

    def take(self, line: Line) -> None:
        try:
            row, doubts = self._row(line)
        except BadCell as bad:
            self._refuse(line.number, line.text.strip(), bad)
            return
        number, text = line.number, line.text.strip()
        found_doubts = tuple(
            Doubt(number=number, message=message, fix=fix) for message, fix in doubts
        )
        self.reading.rows.append(row)
        self.reading.doubts.extend(found_doubts)
        self.reading.lines[number] = text
        self.reading.results.append(Result(number=number, text=text, row=row, doubts=found_doubts))

    def stop_at(self, line: Line, *, count: int, most: int) -> None:
        # One bad line stands for all that follow: thousands of messages alike help nobody.
        rest = count - most
        message = (
            f"Too many lines. There are {count:,}: this one and {rest - 1:,} after it are not read."
        )
        fix = f"Put the lines from here on into another order: one order takes {most:,} lines."
        self._refuse(
            line.number,
            line.text.strip()[:80],
            BadCell(message if rest > 1 else "Too many lines.", fix),
        )

    def _refuse(self, number: int, text: str, why: BadCell) -> None:
        bad = BadLine(number=number, text=text, message=why.message, fix=why.fix)
        self.reading.bad.append(bad)
        self.reading.lines[number] = text
        self.reading.results.append(Result(number=number, text=text, bad=bad))

    def _row(self, line: Line) -> tuple[Row, list[Words]]:
        try:
            found = cells(line.text, self.separator)
        except Unreadable:
            raise BadCell(
                "This line can't be read.", "Write it as: domain, name, address."
            ) from None
        cell = self.layout.by_meaning(found)
        typed = self._domain(cell)
        domain = without_www(typed)
        row = self._mailbox(line.number, cell, domain)
        once(row, self.seen)
        doubts = (
            [("www. in front was taken off.", f"The order is for {domain}.")]
            if domain != typed
            else []
        )
        if line.ends > line.number:
            message = (
                f"Lines {line.number} to {line.ends} are one row: a cell in quotation marks goes"
                " over them."
            )
            doubts.append((message, "If they are rows of their own, take out the quotation mark."))
        doubts += self._weigh_destination(cell.get("forward to", ""))
        return row, doubts + self._weigh(domain)

    def _domain(self, cell: Mapping[str, str]) -> str:
        if not cell.get("domain") and self.layout.is_named:
            if self.layout.lacks_domain:
                raise BadCell("No column says the domain.", "Name one column “domain” or “email”.")
            raise BadCell("There is no domain.", "Fill in the domain, for example: acme-reach.com")
        return read_domain(cell.get("domain", ""))

    def _mailbox(self, number: int, cell: Mapping[str, str], domain: str) -> Row:
        for column in ("picture", "forward to", "years"):
            if cell.get(column) and not has_place(column, self.product):
                # Refused, because a person would not notice that the order leaves it out.
                raise BadCell(
                    f"This order has no place for “{column}”: {cell[column][:60]}",
                    "Leave that cell empty.",
                )
        first, last = read_name(cell)
        username = read_username(cell.get("address", ""), domain)
        if not username:
            self._may_lack_address(domain, f"{first} {last}".strip())
        return Row(
            number=number,
            domain=domain,
            first_name=first,
            last_name=last,
            username=username,
            picture=read_picture(cell.get("picture", "")),
            forward_to=self._destination(cell.get("forward to", "")),
            years=read_years(cell.get("years", "")),
        )

    def _destination(self, typed: str) -> str:
        if not typed:
            return ""
        return read_destination(typed) if self.product.forwards_to_page else read_domain(typed)

    def _weigh_destination(self, typed: str) -> list[Words]:
        left_out = "" if self.product.forwards_to_page else beyond_domain(typed)
        if not left_out:
            return []
        message = f"This vendor forwards to a domain only, so “{left_out[:60]}” is left out."
        return [(message, f"It forwards to {read_domain(typed)}.")]

    def _may_lack_address(self, domain: str, name: str) -> None:
        if not self.product.buys_domains:
            raise BadCell(
                "There is no address.", f"Add one, for example: {domain}, Dana Reyes, dana.reyes"
            )
        if name and not self.product.names_per_domain:
            example = f"{domain}, {name}, dana"
            raise BadCell(
                "There is a name but no address.", f"Add the address, for example: {example}"
            )

    def _weigh(self, domain: str) -> list[Words]:
        # Thousands of lines may have one domain; each doubt about it is worked out once.
        if domain not in self.weighed:
            found = [weigh_letters(domain), weigh_ending(domain) or self._weigh_part(domain)]
            self.weighed[domain] = [words for words in found if words]
        return self.weighed[domain]

    def _weigh_part(self, domain: str) -> Words | None:
        if not self.product.buys_domains or domain.count(".") < 2:
            return None
        whole = registrable(domain)
        if whole in ("", domain):
            return None
        return (
            f"{domain} is a part of {whole} and can't be bought by itself.",
            f"Did you mean {whole}?",
        )


def once(row: Row, seen: dict[str, Row]) -> None:
    """Raises `BadCell` if a row repeats or contradicts an earlier one.

    A mailbox occurs once. A domain without an address occurs once, and not beside its own
    mailboxes. All lines of a domain agree about it, or leave the cell to the first.
    """
    key = row.address or row.domain
    if other := seen.get(key):
        raise BadCell(f"{key} is on line {other.number} already.", "Take one of the two lines out.")
    first = seen.get(f"@{row.domain}", row)
    if bool(first.username) != bool(row.username):
        raise BadCell(
            f"{row.domain} is on line {first.number} already.",
            "Take out the line without an address.",
        )
    for said, before, words in (
        (row.years, first.years, "years"),
        (row.forward_to, first.forward_to, "forwarding"),
    ):
        if said not in (before, "", 1):
            raise BadCell(
                f"Line {first.number} says something else about the {words} of {row.domain}.",
                "Write the same in both lines.",
            )
    seen[key] = row
    seen.setdefault(f"@{row.domain}", row)
