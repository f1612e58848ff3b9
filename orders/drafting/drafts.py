"""Drafts: from rows to domains and mailboxes, all or nothing, and back to the same lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import models

from mailops.core.sealed import Sealed
from mailops.core.text import chunks
from mailops.history import audited, record
from orders.drafting.intake import Row, written
from orders.models import Client, Domain, Editor, Mailbox, NotAllowed, Order, State, Upload
from orders.models.inventory import LIVE, Asset, CameBy
from orders.models.state import PURCHASED
from orders.plan import plan
from vendors.apis.values import DomainLine, MailboxLine
from vendors.models import Contact, Vendor


def write(order: Order) -> str:
    """The order's contents as lines for the paste box; `read` gives the same rows back."""
    return written(rows_of(order))


def rows_of(order: Order) -> list[Row]:
    rows = []
    for line in order.contents:
        about: dict[str, Any] = {"domain": line.name}
        # Years and forwarding of an owned domain belong to the order that bought it.
        if order.product_spec.buys_domains:
            about |= {"forward_to": _own_forward(order, line), "years": line.years}
        if not line.mailboxes:
            about |= {"first_name": line.first_name, "last_name": line.last_name}
            rows.append(Row(number=line.row or 0, picture=line.picture, **about))
        for box in line.mailboxes:
            about |= {"first_name": box.first_name, "last_name": box.last_name}
            about |= {"username": box.username, "picture": box.picture}
            rows.append(Row(number=box.row or 0, **about))
    return sorted(rows, key=lambda row: row.number)


