"""A claim: the one worker that may send an order now, and how a claim ends that sent nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.utils import timezone

from mailops.history import audited
from orders.models import Attempt, Order, Stage


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An order that this worker alone may send.

    `wait`: seconds until its account's turn. `started`: the monotonic clock at the claim.
    """

    attempt: Attempt
    wait: float
    started: float = field(default_factory=time.monotonic)

    def is_in_time(self) -> bool:
        # By both clocks: one may have been set, the other stands still while the machine sleeps.
        fresh = settings.CLAIM_FRESH_SECONDS
        age = timezone.now() - self.attempt.claimed_at
        return time.monotonic() - self.started <= fresh and age <= timedelta(seconds=fresh)


class Then(Enum):
    """The next move of an order whose attempt provably sent nothing."""

    SEND_LATER = "nothing is wrong with it"
    TRY_AGAIN = "counted as a try, so that it can't go on for ever"
    RELEASE = "its worker stopped; counted as a try"
    REVIEW = "a person has to confirm again"


def not_sent(attempt: Attempt, reason: str, then: Then) -> bool:
    """End a claimed attempt that sent nothing. False where it was no longer merely claimed."""
    with audited():
        order = Order.objects.locked(attempt.order_id)
        if not attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=reason):
            return False
        match then:
            case Then.SEND_LATER:
                order.put_back(attempt, reason=reason)
            case Then.TRY_AGAIN:
                order.retry_later(action="order.put_back", why=reason, wait=0, attempt=attempt)
            case Then.RELEASE:
                order.retry_later(action="order.released", why=reason, wait=0, attempt=attempt)
            case Then.REVIEW:
                order.back_to_review(action="order.returned_unsent", reason=reason, attempt=attempt)
        return True
