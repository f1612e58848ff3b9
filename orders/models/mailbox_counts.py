"""The vendor's count of a domain's mailboxes before an order adds some.

A count alone does not tell whose mailboxes it counts. So it is of use only where no other order
adds mailboxes to the domain after it was read.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import models

from orders.models.inventory import Asset, Domain, Mailbox

READ_WITHIN = timedelta(days=2)  # before the order is sent


def read_before(order_id: int, now: datetime) -> dict[str, int]:
    """By domain, for an order that is about to be sent; only where a fresh count was read."""
    of_order = Mailbox.objects.filter(order=order_id).values("domain")
    found = Domain.objects.filter(
        pk__in=of_order,
        mailboxes_told__isnull=False,
        mailboxes_told_at__gte=now - READ_WITHIN,
        mailboxes_told_at__lte=now,
    )
    return {
        domain.name.lower(): domain.mailboxes_told
        for domain in found
        if domain.mailboxes_told is not None
        and domain.mailboxes_told_at is not None
        and not _joined(order_id, [domain.name], since=domain.mailboxes_told_at)
    }


def still_of_use(order_id: int, counts: dict[str, int], *, since: datetime) -> dict[str, int]:
    """The counts of domains to which no other order added mailboxes since then."""
    others = _joined(order_id, counts, since=since) if counts else set()
    return {name: count for name, count in counts.items() if name not in others}


def _joined(order_id: int, names: Collection[str], *, since: datetime) -> set[str]:
    """The domains on which other orders' mailboxes may have come after that moment."""
    # One that never came may still come.
    may_come = models.Q(state__in=[Asset.ORDERED, Asset.GONE])
    came = models.Q(ordered_at__gte=since) | models.Q(ready_at__gte=since)
    others = Mailbox.objects.filter(may_come | came, domain__name__in=names, order__isnull=False)
    found = others.exclude(order=order_id).values_list("domain__name", flat=True)
    return {name.lower() for name in found}
