"""Today: what waits for me, what is held back, and can we send?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Min
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mailops.history import untracked_changes
from mailops.history.models import Verification
from mailops.proposals.models import Proposal
from orders.models import Attempt, Mention, Order, State
from orders.models.hold import hold_of
from orders.spending import limits
from vendors.models import SendingSwitch, Vendor

AT_MOST = 20  # orders in a list
ACTS = {
    State.REVIEW: "Review",
    State.UNKNOWN: "Check",
    State.REFUSED: "Fix and copy",
    State.DRAFT: "Go on",
}
KINDS = {State.REVIEW: "wait", State.UNKNOWN: "doubt", State.REFUSED: "bad", State.PARTLY: "wait"}
SINCE = {State.CONFIRMED: "Confirmed", State.SENDING: "Taken up", State.ACCEPTED: "Accepted"}
MOVING = list(SINCE)


def waiting_count(user: User | AnonymousUser) -> int:
    """How many orders wait for this person."""
    return Order.objects.waiting_for(user).count() if isinstance(user, User) else 0


def context(request: HttpRequest) -> dict[str, Any]:
    """What the Today page shows this person."""
    from orders.admin import autosave

    user = request.user
    assert isinstance(user, User)
    switch = SendingSwitch.current()
    sees_orders = user.has_perm("orders.view_order")
    moving = (
        Order.objects.filter(state__in=MOVING)
        .select_related("client", "vendor")
        .order_by("state_since")
    )
    shown = list(moving[:AT_MOST]) if sees_orders else []
    held = _held(switch)
    return {
        "title": "Today",
        "waiting": _waiting(user),
        "mentions": list(Mention.objects.unseen_by(user)[:AT_MOST]) if sees_orders else [],
        "proposals": list(Proposal.objects.waiting_for(user)[:AT_MOST]),
        "held": held if sees_orders else [],
        "held_count": sum(item["count"] for item in held),
        "moving": [_on_its_way(order, switch) for order in shown],
        "moving_count": moving.count() if len(shown) == AT_MOST else len(shown),
        "accounts": _accounts(held) if user.has_perm("vendors.view_vendor") else [],
        "history": Verification.objects.broken(),
        "switch": switch,
        "may_hold": user.has_perm("vendors.hold_all_sending"),
        "may_draft": user.has_perm("orders.add_order"),
        "unsaved": autosave.offers(user)[: autosave.FEW]
        if user.has_perm("orders.add_order")
        else [],
        "outside": untracked_changes.lately() if user.has_perm("history.view_event") else None,
        "has_role": user.is_superuser or user.groups.exists(),
    }


def _waiting(user: User) -> list[dict[str, Any]]:
    orders = list(Order.objects.waiting_for(user).select_related("client", "vendor")[:AT_MOST])
    news = _news(orders) if user.has_perm("orders.settle_order") else {}
    return [
        _news_of(order, news[order.pk]) if order.pk in news else _waits(order) for order in orders
    ]


def _waits(order: Order) -> dict[str, Any]:
    state = State(order.state)
    return {
        "order": order,
        "url": reverse("admin:orders_order_change", args=[order.pk]),
        "kind": KINDS.get(state, ""),
        "text": order.get_state_display(),
        "act": ACTS.get(state, "Look"),
        "says": order.reason,
        "since": order.state_since,
    }


def _news_of(order: Order, attempt: Attempt) -> dict[str, Any]:
    """A settled order of which the vendor said something else afterwards."""
    says = (
        f"It was settled. The vendor's answer came later: {attempt.late_answer}"
        if attempt.late_answer
        else ""
    )
    return _waits(order) | {
        "url": reverse("admin:orders_order_check", args=[order.pk]),
        "kind": "doubt",
        "text": "News from the vendor",
        "act": "Read",
        "says": says or "It was settled as not placed. The vendor lists something of it now.",
        "since": attempt.news_at,
    }


def _news(orders: Iterable[Order]) -> dict[int, Attempt]:
    found = Attempt.objects.filter(order__in=[order.pk for order in orders], news_at__isnull=False)
    return {attempt.order_id: attempt for attempt in found}


def _on_its_way(order: Order, switch: SendingSwitch) -> dict[str, Any]:
    order.switch = switch
    url = reverse("admin:orders_order_change", args=[order.pk])
    hold = hold_of(order) if order.state == State.CONFIRMED else None
    kind = "wait" if hold and hold.since else "info"
    return {
        "order": order,
        "url": url,
        "hold": hold,
        "kind": kind,
        "verb": SINCE[State(order.state)],
    }


def _held(switch: SendingSwitch) -> list[dict[str, Any]]:
    """The switches that hold confirmed orders back: how many wait, and since when the oldest of
    them does.
    """
    confirmed = Order.objects.filter(state=State.CONFIRMED).exclude(hold_until__gt=timezone.now())
    if switch.stopped_at:
        found = confirmed.aggregate(count=Count("pk"), oldest=Min("confirmed_at"))
        return [found | {"account": None, "since": switch.stopped_at}] if found["count"] else []
    stopped = {vendor.pk: vendor for vendor in Vendor.objects.filter(stopped_at__isnull=False)}
    if not stopped:
        return []
    counts = confirmed.filter(vendor__in=stopped).order_by().values("vendor")
    return [
        row | {"account": stopped[row["vendor"]], "since": stopped[row["vendor"]].stopped_at}
        for row in counts.annotate(count=Count("pk"), oldest=Min("confirmed_at")).order_by("oldest")
    ]


def _accounts(held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counts = {item["account"].pk: item["count"] for item in held if item["account"]}
    accounts = list(Vendor.objects.all())
    used = limits.uses(*accounts, at=timezone.now())
    return [
        {
            "account": account,
            "count": counts.get(account.pk, 0),
            "uses": limits.rows(use for use in used if use.owner == account),
        }
        for account in accounts
    ]
