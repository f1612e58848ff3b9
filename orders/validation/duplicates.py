"""Duplicates: names that are owned, on another order, in doubt, or were refused before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from mailops.core.text import chunks
from orders.models import Domain, Mailbox, Order, State
from orders.models.inventory import LIVE, Asset
from orders.models.state import PURCHASE_PENDING, PURCHASED
from orders.validation.typos import MOST_VALUES
from vendors.verdicts import Problem

TAKE_OUT = "Take it out of this order."
SAY_WHY = "Take it out, or say on the draft why it is ordered again."
OWNED, UNDER_WAY, REFUSED, DRAFTED, GONE = range(5)  # the worst first


@dataclass(frozen=True, kw_only=True)
class EarlierUse:
    """Where a name was used before: how bad that is, on which order, and the vendor's reason."""

    kind: int
    order: Order | None
    why: str = ""


def problems_of(order: Order) -> list[Problem]:
    """One problem for each name that was used before; three queries for 10,000 names."""
    domains = (
        {line.name: line.row for line in order.contents} if order.product_spec.buys_domains else {}
    )
    addresses = {box.address: box.row for line in order.contents for box in line.mailboxes}
    return [
        *_said(domains, earlier_uses(Domain, domains, order), "domain", order),
        *_said(addresses, earlier_uses(Mailbox, addresses, order), "address", order),
    ]


def earlier_uses(
    model: type[Domain] | type[Mailbox], names: Collection[str], order: Order
) -> dict[str, EarlierUse]:
    """The worst earlier use of each of these names outside this order."""
    column = "name" if model is Domain else "address"
    rows: list[tuple[str, str, int | None, int | None]] = []
    for some in chunks(names, MOST_VALUES):
        assets = model._default_manager.order_by("pk").filter(_counts(), **{f"{column}__in": some})
        rows += assets.exclude(order=order.pk or 0).values_list(column, "state", "row", "order_id")
    orders = _orders({order_id for *_, order_id in rows if order_id})
    found: dict[str, EarlierUse] = {}
    for name, state, row, order_id in rows:
        place = _place(column, name, state, row, orders.get(order_id) if order_id else None)
        if place and (name not in found or place.kind < found[name].kind):
            found[name] = place
    return found


def _counts() -> models.Q:
    planned = models.Q(order__state__in=[*PURCHASE_PENDING, State.DRAFT])
    no_more = models.Q(
        order__state__in=[*PURCHASED, State.REFUSED], state__in=[Asset.REFUSED, Asset.GONE]
    )
    return models.Q(state__in=LIVE) | planned | no_more


def _orders(numbers: Iterable[int]) -> dict[int, Order]:
    # Few columns: the snapshot on an order may be long.
    found: dict[int, Order] = {}
    for some in chunks(sorted(numbers), MOST_VALUES):
        rows = Order.objects.only("pk", "state", "problems", "drafted_by_name").filter(pk__in=some)
        found |= {other.pk: other for other in rows.order_by()}
    return found


def _place(
    column: str, name: str, state: str, row: int | None, other: Order | None
) -> EarlierUse | None:
    if state in LIVE:
        return EarlierUse(kind=OWNED, order=other)
    if other is None:
        return None
    if other.state in PURCHASE_PENDING:
        return EarlierUse(kind=UNDER_WAY, order=other)
    if other.state == State.DRAFT:
        return EarlierUse(kind=DRAFTED, order=other)
    if state == Asset.GONE:
        return EarlierUse(kind=GONE, order=other) if other.state in PURCHASED else None
    if other.state != State.REFUSED:
        return EarlierUse(kind=REFUSED, order=other, why="the vendor left it out")
    why = named(other.problems, column, name, row)
    return (
        EarlierUse(kind=REFUSED, order=other, why=f"the vendor refused it: {why}") if why else None
    )


def named(problems: Iterable[Mapping[str, Any]], column: str, name: str, row: int | None) -> str:
    """The vendor's words on this very name in a refusal; empty if they are about another."""
    # A problem with a row is about the name on that row, unless it is about the other column. Any
    # problem is about a name that its text contains, but not as a part of a longer name.
    other_column = "address" if column == "name" else "domain"
    for problem in problems:
        said = f"{problem.get('message', '')} {problem.get('vendor_says', '')}".lower()
        is_row = (
            row is not None and problem.get("row") == row and problem.get("field") != other_column
        )
        if is_row or re.search(rf"(?<![\w.@-]){re.escape(name.lower())}(?![\w@-]|\.\w)", said):
            return str(problem.get("message") or problem.get("vendor_says"))
    return ""


def _said(
    rows: Mapping[str, int | None], found: Mapping[str, EarlierUse], field: str, order: Order
) -> list[Problem]:
    return [
        _problem(name, found[name], field, row, order)
        for name, row in rows.items()
        if name in found
    ]


def _problem(name: str, place: EarlierUse, field: str, row: int | None, order: Order) -> Problem:
    other = place.order
    about: dict[str, Any] = {"row": row, "field": field, "order_id": other.pk if other else None}
    where = (
        f"on {other}, which reads “{other.get_state_display()}”"
        if other
        else "already held at a vendor"
    )
    match place.kind:
        case kind if kind in (OWNED, UNDER_WAY):
            return Problem(message=f"{name} is {where}.", fix=TAKE_OUT, **about)
        case kind if kind == REFUSED:
            message = f"{name} was on {other}, and {place.why.rstrip('.')}."
            if order.why_again:
                return Problem(message=message, level="warn", **about)
            return Problem(message=message, fix=SAY_WHY, wants_reason=True, **about)
        case kind if kind == DRAFTED:
            whose = f"{other.drafted_by_name}'s draft {other}" if other else ""
            return Problem(
                message=f"{name} is also in {whose}.",
                fix="Agree on who orders it.",
                level="warn",
                **about,
            )
    message = f"{name} was on {other}, and is gone since."
    return Problem(message=message, fix="Make sure that it is meant.", level="warn", **about)
