"""Lines of the paste box that may still lack an address, and addresses that are taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.db.models import Q

from mailops.core.text import plural
from orders.drafting.address_patterns import Person
from orders.drafting.intake import BadCell, BadLine, Reading, Row, read
from orders.models import Mailbox, Order
from orders.models.inventory import LIVE
from orders.models.state import PURCHASE_PENDING
from vendors.apis.values import Product
from vendors.models import Vendor


def in_words(bad: BadCell | BadLine) -> str:
    return f"{bad.message} {bad.fix}".strip()


def as_person(row: Row) -> Person:
    return Person(first=row.first_name, last=row.last_name, picture=row.picture)


def lacks_address(row: Row) -> bool:
    return bool(str(as_person(row))) and not row.username


def count_gaps(text: str, reading: Reading, product: Product) -> int:
    """The number of lines that need a change only because they have no address."""
    rows = read_loosely(text, product)[0] if reading.bad else []
    return sum(lacks_address(row) for row in rows)


def read_loosely(text: str, product: Product) -> tuple[list[Row], list[BadLine]]:
    """Rows in their order, and lines that can't be read.

    A row may lack its address, and a domain may have rows of several people.
    """
    loose = replace(product, buys_domains=True, names_per_domain=True)
    reading = read(text, loose)
    rows, bad = {row.number: row for row in reading.rows}, []
    lines = text.splitlines()
    headings = _headings(lines, loose) if reading.bad else ""
    first_of: dict[str, Row] = {}
    for row in reading.rows:
        first_of.setdefault(row.domain, row)
    for line in reading.bad:
        # The reader takes a second person on a domain without addresses for a contradiction.
        # Read alone, the line has nothing to contradict.
        alone = (
            read(headings + lines[line.number - 1], loose).rows if line.number <= len(lines) else []
        )
        found = alone[0] if len(alone) == 1 else None
        if found and _only_lacks_address(found, first_of.get(found.domain)):
            rows[line.number] = replace(found, number=line.number)
        else:
            bad.append(line)
    return [rows[number] for number in sorted(rows)], bad


def _headings(lines: list[str], product: Product) -> str:
    # A line that gives neither a row nor an error is a line of headings.
    first = next((line for line in lines if line.strip()), "")
    alone = read(first, product)
    return "" if alone.rows or alone.bad else f"{first}\n"


def _only_lacks_address(row: Row, first: Row | None) -> bool:
    if not lacks_address(row):
        return False
    # A line that gives its domain other years or another address to forward to is really wrong.
    return first is None or (
        row.years in (1, first.years) and row.forward_to in ("", first.forward_to)
    )


def taken_at(domains: Iterable[str]) -> dict[str, str]:
    """Maps each address in use on these domains to its order, in words. One query.

    In use: owned, or on an order that waits or may have been bought.
    """
    boxes = Mailbox.objects.filter(
        Q(state__in=LIVE) | Q(order__state__in=PURCHASE_PENDING), domain__name__in=list(domains)
    )
    return {
        address: f"on {Order(pk=order)}"
        for address, order in boxes.order_by().values_list("address", "order_id")
    }


def vendor_notes(rows: Iterable[Row], product: Product, vendor: Vendor) -> list[str]:
    """Sentences about domains that the vendor would not take with these mailboxes."""
    notes, label = [], vendor.adapter.label
    count: dict[str, int] = {}
    for row in rows:
        count[row.domain] = count.get(row.domain, 0) + bool(row.username)
    bare = [domain for domain, mailboxes in count.items() if not mailboxes]
    if product.names_per_domain and 0 < len(bare) < len(count):
        notes.append(
            f"{plural(len(bare), 'domain has', 'domains have')} no address yet, {bare[0]} for one."
            f" {label} wants the addresses of every domain or of none."
        )
    exact = product.mailboxes_per_domain
    odd = [domain for domain, boxes in count.items() if boxes and boxes not in exact.values()]
    if exact and odd:
        more = f", and {len(odd) - 1} more differ" if len(odd) > 1 else ""
        notes.append(
            f"For custom orders {label} names an exact number of mailboxes on a domain:"
            f" {exact_numbers(product)}. {odd[0]} has {count[odd[0]]}{more}."
        )
    return notes


def exact_numbers(product: Product) -> str:
    """The vendor's numbers of mailboxes a domain, in words; empty if the vendor names none."""
    return ", ".join(
        f"{number} for {kind}" for kind, number in product.mailboxes_per_domain.items()
    )
