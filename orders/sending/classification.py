"""What an answer to the paid request means for its order; whatever can't be read is unknown."""

from __future__ import annotations

import logging

from orders.models import Attempt, Order
from orders.models.attempt import Stage
from vendors.http import Lost, NoConnection, Reply
from vendors.verdicts import Accepted, NotSent, Refused, Unknown, Verdict

log = logging.getLogger("mailops.submission")

# What a late answer would have to say to speak against a person's verdict.
CONTRADICTS: dict[str, frozenset[str]] = {
    Stage.NOT_PLACED: frozenset({Stage.ACCEPTED}),
    Stage.PLACED: frozenset({Stage.REFUSED, Stage.NOT_SENT}),
}


def verdict_over(order: Order, outcome: Reply | NoConnection | Lost) -> Verdict:
    """What the outcome means; whatever can't be read is unknown."""
    if isinstance(outcome, NoConnection):
        return NotSent(why=f"No connection was made: {outcome.why}.")
    if isinstance(outcome, Lost):
        return Unknown(why=f"The answer was lost: {outcome.why}.")
    try:
        return order.vendor.adapter.read_reply(order, outcome)
    except Exception:
        log.exception("The answer to %s could not be read", order)
        return Unknown(why=f"The vendor answered {outcome.status}, but the answer can't be read.")


def if_it_is_ours(order: Order, verdict: Verdict) -> Verdict:
    """An acceptance under a number that another order of the account has already is somebody else's
    answer.
    """
    if reference := reference_of(verdict):
        others = Attempt.objects.filter(order__vendor=order.vendor, reference=reference)
        if other := others.exclude(order=order).select_related("order").first():
            return Unknown(
                why=f"The vendor answered with the number {reference}, which {other.order} has."
            )
    return verdict


def reference_of(verdict: Verdict) -> str:
    return verdict.reference[:120] if isinstance(verdict, Accepted) else ""


def in_short(verdict: Verdict) -> tuple[Stage, str, str]:
    match verdict:
        case Accepted():
            return Stage.ACCEPTED, "", reference_of(verdict)
        case Refused():
            return Stage.REFUSED, " ".join(problem.message for problem in verdict.problems), ""
        case NotSent():
            return Stage.NOT_SENT, verdict.why, ""
        case Unknown():
            return Stage.UNKNOWN, verdict.why, ""
