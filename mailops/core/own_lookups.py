"""Lists take from their address only what their own filters write there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest

# As Django's own filters of a field write it: a value, one of a choice, one row of another table.
FORMS = ("", "__exact", "__id__exact", "__isnull")


class OwnLookups:
    """For a `ModelAdmin`. Django's own lets any look-up of the table's columns through.

    `more_lookups`: names beside those of `list_filter`. Anything else leads to the whole list: a
    pattern for `__regex` can keep a process busy for minutes.
    """

    more_lookups: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        if lookup in {*self.more_lookups, *self._of_filters(request)}:
            return True
        raise IncorrectLookupParameters(f"No filter of this list is called “{lookup}”.")

    def _of_filters(self, request: HttpRequest | None) -> Iterator[str]:
        filters: Any = self.get_list_filter(request)  # type: ignore[attr-defined]
        for item in filters:
            if isinstance(item, type) and issubclass(item, SimpleListFilter):
                yield str(item.parameter_name)
            else:
                yield from (f"{item}{form}" for form in FORMS)
