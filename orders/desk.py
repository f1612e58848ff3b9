"""The desk: orders whose outcome is unknown. MailOps gathers evidence; the verdict is a person's, with a reason."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from mailops.history import record
from orders import submission
from orders.models import Attempt, NotAllowed, Order
from orders.models.attempt import Stage
from vendors.apis.base import Evidence
from vendors.http import ReadFailed
from vendors.sealed import CannotOpen


def open_attempt(order: Order) -> Attempt:
    """The attempt whose outcome is unknown. Raises `NotAllowed` where there is none (any more)."""
    attempt = order.attempts.filter(stage=Stage.UNKNOWN).first()
    if attempt is None:
        raise NotAllowed(f"The outcome of {order} is not open. It reads: {order.get_state_display()}.")
    return attempt


def look(order: Order, *, by: User) -> list[Evidence]:
    """Ask the vendor's read endpoints and keep what they show on the attempt. Never a verdict."""
    attempt = open_attempt(order)
    try:
        since = attempt.sent_at or attempt.claimed_at
        evidence = order.vendor.adapter.look_for(order, order.vendor.reader(), since=since)
    except (ReadFailed, CannotOpen) as error:
        evidence = [Evidence(text=str(error))]
    found = [item.__dict__ for item in evidence]
    with transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(evidence=found, evidence_at=timezone.now())
        record("attempt.evidence", order, by=by, attempt=attempt.pk, changes={"evidence": [None, found]})
    return evidence


def settle_placed(order_id: int, *, by: User, reason: str, reference: str = "") -> Order:
    """A person found that the vendor has the order."""
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order_id)
        attempt = open_attempt(order)
        if not attempt.move(Stage.PLACED, since=(Stage.UNKNOWN,), reference=reference):
            raise NotAllowed(f"{order} was settled by somebody else a moment ago.")
        submission.accept(order, attempt, reference=reference, by=by, reason=reason)
        return order


def settle_not_placed(order_id: int, *, by: User, reason: str) -> Order:
    """A person is sure that the vendor has nothing; the order waits for a fresh confirmation, nothing is sent."""
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order_id)
        attempt = open_attempt(order)
        if not attempt.move(Stage.NOT_PLACED, since=(Stage.UNKNOWN,)):
            raise NotAllowed(f"{order} was settled by somebody else a moment ago.")
        order.back_to_review(action="order.settled_as_not_placed", reason=reason, attempt=attempt, by=by)
        return order
