"""Drafting: from rows to domains and mailboxes, all or nothing, and back to the same lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction

from mailops.history import record
from orders.models import Client, Domain, Editor, Mailbox, NotAllowed, Order, State
from orders.models.inventory import LIVE, Asset
from orders.paste import Row, written
from orders.plan import plan
from vendors.apis.base import DomainLine
from vendors.models import Contact, Vendor
from vendors.sealed import Sealed


def write(order: Order) -> str:
    """The order's contents as lines for the paste box; `read` gives the same rows back."""
    return written(rows_of(order))


def rows_of(order: Order) -> list[Row]:
    """The order's contents as rows, in the drafter's order."""
    rows = []
    for line in order.contents:
        about: dict[str, Any] = {"domain": line.name}
        if order.what.buys_domains:  # what a domain held before was bought with is no part of this order
            about |= {"forward_to": _own_forward(order, line), "years": line.years}
        if not line.mailboxes:
            rows.append(Row(number=line.row or 0, first_name=line.first_name, last_name=line.last_name,
                            picture=line.picture, **about))  # fmt: skip
        for box in line.mailboxes:
            rows.append(Row(number=box.row or 0, first_name=box.first_name, last_name=box.last_name,
                            username=box.username, picture=box.picture, **about))  # fmt: skip
    return sorted(rows, key=lambda row: row.number)


