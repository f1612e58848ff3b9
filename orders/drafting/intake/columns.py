"""Columns: recognised by their headings in any order, or by their places without headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from orders.drafting.intake.delimited import letter
from orders.drafting.intake.rows import COLUMNS, BadCell
from vendors.apis.values import Product

MEANINGS = {
    "domain": "Domain",
    "name": "Full name",
    "first name": "First name",
    "last name": "Last name",
    "address": "Address",
    "picture": "Picture",
    "forward to": "Forwards to",
    "years": "Years",
}
SYNONYMS = {
    "domain": (
        "domain, domains, domain name, domain names, website, web site, web, site, url, web"
        " address, web page, home page, company domain, sending domain, email domain, mail domain"
    ),
    "name": (
        "name, names, full name, display name, person, sender, sender name, from name, contact,"
        " contact name"
    ),
    "first name": "first name, first, given name, given names, forename, f name",
    "last name": "last name, last, surname, family name, second name, l name",
    "address": (
        "address, addresses, email, emails, email address, email addresses, mail, mail address,"
        " mailbox, mailboxes, mailbox name, username, user names, user, login, inbox, inboxes,"
        " local part, email id, email username"
    ),
    "picture": (
        "picture, pictures, picture url, photo, photo url, image, image url, avatar, avatar url,"
        " headshot, profile picture, profile picture url, profile photo, profile photo url, profile"
        " image, profile pic"
    ),
    "forward to": (
        "forward to, forwards to, forward, forwarding, forwarding domain, forwarding url, forward"
        " url, forward domain, redirect, redirect to, redirects to, redirect url, redirect domain,"
        " redirection, forwarding to"
    ),
    "years": (
        "years, year, number of years, registration years, years of registration, term, term in"
        " years, duration"
    ),
}
LINE, CHANGE = "Line", "What to change"


def squeezed(heading: str) -> str:
    """A heading without case, spaces and punctuation: "E-mail address:" is "emailaddress"."""
    return re.sub(r"[\W_]+", "", heading.casefold())


KNOWN = {
    squeezed(word): meaning for meaning, words in SYNONYMS.items() for word in words.split(",")
}
OURS = {squeezed(LINE), squeezed(CHANGE)}
# A cell that is no heading: an address, a name with a dot, a web address, a formula.
FILLED_IN = re.compile(r"[^\s@]*@\S+|\S+\.[^\W\d_]{2,}\.?|\S+://\S+|[=+].*")


@dataclass(frozen=True, kw_only=True)
class Column:
    """How a column was read. `is_ours`: our own error file added it, so it is left out."""

    letter: str
    heading: str
    meaning: str
    used: bool
    is_ours: bool = False


@dataclass
class Layout:
    """The meaning of each column, in the order of the columns; "" for one that is not known."""

    meanings: list[str] = field(default_factory=lambda: list(COLUMNS))
    headings: list[str] = field(default_factory=list)
    filled: set[int] = field(default_factory=set)

    @property
    def is_named(self) -> bool:
        return bool(self.headings)

    @property
    def lacks_domain(self) -> bool:
        return not {"domain", "address"} & set(self.meanings)

    @property
    def twice(self) -> dict[str, list[int]]:
        """The places of columns with the same meaning, by that meaning."""
        places: dict[str, list[int]] = {}
        for place, meaning in enumerate(self.meanings):
            if meaning:
                places.setdefault(meaning, []).append(place)
        return {meaning: found for meaning, found in places.items() if len(found) > 1}

    def by_meaning(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells of a line by meaning.

        Raises `BadCell` for too many cells, or two that disagree.
        """
        if len(cells) > len(self.meanings) and any(cells[len(self.meanings) :]):
            raise self._too_many(len(cells))
        found: dict[str, str] = {}
        for place, (meaning, cell) in enumerate(zip(self.meanings, cells, strict=False)):
            if not cell:
                continue
            self.filled.add(place)
            if not meaning or (first := found.setdefault(meaning, cell)) is cell:
                continue
            if plain(meaning, first) != plain(meaning, cell):
                raise BadCell(
                    f"Two columns say the {meaning}, and not the same: “{first[:60]}” and"
                    f" “{cell[:60]}”.",
                    "Write the same in both, or leave one of them empty.",
                )
        # A file with whole addresses needs no column for the domain.
        if not found.get("domain") and "@" in found.get("address", ""):
            found["domain"] = found["address"].rpartition("@")[2]
        return found

    def _too_many(self, count: int) -> BadCell:
        if not self.is_named:
            return BadCell(
                f"There are {count} cells in this line.", f"Write it as: {', '.join(COLUMNS[:3])}."
            )
        return BadCell(
            f"There are {count} cells in this line, and {len(self.headings)} headings.",
            "Put a cell that holds the separator into quotation marks, or give the last cells a"
            " heading.",
        )

    def columns(self, product: Product) -> list[Column]:
        names = {squeezed(heading) for heading in self.headings}
        width = len(self.headings) if self.is_named else max(self.filled, default=-1) + 1
        return [self._column(place, product, has_ours=names >= OURS) for place in range(width)]

    def _column(self, place: int, product: Product, *, has_ours: bool) -> Column:
        heading = self.headings[place] if self.is_named else ""
        meaning = self.meanings[place] if place < len(self.meanings) else ""
        ours = has_ours and squeezed(heading) in OURS
        words = (
            "Added by our file of lines to change" if ours else MEANINGS.get(meaning, "Not known")
        )
        used = bool(meaning) and has_place(meaning, product)
        return Column(letter=letter(place), heading=heading, meaning=words, used=used, is_ours=ours)


def layout_of(cells: Sequence[str]) -> Layout | None:
    """The layout that a line of headings gives; None if the line is none."""
    meanings = [KNOWN.get(squeezed(cell), "") for cell in cells]
    # A line of data may hold one such word, as "Web" for a name. Two of them, or a heading for the
    # domain or the address, make a line of headings.
    said = {meaning for meaning in meanings if meaning}
    if not said & {"domain", "address"} and len(said) < 2:
        return None
    if any(
        FILLED_IN.fullmatch(cell)
        for cell, meaning in zip(cells, meanings, strict=True)
        if not meaning
    ):
        return None
    return Layout(meanings=meanings, headings=list(cells))


def has_place(meaning: str, product: Product) -> bool:
    places = {
        "picture": product.has_pictures,
        "forward to": product.forwards,
        "years": product.has_years,
    }
    return places.get(meaning, True)


def plain(meaning: str, cell: str) -> str:
    # Two cells say the same if "https://www.acme.com/" stands in one and "acme.com" in the other.
    text = cell.casefold()
    if meaning == "forward to":
        return re.sub(r"^[a-z]+://", "", text).removeprefix("www.").rstrip("./")
    if meaning == "domain":
        return re.sub(r"^[a-z]+://", "", text).split("/")[0].removeprefix("www.").rstrip(".")
    return text.partition("@")[0] if meaning == "address" else text


def notes_on(layout: Layout, product: Product) -> list[str]:
    found = layout.columns(product)
    notes = []
    if layout.is_named and layout.lacks_domain:
        notes.append(
            "No column says the domain. Name one “domain”, or one with whole addresses “email”."
        )
    for column, meaning in zip(found, layout.meanings, strict=False):
        name = f"{column.letter} (“{column.heading}”)" if column.heading else column.letter
        if meaning and not column.used:
            notes.append(
                f"This order has no place for “{meaning}”, so column {name} must stay empty."
            )
    unused = [column for column in found if column.meaning == "Not known"]
    for column in unused:
        named = f"“{column.heading}”" if column.heading else "without a heading"
        notes.append(f"Column {column.letter} ({named}) is not used.")
    for meaning, places in layout.twice.items():
        letters = " and ".join(letter(place) for place in places)
        notes.append(
            f"Columns {letters} say the same: the {meaning}. Where one is empty, the other counts."
        )
    if ours := [column.letter for column in found if column.is_ours]:
        notes.append(
            f"Columns {' and '.join(ours)} come from our file of lines to change and are left out."
        )
    return notes
