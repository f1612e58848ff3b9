"""Rows of an order's contents for the mailboxes that the vendor made by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mailops.core.text import plural
from orders.models import Domain, Mailbox, Order
from orders.models.inventory import CameBy


def among(order: Order, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each domain with its made mailboxes below it and the vendor's count beside it."""
    made: dict[str, list[Mailbox]] = {}
    boxes = Mailbox.objects.filter(came_by=CameBy.MADE, domain__order=order)
    for box in boxes.select_related("domain"):
        made.setdefault(box.domain.name, []).append(box)
    return list(_among(order, rows, made))


def _among(
    order: Order, rows: Sequence[Mapping[str, Any]], made: Mapping[str, Sequence[Mailbox]]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        domain = row["domain_state"]
        is_named = isinstance(domain, Domain) and not row["address"]
        yield {**row, "count": _count(order, domain) if is_named else ""}
        for box in made.get(row["domain"], ()) if is_named else ():
            about = dict.fromkeys(row, "")
            yield about | {"address": box.address, "name": box.name, "asset": box, "is_made": True}


def _count(order: Order, domain: Domain) -> str:
    listed, total = domain.mailboxes_listed, domain.mailboxes_told
    if listed is None:
        return ""
    if total is None or listed == total:
        return f"{plural(listed, 'mailbox', 'mailboxes')} listed"
    source = order.vendor.adapter.progress_source
    return f"{listed} of {total:,} mailboxes listed. {source}. It is read again."
