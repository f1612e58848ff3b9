"""Recording money back: asked for, got, or denied. Nothing is sent to a vendor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.core.money import Totals, show
from mailops.history import audited, record
from orders.audit import month_end
from orders.models import Finding, NotAllowed, Order, Refund
from orders.models.month_end_match import FindingState
from orders.models.state import PURCHASED
from orders.review import confirming_rights
from orders.spending import refund_sums
from orders.spending.refund_sums import ASKED, DENIED, GOT
from vendors.models import Vendor

ACTIONS = {ASKED: "refund.asked", GOT: "refund.got", DENIED: "refund.denied"}
FIELDS = ("amount", "currency", "kind", "on", "reference", "note")


@dataclass(frozen=True, kw_only=True)
class Said:
    """A person's words about money back. `state`: asked for, got or denied."""

    state: str
    amount: Decimal
    currency: str
    on: date
    kind: str = Refund.Kind.MONEY
    reference: str = ""
    note: str = ""


def why_not(order: Order, user: User) -> str:
    """Why this person may not record money back for the order, in words; empty when they may."""
    if not user.has_perm("orders.end_asset"):
        return "Your role does not include this."
    if order.state not in PURCHASED:
        return f"{order} reads “{order.get_state_display()}”, so no money can come back for it."
    return confirming_rights.why_not_as_editor(order, user)


def say(order_id: int, said: Said, *, by: User, about: int | None = None) -> Refund:
    """Store money back for an order. `about` is the request, asked before, that this answers.

    Of a request that is answered in part, the rest stays asked for. Raises `NotAllowed`.
    """
    with audited():
        order = Order.objects.locked(order_id)
        if why := why_not(order, by):
            raise NotAllowed(why)
        before = _asked_before(order, about) if about else None
        _check_amount(order, said, before)
        return _write(order.vendor, order, said, before, by=by)


def say_without_order(vendor_id: int, said: Said, *, by: User) -> Refund:
    """Store money back at an account that belongs to no order. Raises `NotAllowed`."""
    with audited():
        vendor = Vendor.objects.locked(vendor_id)
        if not by.has_perm("orders.end_asset"):
            raise NotAllowed("Your role does not include this.")
        _check_day(said)
        return _write(vendor, None, said, None, by=by)


def order_of(finding: Finding) -> Order | None:
    """The order whose money came back; None where it is the account's alone."""
    # No money can come back for an order that bought nothing.
    return finding.order if finding.order and finding.order.state in PURCHASED else None


def say_of_finding(finding_id: int, said: Said, *, by: User) -> Refund:
    """Store money back that a statement shows, which settles the finding. Raises `NotAllowed`."""
    with audited():
        order = order_of(Finding.objects.select_related("order").get(pk=finding_id))
        if order:
            Order.objects.locked(order.pk)  # before the finding's lock and the history's
        finding = Finding.objects.select_for_update(of=("self",)).get(pk=finding_id)
        if finding.state != FindingState.OPEN:
            raise NotAllowed("Somebody settled this finding since. Look at it again.")
        if order:
            stored = say(order.pk, said, by=by)
        else:
            stored = say_without_order(finding.vendor_id, said, by=by)
        came = f"{show(said.amount, said.currency)}, came on {said.on:%-d %b %Y}"
        month_end.settle([finding.pk], by=by, reason=f"Recorded as money back: {came}.")
        return stored


def _asked_before(order: Order, pk: int) -> Refund:
    found = order.refunds.filter(pk=pk).first()
    if found is None or found.state != ASKED:
        raise NotAllowed("Somebody recorded an answer to this request since. Look at it again.")
    return found


def _check_day(said: Said) -> None:
    if said.on > timezone.localdate():
        raise NotAllowed("Choose a day that is not ahead.")
    if said.amount <= 0:
        raise NotAllowed("Write a sum above nothing.")


def _check_amount(order: Order, said: Said, before: Refund | None) -> None:
    _check_day(said)
    if before and said.currency != before.currency:
        raise NotAllowed(f"It was asked for in {before.currency}.")
    if before and said.state != GOT and said.amount != before.amount:
        asked = show(before.amount, before.currency)
        raise NotAllowed(f"{asked} was asked for. Only a sum that came may be another one.")
    if said.state == DENIED or (before and said.state == ASKED):
        return
    most = refund_sums.most_to_get(order) if said.state == GOT else refund_sums.most_to_ask(order)
    if said.amount > most.get(said.currency, 0):
        left = Totals({said.currency: most.get(said.currency, Decimal(0))})
        raise NotAllowed(
            f"{order} counts {refund_sums.counts(order)}. Of that at most {left} can still"
            f" {'come back' if said.state == GOT else 'be asked for'}."
        )


def _write(
    vendor: Vendor, order: Order | None, said: Said, before: Refund | None, *, by: User
) -> Refund:
    fields = {name: getattr(said, name) for name in FIELDS}
    fields |= {"state": said.state, "by_name": by.get_username(), "at": timezone.now()}
    if before is None:
        stored = Refund.objects.create(vendor=vendor, order=order, **fields)
    elif said.amount < before.amount:
        # Only a part came. It gets a row of its own.
        rest = before.amount - said.amount
        Refund.objects.filter(pk=before.pk).update(amount=rest)
        of = {"vendor": vendor, "order": order, "departure": before.departure}
        stored = Refund.objects.create(**of, **fields)
    else:
        Refund.objects.filter(pk=before.pk).update(**fields)
        stored = Refund.objects.get(pk=before.pk)
    changes = _changes(said, before)
    record(ACTIONS[said.state], order or vendor, by=by, reason=said.note, changes=changes)  # type: ignore[index]
    return stored


def _changes(said: Said, before: Refund | None) -> dict[str, Any]:
    was = before.get_state_display() if before else ""
    changes: dict[str, Any] = {
        "money_back": ["", show(said.amount, said.currency)],
        "stage": [was, Refund.Stage(said.state).label],
        "on": ["", said.on.isoformat()],
    }
    if said.state == GOT:
        changes["kind"] = ["", Refund.Kind(said.kind).label]
    if said.reference:
        changes["reference"] = ["", said.reference]
    return changes
