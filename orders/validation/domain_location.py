"""Mailbox orders need domains that the vendor holds: where MailOps knows them to be."""

from __future__ import annotations

from collections.abc import Iterator

from mailops.core.text import chunks
from orders.models import Domain, Order
from orders.models.inventory import LIVE, Asset
from orders.validation.typos import MOST_VALUES
from vendors.apis.shared_rules import bounded, warn
from vendors.verdicts import Problem


def problems(order: Order) -> list[Problem]:
    # Warnings only: a domain may have been moved, or be ready before MailOps has looked.
    return [] if order.product_spec.buys_domains else bounded(_not_here(order))


def held_here(order: Order) -> list[dict[str, str]]:
    """A line for a list of checks: are the domains held in the account that has to hold them?

    Only MailOps' own records are looked at; they do not know what was bought elsewhere.
    """
    names = [line.name for line in order.contents]
    if not names or not order.vendor.adapter.needs_domains_here(order):
        return []
    count = sum(
        Domain.objects.filter(name__in=some, vendor=order.vendor_id, state=Asset.READY).count()
        for some in chunks(names, MOST_VALUES)
    )
    where = f"{order.vendor.name}'s account"
    domains = "the domain" if len(names) == 1 else f"the {len(names):,} domains"
    if count == len(names):
        return [{"kind": "ok", "text": f"By MailOps' records {where} holds {domains}"}]
    text = f"Nobody asked whether {where} holds {domains}: MailOps' own records know of {count:,}"
    return [{"kind": "none", "text": text}]


def _not_here(order: Order) -> Iterator[Problem]:
    rows = {
        line.name: line.row or line.mailboxes[0].row for line in order.contents if line.mailboxes
    }
    columns = ("name", "state", "vendor_id", "vendor__name")
    # `values_list` and chunks: an order may have thousands of domains.
    known = [
        domain
        for names in chunks(rows, MOST_VALUES)
        for domain in (
            Domain.objects.filter(name__in=names, state__in=LIVE).order_by().values_list(*columns)
        )
    ]
    for name, state, vendor_id, vendor in sorted(known, key=lambda domain: rows[domain[0]] or 0):
        row = rows[name]
        if vendor_id != order.vendor_id:
            message = (
                f"{name} is at {vendor}, as far as MailOps knows. {order.vendor.name} takes only"
                " domains it holds."
            )
            yield warn(
                message,
                f"Order its mailboxes at {vendor}, or go on if it was moved.",
                field="domain",
                row=row,
            )
        elif state == Asset.ORDERED:
            message = (
                f"{name} was ordered and is not ready yet. {order.vendor.name} takes mailboxes on"
                " active domains."
            )
            yield warn(message, "Wait until the domain reads Ready.", field="domain", row=row)
