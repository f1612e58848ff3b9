"""Retention of orders' records: an order keeps its records until it has long ended."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min

from mailops.core.text import chunks
from mailops.history.models import Event
from orders.models import Order
from orders.models.state import FINISHED

CHUNK = 500  # orders in one query


def first_needed(last: int, before: datetime) -> int | None:
    """Number of the first record up to `last` about an order not ended before `before`."""
    needed = (
        Order.objects.exclude(state__in=FINISHED, state_since__lt=before)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    found = []
    # Databases bound the number of parameters of a query.
    for some in chunks([str(pk) for pk in needed.iterator()], CHUNK):
        records = Event.objects.filter(
            subject_type="orders.order", subject_id__in=some, number__lte=last
        )
        found.append(records.aggregate(first=Min("number"))["first"])
    return min((number for number in found if number is not None), default=None)
