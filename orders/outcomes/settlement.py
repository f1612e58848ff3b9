"""The desk: orders whose outcome is unknown.

MailOps gathers evidence; the verdict is a person's, with a reason, and only another verdict changes
it.
"""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from mailops.history import audited, record
from orders.models import Attempt, NotAllowed, Order, State
from orders.models.attempt import BOUGHT_NOTHING, SETTLED, Stage
from orders.models.inventory import Asset

PLACED, PARTLY, NOT_PLACED = "placed", "partly", "not_placed"
ACTIONS = {
    PLACED: "order.settled_as_placed",
    PARTLY: "order.settled_as_partly_placed",
    NOT_PLACED: "order.settled_as_not_placed",
}


def attempt_of(order: Order) -> Attempt:
    """The attempt that a verdict is about: the one whose outcome is unknown, or the newest if it
    was settled before.

    Later ones that provably bought nothing are passed over. Raises `NotAllowed` where there is
    none.
    """
    newest = order.attempts.exclude(stage__in=BOUGHT_NOTHING).first()
    if newest is None or newest.stage not in (Stage.UNKNOWN, *SETTLED):
        raise NotAllowed(
            f"The outcome of {order} is not open. It reads: {order.get_state_display()}."
        )
    return newest


def why_not(order: Order, attempt: Attempt) -> str:
    """Why no verdict can be given (any more), in words; empty where one can."""
    if attempt.stage == Stage.UNKNOWN:
        return ""
    if attempt.stage == Stage.PLACED:
        arrived = (Asset.READY, Asset.GONE)
        is_there = order.domains.filter(state__in=arrived) | order.domains.none()
        if (
            order.state != State.ACCEPTED
            or is_there.exists()
            or order.mailboxes.filter(state__in=arrived).exists()
        ):
            return "A part of it was delivered since, so it was placed."
        return ""
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
    seen: str = "",
) -> Order:
    """Write a person's verdict: `PLACED`, `PARTLY` less the domains and addresses in `left_out`, or
    `NOT_PLACED`.

    Also a revised one: `seen` is the verdict that the person had before them. Nothing is sent; *not
    placed* waits for a fresh confirmation. Raises `NotAllowed`.
    """
    try:
        with audited():
            order = Order.objects.locked(order_id)
            attempt = attempt_of(order)
            if seen and seen != attempt.verdict_seen:
                raise NotAllowed(
                    f"{order} was settled by somebody else a moment ago. Look at it again."
                )
            if why := why_not(order, attempt):
                raise NotAllowed(why)
            said = {
                "settled_at": timezone.now(),
                "settled_by_name": by.get_username(),
                "settled_reason": reason,
            }
            stage = Stage.NOT_PLACED if verdict == NOT_PLACED else Stage.PLACED
            was = Stage(attempt.stage)
            if not attempt.move(
                stage, since=(was,), reference=reference[:120], news_at=None, **said
            ):
                raise NotAllowed(
                    f"{order} was settled by somebody else a moment ago. Look at it again."
                )
            if verdict == NOT_PLACED:
                _not_placed(order, attempt, by=by, reason=reason)
            else:
                gone = left_out if verdict == PARTLY else ()
                order.settle_as_placed(
                    attempt,
                    reference=reference,
                    left_out=gone,
                    by=by,
                    reason=reason,
                    action=ACTIONS[verdict],
                )
            return order
    except IntegrityError as error:
        raise NotAllowed(
            "A domain or mailbox of this order was confirmed on another order since, so it can't be"
            " called placed here."
        ) from error


def _not_placed(order: Order, attempt: Attempt, *, by: User, reason: str) -> None:
    if order.state in (State.UNKNOWN, State.ACCEPTED):
        order.back_to_review(
            action=ACTIONS[NOT_PLACED], reason=reason, attempt=attempt, by=by, reference=""
        )
    else:  # said once more
        record(ACTIONS[NOT_PLACED], order, by=by, reason=reason, attempt=attempt.pk)


def read_news(order_id: int, *, by: User, reason: str) -> None:
    """A person has read what the vendor said after the verdict, and leaves the verdict as it is."""
    with audited():
        order = Order.objects.locked(order_id)
        for attempt in order.attempts.filter(news_at__isnull=False):
            Attempt.objects.filter(pk=attempt.pk).update(news_at=None)
            record("attempt.news_read", order, by=by, reason=reason, attempt=attempt.pk)
