"""Counts with nouns, lists in words, full stops, and long lists in chunks."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def plural(count: int, one: str, many: str | None = None) -> str:
    """ "1 domain", "1,200 domains". `many` is `one` with an "s", unless it is given.

    A verb may follow the noun: `plural(count, "order is", "orders are")`.
    """
    return f"{count:,} {one if count == 1 else f'{one}s' if many is None else many}"


def listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"; an empty text for no items."""
    *first, last = [*items] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def first_few(items: Sequence[str], most: int) -> str:
    """ "a, b, c and 2 more": at most `most` of the items, and how many are left out."""
    left_out = len(items) - most
    return ", ".join(items[:most]) + (f" and {left_out:,} more" if left_out > 0 else "")


def as_sentence(text: str) -> str:
    """The text with a full stop, unless it ends with one or is empty."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) or not text else f"{text}."


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`, in their order. None of the lists is empty."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
