"""The rate limit of an account, shared by all workers through the account's row."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from vendors.apis.replies import retry_after
from vendors.http import Read, ReadFailed, Reply, Request
from vendors.models import Vendor

# Seconds to wait for an account's turn. Reads that nobody waits for give up first, so that orders
# go before them.
A_PERSON, BY_ITSELF = 10.0, 1.0
# Longer than one gap at a slower pace, but never so long that the wait makes a claim stale.
AN_ORDER = min(2.0 * max(settings.VENDOR_PACE, 1.0), 6.0)
# Seconds of pause after a 429 without Retry-After, and the longest that MailOps obeys.
REST = 30
LONGEST_REST = 3600
# A turn beyond this was written by a clock that has been set back since, and does not count.
FURTHEST = timedelta(seconds=LONGEST_REST) + timedelta(minutes=5)


class Busy(ReadFailed):
    """The account's turn is too far off. No request was sent."""


def acquire(vendor: Vendor, *, max_wait: float, now: datetime | None = None) -> float | None:
    """Take the account's next turn. Returns the seconds until then.

    Returns None, and takes no turn, where they are more than `max_wait`. The caller has the
    account's row locked.
    """
    now = now or timezone.now()
    at = max(now, next_turn(vendor, now) or now)
    if at > now + timedelta(seconds=max_wait):
        return None
    gap = vendor.adapter.pace_seconds * settings.VENDOR_PACE
    if gap:
        vendor.next_turn_at = at + timedelta(seconds=gap)
        Vendor.objects.filter(pk=vendor.pk).update(next_turn_at=vendor.next_turn_at)
    return (at - now).total_seconds()


def acquire_search(vendor: Vendor, *, max_wait: float, now: datetime | None = None) -> float | None:
    """Take the account's next turn for a search, where the vendor limits searches further.

    Returns like `acquire`.
    """
    # The account's own turn is taken only when the search is sent, so orders never wait for this.
    now = now or timezone.now()
    mark = vendor.next_search_at
    at = mark if mark and now < mark <= now + FURTHEST else now
    if at > now + timedelta(seconds=max_wait):
        return None
    gap = vendor.adapter.search_pace_seconds * settings.VENDOR_PACE
    if gap:
        vendor.next_search_at = at + timedelta(seconds=gap)
        Vendor.objects.filter(pk=vendor.pk).update(next_search_at=vendor.next_search_at)
    return (at - now).total_seconds()


def next_turn(vendor: Vendor, now: datetime) -> datetime | None:
    """The time of the account's next turn; None where that is now."""
    at = vendor.next_turn_at
    return at if at and now < at <= now + FURTHEST else None


def rest(vendor: Vendor, seconds: int | None) -> datetime:
    """Send this account no request for so many seconds. Returns the end of the pause."""
    now = timezone.now()
    until = now + timedelta(seconds=min(REST if seconds is None else seconds, LONGEST_REST))
    # A longer pause that the vendor asked for earlier is never shortened.
    later = Vendor.objects.filter(
        pk=vendor.pk, next_turn_at__gt=until, next_turn_at__lte=now + FURTHEST
    )
    if not later.exists():
        Vendor.objects.filter(pk=vendor.pk).update(next_turn_at=until)
    return until


def throttled(read: Read, vendor: Vendor, *, max_wait: float) -> Read:
    """`read` in the account's turn; a 429 makes the account pause. Raises `Busy`."""

    def ask(request: Request) -> Reply:
        # The row is locked only while the turn is taken, never while waiting or reading.
        with transaction.atomic():
            locked = Vendor.objects.locked(vendor.pk)
            wait = acquire(locked, max_wait=max_wait)
        if wait is None:
            raise Busy(f"{vendor.name} can't be asked so often. Try again in a moment.")
        time.sleep(wait)
        reply = read(request)
        if reply.status == 429:
            rest(vendor, retry_after(reply))
        return reply

    return ask


def throttled_search(read: Read, vendor: Vendor, *, max_wait: float) -> Read:

    def ask(request: Request) -> Reply:
        with transaction.atomic():
            wait = acquire_search(Vendor.objects.locked(vendor.pk), max_wait=max_wait)
        if wait is None:
            raise Busy(f"{vendor.name} can't be searched so often. Try again in a moment.")
        time.sleep(wait)
        return read(request)

    return ask
