"""Reasons why a confirmed order is not sent now: since when, until when, who can change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from mailops.core.text import as_sentence
from mailops.core.times import moment
from vendors import vendor_reader
from vendors.models import SendingSwitch, Vendor

if TYPE_CHECKING:
    from orders.models.order import Order

OPERATOR, MAILOPS = "An operator", "MailOps"
# Values of `Order.waiting_for`: the order itself is fine.
LIMIT, BALANCE = "limit", "balance"
SHORT = {LIMIT: "A limit is used up", BALANCE: "The balance is too low"}
BY_ITSELF = "It goes out by itself once an operator lets sending go on."


@dataclass(frozen=True, kw_only=True)
class Hold:
    """`says` is a sentence, `short` a few words for lists.

    `since` is set where a person or the circuit breaker stopped sending.
    """

    says: str
    short: str
    next_actor: str = MAILOPS
    since: datetime | None = None
    then: str = ""


def hold_of(order: Order) -> Hold | None:
    """The first reason that holds a confirmed order; None where it may be sent."""
    return stopped(order) or _waiting(order)


def stopped(order: Order) -> Hold | None:
    """A stop by a person or the circuit breaker, which would hold the order in any state."""
    switch, vendor = order.switch or SendingSwitch.current(), order.vendor
    if switch.stopped_at:
        who, since = switch.stopped_by_name, moment(switch.stopped_at)
        return Hold(
            says=as_sentence(
                f"All sending is held since {since} by {who}: {switch.stopped_reason}"
            ),
            short="All sending is held",
            next_actor=OPERATOR,
            since=switch.stopped_at,
            then=BY_ITSELF,
        )
    if vendor.stopped_at:
        since = moment(vendor.stopped_at)
        return Hold(
            says=as_sentence(
                f"Sending to {vendor.name} is stopped since {since}: {vendor.stopped_reason}"
            ),
            short=f"{vendor.name} is stopped",
            next_actor=OPERATOR,
            since=vendor.stopped_at,
            then=BY_ITSELF,
        )
    return _without_funds(vendor)


def _without_funds(vendor: Vendor) -> Hold | None:
    if vendor.no_funds_at is None:
        return None
    since = moment(vendor.no_funds_at)
    return Hold(
        says=as_sentence(
            f"{vendor.name} has had no money for orders since {since}: {vendor.no_funds_said}"
        ),
        short=f"{vendor.name} has no funds",
        next_actor=OPERATOR,
        since=vendor.no_funds_at,
        then=(
            f"Add funds at {vendor.adapter.label}. It goes out by itself once an operator notes the"
            " new balance on the account's page, or lets it go on there."
        ),
    )


def _waiting(order: Order) -> Hold | None:
    now = timezone.now()
    if order.planned_for and order.planned_for > now:
        planned = f"Planned for {moment(order.planned_for)}"
        return Hold(says=f"{planned}. Until then it can be cancelled.", short=planned)
    if order.hold_until and order.hold_until > now:
        until = f"Held until {moment(order.hold_until)}"
        return Hold(says=f"{until}, so that it can still be cancelled.", short=until)
    if order.next_try_at and order.next_try_at > now and not _is_let_go(order, now):
        if order.waiting_for:
            next_actor = OPERATOR if order.waiting_for == BALANCE else MAILOPS
            return Hold(says=order.reason, short=SHORT[order.waiting_for], next_actor=next_actor)
        at = moment(order.next_try_at)
        says = f"{as_sentence(order.reason)} MailOps tries again at {at}.".strip()
        return Hold(says=says, short=f"Tries again at {at}")
    if rests_until := vendor_reader.rests_until(order.vendor):
        asked = f"{order.vendor.name} asked for a pause until {moment(rests_until)}"
        return Hold(says=f"{asked}. MailOps sends it then.", short=asked)
    return None


def _is_let_go(order: Order, now: datetime) -> bool:
    """The same as `OrderQuerySet.due` asks of the database."""
    if not order.waiting_for:
        return False
    changed = (order.vendor.limits_changed_at, order.client.limits_changed_at)
    return any(at and at <= now and (not order.held_at or order.held_at <= at) for at in changed)
