"""Today: what waits for me, and can we send?"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse

from orders.models import Order, State
from vendors.models import SendingSwitch, Vendor

ACTS = {State.REVIEW: "Review", State.UNKNOWN: "Check", State.REFUSED: "Fix and copy", State.DRAFT: "Go on"}
KINDS = {State.REVIEW: "wait", State.UNKNOWN: "doubt", State.REFUSED: "bad", State.DRAFT: "", State.PARTLY: "wait"}


def waiting_count(user: User | AnonymousUser) -> int:
    """How many orders wait for this person."""
    return Order.objects.waiting_for(user).count() if isinstance(user, User) else 0


def context(request: HttpRequest) -> dict[str, Any]:
    """What the Today page shows this person."""
    user = request.user
    assert isinstance(user, User)
    waiting = Order.objects.waiting_for(user).select_related("client", "vendor")[:20]
    moving = Order.objects.filter(state__in=[State.CONFIRMED, State.SENDING, State.ACCEPTED]).select_related(
        "client", "vendor"
    )
    return {
        "title": "Today",
        "waiting": [
            {
                "order": order,
                "url": reverse("admin:orders_order_change", args=[order.pk]),
                "kind": KINDS[State(order.state)],
                "act": ACTS.get(State(order.state), "Look"),
            }
            for order in waiting
        ],
        "moving": [
            {"order": order, "url": reverse("admin:orders_order_change", args=[order.pk])}
            for order in moving.order_by("state_since")[: 20 if user.has_perm("orders.view_order") else 0]
        ],
        "accounts": Vendor.objects.all() if user.has_perm("vendors.view_vendor") else [],
        "switch": SendingSwitch.current(),
        "may_hold": user.has_perm("vendors.hold_all_sending"),
        "may_draft": user.has_perm("orders.add_order"),
        "has_role": user.is_superuser or user.groups.exists(),
    }
