"""XLSX and ODS workbooks: their first visible sheet that is not empty."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from orders.drafting.intake.sheets import CannotRead, Sheet, sheet_of
from orders.drafting.intake.zip_limits import unpacked

BROKEN = (
    "This file is damaged or not a workbook.",
    "Open it in Excel or LibreOffice and save it again.",
)
KIND_NAMES = {"xlsx": "Excel workbook", "ods": "OpenDocument workbook"}


def open_workbook(data: bytes, *, most: int) -> Sheet:
    contents = unpacked(data)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(contents.repacked())) as workbook:
            rows, notes = _first_sheet(workbook)
    except CannotRead:
        raise
    except (CalamineError, ValueError, OverflowError, OSError, zipfile.BadZipFile):
        raise CannotRead(*BROKEN) from None
    return sheet_of(
        rows, encoding=KIND_NAMES[contents.kind], notes=[*notes, *contents.notes], most=most
    )


def _first_sheet(workbook: CalamineWorkbook) -> tuple[list[list[str]], list[str]]:
    sheets = workbook.sheets_metadata
    seen = [
        s
        for s in sheets
        if s.visible == SheetVisibleEnum.Visible and s.typ == SheetTypeEnum.WorkSheet
    ]
    for sheet in seen:
        found = workbook.get_sheet_by_name(sheet.name)
        if not found.height:
            continue
        # With the empty area, so that a row keeps its number from the sheet.
        rows = [[shown(value) for value in row] for row in found.to_python(skip_empty_area=False)]
        if any(any(row) for row in rows):
            others = [other.name for other in sheets if other.name != sheet.name]
            return rows, [*_on_sheets(sheet.name, others), *_on_merged(found)]
    raise CannotRead(
        "There is nothing in this file.", "Choose the file with your domains and addresses."
    )


def _on_sheets(name: str, others: list[str]) -> list[str]:
    if not others:
        return []
    named = ", ".join(f"“{other}”" for other in others[:5]) + (
        " and more" if len(others) > 5 else ""
    )
    return [f"Only the sheet “{name}” was read, not {named}."]


def _on_merged(sheet: CalamineSheet) -> list[str]:
    if not sheet.merged_cell_ranges:
        return []
    return ["Some cells are merged. Their contents count only in the first row and column of each."]


def shown(value: Any) -> str:
    """A cell's value as a person sees it: 5.0 is "5", a day is "2026-01-31"."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)
