"""What apps say of the records that they still need, before old ones are archived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils.module_loading import import_string

# Dotted names of functions that are given a record's number and a time: each returns the number of
# the first record up
# to it that is about something of the app that has not ended before that time; None where there is
# none.
needed_by: list[str] = []


def first_needed(last: int, before: datetime) -> int | None:
    """The first record up to `last` that an app still needs."""
    asked: list[Callable[[int, datetime], int | None]] = [import_string(name) for name in needed_by]
    found = [number for ask in asked if (number := ask(last, before)) is not None]
    return min(found, default=None)
