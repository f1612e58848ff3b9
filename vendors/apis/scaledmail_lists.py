"""ScaledMail's lists of domains and mailboxes, and the state of an order that they tell.

The vendor's pages give these paths and no form of their answers: the forms are what others have
seen. The status of an order is documented.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from vendors.apis import shared_rules
from vendors.apis.reads import ask, rows
from vendors.apis.replies import text, word
from vendors.apis.values import DomainLine, MailboxLine, OrderLike, Progress
from vendors.http import Read, ReadFailed, Secret

BASE = "/api/v1"
KEY = {"Authorization": Secret("api_key", prefix="Bearer ")}
STATES = {"active": "ready", "in progress": "ordered"}
CANCELLED = "Cancelled"  # "get-orders": one of the two statuses of an order
MOST_MAILBOXES = 100_000  # a larger count is no count
LONGEST_NAME, LONGEST_NUMBER = 60, 120


def domains_listed(settings: Mapping[str, Any], read: Read) -> list[dict[str, Any]]:
    """The domains of the account's organization."""
    return rows(ask(read, f"{BASE}/domains", query=_query(settings), headers=KEY), "domains")


def _query(settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (("organization_id", word(settings, "organization_id")),)


def progress(order: OrderLike, read: Read) -> Progress:
    names = {line.name.lower() for line in order.contents}
    listed = _each_once(domains_listed(order.settings, read), names)
    numbers = {name: text(row.get("payment_id"), limit=120) for name, row in listed.items()}
    against = _cancelled(order, names, numbers, read)
    # An order that was cancelled makes nothing ready and nothing gone.
    mine = {name: row for name, row in listed.items() if not against.get(name)}
    states = {name: STATES.get(text(row.get("status")).lower(), "") for name, row in mine.items()}
    domains = {name: state for name, state in states.items() if state}
    lists = _Lists(order, read)
    mailboxes: dict[str, str] = {}
    made: dict[str, tuple[MailboxLine, ...]] = {}
    for line in order.contents:
        name = line.name.lower()
        if domains.get(name) == "ready" and (boxes := lists.of(name, mine[name])) is not None:
            mailboxes |= _found(line, boxes)
            made |= {} if line.mailboxes else {name: boxes}
        elif domains.get(name) == "ordered":
            mailboxes |= {box.address.lower(): "ordered" for box in line.mailboxes}
    known = set(filter(None, numbers.values()))
    return Progress(
        domains=domains,
        mailboxes=mailboxes,
        reference=known.pop() if len(known) == 1 else "",
        note=lists.trouble,
        counts=dict(_counts(mine)),
        ids=dict(_ids(mine)),
        against=against,
        made=made,
    )


def _each_once(found: Iterable[dict[str, Any]], names: set[str]) -> dict[str, dict[str, Any]]:
    """The rows of these domains, by name. A name with several rows is left out."""
    several: set[str] = set()
    listed: dict[str, dict[str, Any]] = {}
    for row in found:
        name = text(row.get("domain")).lower()
        if name in names and name in listed:
            several.add(name)
        if name in names:
            listed[name] = row
    return {name: row for name, row in listed.items() if name not in several}


def _cancelled(
    order: OrderLike, names: set[str], numbers: Mapping[str, str], read: Read
) -> dict[str, str]:
    """A sentence for each domain of an order that reads cancelled; empty where it reads else.

    `numbers`: the vendor's order of each domain that it lists.
    """
    reference = order.references[0] if order.references else ""
    wanted = {name: numbers.get(name) or reference for name in names}
    if not any(wanted.values()):
        return {}
    query = _query(order.settings)
    listed = rows(ask(read, f"{BASE}/orders", query=query, headers=KEY), "payments")
    status = {
        text(row.get("id"), limit=LONGEST_NUMBER): text(row.get("status"), limit=40)
        for row in listed
    }
    return {
        name: f"Order {number} reads {CANCELLED}." if status[number] == CANCELLED else ""
        for name, number in wanted.items()
        if status.get(number)
    }


class _Lists:
    """The mailboxes of domains: from the row, else by a question of their own."""

    def __init__(self, order: OrderLike, read: Read) -> None:
        self.query, self.read = _query(order.settings), read
        self.trouble = ""

    def of(self, name: str, row: Mapping[str, Any]) -> tuple[MailboxLine, ...] | None:
        """The valid addresses of the domain; None where no list can be read."""
        listed, number = row.get("mailbox"), text(row.get("id"), limit=LONGEST_NUMBER)
        if isinstance(listed, list) and listed:
            # A list of nothing that can be read has another form than the one that others saw.
            return tuple(_addresses(name, listed)) or None
        # After one failure no further list is asked for in this round.
        if not number or self.trouble:
            return None
        path = f"{BASE}/mailboxes/{quote(number, safe='')}"
        try:
            # Never with `password=true`.
            found = rows(ask(self.read, path, query=self.query, headers=KEY), "mailboxes")
            return tuple(_addresses(name, found)) or (None if found else ())
        except ReadFailed as error:
            self.trouble = f"The mailboxes of {name} could not be read. {error}"
            return None


def _addresses(name: str, listed: Iterable[Any]) -> Iterator[MailboxLine]:
    seen: set[str] = set()
    for row in listed:
        if not isinstance(row, dict):
            continue
        # The address may be missing: then it is the alias and the domain.
        whole = row.get("email") or row.get("alias")
        if not isinstance(whole, str):
            continue
        whole = text(whole).lower()
        username, _, domain = whole.partition("@")
        is_valid = shared_rules.is_username(username) and domain in ("", name)
        if not is_valid or username in seen:
            continue
        seen.add(username)
        first, last = (
            text(row.get(key), limit=LONGEST_NAME) for key in ("first_name", "last_name")
        )
        yield MailboxLine(username=username, domain=name, first_name=first, last_name=last)


def _found(line: DomainLine, boxes: Iterable[MailboxLine]) -> dict[str, str]:
    there = {box.address for box in boxes}
    ordered = (box.address.lower() for box in line.mailboxes)
    return {address: "ready" if address in there else "ordered" for address in ordered}


def _counts(listed: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    for name, row in listed.items():
        count = row.get("total_mailboxes")
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= MOST_MAILBOXES:
            yield name, count


def _ids(listed: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, str]]]:
    for name, row in listed.items():
        if number := text(row.get("id"), limit=LONGEST_NUMBER):
            yield name, {"domain_id": number}
