"""Other names for one that is taken: offered by the vendor, put in its place on a draft."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.models import User
from django.db import transaction

from mailops.core.sealed import CannotOpen
from orders.availability import known_answers, lookup
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.models import NotAllowed, Order, State
from orders.validation.public_suffixes import registrable
from vendors import rate_limit, vendor_reader
from vendors.apis.values import Offered
from vendors.http import ReadFailed
from vendors.models import Vendor


def suggest(order: Order, name: str) -> list[Offered]:
    """The vendor's offers in place of a name, without names on the order. Raises `ReadFailed`."""
    try:
        read = vendor_reader.searcher(order.vendor, max_wait=rate_limit.A_PERSON)
        found = order.vendor.adapter.suggest(
            name, read, settings=order.settings, asked_with=known_answers.asked_with(order)
        )
    except CannotOpen as error:
        raise ReadFailed(str(error)) from None
    here = {line.name.lower() for line in order.contents}
    offers = {o.name: o for o in found if o.name not in here and registrable(o.name) == o.name}
    # Stored like any answer, so that a chosen name need not be looked up at once.
    known = [o for o in offers.values() if o.state != "unsaid"]
    with transaction.atomic():
        lookup.keep(
            known,
            vendor=Vendor.objects.locked(order.vendor_id),
            asked_with=known_answers.asked_with(order),
        )
    return list(offers.values())


def take(order: Order, *, old: str, new: str, by: User, version: int) -> Order:
    """Replace a name on a saved draft; people and addresses stay. Raises `NotAllowed`."""
    names = {line.name.lower() for line in order.contents}
    if order.state != State.DRAFT:
        raise NotAllowed(f"{order} can't be edited now. It reads: {order.get_state_display()}.")
    if old not in names:
        raise NotAllowed(f"{old} is not on this draft any more.")
    if new in names or registrable(new) != new:
        raise NotAllowed(
            f"{new} can't be put on this draft: it is there already, or it is no name that can be"
            " bought."
        )
    rows = [
        replace(row, domain=new) if row.domain.lower() == old else row
        for row in drafts.rows_of(order)
    ]
    draft = Draft(
        vendor=order.vendor,
        product=order.product,
        client=order.client,
        contact=order.contact,
        forward_to=order.forward_to,
        note=order.note,
        why_again=order.why_again,
        options=order.options,
        rows=rows,
    )
    return drafts.save(order.pk, draft, by=by, version=version)
