"""Counts of an account's orders, for the account's page."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Count, Min
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, State
from vendors.models import Vendor

register = template.Library()


@register.simple_tag
def orders_behind(vendor: Vendor) -> dict[str, Any]:
    """Counts of confirmed orders that wait for the account, and of those with unknown outcome."""
    orders = Order.objects.filter(vendor=vendor)
    # An order that is still within its pause would not go out if the account were opened now.
    waiting = orders.filter(state=State.CONFIRMED).exclude(hold_until__gt=timezone.now())
    return {
        **waiting.aggregate(count=Count("pk"), oldest=Min("confirmed_at")),
        "unknown": orders.filter(state=State.UNKNOWN).count(),
        "url": f"{reverse('admin:orders_order_changelist')}?vendor__id__exact={vendor.pk}",
    }
