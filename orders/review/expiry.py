"""Expiry of reviews and confirmations: prices, limits and names change after people saw them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from mailops.core.times import moment
from mailops.history import audited
from orders.models import NotAllowed, Order, State
from orders.models.attempt import SETTLED

REVIEW, CONFIRMATION = "order.review_expired", "order.confirmation_expired"


def expires_at(order: Order) -> datetime | None:
    """When the order goes back by itself if nothing happens; None where it never does."""
    if order.state == State.REVIEW and settings.REVIEW_DAYS:
        # A settled order waits for a person however long: its verdict may still be revised.
        if order.attempts.filter(stage__in=SETTLED).exists():
            return None
        return order.state_since + timedelta(days=settings.REVIEW_DAYS)
    if order.state == State.CONFIRMED and settings.CONFIRMATION_DAYS and order.confirmed_at:
        return (order.hold_until or order.confirmed_at) + timedelta(days=settings.CONFIRMATION_DAYS)
    return None


def then(order: Order) -> str:
    # For the order's pages, beside the time at which it expires.
    if order.state == State.REVIEW:
        return "It is a draft again then, and nothing is bought."
    return "If it is not sent by then, it waits for a fresh confirmation."


def end(order: Order) -> None:
    """End an expired review or confirmation, inside the caller's transaction.

    Raises `NotAllowed` where a worker or a person was faster.
    """
    if order.state == State.REVIEW:
        waited = _days(settings.REVIEW_DAYS)
        some = order.confirmations.filter(round=order.round).exists()
        nobody = "Not all who have to confirm it did so" if some else "Nobody confirmed it"
        reason = f"{nobody} within {waited}, so it is a draft again. Nothing was bought."
        order.send_back(
            by=None,
            reason=f"{reason} Look at it, then send it for confirmation again.",
            action=REVIEW,
        )
        return
    assert order.state == State.CONFIRMED and order.confirmed_at
    who = f"{order.confirmed_by_name} confirmed it on {moment(order.confirmed_at)}"
    after = (
        f" after {moment(order.planned_for)}, for which it was planned" if order.planned_for else ""
    )
    reason = (
        f"{who}, and it could not be sent within {_days(settings.CONFIRMATION_DAYS)}{after}."
        " Nothing was bought."
    )
    order.back_to_review(action=CONFIRMATION, reason=f"{reason} It needs a fresh confirmation.")


def sweep(now: datetime, *, at_most: int) -> int:
    done = 0
    for pk in Order.objects.overdue(now).order_by("pk").values_list("pk", flat=True)[:at_most]:
        with audited():
            # The lock waits for a claim of the same moment. A claimed order is not overdue.
            Order.objects.locked(pk)
            order = Order.objects.overdue(now).select_related("vendor").filter(pk=pk).first()
            if order is None:
                continue
            try:
                end(order)
            except NotAllowed:
                continue
            done += 1
    return done


def is_over(order: Order, now: datetime) -> bool:
    ends = expires_at(order)
    return ends is not None and ends <= now


def end_if_unchanged(order: Order) -> None:
    # The sweep runs once a minute, so a worker may meet an expired confirmation first.
    found = Order.objects.locked(order.pk)
    # Somebody else may have moved the order in the meantime. Their decision stands.
    if found.state == State.CONFIRMED and found.confirmed_at == order.confirmed_at:
        end(found)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
