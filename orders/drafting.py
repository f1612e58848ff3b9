"""Drafting: from pasted lines to domains and mailboxes, all or nothing, and back to the same lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction

from mailops.history import record
from orders.models import Client, Domain, Editor, Mailbox, NotAllowed, Order, State
from orders.models.inventory import LIVE, Asset
from orders.plan import plan
from vendors.apis.base import DomainLine, Product
from vendors.models import Contact, Vendor
from vendors.sealed import Sealed

MOST_LINES = 5000
COLUMNS = ("domain", "name", "address", "picture", "forward to", "years")
HEADINGS = {
    "domain": "domain", "domain name": "domain", "name": "name", "full name": "name", "first name": "first",
    "first": "first", "last name": "last", "last": "last", "address": "address", "email": "address",
    "e-mail": "address", "username": "address", "mailbox": "address", "picture": "picture",
    "profile picture": "picture", "forward to": "forward to", "redirect": "forward to", "years": "years",
}  # fmt: skip
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
USERNAME = re.compile(r"[a-z0-9]([a-z0-9._+-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pasted line as it was read; `number` counts from 1 in the paste box."""

    number: int
    domain: str
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    picture: str = ""
    forward_to: str = ""
    years: int = 1

    @property
    def address(self) -> str:
        return f"{self.username}@{self.domain}" if self.username else ""

    def line(self) -> str:
        """The row as a line for the paste box; empty cells at the end are left out."""
        name = f"{self.first_name} {self.last_name}".strip()
        years = str(self.years) if self.years != 1 else ""
        cells = [self.domain, name, self.username, self.picture, self.forward_to, years]
        while cells and not cells[-1]:
            cells.pop()
        return ", ".join(f'"{cell}"' if "," in cell else cell for cell in cells)


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that needs a change: where, what is wrong, and how to mend it."""

    number: int
    text: str
    message: str
    fix: str = ""


@dataclass
class Reading:
    """What a paste holds. Nothing is saved while `bad` has lines."""

    rows: list[Row] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)

    @property
    def results(self) -> list[tuple[int, str, Row | None, BadLine | None]]:
        """Every line in its order with its row or its problem, for the page."""
        rows = {row.number: row for row in self.rows}
        bad = {line.number: line for line in self.bad}
        return [(number, text, rows.get(number), bad.get(number)) for number, text in self.lines.items()]


class BadCell(Exception):
    """A cell that can't be read; `fix` says how to mend it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def read(text: str, product: Product) -> Reading:
    """Read pasted lines: domain, name, address, and where wanted picture, forward to, years.

    Cells are parted by tab, semicolon or comma. A first line of headings may name the columns in another order.
    """
    reading = Reading()
    lines = [(number, line.strip()) for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line]
    columns: tuple[str, ...] = COLUMNS
    if lines and (headings := _headings(lines[0][1])):
        columns, lines = headings, lines[1:]
    if len(lines) > MOST_LINES:
        number, line = lines[MOST_LINES]
        fix = f"Put the lines from here on into another order: one order takes {MOST_LINES:,} lines."
        reading.bad.append(BadLine(number=number, text=line[:80], message="Too many lines.", fix=fix))
        lines = lines[:MOST_LINES]
    seen: dict[str, int] = {}
    for number, line in lines:
        reading.lines[number] = line
        try:
            row = _row(number, _cells(line), columns, product)
            _once(row, seen)
            reading.rows.append(row)
        except BadCell as bad:
            reading.bad.append(BadLine(number=number, text=line, message=bad.message, fix=bad.fix))
    return reading


def _cells(line: str) -> list[str]:
    separator = next((mark for mark in "\t;," if mark in line), ",")
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except csv.Error:
        raise BadCell("This line can't be read.", "Write it as: domain, name, address.") from None
    return [" ".join(cell.replace("\u00a0", " ").split()) for cell in cells]


def _headings(line: str) -> tuple[str, ...] | None:
    try:
        cells = [cell.lower() for cell in _cells(line)]
    except BadCell:
        return None
    if not cells or HEADINGS.get(cells[0]) is None or not any(HEADINGS.get(cell) == "domain" for cell in cells):
        return None
    return tuple(HEADINGS.get(cell, "") for cell in cells)


def _row(number: int, cells: list[str], columns: tuple[str, ...], product: Product) -> Row:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        raise BadCell(f"There are {len(cells)} cells in this line.", f"Write it as: {', '.join(columns[:3])}.")
    cell = dict(zip(columns, cells, strict=False))
    domain = read_domain(cell.get("domain", ""))
    first, _, last = cell.get("name", "").partition(" ")
    username = _read_username(cell.get("address", ""), domain)
    if not username and not product.buys_domains:
        raise BadCell("There is no address.", f"Add one, for example: {domain}, Dana Reyes, dana.reyes")
    if not username and not product.names_per_domain and cell.get("name"):
        raise BadCell(
            "There is a name but no address.", f"Add the address, for example: {domain}, {cell['name']}, dana"
        )
    return Row(
        number=number,
        domain=domain,
        first_name=(cell.get("first") or first)[:60],
        last_name=(cell.get("last") or last)[:60],
        username=username,
        picture=_read_picture(cell.get("picture", "")),
        forward_to=read_domain(cell["forward to"]) if cell.get("forward to") else "",
        years=_read_years(cell.get("years", "")),
    )


