"""The cost that an order counts where a part of it was left out: the rest, as confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mailops.core.money import Totals
from orders.models.attempt import Attempt
from orders.models.inventory import Asset
from vendors.apis.values import ContactLike, DomainLine, OrderLike, Product
from vendors.cost import CostSheet
from vendors.models import Vendor


class Counted(OrderLike, Protocol):
    """The parts of an order that are read here (`orders.models.Order` has them)."""

    vendor: Vendor
    snapshot: dict[str, Any] | None
    cost: dict[str, Any]
    domains: Any
    mailboxes: Any

    @property
    def product_spec(self) -> Product: ...


@dataclass(frozen=True, kw_only=True)
class Taken:
    """An order as an adapter reads it, without the lines that were left out."""

    product: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    secret_names: frozenset[str]
    contact: ContactLike | None
    forward_to: str
    contents: tuple[DomainLine, ...]
    references: tuple[str, ...]


def lines_taken(order: Counted) -> tuple[DomainLine, ...]:
    """The order's lines without the domains and mailboxes that read refused."""
    bought = dict(order.domains.values_list("name", "state"))
    boxes = order.mailboxes.filter(state=Asset.REFUSED).values_list("address", flat=True)
    refused = {address.lower() for address in boxes}
    found = []
    for line in order.contents:
        if bought.get(line.name) == Asset.REFUSED:
            continue
        left = tuple(box for box in line.mailboxes if box.address.lower() not in refused)
        # A domain that the order does not buy is on it by its mailboxes alone.
        if left or line.name in bought:
            found.append(replace(line, mailboxes=left))
    return tuple(found)


def sheet_of(order: Counted, confirmed: Mapping[str, Any]) -> CostSheet:
    """The stored cost sheet worked out again, at its own prices, over what was taken."""
    whole, taken = CostSheet.from_dict(confirmed), lines_taken(order)
    if not taken:
        return CostSheet(())
    if taken == order.contents:
        return whole
    part = Taken(
        product=order.product,
        settings=order.settings,
        options=order.options,
        secret_names=order.secret_names,
        contact=order.contact,
        forward_to=order.forward_to,
        contents=taken,
        references=order.references,
    )
    prices = {line.item: line.price for line in whole.lines if line.price}
    return order.vendor.adapter.cost(part, prices)


def recount(order: Counted, attempt: Attempt) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let the attempt count what was taken. Inside the caller's transaction.

    Returns the order's new fields and the changes for its event; both are empty where the sum
    stays.
    """
    if order.snapshot is None:
        return {}, {}
    # Prices that moved before sending are what the vendor charges by.
    stored = sheet_of(order, attempt.moved_cost or order.snapshot["cost"]).as_dict()
    cost = {name: value for name, value in stored.items() if name != "lines"}
    if later := cost.get("due_later"):
        # Only created: nothing counts before it is processed, and then what a person says was paid.
        said = [order.cost.get("due_later"), later]
        return ({"cost": cost}, {"due_later": said}) if cost != order.cost else ({}, {})
    before, due_now = attempt.due_now, cost["due_now"]
    is_same = Totals.from_dict(before) == Totals.from_dict(due_now)
    if is_same and (attempt.moved_cost or cost == order.cost):
        return {}, {}
    Attempt.objects.filter(pk=attempt.pk).update(due_now=due_now)
    attempt.due_now = due_now
    return {"cost": cost}, {"due_now": [before, due_now]}


def confirmed_cost(order: Counted) -> dict[str, Any]:
    """`Order.cost` as it was confirmed, whatever was left out since."""
    stored = (order.snapshot or {}).get("cost", order.cost)
    return {name: value for name, value in stored.items() if name != "lines"}
