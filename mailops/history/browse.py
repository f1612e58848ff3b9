"""The list of the history: its pages, searching, and filters, all fast for a million events."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlencode

from mailops.history.models import Event

PER_PAGE = 50
SEARCHED = 5_000  # events that one search for words reads; the next ones are a click away
# The clocks of several machines differ, so times follow numbers only roughly.
CLOCK_SLACK = timedelta(hours=1)
CURSORS = ("older", "newer")


class Pages(ChangeList):
    """A page holds the events before or after a number, so that nothing has to be counted."""

    def get_filters_params(self, params: Any = None) -> Any:
        found = super().get_filters_params(params)
        self.cursor = {name: _number(found.pop(name, "")) for name in CURSORS}
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-number"]

    def get_results(self, request: HttpRequest) -> None:
        older, newer = self.cursor["older"], self.cursor["newer"]
        found, self.searched_to = self._window(self.queryset, older, newer)
        order = "number" if newer else "-number"
        # One row more than the page holds says whether there is another page.
        rows = list(found.order_by(order)[: PER_PAGE + 1])
        more, rows = len(rows) > PER_PAGE, rows[:PER_PAGE]
        self.result_list = rows[::-1] if newer else rows
        self.has_older = bool(newer) or more
        self.has_newer = more if newer else bool(older)
        self.result_count = len(rows)
        self.show_full_result_count = self.show_admin_actions = self.multi_page = (
            self.can_show_all
        ) = False
        self.full_result_count, self.paginator = None, None

    def _window(self, queryset: Any, older: int, newer: int) -> tuple[Any, int]:
        """The events to take the page from, and the number down to which words are searched.

        The number is 0 where the search reaches the end, or nothing is searched.
        """
        found = queryset.filter(number__lt=older) if older else queryset
        found = found.filter(number__gt=newer) if newer else found
        if not self.query or direct(self.query) is not None:
            return found, 0
        if newer:
            return found.filter(number__lte=newer + SEARCHED), 0
        newest = Event.objects.order_by("-number").values_list("number", flat=True).first() or 0
        top = older or newest + 1
        floor = max(top - SEARCHED, 0)
        return found.filter(number__gte=floor), floor if floor > 1 else 0

    @property
    def older_url(self) -> str:
        rows: list[Event] = self.result_list
        if self.has_older and rows:
            return self._url("older", rows[-1].number)
        # A search without enough hits goes on with the events that it has not read yet.
        return self._url("older", self.searched_to) if self.searched_to else ""

    @property
    def newer_url(self) -> str:
        rows: list[Event] = self.result_list
        if not self.has_newer:
            return ""
        return self._url("newer", rows[0].number if rows else self.cursor["older"] - 1)

    @property
    def newest_url(self) -> str:
        return self._url("", 0) if any(self.cursor.values()) else ""

    @property
    def says(self) -> str:
        rows: list[Event] = self.result_list
        shown = f"Records {rows[-1].number:,} to {rows[0].number:,}" if rows else "No record"
        if self.searched_to:
            return f"{shown}, searched back to record {self.searched_to:,}"
        return f"{shown} match" if self.query and rows else shown

    def _url(self, name: str, number: int) -> str:
        params = {key: value for key, value in self.params.items() if key not in CURSORS}
        if name:
            params[name] = number
        return "?" + urlencode(sorted(params.items()), doseq=True)


def _number(value: Any) -> int:
    text = value[-1] if isinstance(value, list) and value else value
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 19 else 0


def direct(term: str) -> Q | None:
    """A condition that an index answers: a number, a whole subject or a person's name, if any."""
    term = term.strip()
    if term.isdecimal() and len(term) < 19:
        return Q(number=int(term))
    for column in ("subject", "who"):
        if Event.objects.filter(**{column: term}).exists():
            return Q(**{column: term})
    return None


def search(queryset: QuerySet[Event], term: str) -> QuerySet[Event]:
    term = term.strip()
    if not term:
        return queryset
    words = (
        Q(subject__icontains=term)
        | Q(who__icontains=term)
        | Q(reason__icontains=term)
        | Q(request_id=term)
    )
    return queryset.filter(direct(term) or words)


def search_terms(request: HttpRequest) -> dict[str, str]:
    """Search and filters of the address, without its page and order."""
    return {
        name: str(value).replace("\0", "")[:200]
        for name, value in sorted(request.GET.items())
        if value and name not in ("p", "o", "all", *CURSORS)
    }


def is_cross_site_search(request: HttpRequest) -> bool:
    # A link on another site could have a person search for words that they never typed, and the
    # event of the search would name them. "none" is an address that was typed, or a bookmark.
    is_own = request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    return not is_own and bool(search_terms(request))


def distinct(column: str) -> list[str]:
    """The values of an indexed column, at most 500."""
    # One step through the index for each value: SELECT DISTINCT would read all of the index.
    table, name = (connection.ops.quote_name(part) for part in (Event._meta.db_table, column))
    sql = (
        f"WITH RECURSIVE seen(value) AS (SELECT MIN({name}) FROM {table} UNION ALL "  # noqa: S608  (our own names)
        f"SELECT (SELECT MIN({name}) FROM {table} WHERE {name} > seen.value) FROM seen WHERE"
        " seen.value IS NOT NULL) "
        f"SELECT value FROM seen WHERE value IS NOT NULL LIMIT 500"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall() if value]


class ColumnFilter(admin.SimpleListFilter):
    """One value of an indexed column."""

    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, self.words(value)) for value in distinct(self.column)]

    def words(self, value: str) -> str:
        return value

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class ActionFilter(ColumnFilter):
    title, parameter_name, column = "what", "action", "action"

    def words(self, value: str) -> str:
        return in_words(value)


class KindFilter(ColumnFilter):
    title, parameter_name, column = "about", "subject_type", "subject_type"

    def words(self, value: str) -> str:
        return value.rpartition(".")[2]


class PersonFilter(ColumnFilter):
    title, parameter_name, column = "who", "who", "who"


class SinceFilter(admin.SimpleListFilter):
    """Since a day. The day becomes an event's number, because pages are cut by numbers."""

    title, parameter_name = "when", "since"
    DAYS = {
        "1": ("Today", 0),
        "7": ("Past 7 days", 6),
        "30": ("Past 30 days", 29),
        "365": ("Past year", 364),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self.DAYS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if self.value() not in self.DAYS:
            return queryset
        day = timezone.localdate() - timedelta(days=self.DAYS[str(self.value())][1])
        begin = timezone.make_aware(datetime.combine(day, time()))
        first = (
            Event.objects.filter(at__gte=begin - CLOCK_SLACK)
            .order_by("at")
            .values_list("number", flat=True)
            .first()
        )
        return queryset.filter(at__gte=begin, number__gte=first) if first else queryset.none()


def in_words(action: str) -> str:
    return action.replace(".", ": ").replace("_", " ")
