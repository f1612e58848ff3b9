"""Files, recognised by their contents and not by their names, as text for the paste box."""

from __future__ import annotations

import codecs
import re
from collections import Counter

from orders.drafting.intake.columns import layout_of
from orders.drafting.intake.delimited import (
    SEPARATORS,
    Unreadable,
    cells,
    lines,
    separator_of,
    tidy,
)
from orders.drafting.intake.reader import MOST_LINES
from orders.drafting.intake.sheets import CannotRead, Sheet, sheet_of
from orders.drafting.intake.workbooks import open_workbook

__all__ = ["MOST_BYTES", "CannotRead", "Sheet", "open_file"]

MOST_BYTES = 5 * 1024 * 1024
SAVE_AS = "Open it in Excel, Google Sheets or LibreOffice and save it as .xlsx, .ods or .csv."
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# The first bytes of files that are no tables, and what they are.
OTHERS = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "a text document"),
    (b"\x1f\x8b", "a packed file"),
    (b"7z\xbc\xaf", "a packed file"),
    (b"Rar!", "a packed file"),
)
MARKUP = re.compile(rb"\s*<(?:!doctype|html|table|\?xml|meta|body|svg)", re.I)
UNPRINTED = re.compile(rb"[\x00-\x08\x0e-\x19\x1b]")


def open_file(name: str, data: bytes, *, most: int = MOST_LINES) -> Sheet:
    """A CSV, text, XLSX or ODS file as a sheet. Raises `CannotRead` with what to do instead."""
    if not data.strip(b"\0\t\r\n "):
        raise CannotRead("This file is empty.", "Choose the file with your domains and addresses.")
    if len(data) > MOST_BYTES:
        limit = MOST_BYTES // 1024**2
        raise CannotRead(
            f"This file is larger than {limit} MB.",
            "Save a file that holds only the rows of this order.",
        )
    # The contents decide: people rename files, and browsers send any content type.
    if data.startswith(b"PK"):
        return open_workbook(data, most=most)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _old_office(data)
    for start, what in OTHERS:
        if data.startswith(start):
            raise CannotRead(f"This is {what}, not a table.", SAVE_AS)
    if MARKUP.match(data.removeprefix(codecs.BOM_UTF8)[:200]):
        raise CannotRead(
            "This is a web page or another kind of marked-up file, not a table.", SAVE_AS
        )
    return _open_text(name, data, most=most)


def _old_office(data: bytes) -> CannotRead:
    if ENCRYPTED in data:
        return CannotRead(
            "This file is protected with a password.",
            "Save it without a password and choose it again.",
        )
    return CannotRead(
        "This is a file of an old kind (.xls or .doc).",
        "Open it in Excel or LibreOffice and save it as .xlsx.",
    )


def _open_text(name: str, data: bytes, *, most: int) -> Sheet:
    text, encoding, notes = decoded(data)
    text, separator = _said_separator(text)
    if not separator:
        separator = (
            "\t"
            if name.lower().endswith((".tsv", ".tab")) and "\t" in text
            else likely_separator(text)
        )
    rows: list[list[str]] = []
    for line in lines(text, separator):
        # Blank lines stay, so that a row keeps its number from the file.
        rows.extend([[]] * (line.number - 1 - len(rows)))
        try:
            rows.append(cells(line.text, separator))
        except Unreadable:
            raise CannotRead(f"Line {line.number} of this file can't be read.", SAVE_AS) from None
    return sheet_of(rows, encoding=encoding, notes=notes, most=most)


def decoded(data: bytes) -> tuple[str, str, list[str]]:
    """The text, its encoding, and notes for the person."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), "UTF-16", []
        except UnicodeDecodeError:
            raise CannotRead("The letters of this file can't be read.", SAVE_AS) from None
    if UNPRINTED.search(data):
        raise CannotRead("This file is not a table that can be read here.", SAVE_AS)
    try:
        return data.decode("utf-8-sig"), "UTF-8", []
    except UnicodeDecodeError:
        pass
    # Excel for Windows saves plain "CSV" in the code page of the country, mostly this one.
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise CannotRead(
            "The letters of this file can't be read.", "Save it as “CSV UTF-8” or as .xlsx."
        ) from None
    note = (
        "The file is not written in UTF-8. It was read as Windows-1252; look whether names with"
        " accents are right."
    )
    return text, "Windows-1252", [note]


def _said_separator(text: str) -> tuple[str, str]:
    # Excel may write "sep=;" as the first line. It stands for no row.
    said = re.match(r"\ufeff?sep=([;,|\t])[ ]*(?=\r|\n|$)", text, re.I)
    return (text[said.end() :], said[1]) if said else (text, "")


def likely_separator(text: str) -> str:
    # The mark between headings wins; else the one that is equally frequent in most of the first
    # lines; else the one that comes first.
    first = [tidy(line) for line in text.lstrip("\ufeff").splitlines()[:200] if line.strip()][:50]
    bare = [re.sub(r'"[^"]*(?:"|$)', "", line) for line in first]
    if not first:
        return ","

    def weight(mark: str) -> tuple[int, int, bool]:
        counts = Counter(line.count(mark) for line in bare if mark in line)
        return (
            mark in bare[0] and _headings(first[0], mark),
            max(counts.values(), default=0),
            mark == separator_of(first[0]),
        )

    return max(SEPARATORS, key=weight)


def _headings(line: str, mark: str) -> int:
    try:
        layout = layout_of(cells(line, mark))
    except Unreadable:
        return 0
    return sum(1 for meaning in layout.meanings if meaning) if layout else 0
