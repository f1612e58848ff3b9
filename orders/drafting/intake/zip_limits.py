"""Unpacks the needed parts of a workbook, and measures them before anything opens them."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field

from mailops.core.text import plural
from orders.drafting.intake.sheet_size import SAVE_AGAIN, OdsSize, XlsxSize
from orders.drafting.intake.sheets import CannotRead

MOST_UNPACKED = 60 * 1024 * 1024
MOST_PARTS = 500
XLSX_PARTS = re.compile(
    r"xl/(?:worksheets/[^/]+\.xml|worksheets/_rels/.+|_rels/.+|(?:workbook|sharedStrings|styles)\.xml)"
    r"|_rels/.+|\[Content_Types\]\.xml"
)
ODS_PARTS = re.compile(r"mimetype|content\.xml|META-INF/manifest\.xml|settings\.xml|styles\.xml")
ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


@dataclass
class Contents:
    """The parts of a workbook that hold its cells."""

    kind: str
    parts: dict[str, bytes]
    notes: list[str] = field(default_factory=list)

    def repacked(self) -> bytes:
        # A new archive of these parts alone: a part that was not measured can't be opened.
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, part in self.parts.items():
                archive.writestr(zipfile.ZipInfo(name), part)
        return packed.getvalue()


def unpacked(data: bytes) -> Contents:
    """The parts that hold cells. Raises `CannotRead` for other archives and large ones."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {info.filename: info for info in archive.infolist()}
            kind = _kind(archive, names)
            wanted = XLSX_PARTS if kind == "xlsx" else ODS_PARTS
            parts = _take(archive, [info for name, info in names.items() if wanted.fullmatch(name)])
    except CannotRead:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ):
        raise CannotRead(
            "This file is damaged or not a workbook.",
            "Open it in Excel or LibreOffice and save it again.",
        ) from None
    contents = Contents(kind, parts)
    _measure(contents)
    return contents


def _kind(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo]) -> str:
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "mimetype" in names:
        with archive.open("mimetype") as part:
            if part.read(100).strip() == ODS_TYPE:
                return "ods"
    if any(name.startswith("Index/") or name.endswith(".iwa") for name in names):
        raise CannotRead(
            "This is a Numbers file.",
            "In Numbers, choose File, Export To, Excel, and upload the file that you get.",
        )
    if "xl/workbook.bin" in names:
        raise CannotRead(
            "This is a binary workbook (.xlsb).", "Open it in Excel and save it as .xlsx."
        )
    raise CannotRead(
        "This is not a workbook, or a packed file with something else in it.",
        "Choose an .xlsx, .ods or .csv file.",
    )


def _take(archive: zipfile.ZipFile, wanted: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    if len(wanted) > MOST_PARTS or sum(info.file_size for info in wanted) > MOST_UNPACKED:
        raise CannotRead("There is too much in this workbook.", SAVE_AGAIN)
    parts, left = {}, MOST_UNPACKED
    for info in wanted:
        if info.flag_bits & 1:
            raise CannotRead(
                "This file is protected with a password.",
                "Save it without a password and choose it again.",
            )
        with archive.open(info) as part:
            # The size in the archive's directory may be a lie, so no more than this is unpacked.
            parts[info.filename] = part.read(left + 1)
        left -= len(parts[info.filename])
        if left < 0:
            raise CannotRead("There is too much in this workbook.", SAVE_AGAIN)
    return parts


def _measure(contents: Contents) -> None:
    size = XlsxSize() if contents.kind == "xlsx" else OdsSize()
    for name, part in contents.parts.items():
        if name.endswith(".xml") and name.startswith(("xl/", "content")):
            size.measure(part)
    if size.errors:
        cells = plural(size.errors, "cell holds", "cells hold")
        contents.notes.append(f"{cells} an error such as #REF!, read as an empty cell.")
