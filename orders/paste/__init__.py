"""What people paste, type or upload, as rows: each line good, or with what to change, and written back unchanged."""

from __future__ import annotations

from orders.paste.cells import read_domain
from orders.paste.columns import Column
from orders.paste.files import MOST_BYTES, CannotRead, Sheet, open_file
from orders.paste.read import MOST_LINES, Reading, read
from orders.paste.returns import error_file, sample_file
from orders.paste.rows import BadCell, BadLine, Doubt, Result, Row, written

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
    "error_file",
    "open_file",
    "read",
    "read_domain",
    "sample_file",
    "written",
]
