"""Queued tasks that send orders.

A queued task may run twice or be lost. The order's row decides whether anything is sent.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from mailops.core.queue_names import ORDERS
from orders.models import Order, State
from vendors.models import Vendor

SUBMIT = "orders.tasks.submit_order"


def enqueue(order_id: int, now: datetime | None = None) -> None:
    # In the caller's transaction, so that a rollback takes the task back too.
    confirmed = Order.objects.filter(pk=order_id, state=State.CONFIRMED)
    if confirmed.update(queued_at=now or timezone.now()):
        async_task(SUBMIT, order_id, cluster=ORDERS)


def enqueue_next(vendor_id: int) -> None:
    # A task that finds its account busy ends, and its order waits here for its turn.
    now = timezone.now()
    with transaction.atomic():
        # The lock comes after every claim that found the account busy: none is overlooked.
        Vendor.objects.locked(vendor_id)
        waiting = Order.objects.due(now).in_turn(now).filter(vendor_id=vendor_id, queued_at=None)
        if order := waiting.order_by("confirmed_at").first():
            enqueue(order.pk, now)


def forget(order_id: int) -> None:
    # The worker that has the account now, or the sweep, queues another task.
    Order.objects.filter(pk=order_id, state=State.CONFIRMED).update(queued_at=None)
