"""The doorbell: a queued task with an order's number.

It may ring twice or get lost; the order's row decides.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from orders.models import Order, State
from vendors.models import Vendor

SUBMIT = "orders.tasks.submit_order"


def enqueue(order_id: int, now: datetime | None = None) -> None:
    """Queue a task for a confirmed order, within the caller's transaction.

    A second one does no harm.
    """
    if Order.objects.filter(pk=order_id, state=State.CONFIRMED).update(
        queued_at=now or timezone.now()
    ):
        async_task(SUBMIT, order_id)


def enqueue_next(vendor_id: int) -> None:
    """Ring for the oldest order of the account that was sent away because the account was busy."""
    now = timezone.now()
    with transaction.atomic():
        Vendor.objects.locked(vendor_id)  # after every claim that found the account busy
        waiting = Order.objects.due(now).in_turn(now).filter(vendor_id=vendor_id, queued_at=None)
        if order := waiting.order_by("confirmed_at").first():
            enqueue(order.pk, now)
