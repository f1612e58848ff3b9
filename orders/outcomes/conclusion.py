"""The end of an order that a vendor took: nothing is left to come."""

from __future__ import annotations

from django.contrib.auth.models import User

from orders.models import Order, State
from orders.models.inventory import Asset

DONE = {Asset.READY, Asset.REFUSED, Asset.GONE}
# The last two end once more when a line that was given up is there after all.
MAY_END = (State.ACCEPTED, State.PARTLY, State.UNDELIVERED)


def conclude(order: Order, *, by: User | None = None, reason: str = "") -> bool:
    """End the order if none of its lines is still to come. True if its state changed.

    Called after every change of a line, in the same transaction, with the order's row locked.
    """
    states = order.asset_states()
    if order.state not in MAY_END or not states or not states <= DONE:
        return False
    if Asset.READY not in states:
        to = State.UNDELIVERED
        reason = reason or f"Nothing of it came from {order.vendor.name}."
    else:
        to = State.DELIVERED if states == {Asset.READY} else State.PARTLY
    if to == order.state:
        return False
    order.end(to, by=by, reason=reason)
    return True
