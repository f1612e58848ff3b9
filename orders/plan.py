"""The plan: the exact request, its cost, its problems, and a digest over all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailops.core.money import Totals
from mailops.core.sealed import Sealed
from orders.availability import known_answers
from orders.models import Order, State
from orders.spending import balance, limits
from orders.validation import domain_location, order_checks
from vendors.apis.order_details import Detail, details
from vendors.cost import CostSheet
from vendors.http import Request
from vendors.verdicts import Problem


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The effects of confirming an order. The review page shows them, and nothing else is sent."""

    request: Request
    host: str
    cost: CostSheet
    problems: tuple[Problem, ...]
    stamps: Mapping[str, str]
    may_rise: Totals = field(default_factory=Totals)  # by how much prices may rise until sending
    details: tuple[Detail, ...] = ()  # the order in words, for people

    @property
    def blocking(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "stop")

    @property
    def why_blocked(self) -> str:
        return f"{self.blocking[0].message} {self.blocking[0].fix}" if self.blocking else ""

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "warn")

    @property
    def blocks_review(self) -> tuple[Problem, ...]:
        # A warning that the drafter has to explain blocks the review until there is a reason.
        return self.blocking + tuple(problem for problem in self.warnings if problem.wants_reason)

    @property
    def digest(self) -> str:
        """SHA-256, hex, of `as_dict`."""
        return digest_of(self.as_dict())

    @property
    def short_digest(self) -> str:
        return short(self.digest)

    def snapshot(self) -> dict[str, Any]:
        """The plan as confirming stores it: beside it, outside of its digest, the order in words
        and the source and the label of each price."""
        sources = {
            line.item: [line.price.source, line.price.as_of.isoformat()]
            for line in self.cost.lines
            if line.price
        }
        labels = {line.item: line.price.label for line in self.cost.lines if line.price}
        in_words = [detail.as_dict() for detail in self.details]
        return self.as_dict() | {"sources": sources, "labels": labels, "details": in_words}

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain JSON, without secrets."""
        # A price's age is left out: it changes by itself, and the digest must not.
        allowed = {"may_rise": self.may_rise.as_dict()} if self.may_rise else {}
        return {
            "host": self.host,
            "request": self.request.as_dict(),
            "cost": self.cost.as_dict(),
            "secrets": dict(self.stamps),
        } | allowed


def digest_of(plan: Mapping[str, Any]) -> str:
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def short(digest: str) -> str:
    """The first eight characters in two groups, for people to compare."""
    return f"{digest[:4]} {digest[4:8]}"


def plan(order: Order) -> Plan:
    """Compute the plan from the order's rows. Raises nothing for a half-filled draft."""
    adapter, prices = order.vendor.adapter, order.vendor.price_list()
    cost = adapter.cost(order, prices)
    problems = [
        *adapter.check(order, prices),
        *order_checks.contents(order),
        *order_checks.money(order, cost),
    ]
    # These may make the order wait or go wrong. People have to know before they confirm.
    if order.state in (State.DRAFT, State.REVIEW):
        problems += [*domain_location.problems(order), *known_answers.problems(order)]
        problems += [*limits.warnings(order, cost.due_now), *balance.warnings(order, cost.due_now)]
    vendor = order.vendor
    labels = {item: price.label for item, price in prices.items()}
    may_rise = {vendor.limit_currency: vendor.drift_per_order} if vendor.drift_per_order else {}
    return Plan(
        request=adapter.order_request(order),
        host=vendor.host,
        cost=cost,
        problems=tuple(dict.fromkeys(problems)),  # the adapter and the checks may say the same
        stamps=vendor.secrets.stamps | Sealed(order.sealed).stamps,
        may_rise=Totals(may_rise),
        details=details(adapter, order, labels=labels),
    )
