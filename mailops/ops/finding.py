"""A sentence about this installation, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """A sentence. A problem needs somebody now; a note is good to know."""

    level: Literal["problem", "note"]
    text: str

    @property
    def is_problem(self) -> bool:
        return self.level == "problem"


def problem(text: str) -> Finding:
    return Finding("problem", text)


def note(text: str) -> Finding:
    return Finding("note", text)