def _once(row: Row, seen: dict[str, int]) -> None:
    """A mailbox stands once; a domain without an address stands once and not beside its own mailboxes."""
    key = row.address or row.domain
    if key in seen:
        raise BadCell(f"{key} is on line {seen[key]} already.", "Take one of the two lines out.")
    seen[key] = row.number


def read_domain(text: str) -> str:
    """A domain name in small letters, without scheme, slash or trailing dot. Raises with the fix where it is none."""
    name = re.sub(r"^[a-z]+://", "", text.strip().lower()).split("/")[0].rstrip(".")
    if not name:
        raise BadCell(
            "There is no domain.", "Begin the line with the domain, for example: acme-reach.com, Dana Reyes, dana"
        )
    if "@" in name:
        raise BadCell(
            f"“{name}” is an address, not a domain.", f"Begin the line with {name.rpartition('@')[2] or 'the domain'}."
        )
    if "." not in name:
        raise BadCell(f"“{name}” has no ending.", f"Did you mean {name}.com?")
    if not name.isascii():
        raise BadCell(f"“{name}” has letters that go beyond a to z.", "Use the form that begins with xn--.")
    labels = name.split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        guess = ".".join(re.sub(r"[^a-z0-9-]+", "-", label).strip("-") for label in labels)
        fix = (
            f"Did you mean {guess}?" if guess != name and all(guess.split(".")) else "Use letters, digits and hyphens."
        )
        raise BadCell(f"“{name}” can't be a domain.", fix)
    return name


def _read_username(text: str, domain: str) -> str:
    username, at, host = text.lower().partition("@")
    if at and host.rstrip(".") != domain:
        raise BadCell(f"The address is at {host or 'no domain'}, the line at {domain}.", f"Write {username}@{domain}?")
    username = username.strip()
    if not username and at:
        raise BadCell("There is nothing before the @.", f"Write for example dana@{domain}.")
    if not username:
        return ""
    if not username.isascii():
        raise BadCell(f"“{username}” has letters that go beyond a to z.", "Write it with plain letters.")
    if not USERNAME.fullmatch(username) or ".." in username:
        guess = re.sub(r"\.{2,}", ".", re.sub(r"[^a-z0-9._+-]+", ".", username)).strip("._+-")[:64]
        what = "A space is" if " " in username else "This is"
        raise BadCell(
            f"{what} not allowed before the @: “{username}”.", f"Use {guess}?" if guess else "Use plain letters."
        )
    return username


def _read_picture(text: str) -> str:
    if text and not re.fullmatch(r"https?://\S{3,490}", text):
        raise BadCell("The picture is no web address.", "Write its whole address, beginning with https://")
    return text


def _read_years(text: str) -> int:
    if not text:
        return 1
    if not text.isdigit() or not 1 <= int(text) <= 10:
        raise BadCell(f"“{text}” is no number of years.", "Write a whole number from 1 to 10.")
    return int(text)


def write(order: Order) -> str:
    """The order's contents as lines for the paste box; `read` gives the same rows back."""
    return "\n".join(row.line() for row in rows_of(order))


def rows_of(order: Order) -> list[Row]:
    """The order's contents as rows, in the drafter's order."""
    rows = []
    for line in order.contents:
        about: dict[str, Any] = {"domain": line.name, "forward_to": _own_forward(order, line), "years": line.years}
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
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    rows: Iterable[Row] = ()


FIELDS = ("client", "contact", "forward_to", "note", "options")


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
        changes = {"added": ["", [row.line() for row in draft.rows]]}
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
    order.domains.all().delete()
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
    sheet = plan(order).cost
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
    draft = Draft(
        vendor=order.vendor,
        product=order.product,
        client=order.client,
        contact=order.contact,
        forward_to=order.forward_to,
        note=order.note,
        options=order.options,
        rows=rows_of(order),
    )
    return create(draft, by=by, copy_of=order)


def send_for_confirmation(order_id: int, *, by: User, note: str = "") -> Order:
    """Hand a draft to the confirmers. Raises `NotAllowed` while something stops it."""
    with transaction.atomic():
        order = (
            Order.objects.select_for_update(of=("self",)).select_related("vendor", "client", "contact").get(pk=order_id)
        )
        if order.state != State.DRAFT:
            raise NotAllowed(f"{order} is no draft. It reads: {order.get_state_display()}.")
        current = plan(order)
        if current.stops:
            raise NotAllowed(f"{order} can't be sent for confirmation yet. {current.stops[0].message}")
        order.send_for_review(by=by, plan=current.as_dict(), note=note)
        return order
