"""The plan: the exact request, its cost, its problems, and a digest over all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orders import availability, checks
from orders.models import Order
from vendors.http import Request
from vendors.prices import CostSheet
from vendors.sealed import Sealed
from vendors.verdicts import Problem


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What confirming an order would do. The review page is this, printed; submission sends this or nothing."""

    request: Request
    host: str
    cost: CostSheet
    problems: tuple[Problem, ...]
    stamps: Mapping[str, str]

    @property
    def stops(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "stop")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "warn")

    @property
    def digest(self) -> str:
        """SHA-256, hex, over where it goes, the request with placeholders, the secrets' stamps and the prices."""
        text = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def short_digest(self) -> str:
        return short(self.digest)

    def snapshot(self) -> dict[str, Any]:
        """What confirming stores: the plan, and where each price came from."""
        sources = {
            line.item: [line.price.source, line.price.as_of.isoformat()] for line in self.cost.lines if line.price
        }
        return self.as_dict() | {"sources": sources}

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain JSON, no secret in it. A price's age is left out, as it changes by itself."""
        return {
            "host": self.host,
            "request": self.request.as_dict(),
            "cost": self.cost.as_dict(),
            "secrets": dict(self.stamps),
        }


def short(digest: str) -> str:
    """The first eight characters in two groups, for people to compare."""
    return f"{digest[:4]} {digest[4:8]}"


def plan(order: Order) -> Plan:
    """Compute the plan from the order's rows as they are now. Raises nothing for a half-filled draft."""
    adapter, prices = order.vendor.adapter, order.vendor.price_list()
    cost = adapter.cost(order, prices)
    problems = [*adapter.check(order, prices), *checks.contents(order), *checks.money(order, cost)]
    problems += availability.problems(order)
    return Plan(
        request=adapter.order_request(order),
        host=order.vendor.host,
        cost=cost,
        problems=tuple(problems),
        stamps=order.vendor.secrets.stamps | Sealed(order.sealed).stamps,
    )
