"""CSV that spreadsheets open as it is meant:

UTF-8, one line a row, and no cell of it runs as a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

BOM = "\ufeff"  # without it Excel takes the file for the letters of its own country
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Where a country's spreadsheets separate by semicolons, they split our cells at these, quotation
# marks or not.
SPLIT = re.compile(r"""([;\t\r\n])(?=[\s"]*[=+\-@＝＋－＠])""")
AT_A_TIME = 200


def safe(value: Any) -> str:
    """One cell: a number stays a number; a text that a spreadsheet would run gets an apostrophe
    before what runs.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    text = SPLIT.sub(r"\1'", str(value).replace("\x00", ""))
    return f"'{text}" if text.startswith(RUNS) else text


def lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The rows as CSV, some hundred at a time, each ended the way that Excel writes it; without the
    BOM.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    for number, row in enumerate(rows, 1):
        writer.writerow([safe(cell) for cell in row])
        if number % AT_A_TIME == 0:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    if rest := file.getvalue():
        yield rest


def whole(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """A whole file in pieces."""
    yield BOM
    yield from lines([heading])
    yield from lines(rows)


def csv_response(
    name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """A file to take away, written while it is sent; `rows` may be a generator."""
    return StreamingHttpResponse(
        whole(heading, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
