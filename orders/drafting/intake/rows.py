"""The results of a line: a row, a row with a doubt, or what to change."""

from __future__ import annotations

from dataclasses import dataclass

from orders.drafting.intake.delimited import quoted
from orders.drafting.intake.idn import both_forms

COLUMNS = ("domain", "name", "address", "picture", "forward to", "years")
PARTED = ("domain", "first name", "last name", "address", "picture", "forward to", "years")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pasted line as it was read; `number` counts from 1 in the paste box."""

    number: int
    domain: str
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    picture: str = ""
    forward_to: str = ""
    years: int = 1

    @property
    def address(self) -> str:
        return f"{self.username}@{self.domain}" if self.username else ""

    @property
    def shown_domain(self) -> str:
        return both_forms(self.domain)

    @property
    def is_parted_elsewhere(self) -> bool:
        # Then first and last name need cells of their own: the name would not come apart at its
        # first space.
        return " " in self.first_name or bool(self.last_name and not self.first_name)

    def line(self, columns: tuple[str, ...] = COLUMNS) -> str:
        """The row as a line for the paste box; empty cells at the end are left out."""
        known = {
            "domain": self.domain,
            "name": f"{self.first_name} {self.last_name}".strip(),
            "first name": self.first_name,
            "last name": self.last_name,
            "address": self.username,
            "picture": self.picture,
            "forward to": self.forward_to,
            "years": str(self.years) if self.years != 1 else "",
        }
        return quoted([known[column] for column in columns])


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that needs a change: which one, what is wrong, and how to mend it."""

    number: int
    text: str
    message: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something on a good row that a person should check before money is asked for."""

    number: int
    message: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One line for the page: its row or its problem, and the doubts on the row."""

    number: int
    text: str
    row: Row | None = None
    bad: BadLine | None = None
    doubts: tuple[Doubt, ...] = ()


class BadCell(Exception):
    """A cell that can't be read; `fix` says how to mend it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def written(rows: list[Row]) -> str:
    # Headings are needed where a name would come apart at the wrong space.
    if any(row.is_parted_elsewhere for row in rows):
        return "\n".join([", ".join(PARTED), *(row.line(PARTED) for row in rows)])
    return "\n".join(row.line() for row in rows)
