"""Size of a workbook's sheets once opened, measured from their XML before that."""

from __future__ import annotations

import re
from xml.parsers import expat

from orders.drafting.intake.sheets import CannotRead

# The empty cells between the first and the last included: the library that opens a sheet allocates
# every one of them.
MOST_CELLS = 2_000_000
MOST_LETTERS = 200_000_000
SAVE_AGAIN = "Copy only the rows of this order into a new workbook and save that."
PLACE = re.compile(r"\$?([A-Za-z]{1,4})\$?([0-9]{1,9})")
Attributes = dict[str, str]
PLACED = re.compile(rb'<(?:c|row) r="([A-Z]{0,3})([0-9]{1,7})"')
ENDS = (b" ", b">", b"/", b"\t", b"\n", b"\r")
# Marks of XML that the regular expression may misread. A part with any of these is parsed.
HARD = (
    b"&#", b"<!", b"\0", b" =", b"\t=", b"\n=", b"\r=", b"\tr=", b"\nr=", b"\rr=", b'"r=', b"'r=",
    b":row", *(b":c" + end for end in ENDS),
)  # fmt: skip


def places(part: bytes) -> list[tuple[bytes, bytes]]:
    # A fast path for the XML that all usual programs write: each row and cell begins with its
    # place, so one regular expression finds them. For any other XML this returns nothing, and the
    # part is parsed.
    if any(mark in part for mark in HARD):
        return []
    found = PLACED.findall(part)
    wanted = sum(part.count(b"<c" + end) + part.count(b"<row" + end) for end in ENDS)
    return found if len(found) == wanted == part.count(b" r=") else []


class Size:
    """Size of a workbook's sheets. `measure` raises `CannotRead` past the limits."""

    def __init__(self) -> None:
        self.errors = self.letters = 0
        self.width = self.height = 0

    def measure(self, part: bytes) -> None:
        self.width = self.height = 0
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = self.refuse
        try:
            parser.Parse(part, True)
        except (expat.ExpatError, ValueError, LookupError):
            raise CannotRead(
                "This file is damaged or not a workbook.",
                "Open it in Excel or LibreOffice and save it again.",
            ) from None
        self.check()

    def check(self) -> None:
        if self.width * self.height > MOST_CELLS or self.letters > MOST_LETTERS:
            raise CannotRead("There is too much in this workbook.", SAVE_AGAIN)

    def refuse(self, *_: object) -> None:
        # No workbook declares entities. A file that does is an attack on the parser's memory.
        raise CannotRead("This is not a workbook that can be read here.", SAVE_AGAIN)

    def start(self, name: str, attributes: Attributes) -> None:
        raise NotImplementedError

    def end(self, name: str) -> None:
        raise NotImplementedError

    def text(self, text: str) -> None:
        raise NotImplementedError


class XlsxSize(Size):
    """Cells name their places. A text that many cells share is copied for each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.row = self.column = self.sharing = self.longest = self.length = 0

    def measure(self, part: bytes) -> None:
        placed = places(part)
        if not placed:
            return super().measure(part)
        self.width = max(
            _column(letters.decode()) for letters in {letters for letters, _ in placed}
        )
        self.height = max(int(row) for row in {row for _, row in placed})
        self.errors += part.count(b' t="e"') + part.count(b" t='e'")
        self.sharing += len(placed) if b'"s"' in part or b"'s'" in part else 0
        return self.check()

    def start(self, name: str, attributes: Attributes) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._cell(attributes)
        elif name == "row":
            said = attributes.get("r", "")
            self.row = int(said[:10]) if said.isdecimal() else self.row + 1
            self.column = 0
        elif name == "si":
            self.length = 0
        elif name in ("worksheet", "sst"):
            self.row = self.column = 0

    def _cell(self, attributes: Attributes) -> None:
        if place := PLACE.fullmatch(attributes.get("r", "")):
            self.column = _column(place[1].upper())
            self.row = int(place[2])
        else:
            self.column += 1
        self.width, self.height = max(self.width, self.column), max(self.height, self.row)
        kind = attributes.get("t")
        self.errors += kind == "e"
        self.sharing += kind == "s"

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "si":
            self.longest = max(self.longest, self.length)

    def text(self, text: str) -> None:
        self.length += len(text)

    def check(self) -> None:
        self.letters = self.sharing * self.longest
        super().check()


class OdsSize(Size):
    """Cells and rows say how often they are repeated."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = self.row_repeats = self.column = self.cell_repeats = 0
        self.last = self.row_letters = self.cell_letters = 0
        self.is_filled = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self.rows = self.width = self.height = 0
        elif name == "table:table-row":
            self.row_repeats = _repeats(attributes, "table:number-rows-repeated")
            self.column = self.last = self.row_letters = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self.cell_repeats = _repeats(attributes, "table:number-columns-repeated")
            self.cell_letters = 0
            self.is_filled = any(key.endswith(":value-type") for key in attributes)
            self.errors += attributes.get("calcext:value-type") == "error"
        elif name == "text:s":
            self.cell_letters += _repeats(attributes, "text:c")

    def end(self, name: str) -> None:
        if name in ("table:table-cell", "table:covered-table-cell"):
            self.column += self.cell_repeats
            self.row_letters += self.cell_letters * self.cell_repeats
            if self.is_filled:
                self.last = self.column
        elif name == "table:table-row":
            self.rows += self.row_repeats
            self.letters += self.row_letters * self.row_repeats
            if self.last:
                self.width, self.height = max(self.width, self.last), self.rows
        elif name == "table:table":
            self.check()

    def text(self, text: str) -> None:
        self.is_filled = True
        self.cell_letters += len(text)


def _column(letters: str) -> int:
    """The number of a column, from 1: "AA" is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _repeats(attributes: Attributes, name: str) -> int:
    said = attributes.get(name, "1")
    return int(said[:12]) if said.isdecimal() else 1
