"""Reading from a vendor with an account's key, no faster than the vendor wants."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from vendors import http, rate_limit
from vendors.http import Read
from vendors.models import Vendor


def reader(
    vendor: Vendor, *, max_wait: float = rate_limit.BY_ITSELF, seconds: float | None = None
) -> Read:
    """Sends requests to the account's read endpoints, throttled to the account's rate limit.

    `seconds`: the most that one question may take. Raises `CannotOpen` where the key can't be
    unsealed.
    """
    read = http.reader(host=vendor.host, secrets=vendor.secrets.open(), seconds=seconds)
    return rate_limit.throttled(read, vendor, max_wait=max_wait)


def searcher(vendor: Vendor, *, max_wait: float) -> Read:
    """A `reader` for searches of names, which some vendors limit further."""
    # The turn for the search comes first: an order must not wait for the account's own turn behind
    # a search that is not sent yet.
    read = reader(vendor, max_wait=max_wait)
    return rate_limit.throttled_search(read, vendor, max_wait=max_wait)


def rests_until(vendor: Vendor) -> datetime | None:
    """The end of a pause that the vendor asked for; None where it asked for none."""
    now = timezone.now()
    at = rate_limit.next_turn(vendor, now)
    # A turn that is nearer than that comes from the pace alone.
    return at if at and at > now + timedelta(seconds=rate_limit.AN_ORDER) else None
