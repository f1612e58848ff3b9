"""CSV files for people: their lines with what to change, and a sample. Both can be read again."""

from __future__ import annotations

from collections.abc import Iterable

from mailops.core import csv_safe
from orders.drafting.intake.columns import CHANGE, LINE, MEANINGS, OURS, has_place, squeezed
from orders.drafting.intake.delimited import MARKED, Unreadable, cells, tidy
from orders.drafting.intake.reader import Reading, laid_out
from orders.drafting.intake.rows import COLUMNS
from vendors.apis.values import Product

SAMPLES = (
    ("acme-reach.com", "Dana", "Reyes", "dana"),
    ("acme-reach.com", "Sam", "Ito", "sam.ito"),
    ("tryacme.com", "Lee", "Wong", "lee"),
)
NAMED_SAMPLES = (
    ("acme-reach.com", "Dana", "Reyes"),
    ("tryacme.com", "Sam", "Ito"),
    ("getacme.com", "Lee", "Wong"),
)
MORE = {"picture": "https://example.com/dana.png", "forward to": "acme.com", "years": "1"}


def error_file(text: str, reading: Reading, *, product: Product) -> str:
    """The pasted lines as CSV, with what to change in each.

    Once corrected, the file is read again without the columns that this adds.
    """
    layout, separator, found = laid_out(text)
    lines = found[1:] if layout else found
    table = {line.number: _cells(line.text, separator) for line in lines}
    width = max([len(row) for row in table.values()] + [len(layout.headings) if layout else 0])
    headings = layout.headings if layout else [MEANINGS[column] for column in COLUMNS]
    headings = [*headings, *[""] * (width - len(headings))]
    named = {squeezed(heading) for heading in headings}
    # A file of errors that is uploaded again has our two columns already.
    kept = [
        place
        for place, heading in enumerate(headings)
        if not (named >= OURS and squeezed(heading) in OURS)
    ]
    kept = [place for place in kept if layout or place < max(width, 3)]
    reasons = {bad.number: f"{bad.message} {bad.fix}".strip() for bad in reading.bad}
    for doubt in reading.doubts:
        known = reasons.get(doubt.number, "")
        reasons[doubt.number] = f"{known} Worth a look: {doubt.message} {doubt.fix}".strip()
    rows = [
        [str(number), _plain_quotes(reasons.get(number, "")), *_places(row, kept)]
        for number, row in table.items()
    ]
    return _csv([[LINE, CHANGE, *_places(headings, kept)], *rows])


def sample_file(product: Product) -> str:
    columns = ["domain", "first name", "last name"] + (
        [] if product.names_per_domain else ["address"]
    )
    more = [column for column in MORE if has_place(column, product)]
    samples: Iterable[tuple[str, ...]] = NAMED_SAMPLES if product.names_per_domain else SAMPLES
    rows = [[*row, *(MORE[column] for column in more)] for row in samples]
    return _csv([[MEANINGS[column] for column in [*columns, *more]], *rows])


def _plain_quotes(reason: str) -> str:
    # The reader takes “ for a quotation mark of the CSV. Within a quoted cell, the mark would end
    # the cell early: half of the reason would be read as the next column.
    return tidy(reason) if MARKED.search(reason) else reason


def _cells(line: str, separator: str) -> list[str]:
    try:
        return cells(line, separator)
    except Unreadable:
        return [" ".join(tidy(line).split())]


def _places(row: list[str], kept: list[int]) -> list[str]:
    return [row[place] if place < len(row) else "" for place in kept]


def _csv(rows: list[list[str]]) -> str:
    return csv_safe.BOM + "".join(csv_safe.lines(rows))
