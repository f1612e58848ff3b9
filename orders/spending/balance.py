"""The balance at a vendor: the amount that a person noted, less the orders sent since."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db import models
from django.utils import timezone

from mailops.core.money import show
from orders.models import Order
from orders.models.attempt import Stage
from orders.models.refund import Refund
from orders.spending.limits import NOTHING, amount, spending, total
from vendors.models import Vendor
from vendors.verdicts import Problem


def estimate(vendor: Vendor) -> Decimal | None:
    """The amount that should be left at the vendor. None where nobody noted a balance."""
    if vendor.balance is None or vendor.balance_at is None:
        return None
    # An order that was being sent when the person looked may not have been taken off by the vendor
    # yet. It counts while it is under way, and if it ended after the note. A person's verdict
    # moves no money, so settled attempts count by their claim alone.
    since = (
        models.Q(counted_at__gte=vendor.balance_at)
        | models.Q(stage__in=[Stage.CLAIMED, Stage.SENDING])
        | models.Q(ended_at__gte=vendor.balance_at, settled_at=None)
    )
    spent = spending().filter(since, order__vendor=vendor)
    return vendor.balance - total(spent, amount(vendor.balance_currency, "due_now")) + _came(vendor)


def _came(vendor: Vendor) -> Decimal:
    """The credit that came back to the account after its balance was noted."""
    assert vendor.balance_at
    noted_on = timezone.localdate(vendor.balance_at)
    # On the same day, it counts if it was recorded after the balance.
    later = models.Q(on__gt=noted_on) | models.Q(on=noted_on, at__gte=vendor.balance_at)
    credit = Refund.objects.filter(
        later,
        vendor=vendor,
        state=Refund.Stage.GOT,
        kind=Refund.Kind.CREDIT,
        currency=vendor.balance_currency,
    )
    return total(credit, models.F("amount"))


def too_low(vendor: Vendor, adds: Mapping[str, Decimal]) -> str:
    """Why the account has no funds for the amounts, as text for people. Empty where it has."""
    needs = adds.get(vendor.balance_currency, NOTHING)
    left = estimate(vendor) if needs else None
    # Without a floor an order waits all the same for the money that it takes itself.
    if left is None or left - needs >= (vendor.balance_floor or NOTHING):
        return ""
    assert vendor.balance_at
    noted = timezone.localtime(vendor.balance_at)
    keeps = (
        f", and {_money(vendor, vendor.balance_floor)} shall stay" if vendor.balance_floor else ""
    )
    return (
        f"The balance noted on {noted:%-d %b} leaves about {_money(vendor, left)} at {vendor.name};"
        f" this order needs {_money(vendor, needs)}{keeps}. Add funds at {vendor.adapter.label},"
        " then note the new balance on the account's page."
    )


def _money(vendor: Vendor, amount: Decimal) -> str:
    return show(amount, vendor.balance_currency)


def warnings(order: Order, due_now: Mapping[str, Decimal]) -> list[Problem]:
    says = too_low(order.vendor, due_now)
    fix = "If it is confirmed, it waits until then."
    return [Problem(message=says, fix=fix, field="balance", level="warn")] if says else []
