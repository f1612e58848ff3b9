"""Orders that a vendor only created: a person says that one was processed there, or leaves it.

Nothing is asked or sent here, and nothing is bought: the vendor's dashboard does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from mailops.core.money import Totals
from mailops.core.text import as_sentence
from mailops.history import audited
from orders.models import Attempt, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.review import confirming_rights
from orders.spending import limits
from vendors.cost import TOTALS
from vendors.models import Vendor

# The stages of an attempt with which a created order can stand at the vendor.
CREATED_STAGES = (Stage.ACCEPTED, Stage.PLACED)
MINUTE = timedelta(minutes=1)  # browsers send a time without its seconds


class OldPage(NotAllowed):
    """The page that was posted showed another state of the order."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The version of a created order that a page showed, as the page posts it back."""

    digest: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Processing:
    """A person's record that the vendor processed an order.

    `by`: who did it at the vendor. `why_other`: why the wallet paid another sum than was confirmed.
    """

    at: datetime
    by: str
    paid: Totals = field(default_factory=Totals)
    why_other: str = ""


def attempt_of(order: Order) -> Attempt | None:
    if order.state not in (State.CREATED, State.CANCELLED) or not order.creates_only:
        return None
    return order.attempts.filter(stage__in=CREATED_STAGES).first()


def is_left(order: Order) -> bool:
    """A person ended the order here, and it still stands at the vendor."""
    return order.state == State.CANCELLED and attempt_of(order) is not None


def why_not(order: Order, user: User) -> str:
    """Why this person may not say that it was processed, nor leave it; empty where they may."""
    if not user.has_perm("orders.process_order"):
        return "Your role does not include this."
    # Where the drafter may confirm alone, the drafter may do this as well.
    if order.confirmers_needed != 0 and confirming_rights.was_edited_by(order, user):
        return "You edited this order, so somebody else has to say what became of it."
    return ""


def may_be_at(attempt: Attempt, at: datetime) -> str:
    """Why the order can't have been processed at that time, in words; empty where it can."""
    if at > timezone.now():
        return "This lies ahead. Say when it was processed."
    if attempt.sent_at and at < attempt.sent_at - MINUTE:
        sent = timezone.localtime(attempt.sent_at)
        return f"It was sent on {sent:%-d %b at %H:%M}, so it was processed after that."
    return ""


def objection(order: Order, attempt: Attempt, processing: Processing) -> str:
    """Why this record can't be true as it stands, in words; empty where it can."""
    if why := may_be_at(attempt, processing.at):
        return why
    if any(amount < 0 for amount in processing.paid.values()):
        return "A wallet does not pay less than nothing."
    if is_other_sum(order, processing.paid) and not processing.why_other:
        return "Say why the wallet paid another sum than was confirmed."
    return ""


def is_other_sum(order: Order, paid: Totals) -> bool:
    # Confirmed by an older version, an order has its sum under “now”.
    return {name: each for name, each in paid.items() if each} != {
        name: each for name, each in order.due.items() if each
    }


def over_limits(order: Order, adds: Mapping[str, Any], *, at: datetime) -> list[str]:
    """The limits that the amounts go over on that day, in words."""
    return [
        f"{use.words}: {use.money(use.used + adds[use.owner.limit_currency])} is used with it"
        for use in limits.uses(order.vendor, order.client, at=at)
        if use.is_over(adds)
    ]


def still_to_count(order: Order, attempt: Attempt, paid: Totals) -> Totals:
    """The part of the sum that limits do not count yet."""
    counted = Totals.from_dict(attempt.due_now)
    left = {name: amount - counted.get(name, limits.NOTHING) for name, amount in paid.items()}
    return Totals({name: amount for name, amount in left.items() if amount > 0})


