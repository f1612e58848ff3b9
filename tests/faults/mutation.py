"""A break on purpose, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """`name`: what is broken. `edits`: (file, old text, new text). `caught_by`: tests that must fail.

    `promise`: the number of the promise that would break, or `switch`.
    """

    name: str
    promise: str
    edits: tuple[tuple[str, str, str], ...]
    caught_by: tuple[str, ...]
