"""A draft posted after the session ended: the person logs in at once and keeps the entries."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from mailops.auth import two_factor
from orders.admin import autosave
from orders.admin.autosave import PASSING, Place
from orders.admin.draft_form import gathered
from orders.models import Order
from orders.models.unsaved_work import TooLarge
from vendors.apis import REGISTRY
from vendors.models import Vendor

View = Callable[..., HttpResponse]
LOGIN = ("username", "password")
NOT_CARRIED = {*LOGIN, "code"}
# Passwords of options are typed again: a page for people without a session must not hold them.
SECRET = {f"option-{name}" for api in REGISTRY.values() for name in api.secret_options}


class LogInForm(AdminAuthenticationForm):
    """Name, password, and a code from people with a second factor."""

    code = forms.CharField(
        required=False,
        max_length=40,
        help_text="If you have a second factor.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        user = self.get_user()
        # The usual log-in page asks for the code in a second step. The entries would be lost there.
        if user is not None and self.request is not None and two_factor.of(user) is not None:
            found = two_factor.check(self.request, user, cleaned.get("code", ""))
            if not found.is_good:
                raise forms.ValidationError(found.why)
        return cleaned


def keeps_what_was_typed(view: View) -> View:
    """Decorates the view of a draft's form: posts without a session get the log-in page instead."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # "keep" comes from the page's script, which could not show a log-in page.
        is_sent = (
            request.method == "POST" and request.POST.get("rows") and "keep" not in request.POST
        )
        is_in = admin.site.has_permission(request)
        if is_sent and not is_in:
            return _log_in(request, kwargs.get("pk"))
        # The person logged in on another tab while this log-in page was open.
        if is_sent and _is_trying(request):
            return _go_on(request, kwargs.get("pk"))
        return view(request, *args, **kwargs)

    return wrapped


def _is_trying(request: HttpRequest) -> bool:
    return all(name in request.POST for name in LOGIN)


def _log_in(request: HttpRequest, order_id: int | None) -> HttpResponse:
    is_trying = _is_trying(request)
    form = LogInForm(request, data=request.POST if is_trying else None)
    if is_trying and form.is_valid():
        login(request, form.get_user())
        return _go_on(request, order_id)
    context = admin.site.each_context(request) | {
        "title": "Log in to go on",
        "form": form,
        "app_path": request.get_full_path(),
        "typed": [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in (SECRET | PASSING | NOT_CARRIED) - {"tab", "unsaved"}
        ],
    }
    return TemplateResponse(request, "admin/orders/order/signed_out.html", context)


def _go_on(request: HttpRequest, order_id: int | None) -> HttpResponse:
    """Store the entries as unsaved work and redirect to the draft."""
    # Another person may have logged in, whose draft this is not. Nothing is saved without a click.
    place = _place(request, order_id)
    if place is None:
        return redirect("admin:orders_order_add")
    try:
        kept = autosave.keep(request, place, gathered(request.POST, place.what))
    except TooLarge as error:
        messages.error(request, str(error))
        return redirect(place.url)
    messages.info(request, "You are logged in again. What you typed is below; it is not saved yet.")
    return redirect(
        autosave.page_url(
            vendor_id=place.vendor.pk, product=place.product, order_id=order_id, unsaved=kept.token
        )
    )


def _place(request: HttpRequest, order_id: int | None) -> Place | None:
    if not request.user.has_perm("orders.change_order" if order_id else "orders.add_order"):
        return None
    if order_id:
        order = Order.objects.select_related("vendor").filter(pk=order_id).first()
        return Place(vendor=order.vendor, product=order.product, order=order) if order else None
    pk = request.GET.get("vendor", "")
    vendor = Vendor.objects.filter(pk=int(pk) if pk.isdecimal() and len(pk) < 10 else 0).first()
    product = request.GET.get("product", "")
    return (
        Place(vendor=vendor, product=product)
        if vendor and product in vendor.adapter.products
        else None
    )
