"""Mailboxes go on domains that the vendor holds: what MailOps knows of where each domain is."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Min

from orders.models import Order
from orders.models.inventory import LIVE, Asset
from vendors.apis.rules import bounded, warn
from vendors.verdicts import Problem


def problems(order: Order) -> list[Problem]:
    """Domains of a mailbox order that MailOps knows at another account, or not set up yet.

    A warning: a domain may have been moved, or be ready at the vendor before MailOps has looked.
    """
    return [] if order.what.buys_domains else bounded(_not_here(order))


def _not_here(order: Order) -> Iterator[Problem]:
    domains = order.mailboxes.filter(domain__state__in=LIVE).order_by()
    columns = ("domain__name", "domain__state", "domain__vendor_id", "domain__vendor__name")
    for name, state, vendor_id, vendor, row in (
        domains.values_list(*columns).annotate(first=Min("row")).order_by("first")
    ):
        if vendor_id != order.vendor_id:
            message = (
                f"{name} is at {vendor}, as far as MailOps knows. {order.vendor.name} takes only domains it holds."
            )
            yield warn(message, f"Order its mailboxes at {vendor}, or go on if it was moved.", field="domain", row=row)
        elif state == Asset.ORDERED:
            message = f"{name} was ordered and is not ready yet. {order.vendor.name} takes mailboxes on active domains."
            yield warn(message, "Wait until the domain reads Ready.", field="domain", row=row)
