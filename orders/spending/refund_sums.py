"""Money back in numbers: what an order counts, what came back, what can still be asked for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from django.db import models

from mailops.core.money import Totals
from orders.models import Attempt, Order, Refund
from orders.spending.limits import spending

ASK_AGAIN = timedelta(days=14)
ASKED, GOT, DENIED = Refund.Stage.ASKED, Refund.Stage.GOT, Refund.Stage.DENIED


def counting(order: Order) -> Attempt | None:
    """The attempt that limits count for the order."""
    return spending().filter(order=order).first()


def counts(order: Order) -> Totals:
    attempt = counting(order)
    return Totals.from_dict(attempt.due_now) if attempt else Totals()


def _sum(order: Order, stages: Collection[str]) -> Totals:
    rows = order.refunds.filter(state__in=stages)
    return Totals.of(rows.values_list("currency", "amount"))


def came_back(order: Order) -> Totals:
    return _sum(order, [GOT])


def asked(order: Order) -> Totals:
    return _sum(order, [ASKED])


def less(totals: Totals, taken: Totals) -> Totals:
    left = {name: amount - taken.get(name, 0) for name, amount in totals.items()}
    return Totals({name: amount for name, amount in left.items() if amount > 0})


def most_to_get(order: Order) -> Totals:
    """By currency: what the order counts, less what came back already."""
    return less(counts(order), came_back(order))


def most_to_ask(order: Order) -> Totals:
    """By currency: the same, less what was asked for already."""
    return less(counts(order), _sum(order, [GOT, ASKED]))


def unanswered(today: date) -> models.QuerySet[Refund]:
    """Money back for orders, asked for two weeks ago or longer. The oldest comes first."""
    rows = Refund.objects.filter(state=ASKED, on__lte=today - ASK_AGAIN, order__isnull=False)
    return rows.select_related("order__client", "vendor").order_by("on", "pk")
