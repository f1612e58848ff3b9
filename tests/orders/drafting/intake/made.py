"""Files as spreadsheet programs write them, small enough to read here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook

from vendors.apis import REGISTRY

MAILBOXES = REGISTRY["woodpecker"].products["mailboxes"]
DOMAINS = REGISTRY["coldmailreseller"].products["domains"]
PRODUCTS = [product for api in REGISTRY.values() for product in api.products.values()]

ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content'
    ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' office:version="1.2"><office:body>'
    "<office:spreadsheet><table:table"
    ' table:name="Orders">{}</table:table></office:spreadsheet></office:body>'
    "</office:document-content>"
)
MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest'
    ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry'
    f' manifest:full-path="/" manifest:media-type="{ODS_TYPE}"/></manifest:manifest>'
)


def saved(workbook: Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def xlsx(rows: Iterable[Iterable[Any]]) -> bytes:
    workbook = Workbook()
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            cell = workbook.active.cell(number, place)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
    return saved(workbook)


def packed(parts: dict[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def ods(rows: Iterable[Iterable[str]], *, also: str = "") -> bytes:
    lines = ["".join(ods_cell(cell) for cell in row) for row in rows]
    table = "".join(f"<table:table-row>{line}</table:table-row>" for line in lines) + also
    return packed(
        {"mimetype": ODS_TYPE, "content.xml": ODS.format(table), "META-INF/manifest.xml": MANIFEST}
    )


def ods_cell(text: str) -> str:
    if not text:
        return "<table:table-cell/>"
    return (
        "<table:table-cell"
        f' office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'
    )


def changed(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """The workbook with one of its parts changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts: dict[str, bytes | str] = {
            info.filename: archive.read(info) for info in archive.infolist()
        }
    part = parts[name]
    assert isinstance(part, bytes) and old in part
    return packed(parts | {name: part.replace(old, new)})
