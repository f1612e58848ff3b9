"""A file's contents as a table of tidy cells, and as text for the paste box."""

from __future__ import annotations

from dataclasses import dataclass, field

from orders.drafting.intake.delimited import clean, quoted


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Contents of a file. `read(text)` finds the cells of `table`, at the same line numbers."""

    text: str
    table: list[list[str]]
    encoding: str
    notes: list[str] = field(default_factory=list)


class CannotRead(Exception):
    """A file that can't be read as a table; `fix` says what to do instead."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def sheet_of(rows: list[list[str]], *, encoding: str, notes: list[str], most: int) -> Sheet:
    # Empty rows stay in their places, so that each row keeps its number from the file.
    table = [_trimmed([clean(cell) for cell in row]) for row in rows]
    while table and not table[-1]:
        table.pop()
    filled = sum(1 for row in table if row)
    if not filled:
        raise CannotRead(
            "There is nothing in this file.", "Choose the file with your domains and addresses."
        )
    if filled > most + 1:  # one line may hold the headings
        raise CannotRead(
            f"The file has {filled:,} rows, and one order takes {most:,}.",
            f"Share the rows out over several files of at most {most:,} and make an order of each.",
        )
    return Sheet(
        text="\n".join(quoted(row) for row in table), table=table, encoding=encoding, notes=notes
    )


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells
