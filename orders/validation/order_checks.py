"""Checks that need no vendor: contents, spelling, duplicates, prices and limits."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from mailops.core.money import show
from mailops.core.text import as_sentence, chunks
from orders.models import Client, Domain, NeverBuy, Order, State
from orders.models.inventory import LIVE
from orders.validation import duplicates, lookalikes, similar_orders, typos
from orders.validation.public_suffixes import registrable
from orders.validation.typos import MOST_VALUES
from vendors.cost import CostSheet
from vendors.models import Vendor
from vendors.verdicts import Problem

OWN = "a client's own domain is never ordered"


def contents(order: Order) -> list[Problem]:
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
            Problem(
                message="There is nothing on this order yet.",
                fix="Add at least one line.",
                field="rows",
            )
        )
    if order.product_spec.buys_domains:
        problems += _never_ordered(order)
    # From confirming on, the database keeps the names for this order alone, and people have read
    # the warnings.
    if order.state not in (State.CONFIRMED, State.SENDING):
        problems += [*_seen_before(order), *similar_orders.problems_of(order)]
    return problems


def _never_ordered(order: Order) -> list[Problem]:
    """Clients' own domains and the never-buy list; two queries."""
    mains = Client.objects.exclude(main_domain="").values_list("main_domain", "name", "pk")
    owners = {registrable(main) or main: (name, pk) for main, name, pk in mains.order_by("-pk")}
    banned = NeverBuy.objects.matching(line.name for line in order.contents)
    problems = []
    for line in order.contents:
        about: dict[str, Any] = {"field": "domain", "row": line.row}
        owner, pk = owners.get(registrable(line.name) or line.name, ("", None))
        if line.name == order.client.main_domain or pk == order.client_id:
            message = f"{line.name} is the main domain of {order.client}."
            problems.append(Problem(message=message, fix=f"Take it out: {OWN}.", **about))
        elif owner:
            message = f"{line.name} is the main domain of {owner}, another client."
            problems.append(Problem(message=message, fix=f"Take it out: {OWN}.", **about))
        elif rule := banned.get(line.name):
            who = f" by {rule.added_by_name}" if rule.added_by_name else ""
            message = (
                f"{line.name} is never bought: “{rule}” is on the never-buy list{who}."
                f" {as_sentence(rule.reason)}"
            )
            problems.append(
                Problem(message=message, fix="Take it out, or ask an Operator.", **about)
            )
    return problems


def _seen_before(order: Order) -> list[Problem]:
    # A name with a duplicate was spelt the same way before, so its spelling is not checked.
    found = duplicates.problems_of(order)
    known = {problem.message.partition(" ")[0] for problem in found if problem.field == "domain"}
    rows = {line.name: line.row for line in order.contents if line.name not in known}
    # An owned domain is spelt as it is: mailboxes on it need no check of its spelling.
    if not order.product_spec.buys_domains:
        for names in chunks(list(rows), MOST_VALUES):
            for name in Domain.objects.filter(name__in=names, state__in=LIVE).values_list(
                "name", flat=True
            ):
                rows.pop(name, None)
    main = order.client.main_domain
    rows.pop(main, None)
    return [
        *found,
        *(typos.of_main_domain(rows, main, str(order.client)) if main else ()),
        *typos.of_earlier_domains(rows, order),
        *typos.within(rows),
        *lookalikes.problems_of(rows, main),
    ]


def money(order: Order, cost: CostSheet) -> list[Problem]:
    problems = [
        Problem(
            message=f"The price of “{line.label}” is missing.",
            fix=(
                f"An Operator can add it to the price list of {order.vendor.name} under the item"
                f" “{line.item}”."
            ),
            field="price",
        )
        for line in cost.missing
    ]
    problems += [
        Problem(
            message=f"The price of “{line.label}” is in doubt: {line.price.doubt}",
            fix=(
                "An Operator can look at the vendor, then read its prices again, or open this price"
                " on the price list and type what is right."
            ),
            field="price",
        )
        for line in cost.lines
        if line.price and line.price.doubt
    ]
    return problems + [
        problem for owner in (order.vendor, order.client) for problem in _over_limit(owner, cost)
    ]


def _over_limit(owner: Vendor | Client, cost: CostSheet) -> list[Problem]:
    limit, currency, problems = owner.order_limit, owner.limit_currency, []
    for due_in, amount in cost.due.items():
        when = "when it is processed" if due_in in cost.due_later else "now"
        costs = f"This order costs {show(amount, due_in)} {when}"
        if due_in != currency and owner.has_limits:
            message = f"{costs}, but the limit of {owner.name} is in {currency}."
            fix = "An Operator can set the limit in the currency of the prices."
            problems.append(Problem(message=message, fix=fix, field="limit"))
        elif limit is None:
            continue
        elif amount > limit:
            message = (
                f"{costs}, over the limit of {show(limit, currency)} an order for {owner.name}."
            )
            fix = "Split the order, or ask an Operator to raise the limit."
            problems.append(Problem(message=message, fix=fix, field="limit"))
    return problems
