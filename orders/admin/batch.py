"""The page that confirms several orders of one account, each with everything against it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from orders.admin import batch_rows, order_card
from orders.admin.order_pages import render
from orders.admin.review_summary import with_next
from orders.models import Order, State
from vendors.models import Vendor

# A larger number does not fit the database's type for keys.
PK_BOUND = 10**9


def show(request: HttpRequest) -> HttpResponse:
    """GET shows accounts with waiting orders, or the orders of one. POST confirms ticked orders."""
    user = request.user
    if not user.has_perm("orders.confirm_order"):
        raise PermissionDenied
    assert isinstance(user, User)
    typed = request.POST if request.method == "POST" else request.GET
    vendor = _account(typed.get("vendor", ""))
    if vendor is None:
        return _choose(request)
    if request.method != "POST":
        chosen = _numbers(request.GET.getlist("order")) if "order" in request.GET else None
        return _page(request, vendor, user, chosen=chosen)
    chosen = _numbers(request.POST.getlist("order"))
    # Without the page's script the total may be older than the ticks.
    if "count" in request.POST or chosen != _numbers(request.POST.get("counted", "").split()):
        other = "You ticked other orders, so the total is another one. Nothing was sent."
        refused = "" if "count" in request.POST else other
    elif not chosen:
        refused = "Tick at least one order. Nothing was sent."
    elif len(chosen) > batch_rows.MAX_ORDERS:
        most = batch_rows.MAX_ORDERS
        refused = f"At most {most} orders are confirmed at a time. Nothing was sent."
    else:
        return _confirm(request, vendor, user, chosen)
    return _page(request, vendor, user, chosen=chosen, refused=refused)


def _account(number: str) -> Vendor | None:
    if not number:
        return None
    found = Vendor.objects.filter(pk__in=_numbers([number])).first()
    if found is None:
        raise Http404
    return found


def _numbers(words: Iterable[str]) -> set[int]:
    """The keys of orders in a form. Anything that is no key is left out."""
    # `isdecimal` alone accepts digits of other scripts.
    digits = (word for word in words if word.isascii() and word.isdecimal())
    return {int(word) for word in digits if int(word) < PK_BOUND}


def _choose(request: HttpRequest) -> HttpResponse:
    waiting = (
        Vendor.objects.filter(orders__state=State.REVIEW)
        .annotate(waiting=Count("orders"))
        .order_by("name")
    )
    return render(
        request, "together_choose.html", None, title="Confirm several orders", accounts=waiting
    )


def _page(
    request: HttpRequest,
    vendor: Vendor,
    user: User,
    *,
    chosen: set[int] | None = None,
    refused: str = "",
) -> HttpResponse:
    found = batch_rows.batch(vendor, by=user, chosen=chosen)
    for row in found.rows:
        row.in_words = order_card.short(row.plan.details)
    context: dict[str, Any] = {
        "title": f"Confirm several orders at {vendor}",
        "vendor": vendor,
        "batch": found,
        "at_most": batch_rows.MAX_ORDERS,
        "refused": refused,
    }
    response = render(request, "together.html", None, **context)
    response.status_code = 409 if refused else 200
    return response


def _confirm(request: HttpRequest, vendor: Vendor, user: User, chosen: set[int]) -> HttpResponse:
    # Each order is confirmed with the digest of the plan that the page showed for that order.
    digests = {pk: request.POST.get(f"digest-{pk}", "") for pk in sorted(chosen)}
    outcome = batch_rows.confirm(vendor, by=user, digests=digests)
    if done := outcome.confirmed:
        many = "1 order is" if len(done) == 1 else f"{len(done)} orders are"
        message = f"{many} confirmed for {outcome.total}: {_named(done)}."
        messages.success(request, with_next(message, user))
    if outcome.half:
        them = "It waits" if len(outcome.half) == 1 else "They wait"
        messages.info(
            request,
            f"The first of two confirmations was given to {_named(outcome.half)}. {them} for"
            " another.",
        )
    if outcome.already:
        messages.info(
            request, f"You confirmed {_named(outcome.already)} already. Each is ordered once."
        )
    for order, why in outcome.failed:
        messages.error(request, f"{order} was not confirmed. {why}")
    return redirect(f"{reverse('admin:orders_order_together')}?vendor={vendor.pk}")


def _named(orders: Iterable[Order]) -> str:
    return ", ".join(map(str, orders))
