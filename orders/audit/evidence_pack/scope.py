"""The scope of a pack: one order or a period of the history, and how much that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Max, Min, QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from mailops.history.models import Event
from orders.models import Client, Order
from vendors.models import Vendor

MOST_EVENTS, MOST_ORDERS = 50_000, 1_000  # of one pack
ORDER = "orders.order"


class TooMuch(Exception):
    """Nothing, or more than fits in one pack; the message is for the person."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One order, or a period with both days included.

    `vendor` and `client` choose a period's orders. Its records are all of the period.
    """

    order: Order | None = None
    first: date | None = None
    last: date | None = None
    vendor: Vendor | None = None
    client: Client | None = None

    def __str__(self) -> str:
        if self.order:
            return str(self.order)
        assert self.first and self.last
        only = [
            f"only orders {word} {what}"
            for word, what in (("at", self.vendor), ("for", self.client))
            if what
        ]
        days = dict.fromkeys(date_format(day, "j M Y") for day in (self.first, self.last))
        return ", ".join([" to ".join(days), *only])

    @property
    def slug(self) -> str:
        """For a file's name."""
        return str(self.order) if self.order else f"{self.first}-to-{self.last}"

    def scope(self) -> Scope:
        """The records and orders of the pack. Raises `TooMuch`."""
        found = of_order(self.order) if self.order else self._of_period()
        if not found.count:
            raise TooMuch("There is no record in the history for this. Choose another period.")
        if found.count > MOST_EVENTS:
            raise TooMuch(
                f"That is {found.count:,} records, and one pack takes {MOST_EVENTS:,}. Choose a"
                " shorter period and make several packs."
            )
        if len(found.orders) > MOST_ORDERS:
            raise TooMuch(
                f"That is {len(found.orders):,} orders, and one pack takes {MOST_ORDERS:,}. Choose"
                " a shorter period, or one account or client."
            )
        return found

    def _of_period(self) -> Scope:
        since, until = bounds(self.first, self.last)
        ends = Event.objects.filter(at__gte=since, at__lt=until).aggregate(
            first=Min("number"), last=Max("number")
        )
        if ends["first"] is None:
            return Scope(events=Event.objects.none(), first=0, last=0, count=0, orders=[])
        # A stretch of the chain without gaps: a stranger can check that nothing was left out.
        events = Event.objects.filter(number__range=(ends["first"], ends["last"]))
        count = min(events.count(), MOST_EVENTS + 1)
        numbers = (
            events.filter(subject_type=ORDER)
            .order_by()
            .values_list("subject_id", flat=True)
            .distinct()
        )
        orders = Order.objects.filter(pk__in=[int(number) for number in numbers[: MOST_EVENTS + 1]])
        orders = orders.filter(vendor=self.vendor) if self.vendor else orders
        orders = orders.filter(client=self.client) if self.client else orders
        pks = list(orders.order_by("pk").values_list("pk", flat=True))
        return Scope(events=events, first=ends["first"], last=ends["last"], count=count, orders=pks)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The records and the orders that go into a pack."""

    events: QuerySet[Event]
    first: int  # a record's number, as `last`
    last: int
    count: int
    orders: list[int]


def of_order(order: Order, *, until: int | None = None) -> Scope:
    events = Event.objects.filter(subject_type=ORDER, subject_id=str(order.pk))
    ends = events.aggregate(first=Min("number"), last=Max("number"))
    first, last = ends["first"] or 0, ends["last"] if until is None else until
    events = events.filter(number__lte=last or 0)
    return Scope(
        events=events, first=first, last=last or 0, count=events.count(), orders=[order.pk]
    )


def bounds(first: date | None, last: date | None) -> tuple[datetime, datetime]:
    """The first moment of the first day and the first moment after the last, in our time zone."""
    assert first and last
    # Half-open, so that a record at midnight belongs to one day only.
    zone = timezone.get_default_timezone()
    return (
        datetime.combine(first, time.min, tzinfo=zone),
        datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone),
    )
