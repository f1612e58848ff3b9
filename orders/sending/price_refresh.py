"""Reading the vendor's own prices just before the paid request, so that the recheck compares with
those of today.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from mailops.core.sealed import CannotOpen
from mailops.history import audited
from orders.models import Order, State
from orders.sending import vendor_lookup
from vendors import price_lists, rate_limit
from vendors.http import ReadFailed
from vendors.models import Price

log = logging.getLogger("mailops.repricing")


def is_needed(order: Order, now: datetime) -> bool:
    """Whether a price of this order stands in the vendor's own list and was read from there too
    long ago.
    """
    if not order.vendor.adapter.can_fetch_prices:
        return False
    fresh = now - timedelta(seconds=settings.PRICES_FRESH_SECONDS)
    if vendor_lookup.is_fresh(order.prices_at, settings.PRICES_FRESH_SECONDS, now):
        return False
    return bool(_older(order, fresh))


def _older(order: Order, than: datetime) -> list[str]:
    """The order's items whose price the vendor's list gave, and not since that moment."""
    prices = Price.objects.filter(vendor=order.vendor_id, item__in=_items(order), as_of__lte=than)
    return sorted(prices.exclude(source__startswith="Typed by").values_list("label", flat=True))


def _items(order: Order) -> list[str]:
    return [line["item"] for line in (order.snapshot or {}).get("cost", {}).get("lines", [])]


def read_first(order_id: int) -> str:
    """Read the account's prices again before the claim.

    `vendor_lookup.GO_ON`, or a word for the queue's log.
    """
    order = Order.objects.select_related("vendor").get(pk=order_id)
    if not order.vendor.has_its_secrets:
        return vendor_lookup.key_missing(order_id)
    began = timezone.now()
    try:
        price_lists.fetch(order.vendor, max_wait=rate_limit.AN_ORDER)
    except rate_limit.Busy:
        Order.objects.filter(pk=order_id, state=State.CONFIRMED).update(queued_at=None)
        return "account busy"
    except (ReadFailed, CannotOpen) as error:
        return _could_not_read(order, str(error))
    except Exception:
        log.exception("The prices of %s could not be read", order.vendor)
        return _could_not_read(order, "It can't be read.")
    with audited():
        order = Order.objects.locked(order_id)
        if order.state != State.CONFIRMED:
            return "nothing to do"
        if gone := _older(order, began):
            label = order.vendor.adapter.label
            reason = (
                f"Not sent. {label}'s price list does not name {', '.join(gone)} any more. Look"
                " there first."
            )
            order.back_to_review(action="order.returned_unsent", reason=reason)
            return "price gone"
        Order.objects.filter(pk=order_id).update(prices_at=timezone.now())
        return vendor_lookup.GO_ON


def _could_not_read(order: Order, why: str) -> str:
    """With old prices nobody knows what it costs: nothing is sent, and tried a few times."""
    reason = f"{order.vendor.adapter.label}'s prices have to be read before sending. {why}"
    return vendor_lookup.could_not(
        order.pk, action="order.could_not_read_prices", reason=reason, word="could not read prices"
    )
