"""The plan: the exact request, its cost, its problems, and a digest over all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orders import checks
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
    return Plan(
        request=adapter.order_request(order),
        host=order.vendor.host,
        cost=cost,
        problems=tuple(problems),
        stamps=order.vendor.secrets.stamps | Sealed(order.sealed).stamps,
    )


PRICED = (
    ("quantity", "number"), ("unit_price", "price"), ("renewal", "renewal price"), ("currency", "currency"),
    ("unit", "period"),
)  # fmt: skip


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed between two plans' snapshots, as sentences."""
    changes = _cost_changes(before.get("cost", {}), after.get("cost", {}))
    old, new = before.get("request", {}), after.get("request", {})
    for part, words in (
        ("path", "Where it is sent"),
        ("query", "The details in the address"),
        ("headers", "The headers"),
    ):
        if old.get(part) != new.get(part):
            changes.append(f"{words} changed.")
    changes += _body_changes(old.get("body") or {}, new.get("body") or {})
    if before.get("secrets") != after.get("secrets"):
        changes.append("A key or password was entered again.")
    if before.get("host") != after.get("host"):
        changes.append("The account was switched between practice and live.")
    return changes


def _cost_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old = {(line["item"], line["multiplier"]): line for line in before.get("lines", [])}
    new = {(line["item"], line["multiplier"]): line for line in after.get("lines", [])}
    changes = []
    for item in sorted(old.keys() | new.keys()):
        was, now = old.get(item), new.get(item)
        if was is None and now:
            changes.append(f"{now['label']} was added: {now['quantity']}.")
        elif now is None and was:
            changes.append(f"{was['label']} was taken out.")
        elif was and now:
            changes += [
                f"{now['label']}: the {word} changed from {was[key] or 'missing'} to {now[key] or 'missing'}."
                for key, word in PRICED
                if was[key] != now[key]
            ]
    return changes


def _body_changes(before: Any, after: Any, where: str = "") -> list[str]:
    """One sentence for each leaf that differs, at most twenty."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = list(dict.fromkeys([*before, *after]))
        found = [c for k in keys for c in _body_changes(before.get(k), after.get(k), f"{where} › {k}" if where else k)]
    elif isinstance(before, list) and isinstance(after, list):
        size = max(len(before), len(after))
        pad = [None] * size
        pairs = zip((before + pad)[:size], (after + pad)[:size], strict=True)
        found = [c for i, (old, new) in enumerate(pairs, 1) for c in _body_changes(old, new, f"{where} {i}")]
    elif before != after:
        found = [f"{where}: {_leaf(before)} became {_leaf(after)}."]
    else:
        found = []
    return found[:20]


def _leaf(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"“{value}”" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:120]
