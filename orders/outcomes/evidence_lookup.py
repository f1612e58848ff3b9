"""Lookups at the vendor after an answer was lost. The evidence never decides for a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.core.sealed import CannotOpen
from mailops.history import audited, record
from orders.models import Attempt, Order
from orders.models.attempt import Stage
from vendors import rate_limit, vendor_reader
from vendors.apis.values import Evidence
from vendors.http import Read, ReadFailed

LOOKED_FOR = timedelta(days=3)  # after sending: how long MailOps goes on looking by itself
FIRST_PAUSE = timedelta(minutes=1)


def look(attempt: Attempt, *, by: User | None = None, read: Read | None = None) -> list[Evidence]:
    """Ask the vendor's read endpoints and store what they show on the attempt."""
    order = Order.objects.select_related("vendor", "client", "contact").get(pk=attempt.order_id)
    since = attempt.sent_at or attempt.claimed_at
    max_wait = rate_limit.A_PERSON if by else rate_limit.BY_ITSELF
    try:
        read = read or vendor_reader.reader(order.vendor, max_wait=max_wait)
        evidence = order.vendor.adapter.look_for(order, read, since=since, before=attempt.before)
    except (ReadFailed, CannotOpen) as error:
        evidence = [Evidence(text=str(error))]
    found = [item.__dict__ for item in evidence]
    with audited():
        now = timezone.now()
        # A person may have settled the attempt while the vendor was asked.
        attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
        is_new = found != attempt.evidence
        news = {}
        # What speaks for the order after a person said "not placed" must be seen by a person.
        is_placed = any(item.points_to == "placed" for item in evidence)
        if is_new and is_placed and attempt.stage == Stage.NOT_PLACED:
            news = {"news_at": now}
        Attempt.objects.filter(pk=attempt.pk).update(evidence=found, evidence_at=now, **news)
        if is_new or by:
            changes = {"evidence": [None, found]}
            record("attempt.evidence", order, by=by, attempt=attempt.pk, changes=changes)
    return evidence


def due(now: datetime) -> list[Attempt]:
    """Attempts to look for: after a minute, then whenever the time since sending has doubled."""
    wanted = Attempt.objects.filter(
        stage__in=[Stage.UNKNOWN, Stage.NOT_PLACED], sent_at__gt=now - LOOKED_FOR
    ).select_related("order")
    found = [attempt for attempt in wanted if due_at(attempt) <= now and attempt.is_newest]
    return sorted(found, key=due_at)


def due_at(attempt: Attempt) -> datetime:
    assert attempt.sent_at
    last = max(attempt.sent_at, attempt.evidence_at or attempt.sent_at)
    return last + max(FIRST_PAUSE, last - attempt.sent_at)