def _own_forward(order: Order, line: DomainLine) -> str:
    return "" if line.forward_to == order.forward_to else line.forward_to


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Everything a drafter typed, read and valid."""

    vendor: Vendor
    product: str
    client: Client
    contact: Contact | None = None
    forward_to: str = ""
    note: str = ""
    why_again: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    rows: Iterable[Row] = ()


FIELDS = ("client", "contact", "forward_to", "note", "why_again", "options")


def create(draft: Draft, *, by: User, copy_of: Order | None = None, sealed: str = "") -> Order:
    """A new draft order with its contents, in one transaction."""
    with transaction.atomic():
        order = Order.objects.create(
            vendor=draft.vendor,
            product=draft.product,
            drafted_by=by,
            drafted_by_name=by.get_username(),
            copy_of=copy_of,
            sealed=str(Sealed(sealed).put(draft.secrets)),
            **{name: getattr(draft, name) for name in FIELDS},
        )
        changes: dict[str, Any] = {"added": ["", [row.line() for row in draft.rows]]}
        if draft.why_again:
            changes["why_again"] = ["", draft.why_again]
        reason = f"Copied from {copy_of}" if copy_of else ""
        record("order.drafted", order, by=by, reason=reason, changes=changes)
        _write_contents(order, draft.rows, by=by)
        return order


def save(order_id: int, draft: Draft, *, by: User, version: int) -> Order:
    """Save a draft over the version that the person opened. Raises `NotAllowed` where it is no longer that version."""
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order_id)
        if order.state != State.DRAFT:
            raise NotAllowed(f"{order} can't be edited now. It reads: {order.get_state_display()}.")
        if order.version != version:
            raise NotAllowed("This draft was saved in another tab or by somebody else after you opened it.")
        changes = _changes(order, draft)
        order.version += 1
        order.sealed = str(Sealed(order.sealed).put(draft.secrets))
        for name in FIELDS:
            setattr(order, name, getattr(draft, name))
        order.save(update_fields=[*FIELDS, "version", "sealed"])
        if changes:
            record("order.edited", order, by=by, changes=changes)
        _write_contents(order, draft.rows, by=by)
        return order


def _changes(order: Order, draft: Draft) -> dict[str, Any]:
    before, after = [row.line() for row in rows_of(order)], [row.line() for row in draft.rows]
    changes: dict[str, Any] = {
        "removed": [[line for line in before if line not in set(after)], None],
        "added": [None, [line for line in after if line not in set(before)]],
        "secrets": [None, sorted(name for name, value in draft.secrets.items() if value)],
    }
    changes = {name: pair for name, pair in changes.items() if any(pair)}
    for name in FIELDS:
        old, new = getattr(order, name), getattr(draft, name)
        if old != new:
            plain = name == "options"
            changes[name] = [old, new] if plain else [str(old or ""), str(new or "")]
    return changes


def _write_contents(order: Order, rows: Iterable[Row], *, by: User) -> None:
    """Replace the planned domains and mailboxes, note the editor, and refresh the cost shown in lists."""
    held = list(order.mailboxes.filter(domain__order=None).values_list("domain_id", flat=True).distinct())
    order.mailboxes.all().delete()
    try:
        order.domains.all().delete()
    except models.ProtectedError as error:
        others = sorted({str(box.order) for box in error.protected_objects if isinstance(box, Mailbox)})
        raise NotAllowed(
            f"{', '.join(others)} puts mailboxes on domains of {order}. Change that order first."
        ) from None
    Domain.objects.filter(pk__in=held, state=Asset.PLANNED, mailboxes=None).delete()
    rows = list(rows)
    domains = _planned_domains(order, rows) if order.what.buys_domains else _held_domains(order, rows)
    Mailbox.objects.bulk_create(
        Mailbox(
            order=order,
            domain=domains[row.domain],
            username=row.username,
            address=row.address,
            first_name=row.first_name,
            last_name=row.last_name,
            picture=row.picture,
            row=row.number,
        )
        for row in rows
        if row.username
    )
    Editor.objects.get_or_create(order=order, user=by)
    order = Order.objects.select_related("vendor", "client", "contact").get(pk=order.pk)
    sheet = order.vendor.adapter.cost(order, order.vendor.price_list())
    due = {name: getattr(sheet, name).as_dict() for name in ("due_now", "per_month", "per_year")}
    Order.objects.filter(pk=order.pk).update(cost=due)


def _planned_domains(order: Order, rows: list[Row]) -> dict[str, Domain]:
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row.domain, row)
    named = {row.domain for row in rows if not row.username}
    made = Domain.objects.bulk_create(
        Domain(
            name=row.domain,
            vendor=order.vendor,
            order=order,
            client=order.client,
            years=row.years,
            forward_to=row.forward_to,
            first_name=row.first_name if row.domain in named else "",
            last_name=row.last_name if row.domain in named else "",
            picture=row.picture if row.domain in named else "",
            row=row.number,
        )
        for row in first.values()
    )
    return {domain.name: domain for domain in made}


def _held_domains(order: Order, rows: list[Row]) -> dict[str, Domain]:
    """The domains that the mailboxes go on: from the inventory, or noted as held at the vendor."""
    names = {row.domain for row in rows}
    known = models.Q(state__in=LIVE) | models.Q(order=None, vendor=order.vendor, state=Asset.PLANNED)
    held = Domain.objects.filter(known, name__in=names)
    new = sorted(names - set(held.values_list("name", flat=True)))
    # another draft may note the same domain at the same moment
    Domain.objects.bulk_create(
        (Domain(name=name, vendor=order.vendor, client=order.client) for name in new), ignore_conflicts=True
    )
    return {domain.name: domain for domain in sorted(held.all(), key=lambda d: d.state in LIVE)}  # live ones win


def copy(order: Order, *, by: User) -> Order:
    """A new draft with the same contents and options; the passwords have to be entered again."""
    return create(_draft_of(order, rows_of(order)), by=by, copy_of=order)


def rest_of(order: Order, *, by: User) -> Order:
    """A new draft with what was not delivered: refused, left out, or gone. Raises `NotAllowed` where nothing is."""
    missing = _missing(order)
    rows = [row for row in rows_of(order) if (row.address or row.domain) in missing]
    if not rows:
        raise NotAllowed(f"Nothing of {order} is missing, so there is no rest to order.")
    again = f"This is the rest of {order}: it was not delivered there."
    return create(_draft_of(order, rows, why_again=again), by=by, copy_of=order)


def has_rest(order: Order) -> bool:
    """The order was taken by the vendor, and a part of it never came."""
    return order.state in (State.ACCEPTED, State.PARTLY, State.DELIVERED) and bool(_missing(order))


def _missing(order: Order) -> set[str]:
    """The addresses, and the domains without any, that are not there and not to come; two queries."""
    away = [Asset.REFUSED, Asset.GONE]
    boxes = order.mailboxes.filter(state__in=away).values_list("address", flat=True)
    domains = order.domains.filter(state__in=away, mailboxes=None).values_list("name", flat=True)
    return {*boxes, *domains}


def _draft_of(order: Order, rows: list[Row], **more: Any) -> Draft:
    return Draft(
        vendor=order.vendor,
        product=order.product,
        client=order.client,
        contact=order.contact,
        forward_to=order.forward_to,
        note=order.note,
        options=order.options,
        rows=rows,
        **more,
    )


def send_for_confirmation(order_id: int, *, by: User, note: str = "") -> Order:
    """Hand a draft to the confirmers. Raises `NotAllowed` while something stops it."""
    with transaction.atomic():
        order = (
            Order.objects.select_for_update(of=("self",)).select_related("vendor", "client", "contact").get(pk=order_id)
        )
        if order.state != State.DRAFT:
            raise NotAllowed(f"{order} is no draft. It reads: {order.get_state_display()}.")
        current = plan(order)
        if current.holds_back:
            first = current.holds_back[0]
            why = f" {first.fix}" if first.wants_reason else ""
            raise NotAllowed(f"{order} can't be sent for confirmation yet. {first.message}{why}")
        order.send_for_review(by=by, plan=current.as_dict(), note=note)
        return order
