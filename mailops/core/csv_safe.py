"""CSV for spreadsheets: UTF-8, and no cell runs as a formula."""

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

# Without it Excel reads the file in an old encoding of its country.
BOM = "\ufeff"
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# In countries where semicolons separate cells, spreadsheets split our cells at these signs, even
# between quotation marks. The rest must not be a formula either.
SPLIT_FORMULA = re.compile(r"""([;\t\r\n])(?=[\s"]*[=+\-@＝＋－＠])""")
BATCH = 200  # rows


def safe(value: Any) -> str:
    """Text of one cell. A text that a spreadsheet would take for a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    text = SPLIT_FORMULA.sub(r"\1'", str(value).replace("\x00", ""))
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The rows as CSV in batches, without the BOM. Lines end with CR LF, as Excel writes them."""
    file = io.StringIO()
    writer = csv.writer(file)
    for number, row in enumerate(rows, 1):
        writer.writerow([safe(cell) for cell in row])
        if number % BATCH == 0:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    if rest := file.getvalue():
        yield rest


def whole(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield BOM
    yield from lines([heading])
    yield from lines(rows)


def csv_response(
    name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        whole(heading, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
