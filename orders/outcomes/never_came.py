"""A person gives up lines that the vendor took and never delivered, or takes that back."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from mailops.core.money import show
from mailops.history import audited, record
from orders.models import Departure, Domain, Mailbox, NotAllowed, Order, Refund, State
from orders.models.inventory import LIVE, Asset, KnownBy
from orders.outcomes.conclusion import MAY_END, conclude
from orders.outcomes.lines import Lines, chosen, lines_in, with_their_domains, with_their_mailboxes
from orders.review import confirming_rights
from orders.spending import refund_sums


def say_not_coming(
    order_id: int,
    *,
    by: User,
    reason: str,
    names: Collection[str] | None = None,
    amount: Decimal | None = None,
    currency: str = "",
) -> tuple[Order, Lines]:
    """Give up lines of an accepted order: one departure for all of them. Raises `NotAllowed`.

    `names`: domains and addresses, or None for all that are still to come. `amount` is the money
    that the vendor is asked for.
    """
    with audited():
        order = Order.objects.locked(order_id)
        _refuse(order, by, states=(State.ACCEPTED,))
        found = lines_in(order, Asset.ORDERED)
        lines = with_their_mailboxes(chosen(found, names), found)
        _refuse_domains_in_use(order, lines)
        departure = Departure.objects.create(
            vendor=order.vendor,
            reason=Departure.Reason.NEVER_CAME,
            on=timezone.localdate(),
            note=reason,
            by=by,
            by_name=by.get_username(),
        )
        changes = lines.changes(Asset.GONE)
        lines.move(Asset.GONE, departure=departure)
        record("order.not_coming", order, by=by, reason=reason, changes=changes)
        if amount:
            _ask_back(order, departure, amount, currency, by=by, reason=reason)
        conclude(order, by=by, reason=reason)
        return order, lines


def say_there_after_all(
    order_id: int, *, by: User, seen: str, names: Collection[str] | None = None
) -> tuple[Order, Lines]:
    """Given up lines are there. The order may end once more by that. Raises `NotAllowed`."""
    with audited():
        order = Order.objects.locked(order_id)
        _refuse(order, by, states=MAY_END)
        found = given_up(order)
        lines = with_their_domains(chosen(found, names), found)
        _refuse_names_of_others(lines)
        changes = lines.changes(Asset.READY)
        known = {"known_by": KnownBy.PERSON, "known_by_name": by.get_username()}
        try:
            # A savepoint, so that the holder can be named after the database refused.
            with transaction.atomic():
                lines.move(Asset.READY, departure=None, ready_at=timezone.now(), **known)
        except IntegrityError:
            _refuse_names_of_others(lines)
            raise
        record("order.arrived", order, by=by, reason=seen, changes=changes)
        conclude(order, by=by, reason=seen)
        return order, lines


def given_up(order: Order) -> Lines:
    """The lines of the order that never came, as a person said."""
    found = lines_in(order, Asset.GONE)
    never = set(
        Departure.objects.filter(
            pk__in={line.departure_id for line in found}, reason=Departure.Reason.NEVER_CAME
        ).values_list("pk", flat=True)
    )
    return Lines(
        domains=[line for line in found.domains if line.departure_id in never],
        mailboxes=[line for line in found.mailboxes if line.departure_id in never],
    )


def _refuse(order: Order, by: User, *, states: Collection[State]) -> None:
    if order.state not in states:
        reads = order.get_state_display()
        raise NotAllowed(f"{order} reads “{reads}”, so this can't be done with it.")
    if why := confirming_rights.why_not_as_editor(order, by):
        raise NotAllowed(why)


def _refuse_domains_in_use(order: Order, lines: Lines) -> None:
    there = order.mailboxes.filter(domain__in=lines.domains, state=Asset.READY)
    if box := there.select_related("domain").first():
        raise NotAllowed(f"{box} is there, so its domain {box.domain} is there too.")


def _refuse_names_of_others(lines: Lines) -> None:
    """Raises `NotAllowed` where a name is held by another row, and says which order holds it."""
    both = ((Domain, "name", lines.domains), (Mailbox, "address", lines.mailboxes))
    for kind, field, mine in both:
        names = [getattr(line, field) for line in mine]
        taken = kind.objects.filter(**{f"{field}__in": names}, state__in=LIVE)
        if holder := taken.select_related("order__client").first():
            where = f"{holder.order} for {holder.order.client}" if holder.order else "the inventory"
            raise NotAllowed(
                f"{holder} is held by {where} since. Only one can have it, so it stays given up"
                " here."
            )


def _ask_back(
    order: Order, departure: Departure, amount: Decimal, currency: str, *, by: User, reason: str
) -> None:
    if amount > refund_sums.most_to_ask(order).get(currency, 0):
        asked = show(amount, currency)
        raise NotAllowed(f"{order} counts less than {asked} that nobody asked back yet.")
    Refund.objects.create(
        vendor=order.vendor,
        order=order,
        departure=departure,
        amount=amount,
        currency=currency,
        on=timezone.localdate(),
        note=reason,
        by_name=by.get_username(),
    )
    changes = {"money_back": ["", show(amount, currency)]}
    record("refund.asked", order, by=by, reason=reason, changes=changes)
