"""The lines of an order that a person speaks of: all in a state, or those that were ticked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from orders.models import Domain, Mailbox, NotAllowed, Order
from orders.models.inventory import Asset


@dataclass(kw_only=True)
class Lines:
    """Domains and mailboxes of one order."""

    domains: list[Domain] = field(default_factory=list)
    mailboxes: list[Mailbox] = field(default_factory=list)

    def __iter__(self) -> Iterator[Domain | Mailbox]:
        yield from self.domains
        yield from self.mailboxes

    def __len__(self) -> int:
        return len(self.domains) + len(self.mailboxes)

    def changes(self, to: Asset) -> dict[str, Any]:
        """The lines' states before and after, as an event keeps them."""
        return {str(line): [line.state, to] for line in self}

    def move(self, to: Asset, **fields: Any) -> None:
        for kind, lines in ((Domain, self.domains), (Mailbox, self.mailboxes)):
            keys = [line.pk for line in lines]
            kind.objects.filter(pk__in=keys).update(state=to, **fields)


def lines_in(order: Order, state: Asset) -> Lines:
    boxes = order.mailboxes.filter(state=state).select_related("domain")
    return Lines(
        domains=list(order.domains.filter(state=state).order_by("row", "pk")),
        mailboxes=list(boxes.order_by("row", "pk")),
    )


def chosen(found: Lines, names: Collection[str] | None) -> Lines:
    """The lines with these names and addresses; all of them where `names` is None.

    Raises `NotAllowed` where none is left, or one of the names is not among them: somebody, or the
    vendor, was faster.
    """
    if names is None:
        picked = found
    else:
        wanted = {name.lower() for name in names}
        picked = Lines(
            domains=[line for line in found.domains if line.name in wanted],
            mailboxes=[line for line in found.mailboxes if line.address in wanted],
        )
        gone = wanted - {str(line) for line in picked}
        if gone:
            changed = ", ".join(sorted(gone)[:3])
            raise NotAllowed(f"{changed} changed since the page was shown. Look at it again.")
    if not picked:
        raise NotAllowed("Nothing of it is left to say this about. Look at it again.")
    return picked


def with_their_domains(picked: Lines, found: Lines) -> Lines:
    """A mailbox can't be there without its domain, so the domain comes with it."""
    wanted = {line.pk for line in picked.domains} | {box.domain_id for box in picked.mailboxes}
    domains = [line for line in found.domains if line.pk in wanted]
    return Lines(domains=domains, mailboxes=picked.mailboxes)


def with_their_mailboxes(picked: Lines, found: Lines) -> Lines:
    """A domain that does not come takes its mailboxes along."""
    domains = {line.pk for line in picked.domains}
    boxes = {box.pk for box in picked.mailboxes}
    taken = [box for box in found.mailboxes if box.pk in boxes or box.domain_id in domains]
    return Lines(domains=picked.domains, mailboxes=taken)


def counted(lines: Iterable[Domain | Mailbox]) -> str:
    """ "1 domain and 2 mailboxes"; empty for no lines."""
    kinds = [type(line) for line in lines]
    counts = [
        (kinds.count(kind), one, many)
        for kind, one, many in ((Domain, "domain", "domains"), (Mailbox, "mailbox", "mailboxes"))
    ]
    return " and ".join(
        f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count
    )
