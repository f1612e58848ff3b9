"""Unsaved work: kept while somebody types, offered again to them alone, thrown away by saving or by
a click.
"""

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

FEW = 3  # of unsaved work, on pages about other things; New order lists all
TOKEN = re.compile(r"[0-9a-f]{64}")
# what belongs to one page or one click, or to logging in, and not to what was typed for the order
PASSING = {
    "csrfmiddlewaretoken", "tab", "unsaved", "keep", "throw", "save", "send", "read", "page", "show", "open", "add",
    "errors", "shown", "username", "password",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is drafted where: a new order of a kind at an account, or a draft that exists."""

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
    """Where that draft is typed."""
    if order_id:
        return reverse("admin:orders_order_edit", args=[order_id]) + (
            f"?{urlencode(query)}" if query else ""
        )
    return f"{reverse('admin:orders_order_add')}?{urlencode({'vendor': str(vendor_id), 'product': product} | query)}"


def tab_of(post: QueryDict) -> str:
    """The name of the tab that a form came from; a new one for a page that is opened."""
    named = post.get("tab", "")
    return named if TOKEN.fullmatch(named) else secrets.token_hex(32)


def taken_up(request: HttpRequest, place: Place) -> Scratch | None:
    """The person's own unsaved work that the address names."""
    token = request.GET.get("unsaved", "")
    if not TOKEN.fullmatch(token):
        return None
    assert request.user.is_authenticated
    own = Scratch.objects.of(request.user).filter(
        vendor=place.vendor, product=place.product, token=token
    )
    return own.first()


def mark(scratch: Scratch) -> str:
    """Which unsaved work a page was begun from, and as of when."""
    return f"{scratch.token}@{scratch.kept_at.isoformat()}"


def typed(scratch: Scratch) -> QueryDict:
    """What was typed, as it was posted, by a page that is begun from it."""
    found = QueryDict(mutable=True)
    for name, values in scratch.fields.items():
        found.setlist(name, values)
    found["unsaved"] = mark(scratch)
    return found


def keep(request: HttpRequest, place: Place, post: QueryDict) -> Scratch:
    """Write down what this tab holds. Raises `TooLarge`."""
    assert request.user.is_authenticated
    sealed = {f"option-{name}": name for name in place.vendor.adapter.secret_options}
    typed_now = {name: post.get(field, "") for field, name in sealed.items()}
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
    """The passwords that were typed on this page before and are kept sealed until it is saved."""
    own = Scratch.objects.filter(user=user, token=tab_of(post)).first()
    return _secrets_in(_source(user, post)) | _secrets_in(own)


def _secrets_in(scratch: Scratch | None) -> dict[str, str]:
    """What can be unsealed of it; what can't has to be typed again."""
    with suppress(CannotOpen):
        return Sealed(scratch.sealed).open() if scratch else {}
    return {}


def drop(user: User, post: QueryDict) -> None:
    """It is saved, or nothing is left of it."""
    Scratch.objects.filter(user=user, token=tab_of(post)).delete()
    _drop_source(user, post)


def _source(user: User, post: QueryDict) -> Scratch | None:
    """What this page was begun from, unless another tab went on with it since."""
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
    if source and source.token != post.get("tab"):
        source.delete()


def answer(
    request: HttpRequest, place: Place, post: QueryDict, *, is_touched: bool
) -> HttpResponse:
    """To the page's script, which sends what is typed every few seconds."""
    assert request.user.is_authenticated
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
    """Delete the person's own unsaved work, and go back to where they were."""
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
    """The person's unsaved work, of all drafts or of one page, newest first, with where it is taken
    up.
    """
    found = Scratch.objects.of(user).exclude(token=but)
    if place:
        found = found.for_draft(**place.about)
    return [_offer(scratch) for scratch in found.defer("fields", "sealed")]


def _offer(scratch: Scratch) -> dict[str, Any]:
    order = scratch.order
    is_open = (
        order is None or order.state == State.DRAFT
    )  # else it goes into a new draft: nothing is lost
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
