"""Shared by the pages about an order: loading it, its URLs, rendering, the right to edit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, State

# The CSS class of a state's chip. The words on the chip say the same without the colour.
CHIPS = {
    State.DRAFT: "",
    State.REVIEW: "wait",
    State.CONFIRMED: "info",
    State.SENDING: "info",
    State.UNKNOWN: "doubt",
    State.REFUSED: "bad",
    State.ACCEPTED: "info",
    State.CREATED: "wait",
    State.PARTLY: "wait",
    State.UNDELIVERED: "bad",
    State.DELIVERED: "ok",
    State.CANCELLED: "",
}


def load(request: HttpRequest, pk: int | str, permission: str = "orders.view_order") -> Order:
    """The order with its relations. Raises `PermissionDenied` or `Http404`."""
    # The permission comes first: a person without it can't find out which orders exist.
    if not request.user.has_perm(permission):
        raise PermissionDenied
    orders = Order.objects.select_related("vendor", "client", "contact", "drafted_by", "copy_of")
    try:
        return orders.get(pk=int(pk))
    except (Order.DoesNotExist, ValueError):
        raise Http404 from None


def url(order: Order, name: str = "change") -> str:
    return reverse(f"admin:orders_order_{name}", args=[order.pk])


def overdue_words(order: Order) -> str:
    """ "Overdue since 5 Dec"; empty for an order that is not."""
    since = order.overdue_since
    return f"Overdue since {timezone.localtime(since):%-d %b}" if since else ""


def progress_version(order: Order) -> str:
    """Changes whenever a domain or mailbox of the order changes its state."""
    counts = [
        count
        for assets in (order.mailboxes, order.domains)
        for count in assets.order_by().values_list("state").annotate(Count("pk"))
    ]
    return "-".join(f"{state}{count}" for state, count in sorted(counts))


def render(
    request: HttpRequest, template: str, order: Order | None, **context: Any
) -> TemplateResponse:
    about = (
        {"order": order, "order_url": url(order), "chip": CHIPS[State(order.state)]}
        if order
        else {}
    )
    frame = admin.site.each_context(request)
    return TemplateResponse(request, f"admin/orders/order/{template}", frame | about | context)


def why_not_edit(order: Order, user: User | AnonymousUser) -> str:
    """The reason why the user may not edit this draft, in words; empty if they may."""
    # A draft whose drafter was deleted belongs to everybody with the right to edit.
    if order.drafted_by_id in (user.pk, None) or user.is_superuser:
        return ""
    return f"It is {order.drafted_by_name}'s draft."
