"""Pasted text and files to rows, each good or with what to change."""

from __future__ import annotations

from orders.drafting.intake.cells import beyond_domain, read_destination, read_domain
from orders.drafting.intake.columns import Column
from orders.drafting.intake.csv_files import error_file, sample_file
from orders.drafting.intake.files import MOST_BYTES, CannotRead, Sheet, open_file
from orders.drafting.intake.reader import MOST_LINES, Reading, read
from orders.drafting.intake.rows import BadCell, BadLine, Doubt, Result, Row, written

__all__ = [
    "MOST_BYTES",
    "MOST_LINES",
    "BadCell",
    "BadLine",
    "CannotRead",
    "Column",
    "Doubt",
    "Reading",
    "Result",
    "Row",
    "Sheet",
    "beyond_domain",
    "error_file",
    "open_file",
    "read",
    "read_destination",
    "read_domain",
    "sample_file",
    "written",
]