def record_processed(
    order_id: int, *, by: User, shown: Shown, processing: Processing, reason: str
) -> Order:
    """Store that the order was processed: it is accepted, and its sum counts from that moment.

    Raises `OldPage`, or `NotAllowed` in words for the person; then nothing is changed.
    """
    try:
        with audited():
            order, attempt = _locked(order_id, by=by, shown=shown)
            if why := objection(order, attempt, processing):
                raise NotAllowed(why)
            changes = count(order, attempt, processing)
            reason = f"{as_sentence(reason)} {as_sentence(processing.why_other)}".strip()
            order.mark_processed(
                attempt, at=attempt.counted_at, by=by, reason=reason, changes=changes
            )
            return order
    except IntegrityError as error:
        # An order that was left gave its names back.
        raise NotAllowed(
            "A domain or mailbox of this order was confirmed on another order since it was left, so"
            " it can't be called processed here."
        ) from error


def leave(order_id: int, *, by: User, shown: Shown, reason: str, whose: str = "") -> Order:
    """End a created order here. `whose`: why a subscription that the vendor lists is another's.

    Raises `OldPage`, or `NotAllowed` in words for the person; then nothing is changed.
    """
    with audited():
        order, attempt = _locked(order_id, by=by, shown=shown)
        if order.state != State.CREATED:
            raise _old_page(order)
        if order.looks_processed_at and not whose:
            raise NotAllowed(
                "It looks processed. Say why the subscription that the vendor lists is another's."
            )
        reason = f"{as_sentence(reason)} {as_sentence(whose)}".strip()
        order.leave(attempt, by=by, reason=reason, changes=take_back(attempt))
        return order


def _locked(order_id: int, *, by: User, shown: Shown) -> tuple[Order, Attempt]:
    vendor = Order.objects.values_list("vendor", flat=True).get(pk=order_id)
    Vendor.objects.locked(vendor)  # before the order's lock, as everywhere
    order = Order.objects.locked(order_id)
    by = User.objects.get(pk=by.pk)  # their roles may have changed
    if why := why_not(order, by):
        raise NotAllowed(why)
    attempt = attempt_of(order)
    if attempt is None or (order.digest, attempt.pk) != (shown.digest, shown.attempt):
        raise _old_page(order)
    return order, attempt


def _old_page(order: Order) -> OldPage:
    return OldPage(
        f"{order} is not what your page showed any more. It reads: {order.get_state_display()}."
    )


# The sum of an attempt, for limits, balance and the month-end match


def count(order: Order, attempt: Attempt, processing: Processing) -> dict[str, Any]:
    """Count the sum from the moment of processing on. Returns the changes for the event."""
    before, paid = attempt.due_now, processing.paid.as_dict()
    at = max(processing.at, attempt.sent_at or processing.at)
    # The time that the vendor's list gave, which the page filled in without its seconds, stays.
    if before and abs(attempt.counted_at - at) < MINUTE:
        at = attempt.counted_at
    fields = {"due_now": paid, "counted_at": at}
    _write(attempt, **fields, processed_at=at, processed_by=processing.by)
    cost = {name: amounts for name, amounts in order.cost.items() if name != "due_later"}
    _write_cost(order, cost | {"due_now": paid})
    return {
        "due_now": [before, paid],
        "processed_at": [None, at.isoformat()],
        "processed_by": [None, processing.by],
    }


def take_back(attempt: Attempt) -> dict[str, Any]:
    before = attempt.due_now
    _write(attempt, due_now={}, counted_at=attempt.claimed_at, processed_at=None, processed_by="")
    return {"due_now": [before, {}]} if before else {}


def cost_as_confirmed(order: Order) -> None:
    """Put the order's cost back to that of its snapshot, due once it is processed."""
    if order.snapshot:
        confirmed = order.snapshot["cost"]
        _write_cost(order, {name: confirmed[name] for name in TOTALS if name in confirmed})


def _write(attempt: Attempt, **fields: Any) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(**fields)
    for name, value in fields.items():
        setattr(attempt, name, value)


def _write_cost(order: Order, cost: dict[str, Any]) -> None:
    if cost != order.cost:
        Order.objects.filter(pk=order.pk).update(cost=cost)
        order.cost = cost
