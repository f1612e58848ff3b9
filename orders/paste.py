"""Pasted lines: read into rows, each line good or with what to change, and written back as the same lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vendors.apis.base import Product

MOST_LINES = 5000
LONGEST_NAME = 60
COLUMNS = ("domain", "name", "address", "picture", "forward to", "years")
PARTED = ("domain", "first name", "last name", "address", "picture", "forward to", "years")
HEADINGS = {
    "domain": "domain", "domain name": "domain", "name": "name", "full name": "name", "first name": "first",
    "first": "first", "last name": "last", "last": "last", "address": "address", "email": "address",
    "e-mail": "address", "username": "address", "mailbox": "address", "picture": "picture",
    "profile picture": "picture", "forward to": "forward to", "redirect": "forward to", "years": "years",
}  # fmt: skip
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
USERNAME = re.compile(r"[a-z0-9]([a-z0-9._+-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pasted line as it was read; `number` counts from 1 in the paste box."""

    number: int
    domain: str
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    picture: str = ""
    forward_to: str = ""
    years: int = 1

    @property
    def address(self) -> str:
        return f"{self.username}@{self.domain}" if self.username else ""

    @property
    def is_parted_elsewhere(self) -> bool:
        """The name does not come apart at its first space, so that first and last name need cells of their own."""
        return " " in self.first_name or bool(self.last_name and not self.first_name)

    def line(self, columns: tuple[str, ...] = COLUMNS) -> str:
        """The row as a line for the paste box; empty cells at the end are left out."""
        known = {
            "domain": self.domain,
            "name": f"{self.first_name} {self.last_name}".strip(),
            "first name": self.first_name,
            "last name": self.last_name,
            "address": self.username,
            "picture": self.picture,
            "forward to": self.forward_to,
            "years": str(self.years) if self.years != 1 else "",
        }
        cells = [known[column] for column in columns]
        while cells and not cells[-1]:
            cells.pop()
        return ", ".join(_quoted(cell) for cell in cells)


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that needs a change: where, what is wrong, and how to mend it."""

    number: int
    text: str
    message: str
    fix: str = ""


@dataclass
class Reading:
    """What a paste holds. Nothing is saved while `bad` has lines."""

    rows: list[Row] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)

    @property
    def results(self) -> list[tuple[int, str, Row | None, BadLine | None]]:
        """Every line in its order with its row or its problem, for the page."""
        rows = {row.number: row for row in self.rows}
        bad = {line.number: line for line in self.bad}
        return [(number, text, rows.get(number), bad.get(number)) for number, text in self.lines.items()]


class BadCell(Exception):
    """A cell that can't be read; `fix` says how to mend it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def read(text: str, product: Product) -> Reading:
    """Read pasted lines: domain, name, address, and where wanted picture, forward to, years.

    Cells are parted by tab, semicolon or comma. A first line of headings may name the columns in another order.
    """
    reading = Reading()
    lines = [(n, line) for n, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    columns: tuple[str, ...] = COLUMNS
    separator = ""
    if lines and (headings := _headings(lines[0][1].strip())):
        columns, separator, lines = headings, _separator(lines[0][1].strip()), lines[1:]
    seen: dict[str, Row] = {}
    for number, line in lines[:MOST_LINES]:
        reading.lines[number] = line.strip()
        try:
            # under a heading with tabs, a tab at the start is an empty cell
            cells = _cells(line.strip(" ") if separator == "\t" else line.strip(), separator)
            row = _row(number, cells, columns, product)
            _once(row, seen)
            reading.rows.append(row)
        except BadCell as bad:
            reading.bad.append(BadLine(number=number, text=line.strip(), message=bad.message, fix=bad.fix))
    for number, line in lines[MOST_LINES : MOST_LINES + 1]:
        fix = f"Put the lines from here on into another order: one order takes {MOST_LINES:,} lines."
        reading.lines[number] = line.strip()[:80]
        reading.bad.append(BadLine(number=number, text=line.strip()[:80], message="Too many lines.", fix=fix))
    return reading


def _quoted(cell: str) -> str:
    """The cell as `_cells` reads it back."""
    if any(mark in cell for mark in ',;"'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _separator(line: str) -> str:
    """A tab anywhere, else the semicolon or comma that comes first, not counting what stands in quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return "\t" if "\t" in bare else next((mark for mark in bare if mark in ";,"), ",")


def _cells(line: str, separator: str = "") -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=separator or _separator(line), skipinitialspace=True))
    except csv.Error:
        raise BadCell("This line can't be read.", "Write it as: domain, name, address.") from None
    return [" ".join(cell.split()) for cell in cells]


def _headings(line: str) -> tuple[str, ...] | None:
    try:
        cells = [cell.lower() for cell in _cells(line)]
    except BadCell:
        return None
    if not cells or HEADINGS.get(cells[0]) is None or not any(HEADINGS.get(cell) == "domain" for cell in cells):
        return None
    return tuple(HEADINGS.get(cell, "") for cell in cells)


def _row(number: int, cells: list[str], columns: tuple[str, ...], product: Product) -> Row:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        raise BadCell(f"There are {len(cells)} cells in this line.", f"Write it as: {', '.join(columns[:3])}.")
    cell = dict(zip(columns, cells, strict=False))
    domain = read_domain(cell.get("domain", ""))
    _has_place(cell, product)
    first, last = _read_name(cell)
    username = _read_username(cell.get("address", ""), domain)
    if not username and not product.buys_domains:
        raise BadCell("There is no address.", f"Add one, for example: {domain}, Dana Reyes, dana.reyes")
    if not username and not product.names_per_domain and (first or last):
        example = f"{domain}, {f'{first} {last}'.strip()}, dana"
        raise BadCell("There is a name but no address.", f"Add the address, for example: {example}")
    return Row(
        number=number,
        domain=domain,
        first_name=first,
        last_name=last,
        username=username,
        picture=_read_picture(cell.get("picture", "")),
        forward_to=read_domain(cell["forward to"]) if cell.get("forward to") else "",
        years=_read_years(cell.get("years", "")),
    )


def _has_place(cell: Mapping[str, str], product: Product) -> None:
    """What the vendor has no place for is not taken and then quietly left out."""
    places = (("picture", product.has_pictures), ("forward to", product.forwards), ("years", product.has_years))
    for column, has_place in places:
        if cell.get(column) and not has_place:
            raise BadCell(f"This order has no place for “{column}”: {cell[column][:60]}", "Leave that cell empty.")


def _once(row: Row, seen: dict[str, Row]) -> None:
    """A mailbox stands once; a domain without an address stands once and not beside its own mailboxes.

    All lines of a domain say the same of it, or leave it to the first.
    """
    if other := seen.get(row.address or row.domain):
        raise BadCell(
            f"{row.address or row.domain} is on line {other.number} already.", "Take one of the two lines out."
        )
    first = seen.get(f"@{row.domain}", row)
    if bool(first.username) != bool(row.username):
        raise BadCell(f"{row.domain} is on line {first.number} already.", "Take out the line without an address.")
    for name, words in (("years", "years"), ("forward_to", "forwarding")):
        said, before = getattr(row, name), getattr(first, name)
        if said not in (before, "", 1):
            raise BadCell(
                f"Line {first.number} says something else about the {words} of {row.domain}.",
                "Write the same in both lines.",
            )
    seen[row.address or row.domain] = row
    seen.setdefault(f"@{row.domain}", row)


def read_domain(text: str) -> str:
    """A domain name in small letters, without scheme, slash or trailing dot. Raises with the fix where it is none."""
    name = re.sub(r"^[a-z]+://", "", text.strip().lower()).split("/")[0].rstrip(".")
    if not name:
        raise BadCell(
            "There is no domain.", "Begin the line with the domain, for example: acme-reach.com, Dana Reyes, dana"
        )
    if "@" in name:
        raise BadCell(
            f"“{name}” is an address, not a domain.", f"Write only {name.rpartition('@')[2] or 'the domain'}."
        )
    if "." not in name:
        raise BadCell(f"“{name}” has no ending.", f"Did you mean {name}.com?")
    if not name.isascii():
        raise BadCell(f"“{name}” has letters that go beyond a to z.", "Use the form that begins with xn--.")
    labels = name.split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        guess = ".".join(re.sub(r"[^a-z0-9-]+", "-", label).strip("-") for label in labels)
        fix = (
            f"Did you mean {guess}?" if guess != name and all(guess.split(".")) else "Use letters, digits and hyphens."
        )
        raise BadCell(f"“{name}” can't be a domain.", fix)
    return name


def _read_name(cell: Mapping[str, str]) -> tuple[str, str]:
    first, _, last = cell.get("name", "").partition(" ")
    first, last = cell.get("first") or first, cell.get("last") or last
    for name in (first, last):
        if len(name) > LONGEST_NAME:
            raise BadCell(f"“{name[:20]}…” is too long for a name.", f"Use at most {LONGEST_NAME} letters.")
    return first, last


def _read_username(text: str, domain: str) -> str:
    username, at, host = text.lower().partition("@")
    if at and host.rstrip(".") != domain:
        raise BadCell(f"The address is at {host or 'no domain'}, the line at {domain}.", f"Write {username}@{domain}?")
    username = username.strip()
    if not username and at:
        raise BadCell("There is nothing before the @.", f"Write for example dana@{domain}.")
    if not username:
        return ""
    if not username.isascii():
        raise BadCell(f"“{username}” has letters that go beyond a to z.", "Write it with plain letters.")
    if not USERNAME.fullmatch(username) or ".." in username:
        guess = re.sub(r"\.{2,}", ".", re.sub(r"[^a-z0-9._+-]+", ".", username)).strip("._+-")[:64]
        what = "A space is" if " " in username else "This is"
        raise BadCell(
            f"{what} not allowed before the @: “{username}”.", f"Use {guess}?" if guess else "Use plain letters."
        )
    return username


def _read_picture(text: str) -> str:
    if text and not re.fullmatch(r"https?://\S{3,490}", text):
        raise BadCell("The picture is no web address.", "Write its whole address, beginning with https://")
    return text


def _read_years(text: str) -> int:
    if not text:
        return 1
    if not re.fullmatch(r"0*([1-9]|10)", text):
        raise BadCell(f"“{text[:20]}” is no number of years.", "Write a whole number from 1 to 10.")
    return int(text)


def written(rows: list[Row]) -> str:
    """Rows as lines; under headings where a name would come apart at the wrong space."""
    if any(row.is_parted_elsewhere for row in rows):
        return "\n".join([", ".join(PARTED), *(row.line(PARTED) for row in rows)])
    return "\n".join(row.line() for row in rows)
