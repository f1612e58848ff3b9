"""The page that compares an order with the same order at other accounts."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders.admin.cost_sheet import OPEN
from orders.admin.order_pages import load, render, url
from orders.drafting import alternatives
from orders.models import Order


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """GET compares, while the order can still move. POST copies the order to another account."""
    order = load(request, pk)
    if request.method == "POST":
        return _copy(request, order)
    if order.state not in OPEN:
        messages.info(request, f"{order} has gone on: it reads “{order.get_state_display()}”.")
        return redirect(url(order))
    context = {
        "title": f"{order} at the other accounts",
        "here_cost": order.vendor.adapter.cost(order, order.vendor.price_list()),
        "found": alternatives.compare(order),
        "may_copy": request.user.has_perm("orders.add_order"),
    }
    return render(request, "elsewhere.html", order, **context)


def _copy(request: HttpRequest, order: Order) -> HttpResponse:
    if not request.user.has_perm("orders.add_order"):
        raise PermissionDenied
    assert request.user.is_authenticated
    key = request.POST.get("there", "")
    # Compared again: prices and rules may have changed since the page was shown.
    there = next((found for found in alternatives.compare(order) if found.key == key), None)
    if order.state not in OPEN or there is None or not there.can:
        messages.error(
            request,
            "It can't be copied there any more. Nothing was changed. Look at the list again.",
        )
        return redirect(url(order, "elsewhere") if order.state in OPEN else url(order))
    copied = alternatives.copy_to(order, there, by=request.user)
    # The original is not cancelled: somebody may want both, or look at the copy first.
    left = f" {order} is still there: cancel it if this one takes its place."
    fill = f" Fill in: {', '.join(there.to_fill)}." if there.to_fill else ""
    messages.success(
        request, f"{copied} is a draft at {there.vendor.name} with the same contents.{fill}{left}"
    )
    return redirect(url(copied, "edit"))
