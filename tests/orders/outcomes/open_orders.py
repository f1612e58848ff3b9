"""Accepted orders about which the vendor was asked long ago, and the queue for questions."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone
from django_q.models import OrmQ

from orders.models import Order, State
from tests.conftest import OrderFactory, fresh

PACKAGE = ("scaledmail", "package")
numbers = count()


def in_queue() -> list[tuple[str, Any]]:
    """The tasks for questions; the queue is empty afterwards."""
    rows = OrmQ.objects.filter(key="questions").order_by("pk")
    found = [(row.task["func"], row.task["args"]) for row in rows]
    OrmQ.objects.all().delete()
    return found


def later(**by: float) -> datetime:
    return timezone.now() + timedelta(**by)


def long_ago(*orders: Order, **by: float) -> None:
    """As if they were accepted and asked about that long ago."""
    pks = [order.pk for order in orders]
    Order.objects.filter(pk__in=pks).update(asked_at=later() - timedelta(**by))


def waiting(factory: OrderFactory, word: str = "", **by: float) -> Order:
    order = factory.sent(*PACKAGE, word=word or f"never-delivered-{next(numbers)}")
    assert order.state == State.ACCEPTED
    long_ago(order, **by or {"hours": 1})
    OrmQ.objects.all().delete()
    return fresh(order)
