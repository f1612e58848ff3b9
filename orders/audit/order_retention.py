"""Which records of the history orders still need: all of those that have not long ended."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min

from mailops.history.models import Event
from orders.models import Order
from orders.models.state import FINISHED

AT_ONCE = 500


def first_needed(last: int, before: datetime) -> int | None:
    """The first record up to `last` about an order that goes on, or ended after `before`."""
    needed = (
        Order.objects.exclude(state__in=FINISHED, state_since__lt=before)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    numbers = [str(pk) for pk in needed.iterator()]
    found = []
    for start in range(0, len(numbers), AT_ONCE):
        some = Event.objects.filter(
            subject_type="orders.order",
            subject_id__in=numbers[start : start + AT_ONCE],
            number__lte=last,
        )
        found.append(some.aggregate(first=Min("number"))["first"])
    return min((number for number in found if number is not None), default=None)
