"""Several waiting orders of one account on one page; each is confirmed on its own: one digest,
event, attempt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.core.money import Totals
from orders import submission
from orders.models import NotAllowed, Order, State
from orders.plan import Plan, plan
from orders.review import confirmations, read_marks, shown_plans
from orders.spending import limits
from vendors.models import Vendor

AT_MOST = 20  # orders at a time


@dataclass(kw_only=True)
class Candidate:
    """One order of the batch with everything that speaks against confirming it unread."""

    order: Order
    plan: Plan
    stops: list[str] = field(default_factory=list)  # it can't be confirmed now
    unread: str = ""  # not looked at, or changed since: not ticked beforehand
    no_room: str = ""  # a limit has no room for it beside the ones above
    warnings: list[str] = field(default_factory=list)
    is_ticked: bool = False

    @property
    def may_tick(self) -> bool:
        return not self.stops

    @property
    def exceptions(self) -> int:
        return len(self.stops) + len(self.warnings) + bool(self.unread) + bool(self.no_room)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The waiting orders of an account, those that are ticked, and what these come to."""

    vendor: Vendor
    rows: Sequence[Candidate]
    left_out: int  # waiting orders beyond the bound

    @property
    def ticked(self) -> list[Candidate]:
        return [row for row in self.rows if row.is_ticked]

    @property
    def total(self) -> Totals:
        return _sum(row.plan.cost.due_now for row in self.ticked)

    @property
    def per_month(self) -> Totals:
        return _sum(row.plan.cost.per_month for row in self.ticked)

    @property
    def per_year(self) -> Totals:
        return _sum(row.plan.cost.per_year for row in self.ticked)

    @property
    def exceptions(self) -> int:
        return sum(row.exceptions for row in self.ticked)


def _sum(amounts: Iterable[Totals]) -> Totals:
    return Totals.of(
        (currency, amount) for totals in amounts for currency, amount in totals.items()
    )


def batch(vendor: Vendor, *, by: User, chosen: Iterable[int] | None = None) -> Batch:
    """The account's waiting orders, oldest first.

    Without `chosen` those are ticked that were read and have room.
    """
    waiting = Order.objects.filter(vendor=vendor, state=State.REVIEW).order_by("state_since", "pk")
    orders = list(waiting.select_related("vendor", "client", "contact")[:AT_MOST])
    uses = limits.uses(vendor, *{order.client for order in orders}, at=timezone.now())
    wanted = None if chosen is None else set(chosen)
    adds: dict[int, Decimal] = defaultdict(
        Decimal
    )  # what the ticked ones above add to each limit, by its place
    rows = []
    for order in orders:
        row = _candidate(order, by=by, uses=uses)
        mine = [(i, use) for i, use in enumerate(uses) if use.owner in (vendor, order.client)]
        row.no_room = _no_room(row.plan, mine, adds)
        is_wanted = not (row.unread or row.no_room) if wanted is None else order.pk in wanted
        row.is_ticked = row.may_tick and is_wanted
        if row.is_ticked and not row.no_room:
            for i, use in mine:
                adds[i] += row.plan.cost.due_now.get(use.owner.limit_currency, Decimal(0))
        rows.append(row)
    return Batch(vendor=vendor, rows=rows, left_out=max(0, waiting.count() - len(rows)))


def _candidate(order: Order, *, by: User, uses: Iterable[limits.Use]) -> Candidate:
    current = plan(order)
    shown_plans.remember(current)
    stops = [why] if (why := confirmations.why_not(order, by, current)) else []
    stops += [f"{problem.message} {problem.fix}".strip() for problem in current.blocking]
    warnings = [problem.message for problem in current.warnings if problem.field != "limits"]
    needed = confirmations.confirmers_needed(order, current.cost)
    confirmations.remember_shown(order, current.digest, needed, by)
    if needed.count - len(confirmations.given(order, current.digest).counts) > 1:
        warnings.append(
            "Two persons have to confirm it: yours is the first, so nothing is sent yet."
        )
    return Candidate(
        order=order,
        plan=current,
        stops=stops,
        unread=_unread(order, current, by, uses),
        warnings=warnings,
    )


def _unread(order: Order, current: Plan, by: User, uses: Iterable[limits.Use]) -> str:
    mine = [use for use in uses if use.owner in (order.vendor, order.client)]
    since = read_marks.last(order, by=by, now_is=read_marks.picture(order, current, mine))
    if since.at is None:
        return "You have not looked at it yet."
    if not since.of_the_order:
        return ""
    many = "1 thing" if since.of_the_order == 1 else f"{since.of_the_order} things"
    return f"{many} changed since you looked."


def _no_room(
    current: Plan, uses: Iterable[tuple[int, limits.Use]], adds: Mapping[int, Decimal]
) -> str:
    for i, use in uses:
        costs = current.cost.due_now.get(use.owner.limit_currency, Decimal(0))
        if costs and use.used + adds.get(i, Decimal(0)) + costs > use.limit:
            beside = " together with the ones above" if adds.get(i) else ""
            left = max(use.limit - use.used - adds.get(i, Decimal(0)), Decimal(0))
            return (
                f"Its {use.money(costs)} would go over {use.words}{beside}: {use.money(left)} is"
                " left."
            )
    return ""


@dataclass(kw_only=True)
class Outcome:
    """What came of confirming several orders, one by one."""

    confirmed: list[Order] = field(default_factory=list)
    half: list[Order] = field(default_factory=list)  # the first of two confirmations was given
    already: list[Order] = field(default_factory=list)  # by the same person, as by a second click
    failed: list[tuple[Order, str]] = field(default_factory=list)

    @property
    def total(self) -> Totals:
        return _sum(order.due_now for order in self.confirmed)


def confirm(vendor: Vendor, *, by: User, digests: Mapping[int, str]) -> Outcome:
    """Confirm each of these orders on its own; one that fails keeps no other back."""
    outcome = Outcome()
    orders = Order.objects.filter(vendor=vendor, pk__in=list(digests)[:AT_MOST]).order_by(
        "state_since", "pk"
    )
    for order in orders:
        try:
            now = submission.confirm(order.pk, by=by, digest=digests[order.pk])
        except NotAllowed as error:
            order.refresh_from_db()
            if order.confirmed_by_id == by.pk:
                outcome.already.append(order)
            else:
                changes = getattr(error, "changes", [])
                outcome.failed.append((order, f"{error} {' '.join(changes[:3])}".strip()))
        else:
            (outcome.confirmed if now.state == State.CONFIRMED else outcome.half).append(now)
    return outcome
