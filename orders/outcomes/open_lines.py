"""The part of an order that a vendor is asked about in one task: what is not there yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from django.db.models import Q
from django.utils import timezone

from orders.models import Domain, Order
from orders.models.inventory import Asset
from vendors import rate_limit
from vendors.apis.values import DomainLine, Progress, joined
from vendors.http import Read

MOST_DOMAINS = 40
NEVER = datetime.min.replace(tzinfo=UTC)


def progress(order: Order, read: Read, *, may_ask: Callable[[], bool]) -> Progress:
    """The vendor's answer about the order. Raises `ReadFailed`.

    A vendor that is asked by name is asked about at most 40 domains, those first that were not
    looked at for longest. What was answered when the time is over counts.
    """
    adapter = order.vendor.adapter
    if not adapter.progress_batch:
        return adapter.progress(order, read)
    whole = order.contents
    lines = _open(order)
    found: list[Progress] = []
    for start in range(0, len(lines), adapter.progress_batch):
        part = lines[start : start + adapter.progress_batch]
        if found and not may_ask():
            break
        try:
            # The adapter reads what it is asked about from the order's contents.
            order.contents = tuple(part)
            found.append(adapter.progress(order, read))
        except rate_limit.Busy:
            if not found:
                raise
            break
        finally:
            order.contents = whole
        _mark_looked_at(order, part)
    return _together(found, is_whole=len(found) * adapter.progress_batch >= len(whole))


def _open(order: Order) -> list[DomainLine]:
    awaited = {*order.domains.filter(state=Asset.ORDERED).values_list("name", flat=True)}
    boxes = order.mailboxes.filter(state=Asset.ORDERED)
    awaited |= {*boxes.values_list("domain__name", flat=True)}
    rows = Domain.objects.filter(Q(order=order) | Q(mailboxes__order=order))
    looked_at = dict(rows.values_list("name", "looked_at"))
    # An order of which nothing is awaited is asked about as a whole: it has no end yet.
    lines = [line for line in order.contents if line.name in awaited] or [*order.contents]
    lines.sort(key=lambda line: looked_at.get(line.name) or NEVER)
    return lines[:MOST_DOMAINS]


def _mark_looked_at(order: Order, lines: Iterable[DomainLine]) -> None:
    rows = Domain.objects.filter(Q(order=order) | Q(mailboxes__order=order))
    found = rows.filter(name__in=[line.name for line in lines]).values("pk")
    Domain.objects.filter(pk__in=found).update(looked_at=timezone.now())


def _together(found: list[Progress], *, is_whole: bool) -> Progress:
    references = {part.reference for part in found if part.reference}
    notes = dict.fromkeys(part.note for part in found if part.note)
    # The number of one domain may be another order's, as long as the others were not asked about.
    reference = references.pop() if is_whole and len(references) == 1 else ""
    return replace(joined(found), reference=reference, note=" ".join(notes))
