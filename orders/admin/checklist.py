"""The results of an order's checks, good and bad, as its pages list them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from mailops.core.money import show as show_money
from mailops.templatetags.page_filters import age
from orders.availability import known_answers
from orders.models import Order, State
from orders.plan import Plan
from orders.review import confirmations, confirming_rights
from orders.validation import domain_location
from vendors.verdicts import Problem

MAX_GROUPS, MAX_LINE_NUMBERS = 60, 30
# the words in which sentences about many names differ: domains, addresses, numbers, quotations
NAMES = re.compile(r"\S*[.@\d“][^\s.]\S*")


def checks(
    request: HttpRequest, order: Order, current: Plan | None, *, alike: int = 10
) -> list[dict[str, Any]]:
    """The results as dicts; empty once the order can't be changed (`current` is None).

    Their kinds: `fail`, `warn`, `ok`, and `none` for what nobody looked at.

    `alike` is how many results that differ only in a name are listed before the rest is counted.
    """
    if current is None:
        return []
    found = _listed(current, alike=alike)
    fields = {problem.field for problem in current.blocking}
    if order.state == State.REVIEW and request.user.has_perm("orders.confirm_order"):
        why = confirmations.why_not(order, request.user, current)
        # Rules may let a person confirm an order that they edited. The check does not hide that.
        own = (
            "You edited this order, which nobody else has to confirm"
            if confirming_rights.was_edited_by(order, request.user)  # type: ignore[arg-type]  # signed in
            else ""
        )
        text = why or own or "By its history you did not edit this order"
        found.insert(0, {"kind": "fail" if why else "ok", "text": text})
    if not order.vendor.two_person_rule:
        off = "The two-person rule is off for this account: one person is enough"
        found.append({"kind": "warn", "text": off})
    if not fields & {"domain", "address"}:
        found.append(_compared(order))
    found += [*known_answers.told(order), *domain_location.held_here(order)]
    return [*found, *_money(order, current, fields)]


def _compared(order: Order) -> dict[str, Any]:
    if not order.contents:
        return {"kind": "none", "text": "No domain or mailbox was compared with others yet"}
    text = "By MailOps' records no domain or mailbox is owned or on another order"
    return {"kind": "ok", "text": text}


def _money(order: Order, current: Plan, fields: set[str]) -> Iterator[dict[str, Any]]:
    """Lines about prices and the limit, each with its source."""
    prices = [line.price for line in current.cost.lines if line.price]
    if not current.cost.lines:
        yield {"kind": "none", "text": "No price was looked up: there is nothing to pay for yet"}
    elif "price" not in fields:
        oldest: dict[str, datetime] = {}
        for price in prices:
            oldest[price.source] = min(price.as_of, oldest.get(price.source, price.as_of))
        sources = "; ".join(f"{source}, {age(at)}" for source, at in sorted(oldest.items()))
        yield {"kind": "ok", "text": f"Every price is known. {sources}"}
    if order.vendor.order_limit is None or "limit" in fields:
        return
    limit = show_money(order.vendor.order_limit, order.vendor.limit_currency)
    if not prices or "price" in fields:
        text = f"Not compared with the limit of {limit} an order: not every price is known"
        yield {"kind": "none", "text": text}
    else:
        yield {"kind": "ok", "text": f"Within {order.vendor.name}'s limit of {limit} an order"}


def _listed(current: Plan, *, alike: int) -> list[dict[str, Any]]:
    """The problems with links, blocking ones first. A group of many is cut short and counted."""
    found: list[dict[str, Any]] = []
    groups = _groups([*current.blocking, *current.warnings])
    for problems in groups[:MAX_GROUPS]:
        kind = "fail" if problems[0].level == "stop" else "warn"
        # A line "the same in 1 more line" would take the place of that one line.
        shown = problems[: alike if len(problems) > alike + 1 else None]
        found += [
            {
                "kind": kind,
                "text": _said(problem.row, problem.message, problem.fix),
                "url": reverse("admin:orders_order_change", args=[problem.order_id])
                if problem.order_id
                else "",
                "link": f"Open {Order(pk=problem.order_id)}" if problem.order_id else "",
            }
            for problem in shown
        ]
        if more := [problem.row for problem in problems[len(shown) :]]:
            rows = ", ".join(map(str, more[:MAX_LINE_NUMBERS]))
            rows += " …" if len(more) > MAX_LINE_NUMBERS else ""
            found.append({"kind": kind, "text": f"The same in {len(more):,} more lines: {rows}"})
    if rest := [problem for problems in groups[MAX_GROUPS:] for problem in problems]:
        kind = "fail" if rest[0].level == "stop" else "warn"
        found.append(
            {"kind": kind, "text": f"And {len(rest):,} more, each said at its line of the draft."}
        )
    return found


def _groups(problems: Iterable[Problem]) -> list[list[Problem]]:
    """Problems in their order, grouped if they say the same about different lines and names."""
    groups: dict[Any, list[Problem]] = {}
    for problem in problems:
        says = NAMES.sub("", f"{problem.message} {problem.fix}") if problem.row else problem
        groups.setdefault((problem.level, problem.field, says), []).append(problem)
    return list(groups.values())


def _said(row: int | None, message: str, fix: str) -> str:
    return f"{f'Line {row}: ' if row else ''}{message} {fix}".strip()
