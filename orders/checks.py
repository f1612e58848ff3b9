"""Checks that need no vendor: is a name already owned or on another order, is the price known, is it within limits?"""

from __future__ import annotations

from django.conf import settings

from mailops.money import show
from orders.models import Client, Domain, Mailbox, Order, State
from orders.models.inventory import LIVE
from vendors.models import Vendor
from vendors.prices import CostSheet
from vendors.verdicts import Problem

WAITING = [State.REVIEW, State.CONFIRMED, State.SENDING, State.UNKNOWN]


def contents(order: Order) -> list[Problem]:
    """Something to order, the client's main domain left alone, nothing that is owned or on its way already."""
    problems = []
    if not (order.vendor.is_practice or settings.LIVE):
        problems.append(
            Problem(
                message=f"{order.vendor} is a live account, and this is a practice installation.",
                fix="Choose a practice account.",
                field="vendor",
            )
        )
    if not order.contents:
        problems.append(
            Problem(message="There is nothing on this order yet.", fix="Add at least one line.", field="rows")
        )
    rows = {line.name: line.row for line in order.contents}
    if order.what.buys_domains and order.client.main_domain in rows:
        problems.append(
            Problem(
                message=f"{order.client.main_domain} is the main domain of {order.client}.",
                fix="Take it out: a client's own domain is never ordered.",
                field="domain",
                row=rows[order.client.main_domain],
            )
        )
    return problems + _taken(order)


def _taken(order: Order) -> list[Problem]:
    """Names that are live, or stand on another order that waits or may have been bought; two queries.

    From confirming on, the database keeps the names for this order alone.
    """
    if order.state in (State.CONFIRMED, State.SENDING):
        return []
    names = [line.name for line in order.contents] if order.what.buys_domains else []
    addresses = {box.address: box.row for line in order.contents for box in line.mailboxes}
    rows = {line.name: line.row for line in order.contents}
    problems = []
    others = Domain.objects.exclude(order=order.pk or 0).select_related("order", "order__vendor")
    for domain in others.filter(name__in=names, state__in=LIVE) | others.filter(
        name__in=names, order__state__in=WAITING
    ):
        problems.append(_problem(domain.name, domain.order, "domain", rows.get(domain.name)))
    boxes = Mailbox.objects.exclude(order=order.pk or 0).select_related("order", "order__vendor")
    for box in boxes.filter(address__in=addresses, state__in=LIVE) | boxes.filter(
        address__in=addresses, order__state__in=WAITING
    ):
        problems.append(_problem(box.address, box.order, "address", addresses.get(box.address)))
    return problems


def _problem(name: str, other: Order | None, field: str, row: int | None) -> Problem:
    where = f"on {other}, which reads “{other.get_state_display()}”" if other else "already held at a vendor"
    return Problem(message=f"{name} is {where}.", fix="Take it out of this order.", field=field, row=row)


def money(order: Order, cost: CostSheet) -> list[Problem]:
    """Every price known, and the total within the account's and the client's limit for one order."""
    problems = [
        Problem(
            message=f"The price of “{line.label}” is missing.",
            fix=f"An Operator can add it to the price list of {order.vendor.name} under the item “{line.item}”.",
            field="price",
        )
        for line in cost.missing
    ]
    return problems + [problem for owner in (order.vendor, order.client) for problem in _over_limit(owner, cost)]


def _over_limit(owner: Vendor | Client, cost: CostSheet) -> list[Problem]:
    limit, currency, problems = owner.order_limit, owner.limit_currency, []
    for due_in, amount in cost.due_now.items():
        costs = f"This order costs {show(amount, due_in)} now"
        if due_in != currency and owner.has_limits:
            message = f"{costs}, but the limit of {owner.name} is in {currency}."
            fix = "An Operator can set the limit in the currency of the prices."
            problems.append(Problem(message=message, fix=fix, field="limit"))
        elif limit is None:
            continue
        elif amount > limit:
            message = f"{costs}, over the limit of {show(limit, currency)} an order for {owner.name}."
            fix = "Split the order, or ask an Operator to raise the limit."
            problems.append(Problem(message=message, fix=fix, field="limit"))
    return problems
