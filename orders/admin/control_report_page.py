"""The page of the control report, as HTML or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from mailops.core.csv_safe import csv_response
from mailops.history import record
from orders.admin.evidence_page import PeriodForm, days_back
from orders.admin.order_pages import render
from orders.audit.control_report import Section, sections
from orders.audit.report_lines import Line, Period

MAX_DAYS = 366
HEADING = ["Section", "When", "Who", "What", "On what", "Record"]


class ReportForm(PeriodForm):
    """The period of a report. Both days are required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required, field.error_messages["required"] = True, "Choose a day."

    def clean(self) -> None:
        super().clean()
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and (last - first).days >= MAX_DAYS:
            raise forms.ValidationError(
                f"A report takes at most {MAX_DAYS} days. Choose a shorter period."
            )


@require_safe
def show(request: HttpRequest) -> HttpResponseBase:
    """The form, or the report of the period in the URL."""
    if not request.user.has_perm("history.export_event"):
        raise PermissionDenied
    is_asked = "first" in request.GET
    form = ReportForm(
        request.GET if is_asked else None, initial={"first": days_back(30), "last": days_back(0)}
    )
    context: dict[str, Any] = {"form": form}
    if is_asked and form.is_valid():
        period = Period(first=form.cleaned_data["first"], last=form.cleaned_data["last"])
        found = list(sections(period))
        as_csv = request.GET.get("as") == "csv"
        # Each look is recorded, although a GET asks for it: auditors reload the page and send each
        # other its link, which they could not do with the answer to a POST.
        if request.method == "GET":
            _record(period, found, form="CSV" if as_csv else "page")
        if as_csv:
            return csv_response(
                f"mailops-control-{period.first}-to-{period.last}.csv", HEADING, _rows(found)
            )
        context |= {
            "period": period,
            "sections": [
                replace(section, lines=[_linked(line) for line in section.lines])
                for section in found
            ],
        }
    response = render(request, "control.html", None, title="Control report", **context)
    response.status_code = 400 if form.errors else 200
    return response


def _record(period: Period, found: list[Section], *, form: str) -> None:
    changes = {
        "first": [None, period.first],
        "last": [None, period.last],
        "form": [None, form],
        "lines": [None, sum(section.count for section in found)],
    }
    with transaction.atomic():
        record(
            "report.shown",
            None,
            subject_type="orders.control",
            subject_text="Control report",
            changes=changes,
        )


def _linked(line: Line) -> Any:
    # The record is the proof. A line without a record of its own leads to the order.
    url = ""
    if line.record:
        url = reverse("admin:history_event_change", args=[line.record])
    elif line.order:
        url = reverse("admin:orders_order_change", args=[line.order])
    order_url = reverse("admin:orders_order_change", args=[line.order]) if line.order else ""
    return {"line": line, "url": url, "order_url": order_url}


def _rows(found: list[Section]) -> Iterator[list[Any]]:
    for section in found:
        for line in section.lines:
            yield [section.title, line.at, line.who, line.what, line.about, line.record]
        # A file has no page around it that says these things.
        if section.left_out:
            yield [section.title, "", "", section.left_out, "", ""]
        if not section.lines:
            yield [section.title, "", "", "None in this period.", "", ""]
