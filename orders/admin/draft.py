"""Drafting: choose what to order, type or paste it, see what it costs, hand it on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from orders import drafting
from orders.admin import availability
from orders.admin.page import checks, cost_rows, load, render, totals, url, why_not_edit
from orders.drafting import Draft
from orders.models import Client, NotAllowed, Order, State
from orders.paste import BadCell, Reading, read, read_domain
from orders.plan import plan
from vendors.apis.base import OptionsForm, Product
from vendors.models import Contact, Vendor

EXAMPLE = "acme-reach.com, Dana Reyes, dana\nacme-reach.com, Sam Ito, sam\ntryacme.com, Lee Wong, lee"


class DraftForm(forms.Form):
    """What every order has, whichever vendor it goes to."""

    client = forms.ModelChoiceField(Client.objects.all(), empty_label="Choose")
    contact = forms.ModelChoiceField(
        Contact.objects.all(),
        required=False,
        empty_label="Choose",
        label="Registrant contact",
        help_text="The vendor asks for these details. Contacts are kept under Vendors.",
    )
    forward_to = forms.CharField(
        required=False,
        max_length=253,
        label="Domains forward to",
        help_text="Where people land who type one of the new domains into their browser.",
    )
    rows = forms.CharField(
        label="Domains and people",
        widget=forms.Textarea(
            attrs={"rows": 12, "spellcheck": "false", "autocapitalize": "off", "placeholder": EXAMPLE}
        ),
        required=False,
        strip=False,
    )
    note = forms.CharField(
        label="Note for the confirmer", required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=2000
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, *args: Any, product: Product, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.product = product
        self.reading = Reading()
        if not product.needs_contact:
            del self.fields["contact"]
        if not product.forwards:
            del self.fields["forward_to"]
        self.fields["rows"].help_text = _rows_help(product)

    def clean_forward_to(self) -> str:
        text = self.cleaned_data["forward_to"]
        try:
            return read_domain(text) if text else ""
        except BadCell as bad:
            raise forms.ValidationError(f"{bad.message} {bad.fix}") from None

    def clean_rows(self) -> str:
        text: str = self.cleaned_data["rows"]
        self.reading = read(text, self.product)
        bad = len(self.reading.bad)
        if bad:
            lines = "1 line needs" if bad == 1 else f"{bad} lines need"
            raise forms.ValidationError(f"{lines} a change. Nothing is saved yet; what you typed is still here.")
        return text


def _rows_help(product: Product) -> str:
    parts = ["One line for each mailbox: domain, name, address. Paste from a spreadsheet if you like."]
    if product.names_per_domain:
        parts.append("Leave the address out and the vendor makes the addresses from the name.")
    if product.has_pictures:
        parts.append("A fourth cell may hold the web address of a picture.")
    return " ".join(parts)


def choices() -> list[dict[str, Any]]:
    """What can be ordered at which account."""
    return [
        {"vendor": vendor, "products": [(key, product) for key, product in vendor.adapter.products.items()]}
        for vendor in Vendor.objects.all()
    ]


def add(request: HttpRequest) -> HttpResponse:
    """First the account and what to order, then the draft itself."""
    if not request.user.has_perm("orders.add_order"):
        raise PermissionDenied
    vendor = Vendor.objects.filter(pk=_number(request.GET.get("vendor", ""))).first()
    product = request.GET.get("product", "")
    if vendor is None or product not in vendor.adapter.products:
        return render(request, "choose.html", None, title="New order", choices=choices())
    return _draft(request, vendor=vendor, product=product, order=None)


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The same form for a draft that exists."""
    order = load(request, pk, "orders.change_order")
    if order.state != State.DRAFT:
        messages.info(request, f"{order} can't be edited now. It reads: {order.get_state_display()}.")
        return redirect(url(order))
    _must_be_own(request, order)
    return _draft(request, vendor=order.vendor, product=order.product, order=order)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _draft(request: HttpRequest, *, vendor: Vendor, product: str, order: Order | None) -> HttpResponse:
    what = vendor.adapter.products[product]
    posted = request.POST if request.method == "POST" else None
    form = DraftForm(posted, initial=_initial(request, order), product=what)
    options = what.OptionsForm(posted, initial=order.options if order else None, prefix="option")
    if isinstance(options, OptionsForm):
        options.offer({item: price.label or item for item, price in vendor.price_list().items()})
    conflict = ""
    if posted is not None and form.is_valid() & options.is_valid():
        draft = _read(form, options, vendor=vendor, product=product)
        try:
            saved = _save(request, draft, order, version=form.cleaned_data["version"])
            return _onward(request, saved)
        except NotAllowed as error:
            conflict = str(error)
    return _page(request, form, options, vendor=vendor, what=what, order=order, conflict=conflict)


