"""Every refusal that the vendors document for the five paid requests, and who finds it first.

A *rule* is a broken order that `check` stops while it is drafted, and that the practice vendor
refuses as documented. *Built in* is what a draft can't break, because MailOps writes that part
itself. The rest only the vendor knows: its answer is read here instead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.vendors.orders import PRICES, SOUND, TWO_DOMAINS, StubOrder, StubPrice, domain, mailbox
from vendors.verdicts import Refused

CMR_DOMAINS = ("coldmailreseller", "domains")
CMR_MAILBOXES = ("coldmailreseller", "mailboxes")
SCALEDMAIL = ("scaledmail", "package")
SMARTSENDERS = ("smartsenders", "domains")
WOODPECKER = ("woodpecker", "mailboxes")
PAGES = {
    CMR_DOMAINS: "coldmailreseller-create-order.txt",
    CMR_MAILBOXES: "coldmailreseller-create-mailbox-order.txt",
    SCALEDMAIL: "scaledmail-create-order.txt",
    SMARTSENDERS: "smartsenders-place-order.txt",
    WOODPECKER: "woodpecker-order-domain-mailboxes.txt",
}
# Where a refusal is documented when not on the request's own page.
OTHER_PAGE = "another page of the vendor"
OTHERS_SAY = "not the vendor's word: others have seen it"
BY_NATURE = "no page: it follows from what an address or a domain is"

PACKAGE = {"price_id": "price_practice_google_1", "quantity": 2}
GOOD: dict[tuple[str, str], StubOrder] = SOUND | {
    SCALEDMAIL: SOUND[SCALEDMAIL].but(options=PACKAGE)
}
PRICE_LIST = PRICES | {"package.price_practice_google_1": StubPrice(domains=1)}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One documented refusal. `quotes` stand word for word on the request's page."""

    key: tuple[str, str]
    says: str
    source: str = ""
    quotes: tuple[str, ...] = ()
    # Found while drafting: the good order with these changes has a problem at this place.
    broken: Mapping[str, Any] | None = None
    field: str = ""
    row: int | None = None
    level: str = "stop"
    # What no draft can hold: the request is changed on its way to the practice vendor.
    wire: Callable[[dict[str, Any]], object] | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    status: int = 400
    words: str = ""
    # Only the vendor knows: its answer, and what MailOps makes of it.
    order: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    reply: tuple[int, Any] | None = None
    verdict: type = Refused
    ours: str = ""
    hint: str = ""  # what MailOps can say of it all the same

    @property
    def kind(self) -> str:
        return (
            "rule"
            if self.broken is not None
            else "built in"
            if self.wire or self.headers
            else "only the vendor"
        )

    @property
    def name(self) -> str:
        return f"{'-'.join(self.key)}: {self.says}"


def box(**changes: Any) -> dict[str, Any]:
    """The good order with its first mailbox, on row 11, changed."""
    alpha, beta = TWO_DOMAINS
    return {
        "contents": (
            replace(alpha, mailboxes=(replace(alpha.mailboxes[0], **changes), alpha.mailboxes[1])),
            beta,
        )
    }


def lone_box(**changes: Any) -> dict[str, Any]:
    return {"contents": box(**changes)["contents"][:1]}


def line(**changes: Any) -> dict[str, Any]:
    """The good order with its second domain, on row 2, changed."""
    return {"contents": (TWO_DOMAINS[0], replace(TWO_DOMAINS[1], **changes))}


def options(**changes: Any) -> dict[str, Any]:
    return {"options": changes}


def by_nature(key: tuple[str, str]) -> list[Refusal]:
    """What every vendor refuses, because no such mailbox or domain can be."""
    one = lone_box if key == CMR_MAILBOXES else box
    status = 422 if key == WOODPECKER else 400
    twice = {"contents": (*TWO_DOMAINS, domain("beta.org", mailbox("eve@beta.org", row=14), row=3))}
    bad = domain("beta .org", mailbox("cy@beta .org", row=13), row=2)
    found = [
        Refusal(
            key=key, says="More than 64 characters before the @", source=BY_NATURE, broken=one(username="x" * 65),
            field="address", row=11, status=status,
        ),
        Refusal(
            key=key, says="A sign that can't stand before the @", source=BY_NATURE, broken=one(username="dana reyes"),
            field="address", row=11, status=status,
        ),
        Refusal(
            key=key, says="The same address twice", source=BY_NATURE, broken=one(username="bob"), field="address",
            row=12, status=status, words="duplicate",
        ),
        Refusal(
            key=key, says="A domain name that can't be one", source=BY_NATURE, field="domain", status=status,
            broken={"contents": (bad,) if key == CMR_MAILBOXES else (TWO_DOMAINS[0], bad)},
            row=2,
        ),
    ]  # fmt: skip
    if key not in (CMR_MAILBOXES, WOODPECKER):
        found.append(
            Refusal(
                key=key,
                says="The same domain twice",
                source=BY_NATURE,
                broken=twice,
                field="domain",
                row=3,
            )
        )
    return found


def answers(key: tuple[str, str], source: str, *found: tuple[str, int, Any, type]) -> list[Refusal]:
    """Refusals that only the vendor can make, by its words, status, body and verdict."""
    return [
        Refusal(key=key, says=says, source=source, reply=(status, body), verdict=verdict)
        for says, status, body, verdict in found
    ]
