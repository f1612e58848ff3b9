"""A worker process of the simulation, which may stop between any two steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orders.models import Attempt
from orders.plan import Plan
from orders.sending.claims import Claim
from vendors.http import Lost, NoConnection, PreparedRequest, Reply


@dataclass
class Worker:
    """A worker process in the middle of `submission.submit`."""

    claim: Claim
    todo: list[Callable[[Worker], bool]]
    plan: Plan | None = None
    request: PreparedRequest | None = None
    outcome: Reply | NoConnection | Lost | None = None

    @property
    def attempt(self) -> Attempt:
        return self.claim.attempt
