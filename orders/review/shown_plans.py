"""Plans that pages showed, kept for a week, so that a refusal can say what changed since."""

from __future__ import annotations

import re
from typing import Any

from django.core.cache import cache

from orders.models import NotAllowed
from orders.plan import Plan
from orders.review.plan_diff import differences

KEPT_FOR = 7 * 24 * 3600  # seconds


class PlanChanged(NotAllowed):
    """The order is not what the person saw; `changes` says how it differs."""

    def __init__(self, changes: list[str]) -> None:
        super().__init__("This order changed after you opened it, so it was not confirmed.")
        self.changes = changes


def remember(plan: Plan) -> None:
    cache.set(f"plan:{plan.digest}", plan.snapshot(), timeout=KEPT_FOR)


def recall(digest: str) -> dict[str, Any]:
    """The plan that a page showed under this digest, empty where it is not kept any more."""
    is_digest = re.fullmatch(r"[0-9a-f]{64}", digest)
    found: dict[str, Any] | None = cache.get(f"plan:{digest}") if is_digest else None
    return found or {}


def changes_since(digest: str, plan: Plan) -> list[str]:
    """How `plan` differs from the one shown under this digest, in sentences."""
    before = recall(digest)
    return differences(before, plan.snapshot()) if before else []
