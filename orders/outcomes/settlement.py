"""Settling orders whose outcome is unknown.

MailOps gathers evidence. A person gives the verdict, with a reason, and may revise it.
"""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from mailops.history import audited, record
from orders.models import Attempt, NotAllowed, Order, State, counted_cost
from orders.models.attempt import BOUGHT_NOTHING, SETTLED, Stage
from orders.models.inventory import Asset
from orders.models.refund import Refund
from orders.outcomes import created_orders
from orders.outcomes.conclusion import conclude
from orders.outcomes.created_orders import Processing

PLACED, PARTLY, NOT_PLACED = "placed", "partly", "not_placed"
# Of an order that the vendor only creates
CREATED, PROCESSED = "created", "processed"
ACTIONS = {
    PLACED: "order.settled_as_placed",
    PARTLY: "order.settled_as_partly_placed",
    CREATED: "order.settled_as_created",
    PROCESSED: "order.settled_as_processed",
    NOT_PLACED: "order.settled_as_not_placed",
}


def verdicts(order: Order) -> tuple[str, ...]:
    """The verdicts that an order can get as it stands."""
    if not order.creates_only:
        return PLACED, PARTLY, NOT_PLACED
    # From “processed” no move leads back to “created”. “Not placed” may be said first.
    return tuple(
        verdict
        for verdict in (CREATED, PROCESSED, NOT_PLACED)
        if verdict != CREATED or order.state != State.ACCEPTED
    )


def attempt_of(order: Order) -> Attempt:
    """The attempt that a verdict is about. Raises `NotAllowed` where there is none.

    Its outcome is unknown, or it is the newest and was settled before. Later attempts that provably
    bought nothing are passed over.
    """
    newest = order.attempts.exclude(stage__in=BOUGHT_NOTHING).first()
    if newest is None or newest.stage not in (Stage.UNKNOWN, *SETTLED):
        raise NotAllowed(
            f"The outcome of {order} is not open. It reads: {order.get_state_display()}."
        )
    return newest


def why_not(order: Order, attempt: Attempt) -> str:
    """Why no verdict can be given, in words; empty where one can."""
    if attempt.stage == Stage.UNKNOWN:
        return ""
    if attempt.stage == Stage.PLACED:
        arrived = (Asset.READY, Asset.GONE)
        if created_orders.is_left(order):
            return "It was left at the vendor. If it was processed after all, say so on its page."
        if (
            order.state not in (State.ACCEPTED, State.CREATED)
            or order.domains.filter(state__in=arrived).exists()
            or order.mailboxes.filter(state__in=arrived).exists()
        ):
            return "A part of it was delivered since, so it was placed."
        if order.refunds.filter(state=Refund.Stage.GOT).exists():
            return "Money came back for it since, so it was placed."
        return ""
    # A verdict is about what was sent. An order that was edited since is something else.
    if order.state not in (State.REVIEW, State.CANCELLED) or order.digest != attempt.digest:
        return "The order was changed or confirmed again since, so it is no longer what was sent."
    return ""


def settle(
    order_id: int,
    *,
    by: User,
    verdict: str,
    reason: str,
    reference: str = "",
    left_out: Collection[str] = (),
    processing: Processing | None = None,
    seen: str = "",
) -> Order:
    """Store a person's verdict, the first one or a revised one. Raises `NotAllowed`.

    `verdict`: one of `verdicts`, less the domains and addresses in `left_out`, which `PLACED` and
    `NOT_PLACED` don't look at. `PROCESSED` comes with its `processing`.
    `seen`: the version of the verdict that the page showed. Nothing is sent: *not placed* waits for
    a fresh confirmation.
    """
    try:
        with audited():
            order = Order.objects.locked(order_id)
            attempt = attempt_of(order)
            _check(order, attempt, seen=seen)
            _check_verdict(order, attempt, verdict, processing, by=by)
            stage = Stage.NOT_PLACED if verdict == NOT_PLACED else Stage.PLACED
            _move_attempt(order, attempt, stage, by=by, reason=reason, reference=reference)
            if order.creates_only:
                created_orders.take_back(attempt)
                created_orders.cost_as_confirmed(order)
            if verdict == NOT_PLACED:
                _not_placed(order, attempt, by=by, reason=reason)
                return order
            counted = created_orders.count(order, attempt, processing) if processing else {}
            move = order.settle_as_created if verdict == CREATED else order.settle_as_placed
            left_out = left_out if verdict != PLACED else ()
            action = ACTIONS[verdict]
            move(
                attempt, reference=reference, left_out=left_out, action=action, by=by, reason=reason
            )
            if processing:
                at = attempt.counted_at
                order.note_processed(attempt, at=at, changes=counted, by=by, reason=reason)
            conclude(order, by=by, reason=reason)
            return order
    except IntegrityError as error:
        # The order's items are free after "not placed", so another order may have taken them.
        raise NotAllowed(
            "A domain or mailbox of this order was confirmed on another order since, so it can't be"
            " called placed here."
        ) from error


def _check(order: Order, attempt: Attempt, *, seen: str) -> None:
    if seen and seen != attempt.verdict_seen:
        raise _settled_by_another(order)
    if why := why_not(order, attempt):
        raise NotAllowed(why)


def _check_verdict(
    order: Order, attempt: Attempt, verdict: str, processing: Processing | None, *, by: User
) -> None:
    if verdict not in verdicts(order):
        raise NotAllowed(f"{order} can't get this verdict. It reads: {order.get_state_display()}.")
    if (verdict == PROCESSED) != (processing is not None):
        raise NotAllowed("Say when it was processed, and what was paid.")
    if processing is None:
        return
    # Money begins to count, as by “It was processed” on the page of a created order.
    objection = created_orders.objection(order, attempt, processing)
    if why := created_orders.why_not(order, by) or objection:
        raise NotAllowed(why)


def _move_attempt(
    order: Order, attempt: Attempt, stage: Stage, *, by: User, reason: str, reference: str
) -> None:
    is_moved = attempt.move(
        stage,
        since=(Stage(attempt.stage),),
        reference=reference[:120],
        news_at=None,
        settled_at=timezone.now(),
        settled_by_name=by.get_username(),
        settled_reason=reason,
    )
    if not is_moved:
        raise _settled_by_another(order)


def _settled_by_another(order: Order) -> NotAllowed:
    return NotAllowed(f"{order} was settled by somebody else a moment ago. Look at it again.")


def _not_placed(order: Order, attempt: Attempt, *, by: User, reason: str) -> None:
    if order.state in (State.UNKNOWN, State.ACCEPTED, State.CREATED):
        # An earlier verdict may have left something out of the cost.
        order.back_to_review(
            action=ACTIONS[NOT_PLACED],
            reason=reason,
            attempt=attempt,
            by=by,
            reference="",
            cost=counted_cost.confirmed_cost(order),
        )
    else:  # the same verdict again, with another reason
        record(ACTIONS[NOT_PLACED], order, by=by, reason=reason, attempt=attempt.pk)


def read_news(order_id: int, *, by: User, reason: str) -> None:
    # The person leaves the verdict as it is, so only the marks of late answers go.
    with audited():
        order = Order.objects.locked(order_id)
        for attempt in order.attempts.filter(news_at__isnull=False):
            Attempt.objects.filter(pk=attempt.pk).update(news_at=None)
            record("attempt.news_read", order, by=by, reason=reason, attempt=attempt.pk)
