"""From the answer to the paid request to the order's next state. Unreadable means unknown."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from mailops.history import record
from orders.models import Attempt, Order, Stage, State
from vendors.http import Lost, NoConnection, Reply
from vendors.verdicts import Accepted, NotSent, Refused, Unknown, Verdict

log = logging.getLogger("mailops.submission")
Outcome = Reply | NoConnection | Lost  # of `vendors.http.post_order`

# What a late answer would have to say to speak against a person's verdict.
CONTRADICTS: dict[str, frozenset[str]] = {
    Stage.NOT_PLACED: frozenset({Stage.ACCEPTED}),
    Stage.PLACED: frozenset({Stage.REFUSED, Stage.NOT_SENT}),
}


def verdict_over(order: Order, outcome: Outcome) -> Verdict:
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
    # An acceptance under another order's number is an answer to that order's request.
    if reference := reference_of(verdict):
        others = Attempt.objects.filter(order__vendor=order.vendor, reference=reference)
        if other := others.exclude(order=order).select_related("order").first():
            why = f"The vendor answered with the number {reference}, which {other.order} has."
            return Unknown(why=why)
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


def stored_reply(outcome: Outcome) -> dict[str, Any]:
    if not isinstance(outcome, Reply):
        return {}
    text = outcome.body[:20_000].decode("utf-8", "replace")
    # PostgreSQL stores no NUL character.
    text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return {"reply_status": outcome.status, "reply_body": text}


def move_order(order: Order, attempt: Attempt, verdict: Verdict) -> None:
    match verdict:
        case Accepted() if order.creates_only:
            left_out = verdict.refused_domains
            order.mark_created(attempt, reference=verdict.reference, left_out=left_out)
        case Accepted():
            left_out = verdict.refused_domains
            order.accept(attempt, reference=verdict.reference, left_out=left_out)
        case Refused() if order.attempts.filter(stage=Stage.NOT_PLACED).exists():
            # A person took our earlier request for not placed. It may be the refusal's cause.
            says = " ".join(p.vendor_says or p.message for p in verdict.problems)
            reason = f"The vendor refused: {says} An earlier request of this"
            reason += " order may be the cause: check the vendor."
            order.back_to_review(action="order.refused_again", reason=reason, attempt=attempt)
        case Refused():
            reason = " ".join(problem.message for problem in verdict.problems)
            problems = [asdict(problem) for problem in verdict.problems]
            order.refuse(attempt, problems=problems, reason=reason)
        case NotSent():
            wait = verdict.retry_after
            order.retry_later(action="order.not_sent", why=verdict.why, wait=wait, attempt=attempt)
        case Unknown() if order.state == State.SENDING:
            order.mark_unknown(attempt, reason=verdict.why)


def record_late_answer(
    order: Order, attempt: Attempt, stage: Stage, why: str, reply: dict[str, Any]
) -> None:
    # A person settled the attempt before the answer came. It is shown beside that verdict.
    settled = Attempt.objects.get(pk=attempt.pk).stage
    news = {"news_at": timezone.now()} if stage in CONTRADICTS.get(settled, ()) else {}
    Attempt.objects.filter(pk=attempt.pk).update(
        late_answer=f"{stage.label}. {why}".strip(), **reply, **news
    )
    changes = {"answer": [None, stage]}
    record("attempt.late_answer", order, reason=why, attempt=attempt.pk, changes=changes)
