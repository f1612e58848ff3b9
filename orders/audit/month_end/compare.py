"""Reconciliation: differences between our orders and the vendor's list or statement.

Pure functions: nothing is read from or written to the database here.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from mailops.core.money import Totals, show
from orders.audit.month_end.statement import Charge
from orders.audit.month_end.statement_refunds import Refunded, fitting, is_refund, paired
from orders.models.month_end_match import Kind
from orders.models.state import PURCHASED, State
from vendors.apis.values import OwnedDomain

NOTHING = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Booked:
    """One of our orders as far as a match needs it."""

    pk: int
    name: str
    state: str
    reference: str
    domains: dict[str, int]  # with the number of live mailboxes at each, from all orders
    buys_domains: bool
    due_now: Totals  # what it counts: less what was left out
    again: Totals  # what a renewal costs
    is_new: bool = True  # sent within the days of the match
    is_settling: bool = False  # the vendor may still be at work on it


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference, before it is a finding."""

    kind: Kind
    says: str
    about: str  # the subject, as part of the key
    order_id: int | None = None
    ours: Decimal | None = None
    theirs: Decimal | None = None
    currency: str = ""

    @property
    def key(self) -> str:
        """SHA-256, hex, over the subject and the amounts."""
        # Another amount is another finding: a settled one must not hide it.
        parts = (self.kind, self.about, self.order_id, self.ours, self.theirs, self.currency)
        return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


@dataclass(kw_only=True)
class Compared:
    """The result of a comparison."""

    differences: list[Difference] = field(default_factory=list)
    orders: set[int] = field(default_factory=set)

    @property
    def agreed(self) -> int:
        return len(self.orders - {difference.order_id for difference in self.differences})


def with_list(
    orders: Sequence[Booked], listed: Iterable[OwnedDomain], *, known: frozenset[str]
) -> Compared:
    """Compare with the vendor's own list of domains.

    `known`: domains at this account that orders use and MailOps did not buy.
    """
    there = {held.domain: held for held in listed}
    found = Compared()
    live: set[str] = set()
    for order in orders:
        if order.state in PURCHASED:
            live |= set(order.domains)
            found.orders.add(order.pk)
            found.differences += _against_list(order, there)
    for order in orders:
        if order.state == State.CREATED:
            listed_now = sorted(set(order.domains) & set(there) - live - known)
            found.differences += [_though_created(order, name) for name in listed_now]
            live |= set(listed_now)
        if order.state in (State.REFUSED, State.CANCELLED) and order.buys_domains:
            # Unless another order bought the domain, or it was there before.
            listed_still = sorted(set(order.domains) & set(there) - live - known)
            found.differences += [_though_refused(order, name) for name in listed_still]
            live |= set(listed_still)
    found.differences += [
        _not_ours(held) for name, held in there.items() if name not in live | known
    ]
    return found


def _against_list(order: Booked, there: dict[str, OwnedDomain]) -> Iterator[Difference]:
    for name, ours in order.domains.items():
        held = there.get(name)
        if held is None:
            if not order.is_settling:
                where = "the vendor's list of the account's domains"
                says = f"{name} of {order.name} is not in {where}."
                yield Difference(kind=Kind.MISSING, says=says, about=name, order_id=order.pk)
            continue
        theirs = held.mailboxes
        # Some vendors create the mailboxes by themselves.
        if theirs is None or not ours:
            continue
        # On a domain that was there before, the vendor may count mailboxes that MailOps never saw.
        if not order.is_settling and (theirs < ours or (theirs > ours and order.buys_domains)):
            says = f"{name}: {ours} mailboxes here, {theirs} at the vendor."
            yield Difference(
                kind=Kind.COUNT, says=says, about=f"{name} {ours} {theirs}", order_id=order.pk
            )


def _though_refused(order: Booked, name: str) -> Difference:
    says = (
        f"{name} is in the vendor's list, though {order.name} reads as if nothing was bought. It"
        " may be charged for."
    )
    return Difference(kind=Kind.REFUSED, says=says, about=name, order_id=order.pk)


def _though_created(order: Booked, name: str) -> Difference:
    says = (
        f"{name} is in the vendor's list, and {order.name} is only created here. If it is this"
        " order's, it was processed: record it."
    )
    return Difference(kind=Kind.REFUSED, says=says, about=name, order_id=order.pk)


