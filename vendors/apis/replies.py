"""Reading a vendor's reply: waiting times, refusals and short texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from vendors.http import Reply
from vendors.verdicts import Problem

LONGEST_WAIT = 24 * 3600  # seconds


def retry_after(reply: Reply) -> int | None:
    """Seconds to wait from a `Retry-After` header, as number or date; at most a day, or None."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    value = headers.get("retry-after", "").strip()
    try:
        if value.isdigit():
            return min(int(value), LONGEST_WAIT)
        wait = round((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        return min(max(0, wait), LONGEST_WAIT)
    except (TypeError, ValueError, OverflowError):
        return None


def seconds_to(value: Any) -> int | None:
    """Seconds to wait from a vendor's number of seconds, or from the moment that it names.

    ScaledMail's page gives no unit; its sample looks like seconds since 1970.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    if value <= LONGEST_WAIT:
        return round(value)
    if 10**9 <= value < 10**10:
        return min(max(0, round(value - datetime.now(UTC).timestamp())), LONGEST_WAIT)
    return None


def refused_key(vendor_says: str) -> Problem:
    return Problem(
        message="The vendor did not accept the key. Nothing was bought.",
        fix=(
            "Ask an Operator to enter the account's API key again and test it. Then copy this order"
            " into a new draft."
        ),
        vendor_says=vendor_says,
    )


def refused_order(vendor_says: str, *, field: str = "", row: int | None = None) -> Problem:
    """The problem of an order that was refused for a reason only the vendor's own words give."""
    return Problem(
        message="The vendor refused this order. Nothing was bought.",
        fix="Copy it into a new draft and change what the vendor names.",
        field=field,
        row=row,
        vendor_says=vendor_says,
    )


def word(values: Mapping[str, Any], name: str) -> str:
    """An option or setting as text, empty while it is not filled."""
    value = values.get(name)
    return "" if value is None else str(value)


def text(value: Any, *, limit: int = 500) -> str:
    """A vendor's string or number as one line of at most `limit` characters; else empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # JSON can hold a null character and half a surrogate pair. A database can't.
    storable = str(value).replace("\0", " ").encode("utf-8", "replace").decode()
    return " ".join(storable.split())[:limit]
