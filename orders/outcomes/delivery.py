"""What becomes of an accepted order: the vendor is asked now and then, until everything is
delivered or refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from mailops.core.sealed import CannotOpen
from mailops.history import audited, record
from orders.models import Domain, Order, State
from orders.models.inventory import Asset
from vendors import vendor_reader
from vendors.apis.values import Progress
from vendors.http import ReadFailed

log = logging.getLogger("mailops.progress")
DONE = {Asset.READY, Asset.REFUSED, Asset.GONE}


def ask(order_id: int) -> str:
    """Ask the vendor about one accepted order and write down what it says."""
    order = Order.objects.select_related("vendor").get(pk=order_id)
    if order.state != State.ACCEPTED or not order.vendor.adapter.can_tell_progress:
        return "nothing to ask"
    try:
        told = order.vendor.adapter.progress(order, vendor_reader.reader(order.vendor))
    except (ReadFailed, CannotOpen) as error:
        log.info("%s: %s", order, error)
        return "no answer"
    return note(order_id, told)


def note(order_id: int, told: Progress) -> str:
    """Write the vendor's word onto the order's domains and mailboxes; ends the order once nothing
    is left to come.
    """
    with audited():
        order = (
            Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order_id)
        )
        if order.state != State.ACCEPTED:
            return "settled already"
        changes = _write(order, told)
        if told.reference and not order.reference:
            Order.objects.filter(pk=order.pk).update(reference=told.reference)
            changes["reference"] = ["", told.reference]
        if changes:
            record("order.progress", order, reason=told.note, changes=changes)
        states = order.asset_states()
        if states and states <= DONE:
            order.deliver(partly=bool(states - {Asset.READY}))
            return "delivered"
        return "told" if changes else "no news"


def _write(order: Order, told: Progress) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for assets, word, name in (
        (order.domains, told.domains, "name"),
        (order.mailboxes, told.mailboxes, "address"),
    ):
        for asset in assets.all():
            state = word.get(getattr(asset, name).lower())
            if state in (Asset.READY, Asset.REFUSED) and asset.state == Asset.ORDERED:
                ready = {"ready_at": timezone.now()} if state == Asset.READY else {}
                assets.filter(pk=asset.pk).update(state=state, **ready)
                changes[str(asset)] = [asset.state, state]
    return changes | _confirm_held_domains(order, told.mailboxes)


def _confirm_held_domains(order: Order, mailboxes: Mapping[str, str]) -> dict[str, Any]:
    """A domain that was only said to be held at the vendor is known to be, once a mailbox on it is
    ready.
    """
    ready = {
        address.partition("@")[2] for address, state in mailboxes.items() if state == Asset.READY
    }
    held = Domain.objects.filter(
        order=None, vendor=order.vendor, name__in=ready, state=Asset.PLANNED
    )
    known = {
        name: [Asset.PLANNED, Asset.READY] for name in sorted(held.values_list("name", flat=True))
    }
    try:
        with transaction.atomic():
            held.update(state=Asset.READY, ready_at=timezone.now())
    except IntegrityError:
        log.warning("%s: a domain of its mailboxes is live at another account", order)
        return {}
    return known


def mark_delivered(order_id: int, *, by: User, reason: str) -> Order:
    """A person saw at the vendor that everything is set up, where the vendor does not tell MailOps."""
    with audited():
        order = (
            Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order_id)
        )
        order.deliver_the_rest(by=by, reason=reason)
        return order