def _own_forward(order: Order, line: DomainLine) -> str:
    return "" if line.forward_to == order.forward_to else line.forward_to


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Everything that a drafter typed, read and valid."""

    vendor: Vendor
    product: str
    client: Client
    contact: Contact | None = None
    forward_to: str = ""
    note: str = ""
    why_again: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    files: Sequence[Upload] = ()  # read on the way to these rows


# Values in one statement: SQLite takes 32,766 parameters, PostgreSQL 65,535.
MOST_VALUES = 5000
FIELDS = ("client", "contact", "forward_to", "note", "why_again", "options")


def proposed(draft: Draft, order: Order | None = None) -> Order:
    """The order that saving would make, in memory only, so that `plan` can price and check it."""
    sealed = Sealed(order.sealed if order else "").put(draft.secrets)
    about = {name: getattr(draft, name) for name in FIELDS}
    made = Order(
        pk=order.pk if order else None,
        vendor=draft.vendor,
        product=draft.product,
        sealed=str(sealed),
        **about,
    )
    domains = _domains(made, draft.rows) if made.product_spec.buys_domains else _named(draft.rows)
    boxes = _mailboxes(made, draft.rows, domains)
    made.contents = _lines(made, draft.rows, domains, boxes)
    return made


def create(draft: Draft, *, by: User, copy_of: Order | None = None, sealed: str = "") -> Order:
    with audited():
        order = Order.objects.create(
            vendor=draft.vendor,
            product=draft.product,
            drafted_by=by,
            drafted_by_name=by.get_username(),
            copy_of=copy_of,
            sealed=str(Sealed(sealed).put(draft.secrets)),
            **{name: getattr(draft, name) for name in FIELDS},
        )
        changed = {"added": ["", [row.line() for row in draft.rows]]} | _files(draft)
        if draft.why_again:
            changed["why_again"] = ["", draft.why_again]
        reason = f"Copied from {copy_of}" if copy_of else ""
        record("order.drafted", order, by=by, reason=reason, changes=changed)
        _write_contents(order, draft, by=by)
        return order


def save(order_id: int, draft: Draft, *, by: User, version: int) -> Order:
    """Save a draft over `version`, which the person opened. Raises `NotAllowed` if it is older."""
    with audited():
        order = (
            Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order_id)
        )
        if order.state != State.DRAFT:
            raise NotAllowed(f"{order} can't be edited now. It reads: {order.get_state_display()}.")
        # The row is locked, so a second tab that saves now reads the version of the first.
        if order.version != version:
            raise NotAllowed(
                "This draft was saved in another tab or by somebody else after you opened it."
            )
        changed = changes(order, draft) | _files(draft)
        order.version += 1
        order.sealed = str(Sealed(order.sealed).put(draft.secrets))
        for name in FIELDS:
            setattr(order, name, getattr(draft, name))
        order.save(update_fields=[*FIELDS, "version", "sealed"])
        if changed:
            record("order.edited", order, by=by, changes=changed)
        _clear_contents(order)
        _write_contents(order, draft, by=by)
        return order


def changes(order: Order, draft: Draft) -> dict[str, Any]:
    """[before, after] for each field that differs, and the lines that only one of them has."""
    before, after = [row.line() for row in rows_of(order)], [row.line() for row in draft.rows]
    # Sets, since an order may have thousands of lines.
    had, has = set(before), set(after)
    found: dict[str, Any] = {
        "removed": [[line for line in before if line not in has], None],
        "added": [None, [line for line in after if line not in had]],
        "secrets": [None, sorted(name for name, value in draft.secrets.items() if value)],
    }
    found = {name: pair for name, pair in found.items() if any(pair)}
    for name in FIELDS:
        old, new = getattr(order, name), getattr(draft, name)
        if old != new:
            plain = name == "options"
            found[name] = [old, new] if plain else [str(old or ""), str(new or "")]
    return found


def _files(draft: Draft) -> dict[str, Any]:
    return {"files": [None, [str(upload) for upload in draft.files]]} if draft.files else {}


def _clear_contents(order: Order) -> None:
    # Domains that were noted as held at the vendor go too, unless another draft plans with them.
    held = list(
        order.mailboxes.filter(domain__order=None).values_list("domain_id", flat=True).distinct()
    )
    order.mailboxes.all().delete()
    try:
        order.domains.all().delete()
    except models.ProtectedError as error:
        others = sorted(
            {str(box.order) for box in error.protected_objects if isinstance(box, Mailbox)}
        )
        raise NotAllowed(
            f"{', '.join(others)} puts mailboxes on domains of {order}. Change that order first."
        ) from None
    for some in chunks(held, MOST_VALUES):
        Domain.objects.filter(pk__in=some, state=Asset.PLANNED, mailboxes=None).delete()


def _write_contents(order: Order, draft: Draft, *, by: User) -> None:
    # The cost is kept on the order for lists of orders, which can't work out hundreds of costs.
    rows = draft.rows
    if order.product_spec.buys_domains:
        domains = _domains(order, rows)
        Domain.objects.bulk_create(domains.values())
    else:
        domains = _held_domains(order, rows)
    boxes = Mailbox.objects.bulk_create(_mailboxes(order, rows, domains))
    Editor.objects.get_or_create(order=order, user=by, defaults={"name": by.get_username()})
    Upload.objects.filter(pk__in=[upload.pk for upload in draft.files], order=None).update(
        order=order
    )
    order.contents = _lines(order, rows, domains, boxes)
    sheet = order.vendor.adapter.cost(order, order.vendor.price_list())
    order.cost = sheet.totals()
    order.save(update_fields=["cost"])


def _mailboxes(
    order: Order, rows: Sequence[Row], domains: Mapping[str, Domain]
) -> Iterator[Mailbox]:
    for row in rows:
        if row.username:
            yield Mailbox(
                order=order,
                domain=domains[row.domain],
                username=row.username,
                address=row.address,
                first_name=row.first_name,
                last_name=row.last_name,
                picture=row.picture,
                row=row.number,
            )


def _domains(order: Order, rows: Sequence[Row]) -> dict[str, Domain]:
    # The first line of a domain says what it is bought with; intake refused lines that disagree.
    made: dict[str, Domain] = {}
    for row in rows:
        if row.domain not in made:
            named = (
                {}
                if row.username
                else {name: getattr(row, name) for name in ("first_name", "last_name", "picture")}
            )
            made[row.domain] = Domain(
                name=row.domain,
                vendor=order.vendor,
                order=order,
                client=order.client,
                years=row.years,
                forward_to=row.forward_to,
                row=row.number,
                **named,
            )
    return made


def _lines(
    order: Order, rows: Sequence[Row], domains: Mapping[str, Domain], boxes: Iterable[Mailbox]
) -> tuple[DomainLine, ...]:
    """The same lines that `Order.contents` reads once these domains and mailboxes are saved."""
    # In the order of the rows: the domains of `_held_domains` come in another one.
    mailboxes: dict[str, list[MailboxLine]] = {row.domain: [] for row in rows}
    for box in boxes:
        mailboxes[box.domain.name].append(box.line)
    forward_to = order.forward_to if order.product_spec.forwards else ""
    return tuple(
        domains[name].line(lines, forward_to=forward_to, order_id=order.pk)
        for name, lines in mailboxes.items()
    )


def _named(rows: Sequence[Row]) -> dict[str, Domain]:
    return {name: Domain(name=name) for name in {row.domain for row in rows}}


def _held_domains(order: Order, rows: Sequence[Row]) -> dict[str, Domain]:
    """The domains that the mailboxes go on: from the inventory, else noted as held there."""
    names = sorted({row.domain for row in rows})
    known = _known(order, names)
    # Another draft may note the same domain at the same moment, so conflicts are ignored and the
    # rows are read again.
    Domain.objects.bulk_create(
        (
            Domain(name=name, vendor=order.vendor, client=order.client)
            for name in names
            if name not in known
        ),
        ignore_conflicts=True,
    )
    return known if len(known) == len(names) else _known(order, names)


def _known(order: Order, names: Collection[str]) -> dict[str, Domain]:
    at_hand = models.Q(state__in=LIVE) | models.Q(
        order=None, vendor=order.vendor, state=Asset.PLANNED
    )
    found = [
        domain
        for some in chunks(names, MOST_VALUES)
        for domain in Domain.objects.filter(at_hand, name__in=some)
    ]
    # Of two rows with one name the live one wins: it comes last.
    return {domain.name: domain for domain in sorted(found, key=lambda one: one.state in LIVE)}


def draft_of(order: Order, rows: Sequence[Row]) -> Draft:
    # Without the passwords: they are sealed, and have to be typed again.
    about = {name: getattr(order, name) for name in FIELDS}
    return Draft(vendor=order.vendor, product=order.product, rows=rows, **about)


def copy(order: Order, *, by: User) -> Order:
    return create(replace(draft_of(order, rows_of(order)), why_again=""), by=by, copy_of=order)


def rest_of(order: Order, *, by: User) -> Order:
    """A new draft with all that was refused, left out or is gone. Raises `NotAllowed` if none."""
    missing = _missing(order)
    rows = [row for row in rows_of(order) if (row.address or row.domain) in missing]
    if not rows:
        raise NotAllowed(f"Nothing of {order} is missing, so there is no rest to order.")
    again = f"This is the rest of {order}: it was not delivered there."
    return create(replace(draft_of(order, rows), why_again=again), by=by, copy_of=order)


def has_rest(order: Order) -> bool:
    return order.state in PURCHASED and bool(_missing(order))


def _missing(order: Order) -> set[str]:
    """Addresses, and domains without any, that did not come and will not; two queries."""
    away = [Asset.REFUSED, Asset.GONE]
    boxes = order.mailboxes.filter(state__in=away).values_list("address", flat=True)
    # Mailboxes that the vendor made are not on the order: their domain is the line.
    domains = order.domains.filter(state__in=away).exclude(mailboxes__came_by=CameBy.ORDER)
    return {*boxes, *domains.values_list("name", flat=True)}


def send_for_confirmation(order_id: int, *, by: User, note: str = "") -> Order:
    """Hand a draft to the confirmers. Raises `NotAllowed` while a problem blocks it."""
    with audited():
        order = (
            Order.objects.select_for_update(of=("self",))
            .select_related("vendor", "client", "contact")
            .get(pk=order_id)
        )
        if order.state != State.DRAFT:
            raise NotAllowed(f"{order} is no draft. It reads: {order.get_state_display()}.")
        current = plan(order)
        if current.blocks_review:
            first = current.blocks_review[0]
            why = f" {first.fix}" if first.wants_reason else ""
            raise NotAllowed(f"{order} can't be sent for confirmation yet. {first.message}{why}")
        order.send_for_review(by=by, plan=current.as_dict(), note=note)
        return order