def _initial(request: HttpRequest, order: Order | None) -> dict[str, Any]:
    if order is None:
        client = Client.objects.filter(pk=_number(request.GET.get("client", ""))).first()
        return {"client": client, "forward_to": client.forward_to if client else ""}
    return {
        "client": order.client_id,
        "contact": order.contact_id,
        "forward_to": order.forward_to,
        "note": order.note,
        "rows": drafting.write(order),
        "version": order.version,
    }


def _read(form: DraftForm, options: forms.Form, *, vendor: Vendor, product: str) -> Draft:
    sealed = vendor.adapter.secret_options
    client: Client = form.cleaned_data["client"]
    return Draft(
        vendor=vendor,
        product=product,
        client=client,
        contact=(form.cleaned_data.get("contact") or client.contact) if form.product.needs_contact else None,
        forward_to=(form.cleaned_data.get("forward_to") or client.forward_to) if form.product.forwards else "",
        note=form.cleaned_data["note"],
        options={name: value for name, value in options.cleaned_data.items() if name not in sealed},
        secrets={name: options.cleaned_data.get(name, "") for name in sealed},
        rows=form.reading.rows,
    )


def _save(request: HttpRequest, draft: Draft, order: Order | None, *, version: int) -> Order:
    assert request.user.is_authenticated
    if order is None:
        return drafting.create(draft, by=request.user)
    return drafting.save(order.pk, draft, by=request.user, version=version)


def _onward(request: HttpRequest, order: Order) -> HttpResponse:
    """Stay with the draft, or hand it on if that was asked for and nothing stops it."""
    if "ask" in request.POST:
        return availability.from_draft(request, order)
    if "send" not in request.POST:
        messages.success(request, f"{order} is saved as a draft.")
        return redirect(url(order, "edit"))
    return _send(request, order)


@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a saved draft to the confirmers."""
    order = load(request, pk, "orders.change_order")
    _must_be_own(request, order)
    return _send(request, order)


def _must_be_own(request: HttpRequest, order: Order) -> None:
    if why_not_edit(request, order):
        raise PermissionDenied


def _send(request: HttpRequest, order: Order) -> HttpResponse:
    assert request.user.is_authenticated
    if page := availability.before_sending(request, order):
        return page
    try:
        drafting.send_for_confirmation(order.pk, by=request.user, note=order.note)
    except NotAllowed as error:
        messages.error(request, f"{error} It is saved as a draft.")
        return redirect(url(order, "edit"))
    messages.success(request, f"{order} now waits for somebody to confirm it.")
    return redirect(url(order))


def _page(
    request: HttpRequest,
    form: DraftForm,
    options: forms.Form,
    *,
    vendor: Vendor,
    what: Product,
    order: Order | None,
    conflict: str,
) -> HttpResponse:
    current = plan(order) if order else None
    snapshot = current.snapshot() if current else {}
    shows_rows = form.is_bound and bool(form.reading.lines)
    reading = form.reading if shows_rows else read(drafting.write(order), what) if order else Reading()
    context = {
        "title": f"{order}: edit" if order else "New order",
        "form": form,
        "options": options,
        "vendor": vendor,
        "what": what,
        "reading": reading,
        "bad_count": len(reading.bad),
        "conflict": conflict,
        "cost": cost_rows(snapshot),
        "totals": totals(snapshot),
        "checks": checks(request, order, current) if order else [],
        "panel": availability.panel(request, order, on_draft=True),
        "choose_url": reverse("admin:orders_order_add"),
    }
    status = 400 if form.is_bound and (form.errors or options.errors or conflict) else 200
    response = render(request, "draft.html", order, **context)
    response.status_code = status
    return response
