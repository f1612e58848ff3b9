"""How an order differs from what is usual for its client: its defaults, then its last orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.utils.text import Truncator

from orders.models import Order
from vendors.apis.order_details import CONTACT, FORWARDS, Detail

LOOKED_AT = 6  # orders of the client for the same product at the account
FEWEST = 2  # that have to agree


def usual(order: Order, found: Iterable[Detail]) -> dict[str, str]:
    """Why a line is not the usual, by the line's label. One query."""
    odd = _from_defaults(order)
    earlier = _earlier(order)
    for one in found:
        if not one.name or one.group or not earlier:
            continue
        words = Counter(each[one.label] for each in earlier if one.label in each)
        [(most, count), *_] = words.most_common(1) or [("", 0)]
        if count >= FEWEST and count * 2 > len(earlier) and most != one.words:
            odd[one.label] = (
                f"Not the usual: {count} of this client's last {len(earlier)} orders here had"
                f" “{Truncator(most).chars(60)}”."
            )
    return odd


def _from_defaults(order: Order) -> dict[str, str]:
    odd, client, product = {}, order.client, order.product_spec
    if product.forwards and client.forward_to and order.forward_to != client.forward_to:
        odd[FORWARDS] = f"Not the client's usual, {client.forward_to}."
    if product.needs_contact and client.contact_id and order.contact_id != client.contact_id:
        odd[CONTACT] = f"Not the client's usual, {client.contact}."
    return odd


def _earlier(order: Order) -> list[dict[str, str]]:
    """The options of the client's last confirmed orders, in words."""
    kept = (
        Order.objects.filter(
            client=order.client, vendor=order.vendor, product=order.product, snapshot__isnull=False
        )
        .exclude(pk=order.pk)
        .order_by("-pk")
        .values_list("snapshot__details", flat=True)[:LOOKED_AT]
    )
    return [
        {one["label"]: one["words"] for one in details if one.get("name")}
        for details in kept
        if details
    ]
