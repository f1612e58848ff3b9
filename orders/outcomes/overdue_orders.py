"""Orders that a vendor has for too long: what is missing, since when, and the notice of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from django.db import models
from django.utils import timezone

from mailops.history import audited, record
from orders.models import Domain, Mailbox, Order, State
from orders.models.inventory import Asset

ACTION = "order.overdue"
AGAIN = timedelta(days=7)
CLOCK_TOLERANCE = timedelta(minutes=5)


def overdue(now: datetime | None = None) -> models.QuerySet[Order]:
    """All orders that are overdue, the oldest first, with their accounts."""
    return Order.objects.late_at_vendor(now or timezone.now()).select_related("vendor", "client")


def mark(orders: Sequence[Order], now: datetime | None = None) -> None:
    """Set `overdue_since` on those of the orders that are overdue. One query for all."""
    asked = [order for order in orders if order.state in (State.ACCEPTED, State.CREATED)]
    if not asked:
        return
    late = overdue(now).filter(pk__in=[order.pk for order in asked])
    since = {order.pk: began(order) for order in late}
    for order in asked:
        order.overdue_since = since.get(order.pk)


def began(order: Order) -> datetime:
    """Since when an order of `overdue()` is overdue."""
    days = order.vendor.overdue_days
    if order.state == State.CREATED:
        days = order.vendor.usual_days
    since: datetime = at_vendor_since(order) + timedelta(days=days)
    if order.expected_on is None:
        return since
    after = datetime.combine(order.expected_on + timedelta(days=1), time())
    return max(since, timezone.make_aware(after))


def at_vendor_since(order: Order) -> datetime:
    since: datetime = order.at_vendor_since  # type: ignore[attr-defined]  # of the query
    return since


def sentences(orders: Iterable[Order], now: datetime | None = None) -> dict[int, str]:
    """By key: "3 of 4 mailboxes missing, at SmartSenders for 9 days (usual: 3)". Two queries."""
    now = now or timezone.now()
    found = list(orders)
    missing = _missing([order.pk for order in found])
    return {order.pk: _sentence(order, missing, now) for order in found}


def _sentence(order: Order, missing: dict[int, str], now: datetime) -> str:
    days = (now - at_vendor_since(order)).days
    what = "not processed" if order.state == State.CREATED else missing.get(order.pk, "not ended")
    lasting = "1 day" if days == 1 else f"{days} days"
    return f"{what}, at {order.vendor.name} for {lasting} (usual: {order.vendor.usual_days})"


def _missing(keys: Sequence[int]) -> dict[int, str]:
    """ "3 of 4 mailboxes missing"; of domains where no mailbox is."""
    is_missing = models.Count("pk", filter=models.Q(state=Asset.ORDERED))
    said: dict[int, str] = {}
    # Mailboxes last: where both are missing, they say more.
    for kind, one, many in ((Domain, "domain", "domains"), (Mailbox, "mailbox", "mailboxes")):
        counts = kind.objects.filter(order__in=keys).order_by().values("order")
        for row in counts.annotate(missing=is_missing, all=models.Count("pk")):
            if row["missing"]:
                noun = one if row["all"] == 1 else many
                said[row["order"]] = f"{row['missing']:,} of {row['all']:,} {noun} missing"
    return said


def sweep(now: datetime, *, at_most: int) -> int:
    """Write the event that notices follow, for each order that is due for one."""
    # A time that lies ahead was written by a clock that has been set back since.
    ahead = models.Q(overdue_told_at__gt=now + CLOCK_TOLERANCE)
    # An order may have come back to the vendor by a revised verdict.
    earlier = models.Q(overdue_told_at__lt=models.F("state_since"))
    due = models.Q(overdue_told_at=None) | models.Q(overdue_told_at__lte=now - AGAIN)
    wanted = overdue(now).filter(due | ahead | earlier)
    done = 0
    for pk in list(wanted.values_list("pk", flat=True)[:at_most]):
        with audited():
            Order.objects.locked(pk)
            # A person, the vendor or another sweep may have been faster.
            order = wanted.filter(pk=pk).first()
            if order is None:
                continue
            says = sentences([order], now)[pk]
            Order.objects.filter(pk=pk).update(overdue_told_at=now)
            record(ACTION, order, reason=f"{says[:1].upper()}{says[1:]}.")
            done += 1
    return done
