"""Waiting orders of one account, each confirmed with its own digest, event and attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.core.money import Totals
from orders import submission
from orders.admin import confirmation_panel
from orders.models import NotAllowed, Order, State
from orders.plan import Plan, plan
from orders.review import confirmations, read_marks, shown_plans
from orders.spending import limits
from vendors.cost import due_in_words, shown_now, together
from vendors.models import Vendor

# Each order is planned and checked for the page, and again when it is confirmed.
MAX_ORDERS = 20


@dataclass(kw_only=True)
class Candidate:
    """One order of the batch, with everything that speaks against confirming it unread."""

    order: Order
    plan: Plan
    # reasons why the order can't be confirmed now
    stops: list[str] = field(default_factory=list)
    # not looked at, or changed since: such an order is not ticked at first
    unread: str = ""
    # a limit has no room for the order besides the ticked ones above
    no_room: str = ""
    warnings: list[str] = field(default_factory=list)
    # the options with their words, for the page
    in_words: Sequence[tuple[str, str]] = ()
    is_ticked: bool = False

    @property
    def now(self) -> Totals:
        return shown_now(self.plan.cost.due_now, self.plan.cost.due_later)

    @property
    def may_tick(self) -> bool:
        return not self.stops

    @property
    def exceptions(self) -> int:
        return len(self.stops) + len(self.warnings) + bool(self.unread) + bool(self.no_room)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The waiting orders of an account and the totals of the ticked ones."""

    vendor: Vendor
    rows: Sequence[Candidate]
    # number of waiting orders beyond `MAX_ORDERS`
    left_out: int

    @property
    def ticked(self) -> list[Candidate]:
        return [row for row in self.rows if row.is_ticked]

    @property
    def total(self) -> Totals:
        return shown_now(self.total_now, self.later)

    @property
    def total_now(self) -> Totals:
        return together(*(row.plan.cost.due_now for row in self.ticked))

    @property
    def later(self) -> Totals:
        """Due once somebody processes the orders that are only created."""
        return together(*(row.plan.cost.due_later for row in self.ticked))

    @property
    def label(self) -> str:
        return confirmation_panel.confirm_label(self.total_now, self.later, count=len(self.ticked))

    @property
    def per_month(self) -> Totals:
        return together(*(row.plan.cost.per_month for row in self.ticked))

    @property
    def per_year(self) -> Totals:
        return together(*(row.plan.cost.per_year for row in self.ticked))

    @property
    def exceptions(self) -> int:
        return sum(row.exceptions for row in self.ticked)


def batch(vendor: Vendor, *, by: User, chosen: Iterable[int] | None = None) -> Batch:
    """The account's waiting orders, oldest first.

    Without `chosen`, the orders are ticked that the person has read and that limits have room for.
    """
    waiting = Order.objects.filter(vendor=vendor, state=State.REVIEW).order_by("state_since", "pk")
    orders = list(waiting.select_related("vendor", "client", "contact")[:MAX_ORDERS])
    # The limits are read once: every order's use is added up here, not by queries.
    uses = limits.uses(vendor, *{order.client for order in orders}, at=timezone.now())
    wanted = None if chosen is None else set(chosen)
    # by the place of the limit in `uses`: the amount that the ticked orders above add to it
    adds: dict[int, Decimal] = defaultdict(Decimal)
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
    # Confirming names the differences from the plan that was shown.
    shown_plans.remember(current)
    stops = [why] if (why := confirmations.why_not(order, by, current)) else []
    stops += [f"{problem.message} {problem.fix}".strip() for problem in current.blocking]
    # `no_room` counts the ticked orders too, so it replaces the plan's own warning about limits.
    warnings = [problem.message for problem in current.warnings if problem.field != "limits"]
    needed = confirmations.confirmers_needed(order, current.cost)
    confirmations.remember_shown(order, current.digest, needed, by)
    # The person would think that the order is sent by their confirmation.
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
    """The results of confirming several orders, one by one."""

    confirmed: list[Order] = field(default_factory=list)
    # orders that were given the first of two confirmations
    half: list[Order] = field(default_factory=list)
    # confirmed by the same person before, as by a second click
    already: list[Order] = field(default_factory=list)
    failed: list[tuple[Order, str]] = field(default_factory=list)

    @property
    def total(self) -> str:
        now, later = (
            together(*(getattr(order, name) for order in self.confirmed))
            for name in ("due_now", "due_later")
        )
        return due_in_words(now, later) if later else str(now)


def confirm(vendor: Vendor, *, by: User, digests: Mapping[int, str]) -> Outcome:
    """Confirm each of these orders in its own transaction. A failure does not stop the others."""
    outcome = Outcome()
    orders = Order.objects.filter(vendor=vendor, pk__in=list(digests)[:MAX_ORDERS])
    # Oldest first, as on the page: limits have room for the same orders.
    for order in orders.order_by("state_since", "pk"):
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
