"""Unsaved work: stored while a person types, offered to them alone, deleted when they save."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from mailops.core.sealed import CannotOpen, Sealed
from orders.models import Order, Scratch, State
from orders.models.unsaved_work import TooLarge
from vendors.apis.values import Product
from vendors.models import Vendor

# unsaved work listed on pages about other things; the page of a new order lists all of it
OFFERS_BESIDE = 3
TOKEN = re.compile(r"[0-9a-f]{64}")
# Fields of one page, one click or of logging in. They are no entries for the order.
PASSING = {
    *("csrfmiddlewaretoken", "tab", "unsaved", "keep", "throw", "save", "send", "read", "page"),
    *("show", "open", "add", "errors", "shown", "username", "password"),
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A new order of a product at an account, or a draft that exists."""

    vendor: Vendor
    product: str
    order: Order | None = None

    @property
    def what(self) -> Product:
        return self.vendor.adapter.products[self.product]

    @property
    def url(self) -> str:
        return page_url(
            vendor_id=self.vendor.pk,
            product=self.product,
            order_id=self.order.pk if self.order else None,
        )

    @property
    def about(self) -> dict[str, Any]:
        return {
            "vendor": self.vendor,
            "product": self.product,
            "order_id": self.order.pk if self.order else None,
        }


def page_url(*, vendor_id: int, product: str, order_id: int | None = None, **query: str) -> str:
    if order_id:
        url = reverse("admin:orders_order_edit", args=[order_id])
    else:
        url = reverse("admin:orders_order_add")
        query = {"vendor": str(vendor_id), "product": product} | query
    return f"{url}?{urlencode(query)}" if query else url


def tab_of(post: QueryDict) -> str:
    """The token of the tab that posted the form; a new one for a page that is opened."""
    named = post.get("tab", "")
    return named if TOKEN.fullmatch(named) else secrets.token_hex(32)


def taken_up(request: HttpRequest, place: Place) -> Scratch | None:
    """The unsaved work that the URL names, if it is the person's own."""
    token = request.GET.get("unsaved", "")
    if not TOKEN.fullmatch(token):
        return None
    assert request.user.is_authenticated
    own = Scratch.objects.of(request.user).filter(
        vendor=place.vendor, product=place.product, token=token
    )
    return own.first()


def mark(scratch: Scratch) -> str:
    """Names unsaved work and its time, so that a page can post back where its entries came from."""
    return f"{scratch.token}@{scratch.kept_at.isoformat()}"


def typed(scratch: Scratch) -> QueryDict:
    """The entries as a form that was posted."""
    found = QueryDict(mutable=True)
    for name, values in scratch.fields.items():
        found.setlist(name, values)
    found["unsaved"] = mark(scratch)
    return found


def keep(request: HttpRequest, place: Place, post: QueryDict) -> Scratch:
    """Store the entries of this tab. Raises `TooLarge`."""
    assert request.user.is_authenticated
    sealed = {f"option-{name}": name for name in place.vendor.adapter.secret_options}
    typed_now = {name: post.get(field, "") for field, name in sealed.items()}
    # Passwords are never sent back to the page. Those typed earlier come from the stored entries.
    scratch = Scratch.objects.keep(
        request.user,
        tab_of(post),
        **place.about,
        fields={
            name: post.getlist(name) for name in post if name not in PASSING and name not in sealed
        },
        secrets=_secrets_in(_source(request.user, post))
        | {name: text for name, text in typed_now.items() if text},
    )
    _drop_source(request.user, post)
    return scratch


def secrets_of(user: User, post: QueryDict) -> dict[str, str]:
    """Passwords typed on this page before, by option. They are stored encrypted."""
    own = Scratch.objects.filter(user=user, token=tab_of(post)).first()
    return _secrets_in(_source(user, post)) | _secrets_in(own)


def _secrets_in(scratch: Scratch | None) -> dict[str, str]:
    # After the key was changed, the passwords have to be typed again.
    with suppress(CannotOpen):
        return Sealed(scratch.sealed).open() if scratch else {}
    return {}


def drop(user: User, post: QueryDict) -> None:
    """Delete this tab's unsaved work, and the work that the page was begun from."""
    Scratch.objects.filter(user=user, token=tab_of(post)).delete()
    _drop_source(user, post)


def _source(user: User, post: QueryDict) -> Scratch | None:
    # The time has to match: another tab may have gone on with the work since.
    token, _, at = post.get("unsaved", "").partition("@")
    try:
        kept_at = datetime.fromisoformat(at)
    except ValueError:
        return None
    if not TOKEN.fullmatch(token) or timezone.is_naive(kept_at):
        return None
    return Scratch.objects.filter(user=user, token=token, kept_at=kept_at).first()


def _drop_source(user: User, post: QueryDict) -> None:
    source = _source(user, post)
    # The tab's own entries were stored just now.
    if source and source.token != post.get("tab"):
        source.delete()


def answer(
    request: HttpRequest, place: Place, post: QueryDict, *, is_touched: bool
) -> HttpResponse:
    """The JSON answer to the page's script, which posts the form every few seconds."""
    assert request.user.is_authenticated
    # Everything was undone by hand, so nothing is worth keeping.
    if not is_touched:
        drop(request.user, post)
        return JsonResponse({"says": ""})
    try:
        scratch = keep(request, place, post)
    except TooLarge as error:
        return JsonResponse({"says": str(error), "is_trouble": True}, status=413)
    at = timezone.localtime(scratch.kept_at)
    return JsonResponse({"says": f"Kept at {at:%H:%M}", "token": scratch.token})


def throw_away(request: HttpRequest) -> HttpResponse:
    """Delete one of the person's own unsaved works and redirect to `next` of the form."""
    assert request.user.is_authenticated
    token = request.POST.get("throw", "")
    count, _ = Scratch.objects.filter(
        user=request.user, token=token if TOKEN.fullmatch(token) else ""
    ).delete()
    messages.info(
        request,
        "The unsaved work is thrown away." if count else "That unsaved work is no longer there.",
    )
    onward = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(onward, allowed_hosts={request.get_host()})
    return redirect(onward if is_ours else reverse("admin:orders_order_add"))


def offers(user: User, place: Place | None = None, *, but: str = "") -> list[dict[str, Any]]:
    """The person's unsaved work, newest first; only for `place` if given, without the tab `but`."""
    found = Scratch.objects.of(user).exclude(token=but)
    if place:
        found = found.for_draft(**place.about)
    # The entries themselves may be large and are not shown in the list.
    return [_offer(scratch) for scratch in found.defer("fields", "sealed")]


def _offer(scratch: Scratch) -> dict[str, Any]:
    order = scratch.order
    # Entries for an order that has left the draft state go into a new draft.
    is_open = order is None or order.state == State.DRAFT
    return {
        "token": scratch.token,
        "kept_at": scratch.kept_at,
        "size": scratch.size,
        "order": order,
        "is_open": is_open,
        "what": f"{scratch.vendor.adapter.products[scratch.product].label} at {scratch.vendor}",
        "url": page_url(
            vendor_id=scratch.vendor_id,
            product=scratch.product,
            order_id=scratch.order_id if is_open else None,
            unsaved=scratch.token,
        ),
    }
