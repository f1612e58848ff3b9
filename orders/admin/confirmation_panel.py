"""An order's confirmations: how many are needed and why, who gave one, who was refused."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime

from mailops.core.money import Totals
from mailops.history.models import Event
from orders.models import Confirmation, Order, State
from orders.models.confirmation_rule import PERSONS
from orders.models.hold import hold_of
from orders.plan import Plan
from orders.review import confirmations, shown_plans
from orders.review.plan_diff import differences
from vendors.cost import shown_now


def context(request: HttpRequest, order: Order, current: Plan | None) -> dict[str, Any]:
    """The context of `_confirmations.html`."""
    if order.state == State.REVIEW and current:
        return {"confirmations": _waiting(request, order, current) | {"tried": tried(order)}}
    given = confirmations.given(order, order.digest).counts if order.digest else ()
    needed = order.confirmers_needed
    says = PERSONS[needed] if needed is not None and order.confirmed_by_name else ""
    about = {"says": says, "given": given, "waits": "", "void": []}
    return {"confirmations": about | {"tried": tried(order)}}


def _waiting(request: HttpRequest, order: Order, current: Plan) -> dict[str, Any]:
    needed = confirmations.confirmers_needed(order, current.cost)
    # The number of persons needed is recorded as shown, like the plan itself.
    if isinstance(request.user, User):
        confirmations.remember_shown(order, current.digest, needed, request.user)
    found = confirmations.given(order, current.digest)
    left = needed.count - len(found.counts)
    waits = "Waiting for the second confirmation." if found.counts and left > 0 else ""
    return {
        "says": needed.says,
        "given": found.counts,
        "waits": waits,
        "void": [_void(one, current) for one in found.void],
    }


def _void(one: Confirmation, current: Plan) -> str:
    # Plans that were shown are kept for some time only, so the differences may be unknown.
    before = shown_plans.recall(one.digest)
    how = " ".join(differences(before, current.snapshot())) if before else ""
    at = date_format(localtime(one.at), "j M, H:i")
    why = f"{one} confirmed it ({at}), which does not count any more: the order changed since."
    return f"{why} {how}".strip()


def tried(order: Order) -> list[Event]:
    """Refused attempts to confirm one's own order, newest first."""
    events = Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk))
    return list(events.filter(action="order.self_confirmation_refused").order_by("-number")[:5])


def confirm_label(now: Totals, later: Totals, *, count: int = 0) -> str:
    """The words of the button that confirms, with every sum: of one order, or of `count`."""
    confirm = f"Confirm {count}" if count else "Confirm"
    shown = shown_now(now, later)
    if not later:
        return f"{confirm} and buy for {shown}"
    if not any(now.values()):
        return f"{confirm} and create ({shown} now, {later} when processed)"
    return f"{confirm}: {shown} now, {later} when processed"


def message_after(order: Order) -> str:
    if order.state == State.REVIEW:
        return (
            f"Your confirmation of {order} is noted. Nothing is sent yet: a second person has to"
            " confirm it too."
        )
    # The account may be stopped or the order planned for later.
    hold = hold_of(order)
    return f"{order} is confirmed. {hold.says if hold else 'MailOps sends it now.'}"
