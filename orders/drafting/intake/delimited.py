"""Text as a table: its lines, its separator, and cells in and out of quotation marks."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SEPARATORS = "\t;,|"
# A cell in quotes may hold line breaks, but a stray quote must not swallow the rest of a paste.
MOST_JOINED = 20
# Spreadsheets and word processors insert look-alikes of spaces and straight quotes, and characters
# that can't be seen.
LOOKALIKES = str.maketrans(
    dict.fromkeys("“”„‟«»", '"')
    | dict.fromkeys("‘’‚‛′ʼ", "'")
    | dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000", " ")
)
UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
MARKED = re.compile('[,;|"]')
# The apostrophes that `csv_safe.safe`, and spreadsheets, put before what would run as a formula.
HARDENED = re.compile(r"""^'+(?=[=+\-@＝＋－＠])|(?<=;)'+(?=[ "]*[=+\-@＝＋－＠])""")
# A quoted cell up to its separator, or an unquoted one. The quantifiers give nothing back (*+), so
# that no paste takes quadratic time.
WHOLE_CELL = {
    mark: re.compile(
        rf'[^\S\n\t]*"(?:[^"]|"")*+"[^\S\n\t]*(?={re.escape(mark)}|\n|$)|(?![^\S\n\t]*")[^{mark}\n]*+'
    )
    for mark in SEPARATORS
}


class Unreadable(Exception):
    """A line whose quotation marks don't add up."""


@dataclass(frozen=True)
class Line:
    """A line with its number in the text; `ends` is larger if a cell goes over several lines."""

    number: int
    ends: int
    text: str


def lines(text: str, separator: str = "") -> Iterator[Line]:
    """The lines that are not blank. The lines that a quoted cell goes over are joined to one."""
    every = text.lstrip("\ufeff").splitlines()
    place = 0
    while place < len(every):
        start, line = place, every[place]
        place += 1
        bare = tidy(line)
        if not bare.strip():
            continue
        if '"' in bare and (joined := _joined(every, start, separator)):
            place += joined
            line = "\n".join(every[start:place])
        yield Line(start + 1, place, line)


def _joined(every: list[str], start: int, separator: str) -> int:
    """How many of the next lines belong to this one: 0, unless a quoted cell goes on in them."""
    whole = tidy(every[start])
    mark = separator or separator_of(whole.strip())
    if not _is_open(whole, mark):
        return 0
    for more, line in enumerate(every[start + 1 : start + 1 + MOST_JOINED], 1):
        whole += "\n" + tidy(line)
        if '"' in whole[-len(line) - 1 :] and not _is_open(whole, mark):
            return more
    return 0


def _is_open(text: str, mark: str) -> bool:
    place = 0
    while found := WHOLE_CELL[mark].match(text, place):
        if found.end() >= len(text):
            return False
        if text[found.end()] != mark:
            return True
        place = found.end() + 1
    return True


def separator_of(line: str) -> str:
    # A tab wins anywhere, because people don't type tabs. Else the mark that comes first, outside
    # of quotation marks.
    bare = re.sub(r'"[^"]*(?:"|$)', "", line) if '"' in line else line
    return "\t" if "\t" in bare else next((mark for mark in bare if mark in ";,|"), ",")


def cells(line: str, separator: str = "") -> list[str]:
    # Under a heading with tabs, a tab at the start of a line is an empty cell.
    line = tidy(line).strip(" " if separator == "\t" else None)
    separator = separator or separator_of(line)
    if '"' not in line:
        return [clean(cell) for cell in line.split(separator)]
    try:
        found = list(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except csv.Error:
        raise Unreadable from None
    return [clean(cell) for cell in found[0]]


def clean(cell: str) -> str:
    """A cell in plain quotes and single spaces, without invisible marks or added apostrophes.

    The inverse of `csv_safe.safe`: `clean(safe(cell)) == cell` for every cell that this returns.
    """
    cell = " ".join(tidy(cell).split())
    return HARDENED.sub("", cell) if "'" in cell else cell


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def tidy(line: str) -> str:
    # Done before the line is split, so that the cells come apart where a person sees it.
    if line.isascii():
        return UNSEEN.sub("", line) if UNSEEN.search(line) else line
    line = line.translate(LOOKALIKES)
    if line.replace("\t", "").replace("\n", "").isprintable():
        return line
    return "".join(
        c if c in "\t\n" else " " if c.isspace() else c for c in line if c.isspace() or _is_seen(c)
    )


def quoted(row: Iterable[str]) -> str:
    """Cells as a line that `cells` reads back the same; empty cells at the end are left out."""
    found = list(row)
    while found and not found[-1]:
        found.pop()
    return ", ".join(_quoted(cell) for cell in found)


def _quoted(cell: str) -> str:
    if MARKED.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def letter(place: int) -> str:
    """The name of a column in a spreadsheet, from 0: A to Z, then AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
