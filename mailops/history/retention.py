"""Which events the apps still need: those are not archived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils.module_loading import import_string

# Dotted names of functions of an event's number and a time. Each returns the number of the first
# event up to the given one about something of the app that has not ended before that time, or None.
needed_by: list[str] = []


def first_needed(last: int, before: datetime) -> int | None:
    """Number of the first event up to `last` that an app still needs."""
    functions: list[Callable[[int, datetime], int | None]]
    functions = [import_string(name) for name in needed_by]
    found = [number for first in functions if (number := first(last, before)) is not None]
    return min(found, default=None)
