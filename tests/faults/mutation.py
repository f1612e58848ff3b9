"""A break on purpose, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """`name`: what is broken. `edits`: (file, old text, new text). `caught_by`: tests that must fail.

    `promise`: the number of the promise in README.md that would break (1: one confirmation, at most
    one paid request; 2: no confirmed order is lost; 3: nothing is called failed while the vendor
    may hold a charge; 4: nobody confirms their own order; 5: what was sent is what was confirmed;
    6: every step is in the history), or `switch`.
    """

    name: str
    promise: str
    edits: tuple[tuple[str, str, str], ...]
    caught_by: tuple[str, ...]