def _not_ours(held: OwnedDomain) -> Difference:
    says = (
        f"{held.domain} is in the vendor's list and on no order here. It was bought outside"
        " MailOps, or before."
    )
    return Difference(kind=Kind.NOT_OURS, says=says, about=held.domain)


def with_statement(
    orders: Sequence[Booked], charges: Sequence[Charge], refunds: Sequence[Refunded] = ()
) -> Compared:
    """Compare with the charges of a statement, and `refunds` with its negative lines."""
    found = Compared(
        orders={
            order.pk
            for order in orders
            if order.state in PURCHASED and order.is_new and order.due_now
        }
    )
    names = {order.pk: order.name for order in orders}
    lines, left = _sorted_out(orders, charges)
    recorded = list(refunds)
    for order in orders:
        mine, own = lines.get(order.pk, []), [r for r in recorded if r.order_id == order.pk]
        back, open_refunds = paired([line for line in mine if is_refund(line)], own)
        recorded = [refund for refund in recorded if refund not in own or refund in open_refunds]
        paid = [line for line in mine if not is_refund(line)]
        if order.state in PURCHASED:
            found.differences += _against_charges(order, paid, back)
        elif mine and any(Totals.of((line.currency, line.amount) for line in mine).values()):
            found.differences.append(_though_nothing_bought(order, [*paid, *back]))
    for line in left:
        refund = fitting(line, recorded) if is_refund(line) else None
        if refund:
            recorded.remove(refund)
        else:
            found.differences.append(_unrecorded(line) if is_refund(line) else _no_order(line))
    found.differences += [_not_back(refund, names) for refund in recorded if refund.is_new]
    return found


def _sorted_out(
    orders: Sequence[Booked], charges: Sequence[Charge]
) -> tuple[dict[int, list[Charge]], list[Charge]]:
    lines: dict[int, list[Charge]] = defaultdict(list)
    left = []
    for charge in charges:
        order = _by_words(orders, charge)
        if order:
            lines[order.pk].append(charge)
        else:
            left.append(charge)
    # An amount identifies an order only if one order alone has it.
    for charge in [*left]:
        same = [order for order in orders if order.pk not in lines and _fits(order, charge)]
        if len(same) == 1:
            lines[same[0].pk].append(charge)
            left.remove(charge)
    return lines, left


def _by_words(orders: Sequence[Booked], charge: Charge) -> Booked | None:
    words = set(re.findall(r"[\w.-]+", f"{charge.reference} {charge.text}".lower()))
    for order in orders:
        if order.reference and order.reference.lower() in (charge.reference.lower(), *words):
            return order
    # A domain may be on several orders, and the likeliest is one of these days.
    named = [order for order in orders if words & set(order.domains)]
    return next(
        (order for order in named if order.is_new and order.state in PURCHASED),
        named[0] if named else None,
    )


def _fits(order: Booked, charge: Charge) -> bool:
    return (
        order.is_new
        and order.state in PURCHASED
        and order.due_now == {charge.currency: charge.amount}
    )


def _against_charges(order: Booked, paid: list[Charge], back: list[Charge]) -> Iterator[Difference]:
    """`back`: negative lines that fit no money back which is recorded here."""
    gross, corrections = (
        Totals.of((line.currency, line.amount) for line in lines) for lines in (paid, back)
    )
    for currency in sorted({*gross, *corrections, *(order.due_now if order.is_new else {})}):
        ours, theirs = order.due_now.get(currency, NOTHING), gross.get(currency, NOTHING)
        came = [line for line in back if line.currency == currency]
        is_right = _agrees(order, currency, theirs) or not (paid or ours)
        if is_right or not theirs:
            yield from (_unrecorded(line, order) for line in came)
            came = []
        if came:
            theirs += corrections[currency]
        # A vendor that charged too much and gave the rest back put itself right.
        if is_right or (came and _agrees(order, currency, theirs)):
            continue
        charges = [line for line in [*paid, *came] if line.currency == currency]
        lines = "; ".join(charge.words for charge in charges)
        about = f"{order.name} {currency}"
        amounts = {"order_id": order.pk, "about": about, "currency": currency}
        amounts |= {"ours": ours, "theirs": theirs}
        if not paid:
            says = (
                f"{order.name} was bought for {show(ours, currency)}, and no line of the statement"
                " speaks of it."
            )
            yield Difference(kind=Kind.NO_CHARGE, says=says, **amounts | {"theirs": None})
        # Several charges that come to a multiple are most likely one order charged again.
        elif ours and theirs > ours and theirs % ours == 0 and len(charges) > 1:
            times = theirs // ours
            says = (
                f"{order.name} was bought once for {show(ours, currency)} and stands here {times}"
                f" times: {lines}."
            )
            yield Difference(kind=Kind.TWICE, says=says, **amounts)
        else:
            says = (
                f"{order.name}: {show(ours, currency)} counts here, {show(theirs, currency)} is"
                f" charged: {lines}."
            )
            yield Difference(kind=Kind.AMOUNT, says=says, **amounts)


