"""The page Today: work that waits for this person, held orders, the state of sending."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mailops.history import untracked_changes
from mailops.history.models import Event, Verification
from mailops.proposals.models import Proposal
from orders.models import Attempt, Mention, Order, State
from orders.models.hold import hold_of
from orders.outcomes import overdue_orders
from orders.spending import limits, refund_sums
from vendors.models import SendingSwitch, Vendor

MOST_ROWS = 20  # in a list
ACTS = {
    State.REVIEW: "Review",
    State.UNKNOWN: "Check",
    State.CREATED: "Process",
    State.REFUSED: "Fix and copy",
    State.DRAFT: "Go on",
}
CHIP_KINDS = {
    State.REVIEW: "wait",
    State.UNKNOWN: "doubt",
    State.CREATED: "wait",
    State.REFUSED: "bad",
    State.PARTLY: "wait",
    State.UNDELIVERED: "bad",
}
SINCE = {State.CONFIRMED: "Confirmed", State.SENDING: "Taken up", State.ACCEPTED: "Accepted"}
MOVING = list(SINCE)


def waiting_count(user: User | AnonymousUser) -> int:
    return Order.objects.waiting_for(user).count() if isinstance(user, User) else 0


def context(request: HttpRequest) -> dict[str, Any]:
    # `orders.admin` registers its pages at our site, whose module imports this one
    from orders.admin import autosave  # noqa: PLC0415

    user = request.user
    assert isinstance(user, User)
    switch = SendingSwitch.current()
    sees_orders, may_draft = user.has_perm("orders.view_order"), user.has_perm("orders.add_order")
    moving = (
        Order.objects.filter(state__in=MOVING)
        .select_related("client", "vendor")
        .order_by("state_since")
    )
    shown = list(moving[:MOST_ROWS]) if sees_orders else []
    overdue_orders.mark(shown)
    held = _held(switch)
    return {
        "title": "Today",
        "waiting": _waiting(user),
        "mentions": list(Mention.objects.unseen_by(user)[:MOST_ROWS]) if sees_orders else [],
        "proposals": list(Proposal.objects.waiting_for(user)[:MOST_ROWS]),
        "money_back": _money_back(user),
        "held": held if sees_orders else [],
        "held_count": sum(item["count"] for item in held),
        "moving": [_on_its_way(order, switch) for order in shown],
        # counted in the database only if the list may be cut
        "moving_count": moving.count() if len(shown) == MOST_ROWS else len(shown),
        "accounts": _accounts(held) if user.has_perm("vendors.view_vendor") else [],
        "history": Verification.objects.broken(),
        "switch": switch,
        "may_hold": user.has_perm("vendors.hold_all_sending"),
        "may_draft": may_draft,
        "unsaved": autosave.offers(user)[: autosave.OFFERS_BESIDE] if may_draft else [],
        "outside": untracked_changes.lately() if user.has_perm("history.view_event") else None,
        "has_role": user.is_superuser or user.groups.exists(),
    }


def _waiting(user: User) -> list[dict[str, Any]]:
    orders = list(Order.objects.waiting_for(user).select_related("client", "vendor")[:MOST_ROWS])
    # only those who settle orders get the late answers about settled ones
    news = _news(orders) if user.has_perm("orders.settle_order") else {}
    looks = _looks_processed(orders)
    late = list(overdue_orders.overdue().filter(pk__in=[order.pk for order in orders]))
    says = overdue_orders.sentences(late)
    since = {order.pk: overdue_orders.began(order) for order in late}
    return [
        _news_of(order, news[order.pk])
        if order.pk in news
        else _waits(order)
        | _overdue(since.get(order.pk), says.get(order.pk, ""))
        | looks.get(order.pk, {})
        for order in orders
    ]


def _money_back(user: User) -> list[Any]:
    if not user.has_perm("orders.end_asset"):
        return []
    found: list[Any] = list(refund_sums.unanswered(timezone.localdate())[:MOST_ROWS])
    for refund in found:
        page = reverse("admin:orders_order_refunds", args=[refund.order_id])
        refund.page = f"{page}?answers={refund.pk}&as=asked#record"
    return found


def _overdue(since: datetime | None, says: str) -> dict[str, Any]:
    if since is None:
        return {}
    return {"kind": "bad", "text": "Overdue", "act": "Look", "says": says, "since": since}


def _waits(order: Order) -> dict[str, Any]:
    state = State(order.state)
    return {
        "order": order,
        "url": reverse("admin:orders_order_change", args=[order.pk]),
        "kind": CHIP_KINDS.get(state, ""),
        "text": order.get_state_display(),
        "act": ACTS.get(state, "Look"),
        "says": order.reason,
        "since": order.state_since,
    }


def _news_of(order: Order, attempt: Attempt) -> dict[str, Any]:
    """The row of a settled order about which the vendor said something else afterwards."""
    says = "It was settled as not placed. The vendor lists something of it now."
    if attempt.late_answer:
        says = f"It was settled. The vendor's answer came later: {attempt.late_answer}"
    return _waits(order) | {
        "url": reverse("admin:orders_order_check", args=[order.pk]),
        "kind": "doubt",
        "text": "News from the vendor",
        "act": "Read",
        "says": says,
        "since": attempt.news_at,
    }


def _looks_processed(orders: Iterable[Order]) -> dict[int, dict[str, Any]]:
    """The differing parts of rows of created orders that look processed, by the order's key."""
    listed = {order.pk: order for order in orders if _is_listed(order)}
    if not listed:
        return {}
    events = Event.objects.filter(
        subject_type="orders.order",
        subject_id__in=[str(pk) for pk in listed],
        action="order.looks_processed",
    ).order_by("number")
    words = {int(event.subject_id): event.reason for event in events}
    return {
        pk: {
            "kind": "doubt",
            "text": "It looks processed",
            "says": words.get(pk) or "The vendor lists a subscription that fits it.",
            "since": order.looks_processed_at,
        }
        for pk, order in listed.items()
    }


def _is_listed(order: Order) -> bool:
    return order.state == State.CREATED and order.looks_processed_at is not None


def _news(orders: Iterable[Order]) -> dict[int, Attempt]:
    found = Attempt.objects.filter(order__in=[order.pk for order in orders], news_at__isnull=False)
    return {attempt.order_id: attempt for attempt in found}


def _on_its_way(order: Order, switch: SendingSwitch) -> dict[str, Any]:
    # read once for all rows; `hold` would query the switch for each
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
    """A row for each switch that holds confirmed orders: `count`, `oldest`, `since`, `account`."""
    # an order that waits for a later time is not held by a switch
    confirmed = Order.objects.filter(state=State.CONFIRMED).exclude(hold_until__gt=timezone.now())
    # the switch for all sending comes before those of the accounts
    if switch.stopped_at:
        found = confirmed.aggregate(count=Count("pk"), oldest=Min("confirmed_at"))
        return [found | {"account": None, "since": switch.stopped_at}] if found["count"] else []
    held = Q(stopped_at__isnull=False) | Q(no_funds_at__isnull=False)
    stopped = {vendor.pk: vendor for vendor in Vendor.objects.filter(held)}
    if not stopped:
        return []
    since = {pk: vendor.stopped_at or vendor.no_funds_at for pk, vendor in stopped.items()}
    counts = confirmed.filter(vendor__in=stopped).order_by().values("vendor")
    return [
        row | {"account": stopped[row["vendor"]], "since": since[row["vendor"]]}
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
