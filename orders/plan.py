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
from vendors.cost import CostSheet
from vendors.http import Request
from vendors.verdicts import Problem


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What confirming an order would do.

    The review page is this, printed; submission sends this or nothing.
    """

    request: Request
    host: str
    cost: CostSheet
    problems: tuple[Problem, ...]
    stamps: Mapping[str, str]
    may_rise: Totals = field(default_factory=Totals)  # how much dearer it may get until it is sent

    @property
    def blocking(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "stop")

    @property
    def why_blocked(self) -> str:
        """The first problem that stops the order, and how to mend it; empty where nothing does."""
        return f"{self.blocking[0].message} {self.blocking[0].fix}" if self.blocking else ""

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "warn")

    @property
    def blocks_review(self) -> tuple[Problem, ...]:
        """What keeps a draft from being sent for confirmation: what stops it, and what the drafter
        has to explain.
        """
        return self.blocking + tuple(problem for problem in self.warnings if problem.wants_reason)

    @property
    def digest(self) -> str:
        """SHA-256, hex, over where it goes, the request with placeholders, the secrets' stamps and
        the prices.
        """
        return digest_of(self.as_dict())

    @property
    def short_digest(self) -> str:
        return short(self.digest)

    def snapshot(self) -> dict[str, Any]:
        """What confirming stores: the plan, and where each price came from."""
        sources = {
            line.item: [line.price.source, line.price.as_of.isoformat()]
            for line in self.cost.lines
            if line.price
        }
        return self.as_dict() | {"sources": sources}

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain JSON, no secret in it.

        A price's age is left out, as it changes by itself.
        """
        allowed = {"may_rise": self.may_rise.as_dict()} if self.may_rise else {}
        return {
            "host": self.host,
            "request": self.request.as_dict(),
            "cost": self.cost.as_dict(),
            "secrets": dict(self.stamps),
        } | allowed


def digest_of(plan: Mapping[str, Any]) -> str:
    """The digest of a plan as `Plan.as_dict` gives it."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def short(digest: str) -> str:
    """The first eight characters in two groups, for people to compare."""
    return f"{digest[:4]} {digest[4:8]}"


def plan(order: Order) -> Plan:
    """Compute the plan from the order's rows as they are now.

    Raises nothing for a half-filled draft.
    """
    adapter, prices = order.vendor.adapter, order.vendor.price_list()
    cost = adapter.cost(order, prices)
    problems = [
        *adapter.check(order, prices),
        *order_checks.contents(order),
        *order_checks.money(order, cost),
    ]
    if order.state in (
        State.DRAFT,
        State.REVIEW,
    ):  # what may make it wait or go wrong, as things stand now
        problems += [*domain_location.problems(order), *known_answers.problems(order)]
        problems += [*limits.warnings(order, cost.due_now), *balance.warnings(order, cost.due_now)]
    vendor = order.vendor
    return Plan(
        request=adapter.order_request(order),
        host=vendor.host,
        cost=cost,
        problems=tuple(dict.fromkeys(problems)),  # the adapter and the checks may say the same
        stamps=vendor.secrets.stamps | Sealed(order.sealed).stamps,
        may_rise=Totals(
            {vendor.limit_currency: vendor.drift_per_order} if vendor.drift_per_order else {}
        ),
    )
