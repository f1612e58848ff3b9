"""A person's word about what is still to come: it is there, or it is expected on a day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from mailops.history import audited, record
from orders.models import Domain, NotAllowed, Order, State
from orders.models.inventory import Asset, KnownBy
from orders.outcomes.conclusion import conclude
from orders.outcomes.lines import Lines, chosen, lines_in, with_their_domains

FURTHEST = timedelta(days=30)  # ahead: a later day would silence what nobody looks after


def say_there(
    order_id: int, *, by: User, seen: str, names: Collection[str] | None = None
) -> tuple[Order, Lines]:
    """Lines of an accepted order are at the vendor, as a person saw there. Raises `NotAllowed`.

    `names`: domains and addresses, or None for all that are still to come.
    """
    with audited():
        order = Order.objects.locked(order_id)
        _refuse_unless_accepted(order)
        found = lines_in(order, Asset.ORDERED)
        lines = with_their_domains(chosen(found, names), found)
        changes = lines.changes(Asset.READY) | _confirm_held_domains(order, lines, by=by)
        lines.move(Asset.READY, **_known_by(by))
        record("order.arrived", order, by=by, reason=seen, changes=changes)
        conclude(order, by=by, reason=seen)
        return order, lines


def expect(order_id: int, *, by: User, on: date, reason: str) -> Order:
    """The order is not overdue until after this day. Raises `NotAllowed`."""
    today = timezone.localdate()
    with audited():
        order = Order.objects.locked(order_id)
        _refuse_unless_accepted(order)
        if not today <= on <= today + FURTHEST:
            raise NotAllowed("Choose a day from today on, at most 30 days ahead.")
        before, order.expected_on = order.expected_on, on
        # Once that day is over, the next notice goes out at once.
        Order.objects.filter(pk=order.pk).update(expected_on=on, overdue_told_at=None)
        record("order.expected", order, by=by, reason=reason, changes={"expected_on": [before, on]})
        return order


def _refuse_unless_accepted(order: Order) -> None:
    if order.state != State.ACCEPTED:
        reads = order.get_state_display()
        raise NotAllowed(f"{order} reads “{reads}”, so this can't be done with it.")


def _known_by(by: User) -> dict[str, object]:
    return {
        "ready_at": timezone.now(),
        "known_by": KnownBy.PERSON,
        "known_by_name": by.get_username(),
    }


def _confirm_held_domains(order: Order, lines: Lines, *, by: User) -> dict[str, list[str]]:
    # A drafter said that these domains are at the vendor. A mailbox that is there proves it.
    held = Domain.objects.filter(
        pk__in={box.domain_id for box in lines.mailboxes},
        order=None,
        vendor=order.vendor,
        state=Asset.PLANNED,
    )
    names = sorted(held.values_list("name", flat=True))
    try:
        # A savepoint: the refusal of the database must not undo what the person said.
        with transaction.atomic():
            held.update(state=Asset.READY, **_known_by(by))
    except IntegrityError:
        return {}
    return {name: [Asset.PLANNED, Asset.READY] for name in names}