def _agrees(order: Booked, currency: str, charged: Decimal) -> bool:
    # An order of these days is charged what was due now, and perhaps a renewal on top. An older
    # order is charged one renewal or nothing.
    again = order.again.get(currency, NOTHING)
    if not order.is_new:
        return charged in (NOTHING, again)
    due = order.due_now.get(currency, NOTHING)
    return charged in (due, due + again) if charged else not due


def _though_nothing_bought(order: Booked, charges: list[Charge]) -> Difference:
    charged = Totals.of((charge.currency, charge.amount) for charge in charges)
    lines = "; ".join(charge.words for charge in charges)
    # A finding holds one amount. Charges in two currencies are only in its text.
    one = next(iter(charged.items())) if len(charged) == 1 else ("", None)
    amounts = {
        "about": f"{order.name} {lines}",
        "order_id": order.pk,
        "theirs": one[1],
        "currency": one[0],
    }
    if order.state == State.UNKNOWN:
        says = (
            f"The outcome of {order.name} is unknown here, and {charged} is charged: {lines}. So it"
            " was placed."
        )
        return Difference(kind=Kind.OUTCOME, says=says, **amounts)  # type: ignore[arg-type]
    # Whatever is cancelled and has a number at the vendor was created there, and left.
    is_left = order.state == State.CANCELLED and order.reference
    if order.state == State.CREATED or is_left:
        what = "was left" if is_left else "is only created"
        says = (
            f"{order.name} {what} at the vendor, and {charged} is charged: {lines}. It was"
            " processed: record it on the order's page."
        )
        return Difference(kind=Kind.CREATED, says=says, **amounts)  # type: ignore[arg-type]
    says = (
        f"{order.name} reads as if nothing was bought, and {charged} is charged: {lines}. Ask the"
        " vendor for it back."
    )
    return Difference(kind=Kind.NOTHING_BOUGHT, says=says, **amounts)  # type: ignore[arg-type]


def _no_order(charge: Charge) -> Difference:
    says = (
        f"{show(charge.amount, charge.currency)} is charged on {charge.words}, and no order here"
        " fits it."
    )
    about = f"{charge.date} {charge.reference} {charge.text}"
    return Difference(
        kind=Kind.NO_ORDER, says=says, about=about, theirs=charge.amount, currency=charge.currency
    )


def _unrecorded(line: Charge, order: Booked | None = None) -> Difference:
    came = show(-line.amount, line.currency)
    whose = f"for {order.name}" if order else "for no order that it names"
    return Difference(
        kind=Kind.UNRECORDED,
        says=f"{came} came back on {line.words}, {whose}, and is not recorded here.",
        about=f"{line.date} {line.reference} {line.text}",
        order_id=order.pk if order else None,
        theirs=line.amount,
        currency=line.currency,
    )


def _not_back(refund: Refunded, names: Mapping[int, str]) -> Difference:
    came = show(refund.amount, refund.currency)
    name = names.get(refund.order_id or 0)
    whose = f" for {name}" if name else ""
    says = (
        f"{came} back{whose}, recorded by {refund.by_name} for {refund.on:%-d %b %Y}, is on no line"
        " of the statement."
    )
    return Difference(
        kind=Kind.NOT_BACK,
        says=says,
        about=f"refund {refund.pk}",
        order_id=refund.order_id,
        ours=-refund.amount,
        currency=refund.currency,
    )
