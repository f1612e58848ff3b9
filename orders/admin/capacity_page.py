"""The page that works out mailboxes, domains and their cost from a sending volume."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from orders.admin.order_pages import render
from orders.drafting.capacity import Capacity, Needed, Offer, offers, product_notes, work_out
from orders.drafting.intake import MOST_LINES
from orders.validation.public_suffixes import registrable
from vendors.models import Vendor

# The page works out an offer of every vendor within one request.
MAX_MAILBOXES = 20_000
DAY, MONTH = "day", "month"


class WholeNumber(forms.IntegerField):
    """A number as people type it: "1,000" and "1 000" are a thousand, "1.000" is an error."""

    # A number input would drop a text that is no number, and the person could not correct it.
    widget = forms.TextInput(attrs={"inputmode": "numeric"})

    def to_python(self, value: Any) -> int | None:
        # "1.000" is a thousand in German and one in English, so the person has to choose.
        text = re.sub(r"[\s,%]", "", str(value or "" if value != 0 else 0))
        if "." in text:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(text)


def _whole(label: str, *, least: int, most: int, help_text: str = "", **kwargs: Any) -> WholeNumber:
    return WholeNumber(
        label=label,
        min_value=least,
        max_value=most,
        help_text=help_text,
        error_messages={
            "required": f"Write a whole number from {least:,} to {most:,}.",
            "invalid": f"Write a whole number from {least:,} to {most:,}.",
            "min_value": f"Write {least:,} or more.",
            "max_value": f"Write {most:,} or less.",
        },
        **kwargs,
    )


class VolumeForm(forms.Form):
    """A sending volume and the rules of thumb to work with."""

    emails = _whole("E-mails to send", least=1, most=10_000_000)
    period = forms.ChoiceField(
        label="In", choices=[(DAY, "a day"), (MONTH, "a month")], initial=DAY
    )
    working_days = _whole(
        "Working days a month",
        least=1,
        most=31,
        initial=22,
        help_text="Counts where the e-mails are a month's.",
    )
    per_mailbox = _whole(
        "E-mails from each mailbox a day",
        least=1,
        most=2000,
        initial=30,
        help_text="A rule of thumb, no vendor's word.",
    )
    per_domain = _whole(
        "Mailboxes on each domain",
        least=1,
        most=100,
        initial=3,
        help_text="A rule of thumb, no vendor's word.",
    )
    warming = _whole(
        "Still warming up, %",
        least=0,
        most=300,
        initial=0,
        help_text=(
            "Added to those that send."
            " New mailboxes are usually given some weeks before they send in full."
        ),
    )
    spare = _whole(
        "In reserve, %",
        least=0,
        most=300,
        initial=0,
        help_text="Added to those that send. They take over where one has to rest or is lost.",
    )
    ending = forms.CharField(
        label="Ending of the domains",
        initial="com",
        max_length=60,
        help_text="For the price: some cost more.",
    )

    def clean_ending(self) -> str:
        ending = str(self.cleaned_data["ending"]).strip().lower().lstrip(".")
        name = f"acme.{ending}"
        # "example.com" has the form of an ending, but nobody can register a name under it.
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", ending) or registrable(name) != name:
            raise forms.ValidationError(
                f"“{ending}” is no ending of a domain. Write for example com or co.uk."
            )
        return ending

    def clean(self) -> None:
        if self.errors:
            return
        needed = work_out(self.volume)
        if needed.mailboxes > MAX_MAILBOXES:
            self.add_error(
                "emails",
                f"That needs {needed.mailboxes:,} mailboxes. This page works out up to"
                f" {MAX_MAILBOXES:,}: write less, or let each mailbox send more.",
            )

    @property
    def volume(self) -> Capacity:
        typed = dict(self.cleaned_data)
        days = typed["working_days"] if typed["period"] == MONTH else None
        names = ("emails", "per_mailbox", "per_domain", "warming", "spare")
        return Capacity(working_days=days, **{name: typed[name] for name in names})


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The form, and once it is filled in the arithmetic and the cost at each account."""
    if not request.user.has_perm("orders.view_order"):
        raise PermissionDenied
    is_asked = "emails" in request.GET
    form = VolumeForm(_with_initial(request) if is_asked else None)
    context: dict[str, Any] = {"form": form, "may_draft": request.user.has_perm("orders.add_order")}
    if is_asked and form.is_valid():
        needed = work_out(form.volume)
        context |= {
            "needed": needed,
            "orders": -(-needed.mailboxes // MOST_LINES),
            "groups": _groups(needed, ending=form.cleaned_data["ending"]),
        }
    response = render(
        request, "volume.html", None, title="From a sending volume to an order", **context
    )
    response.status_code = 400 if form.errors else 200
    return response


def _with_initial(request: HttpRequest) -> dict[str, Any]:
    # A link may name the volume alone: rules of thumb that it leaves out keep their usual values.
    usual = {
        name: field.initial
        for name, field in VolumeForm.base_fields.items()
        if field.initial is not None
    }
    return usual | request.GET.dict()


def _groups(needed: Needed, *, ending: str) -> list[dict[str, Any]]:
    """One group for each product of each account, with a row for each offer."""
    groups: dict[tuple[int, str], dict[str, Any]] = {}
    for vendor in Vendor.objects.prefetch_related("prices"):
        prices = {price.item: price for price in vendor.prices.all() if not price.doubt}
        for offer in offers(vendor, prices, needed, ending=ending):
            about = {
                "vendor": vendor,
                "what": offer.what,
                "notes": list(product_notes(offer.what, needed)),
                "rows": [],
            }
            groups.setdefault((vendor.pk, offer.product), about)["rows"].append(_row(offer, needed))
    return list(groups.values())


def _row(offer: Offer, needed: Needed) -> dict[str, Any]:
    query = {
        "vendor": offer.vendor.pk,
        "product": offer.product,
        "domains": offer.domains,
        "mailboxes": needed.mailboxes,
    }
    return {"offer": offer, "draft_url": f"{reverse('admin:orders_order_add')}?{urlencode(query)}"}
