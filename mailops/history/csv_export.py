"""Lists as CSV: a mixin for the admin's list pages. All rows that match filters and search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from mailops.core.csv_safe import csv_response
from mailops.history import record

MOST_ROWS = 50_000
AT_A_TIME = 2_000
Column = tuple[str, str | Callable[[Any], Any]]


def _cell(row: Any, what: str | Callable[[Any], Any]) -> Any:
    value = getattr(row, what) if isinstance(what, str) else what(row)
    return value() if callable(value) else value


class ExportedList:
    """To stand before `ModelAdmin` in the bases.

    `export_columns`: headings, each with the name of an attribute or a function of the row.
    """

    export_columns: Sequence[Column] = ()
    export_permission = "history.export_list"

    def get_urls(self: Any) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.export_view))
        return [path("export/", view, name=f"{self._label}_export"), *super().get_urls()]  # type: ignore[misc]

    @property
    def _label(self: Any) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def changelist_view(
        self: Any, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        if request.user.has_perm(self.export_permission):
            query = request.GET.urlencode()
            url = reverse(f"admin:{self._label}_export")
            context["export_url"] = f"{url}?{query}" if query else url
        response: HttpResponse = super().changelist_view(request, context)  # type: ignore[misc]
        return response

    def export_view(self: Any, request: HttpRequest) -> HttpResponseBase:
        if not (
            request.user.has_perm(self.export_permission) and self.has_view_permission(request)
        ):
            raise PermissionDenied
        back = f"{reverse(f'admin:{self._label}_changelist')}?{request.GET.urlencode()}"
        try:
            rows = self.get_changelist_instance(request).queryset
            newest = self.model._default_manager.aggregate(newest=models.Max("pk"))["newest"]
        except IncorrectLookupParameters:
            return redirect(reverse(f"admin:{self._label}_changelist"))
        # Rows that come later, such as this export's own event, are not part of the file.
        rows = rows.filter(pk__lte=newest or 0)
        # A file that is cut off without a word would pass for the whole list.
        count = rows.count()
        if count > MOST_ROWS:
            messages.error(
                request,
                f"These are {count:,} rows, and one file takes {MOST_ROWS:,}. Narrow the list by"
                " its filters.",
            )
            return redirect(back)
        # Recorded before the file is sent: a download that breaks off has left data all the same.
        self._record_export(request, count)
        name = f"mailops-{self.opts.verbose_name_plural}-{timezone.localdate()}.csv".replace(
            " ", "-"
        )
        return csv_response(
            name, [heading for heading, _ in self.export_columns], self._export_rows(rows)
        )

    def _export_rows(self: Any, rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
        for row in rows.iterator(chunk_size=AT_A_TIME):
            yield self.row(row)

    def row(self, row: Any) -> list[Any]:
        return [_cell(row, what) for _, what in self.export_columns]

    def _record_export(self: Any, request: HttpRequest, count: int) -> None:
        changes = {"filter": [None, request.GET.urlencode() or "none"], "rows": [None, count]}
        subject_text = f"The list of {self.opts.verbose_name_plural}"
        with transaction.atomic():
            record(
                "list.exported",
                None,
                subject_type=self.opts.label_lower,
                subject_text=subject_text,
                changes=changes,
            )
