"""Limits and balances on pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone

from mailops.core.money import show
from orders.spending import balance, limits
from vendors.models import Vendor

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    return show(amount, currency)


@register.simple_tag
def left_at(vendor: Vendor) -> str:
    """The noted balance less later orders; empty if no balance is noted."""
    left = balance.estimate(vendor)
    return "" if left is None else show(left, vendor.balance_currency)


@register.simple_tag
def used_at(vendor: Vendor) -> list[dict[str, Any]]:
    return limits.rows(limits.uses(vendor, at=timezone.now()))
