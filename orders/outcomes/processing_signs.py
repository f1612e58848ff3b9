"""Signs in a vendor's list that an order which it only created was processed there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from mailops.core.text import plural
from mailops.history import audited, record
from orders.models import Attempt, Client, Order, State
from orders.models.attempt import Stage
from orders.outcomes import domain_facts
from vendors.apis.values import Progress
from vendors.models import Vendor

LOOKS_PROCESSED = "order.looks_processed"


def note(order_id: int, progress: Progress) -> str:
    """Store the vendor's answer about a created order. Returns a word for the log.

    A sign counts the order's sum from now on as money that may have been spent. The state waits for
    a person.
    """
    with audited():
        accounts = Order.objects.values_list("vendor_id", "client_id")
        vendor_id, client_id = accounts.get(pk=order_id)
        # The account and the client, whose limits are about to be counted by others, come first.
        Vendor.objects.locked(vendor_id)
        Client.objects.select_for_update(no_key=True).get(pk=client_id)
        order = Order.objects.locked(order_id)
        if order.state != State.CREATED:
            return "settled already"
        changes = domain_facts.write(order, progress)
        if progress.bought and not order.looks_processed_at:
            attempt, counted = _count(order)
            about = attempt.pk if attempt else None
            reason = _in_words(progress)
            record(LOOKS_PROCESSED, order, reason=reason, attempt=about, changes=changes | counted)
            return "looks processed"
        if changes:
            record("order.progress", order, reason=progress.note, changes=changes)
            return "news"
        return "no news"


def _count(order: Order) -> tuple[Attempt | None, dict[str, Any]]:
    """Count the sum that is due once the order is processed. Returns the changes for the event."""
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(looks_processed_at=now)
    attempt = order.attempts.filter(stage__in=[Stage.ACCEPTED, Stage.PLACED]).first()
    changes: dict[str, Any] = {"looks_processed_at": [None, now.isoformat()]}
    if attempt is None or attempt.due_now:  # what counts already goes on counting from its day
        return attempt, changes
    due = _due_later(order)
    Attempt.objects.filter(pk=attempt.pk).update(due_now=due, counted_at=now)
    return attempt, changes | {"due_now": [attempt.due_now, due]}


def _due_later(order: Order) -> dict[str, str]:
    confirmed = (order.snapshot or {}).get("cost", {})
    for cost in (order.cost, confirmed):
        if "due_later" in cost:
            later: dict[str, str] = cost["due_later"]
            return later
    # Confirmed before the two sums had names of their own: all of it stood under “now”.
    now: dict[str, str] = order.cost.get("due_now") or confirmed.get("due_now", {})
    return now


def _in_words(progress: Progress) -> str:
    names = sorted(progress.bought)
    words = "more domain looks so", "more domains look so"
    more = f" {plural(len(names) - 1, *words)}." if len(names) > 1 else ""
    return f"{progress.bought[names[0]]}{more}"
