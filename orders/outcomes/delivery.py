"""Delivery of accepted orders: asks the vendor until every item is delivered or refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from mailops.core.sealed import CannotOpen
from mailops.history import audited, record
from orders.models import Domain, Order, State, made_lists
from orders.models.inventory import Asset, KnownBy
from orders.models.queries import ASKED, LISTED
from orders.outcomes import domain_facts, open_lines, processing_signs
from orders.outcomes.conclusion import conclude
from vendors import vendor_reader
from vendors.apis.values import Progress
from vendors.http import Read, ReadFailed

log = logging.getLogger("mailops.progress")


def ask(order_id: int) -> str:
    """Ask the vendor about one order and store its answer. Returns a word for the log."""
    order = Order.objects.select_related("vendor").get(pk=order_id)
    try:
        return ask_with(order_id, vendor_reader.reader(order.vendor))
    except (ReadFailed, CannotOpen) as error:
        log.info("%s: %s", order, error)
        return "no answer"


def ask_with(order_id: int, read: Read, *, may_ask: Callable[[], bool] = lambda: True) -> str:
    """`ask` with that reader, as long as `may_ask` allows. Raises `ReadFailed`."""
    order = Order.objects.select_related("vendor").get(pk=order_id)
    found = Order.objects.filter(pk=order_id)
    if not order.vendor.adapter.can_tell_progress or not is_asked_about(order):
        found.update(wanted_at=None)
        return "nothing to ask"
    # Before the question: an order over which a worker dies must not stay the first for ever.
    found.update(asked_at=timezone.now(), wanted_at=None)
    try:
        progress = open_lines.progress(order, read, may_ask=may_ask)
    except ReadFailed:
        raise
    # An answer of an unknown form may fail anywhere in the adapter.
    except Exception:
        log.exception("The vendor's answer about %s could not be read", order)
        raise ReadFailed("The vendor answered in a form that can't be read.") from None
    found.update(answered_at=timezone.now())
    return note(order_id, progress)


def is_asked_about(order: Order) -> bool:
    # A list that the vendor makes is read on after the order's end, until it is whole.
    return order.state in ASKED or (
        order.state in LISTED and made_lists.unread().filter(order=order).exists()
    )


def note(order_id: int, progress: Progress) -> str:
    """Store the vendor's answer on the order's domains and mailboxes. Returns a word for the log.

    The order ends once nothing is left to come.
    """
    if Order.objects.filter(pk=order_id, state=State.CREATED).exists():
        return processing_signs.note(order_id, progress)
    with audited():
        order = (
            Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order_id)
        )
        if order.state != State.ACCEPTED and not is_asked_about(order):
            return "settled already"  # a person was faster while the vendor was asked
        changes = _write(order, progress) if order.state == State.ACCEPTED else {}
        changes |= domain_facts.write(order, progress)
        if progress.reference and not order.reference:
            Order.objects.filter(pk=order.pk).update(reference=progress.reference)
            changes["reference"] = ["", progress.reference]
        if changes:
            record("order.progress", order, reason=progress.note, changes=changes)
        if order.state == State.ACCEPTED and conclude(order):
            return "delivered"
        return "told" if changes else "no news"


def _write(order: Order, progress: Progress) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for assets, states, name in (
        (order.domains, progress.domains, "name"),
        (order.mailboxes, progress.mailboxes, "address"),
    ):
        for asset in assets.all():
            state = states.get(getattr(asset, name).lower())
            # An item that is ready or refused once stays so, whatever a later list says.
            if state in (Asset.READY, Asset.REFUSED) and asset.state == Asset.ORDERED:
                ready = {"ready_at": timezone.now()} if state == Asset.READY else {}
                known = _known_by(getattr(asset, name), progress)
                assets.filter(pk=asset.pk).update(state=state, **known, **ready)
                changes[str(asset)] = [asset.state, state]
    return changes | _confirm_held_domains(order, progress)


def _known_by(name: str, progress: Progress) -> dict[str, str]:
    is_counted = name.lower().rpartition("@")[2] in progress.by_count
    # No name of a person: MailOps read it.
    return {"known_by": KnownBy.COUNT if is_counted else KnownBy.NAME, "known_by_name": ""}


def _confirm_held_domains(order: Order, progress: Progress) -> dict[str, Any]:
    # A drafter said that these domains are at the vendor. A mailbox that is ready proves it.
    ready = {
        address.partition("@")[2]
        for address, state in progress.mailboxes.items()
        if state == Asset.READY
    }
    held = Domain.objects.filter(
        order=None, vendor=order.vendor, name__in=ready, state=Asset.PLANNED
    )
    known = {
        name: [Asset.PLANNED, Asset.READY] for name in sorted(held.values_list("name", flat=True))
    }
    try:
        # A savepoint: the refusal of the database must not undo what the vendor answered.
        with transaction.atomic():
            for name in known:
                about = _known_by(name, progress)
                held.filter(name=name).update(state=Asset.READY, ready_at=timezone.now(), **about)
    except IntegrityError:
        log.warning("%s: a domain of its mailboxes is live at another account", order)
        return {}
    return known
