"""The page where an auditor makes an evidence pack: its contents, its size, the file."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from orders.admin.order_pages import render
from orders.audit import evidence_pack
from orders.audit.evidence_pack.contents import Moving
from orders.models import Client, Order
from vendors.models import Vendor


def days_back(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


class DayInput(forms.DateInput):
    """A date field with the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        # Browsers accept only this format in a date field, whatever the person's language.
        super().__init__(format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """From a day to a day, both included."""

    first = forms.DateField(label="From", widget=DayInput(), required=False)
    last = forms.DateField(label="To, this day included", widget=DayInput(), required=False)

    def clean(self) -> None:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", "This is before the first day.")
        for day in (first, last):
            # Browsers send a half-typed year as 0026, and dates end with the year 9999.
            if day and not 2000 <= day.year <= 9000:
                self.add_error(
                    "first" if day is first else "last", "Give the year with four digits, as 2026."
                )


class PackForm(PeriodForm):
    """One order, or a period, which an account or a client may narrow down."""

    order = forms.CharField(
        label="One order",
        max_length=20,
        required=False,
        help_text="Its number, for example MO-1001.",
    )
    vendor = forms.ModelChoiceField(
        Vendor.objects.all(), label="Orders at", required=False, empty_label="All accounts"
    )
    client = forms.ModelChoiceField(
        Client.objects.all(), label="Orders for", required=False, empty_label="All clients"
    )
    field_order = ("order", "first", "last", "vendor", "client")

    def clean_order(self) -> Order | None:
        typed = str(self.cleaned_data["order"]).strip().upper()
        if not typed:
            return None
        # The number on pages is the key plus 1000.
        number = re.fullmatch(r"(?:MO-)?(\d{4,12})", typed)
        order = Order.objects.filter(pk=int(number[1]) - 1000).first() if number else None
        if order is None:
            raise forms.ValidationError(
                f"There is no order {typed}. An order's number reads like MO-1001."
            )
        return order

    def clean(self) -> None:
        super().clean()
        # The number of one order makes the days needless.
        if self.errors or self.cleaned_data.get("order"):
            return
        for name in ("first", "last"):
            if not self.cleaned_data.get(name):
                self.add_error(name, "Give both days, or the number of one order.")

    @property
    def wanted(self) -> evidence_pack.Wanted:
        chosen = self.cleaned_data
        if chosen["order"]:
            return evidence_pack.Wanted(order=chosen["order"])
        return evidence_pack.Wanted(
            **{name: chosen[name] for name in ("first", "last", "vendor", "client")}
        )


class MadeHereForm(forms.Form):
    """The fingerprint of a pack, as `verify.py` prints it."""

    fingerprint = forms.RegexField(
        r"^\s*[0-9a-fA-F]{64}\s*$",
        label="Fingerprint of the manifest",
        help_text="The last line but two that verify.py prints: 64 letters and digits.",
        error_messages={
            "invalid": "A fingerprint is 64 digits and letters from a to f. Copy the whole of it."
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponseBase:
    """GET shows the contents of the pack to be. POST makes the pack, records that, and sends it."""
    if not request.user.has_perm("history.export_event"):
        raise PermissionDenied
    is_made = request.method == "POST"
    typed = request.POST if is_made else request.GET
    is_asked = is_made or any(name in typed for name in PackForm.base_fields)
    form = (
        PackForm(typed)
        if is_asked
        else PackForm(initial={"first": days_back(30), "last": days_back(0)})
    )
    context: dict[str, Any] = {
        "form": form,
        "asked": MadeHereForm(request.GET if "fingerprint" in request.GET else None),
    }
    if context["asked"].is_valid():
        context["made_here"] = evidence_pack.made_here(context["asked"].cleaned_data["fingerprint"])
    if is_asked and form.is_valid():
        try:
            if is_made:
                return _file(request, form.wanted)
            context |= {
                "wanted": form.wanted,
                "scope": form.wanted.scope(),
                "again": PackForm(typed, auto_id=False),
            }
        # Too many orders for one pack, or an order that changes while it is read.
        except (evidence_pack.TooMuch, Moving) as error:
            context["trouble"] = str(error)
    response: HttpResponse = render(request, "evidence.html", None, title="Evidence", **context)
    is_wrong = form.errors or context["asked"].errors or "trouble" in context
    response.status_code = 400 if is_wrong else 200
    return response


def _file(request: HttpRequest, wanted: evidence_pack.Wanted) -> FileResponse:
    assert request.user.is_authenticated
    made = evidence_pack.make(wanted, by=request.user)
    return FileResponse(
        made.file, as_attachment=True, filename=made.name, content_type="application/zip"
    )
