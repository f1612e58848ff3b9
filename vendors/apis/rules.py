"""Rules that several vendors share: what is wrong with an order, and which line a refusal means."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vendors.apis.base import DomainLine, MailboxLine, OrderLike, refused_key, refused_order
from vendors.http import Reply
from vendors.verdicts import Problem, Refused

WEB_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


def stop(message: str, fix: str, *, field: str, row: int | None = None) -> Problem:
    return Problem(message=message, fix=fix, field=field, row=row)


def warn(message: str, fix: str, *, field: str, row: int | None = None) -> Problem:
    return Problem(message=message, fix=fix, field=field, row=row, level="warn")


def mailboxes(order: OrderLike) -> list[MailboxLine]:
    """All mailboxes in the order in which requests name them."""
    return [mailbox for line in order.contents for mailbox in line.mailboxes]


def row_of(line: DomainLine) -> int | None:
    """A domain that was already held has no row of its own: its first mailbox stands for it."""
    return line.row or (line.mailboxes[0].row if line.mailboxes else None)


def without_mailboxes(order: OrderLike) -> Iterator[Problem]:
    for line in order.contents:
        if not line.mailboxes:
            fix = "Add a mailbox to it, or take the domain out."
            yield stop(f"{line.name} has no mailbox.", fix, field="domain", row=line.row)


def without_names(order: OrderLike) -> Iterator[Problem]:
    for mailbox in mailboxes(order):
        for field, words in (("first_name", "first name"), ("last_name", "last name")):
            if not getattr(mailbox, field).strip():
                fix = "Fill it in: the vendor shows it as the sender."
                yield stop(f"{mailbox.address} has no {words}.", fix, field=field, row=mailbox.row)


def bad_pictures(order: OrderLike) -> Iterator[Problem]:
    fix = "Give an address that starts with https://, or leave the picture out."
    lines: list[DomainLine | MailboxLine] = [*order.contents, *mailboxes(order)]
    for line in lines:
        if line.picture and not WEB_ADDRESS.fullmatch(line.picture):
            yield stop(f"“{line.picture}” is not the address of a picture.", fix, field="picture", row=line.row)


def missing_setting(order: OrderLike, name: str, words: str) -> Iterator[Problem]:
    if not order.settings.get(name):
        fix = "An Operator can fill it in on the vendor account's page."
        yield stop(f"The vendor account has no {words}.", fix, field=name)


def refused_line(order: OrderLike, says: str) -> Problem:
    """The problem of a refused order, at the first line whose address or domain stands in the vendor's words."""
    addresses = [(box.address, "address", box.row) for box in mailboxes(order)]
    domains = [(line.name, "domain", row_of(line)) for line in order.contents]
    for name, field, row in addresses + domains:
        if re.search(rf"(?<![\w.@-]){re.escape(name)}(?![\w-]|\.\w)", says, re.IGNORECASE):
            return refused_order(says, field=field, row=row)
    return refused_order(says)


def refused(order: OrderLike, reply: Reply, says: str) -> Refused:
    """The refusal of the key or of the whole order, with the vendor's words."""
    return Refused(problems=(refused_key(says) if reply.status in (401, 403) else refused_line(order, says),))
