"""Stand-ins for what adapters read: an order, its contact, a price, and a vendor that answers
harmless questions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vendors.apis import REGISTRY
from vendors.apis.base import Api
from vendors.apis.values import DomainLine, MailboxLine
from vendors.http import ReadFailed, Reply, Request
from vendors.verdicts import Problem, Refused, Verdict

SENT_AT = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
EARLIER, LATER = "2026-03-01T09:00:00Z", "2026-03-04T10:00:30Z"


@dataclass(frozen=True, kw_only=True)
class StubContact:
    first_name: str = "Ada"
    last_name: str = "Example"
    email: str = "ada@example.com"
    company: str = ""
    address_line_one: str = "1 Main Street"
    address_line_two: str = ""
    city: str = "Springfield"
    state: str = "Illinois"
    postal_code: str = "62701"
    country: str = "US"
    phone_country_code: str = "+1"
    phone: str = "2175550100"


@dataclass(frozen=True, kw_only=True)
class StubPrice:
    amount: Decimal = Decimal("3.00")
    renewal_amount: Decimal | None = None
    currency: str = "USD"
    unit: str = "month"
    label: str = ""
    source: str = "typed"
    as_of: datetime = SENT_AT
    domains: int | None = None
    doubt: str = ""


@dataclass(frozen=True, kw_only=True)
class StubOrder:
    product: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    secret_names: frozenset[str] = frozenset()
    contact: StubContact | None = None
    forward_to: str = ""
    contents: tuple[DomainLine, ...] = ()
    references: tuple[str, ...] = ()
    request_sent_at: datetime | None = SENT_AT
    counts_before: Mapping[str, int] = field(default_factory=dict)

    def but(self, *, options: Mapping[str, Any] | None = None, **changes: Any) -> StubOrder:
        """The same order with some fields changed; options are merged."""
        return replace(self, options={**self.options, **(options or {})}, **changes)


def mailbox(
    address: str, *, row: int | None = None, picture: str = "", name: str = "Ada Example"
) -> MailboxLine:
    username, _, domain = address.rpartition("@")
    first_name, _, last_name = name.partition(" ")
    return MailboxLine(
        username=username,
        domain=domain,
        first_name=first_name,
        last_name=last_name,
        picture=picture,
        row=row,
    )


def domain(name: str, *mailboxes: MailboxLine, **fields: Any) -> DomainLine:
    return DomainLine(name=name, mailboxes=mailboxes, **fields)


# Rows are numbered unlike the requests count, so that a test sees the difference.
TWO_DOMAINS = (
    domain("alpha.com", mailbox("ada@alpha.com", row=11), mailbox("bob@alpha.com", row=12), row=1),
    domain("beta.org", mailbox("cy@beta.org", row=13), row=2),
)

# A whole order that breaks none of its vendor's rules, for each product.
SOUND: dict[tuple[str, str], StubOrder] = {
    ("coldmailreseller", "domains"): StubOrder(
        product="domains",
        settings={"user_id": "user-1"},
        options={
            "confirm": True,
            "auto_renew": True,
            "service_provider": "GOOGLE",
            "google_client_id": "123.apps",
        },
        contents=TWO_DOMAINS,
    ),
    ("coldmailreseller", "mailboxes"): StubOrder(
        product="mailboxes",
        settings={"user_id": "user-1"},
        options={"confirm": True, "subscription_id": "sub-1", "google_client_id": "123.apps"},
        contents=TWO_DOMAINS[:1],
    ),
    ("scaledmail", "package"): StubOrder(
        product="package",
        settings={"organization_id": "recOrg"},
        options={"price_id": "price_1", "provider": "scaledmail"},
        contents=TWO_DOMAINS,
    ),
    ("woodpecker", "mailboxes"): StubOrder(
        product="mailboxes", options={"provider": "GOOGLE"}, contents=TWO_DOMAINS
    ),
    ("smartsenders", "domains"): StubOrder(
        product="domains",
        settings={"body_form": "strings"},
        options={"vendor_id": 9},
        contact=StubContact(),
        forward_to="example.com",
        contents=TWO_DOMAINS,
    ),
}
PRICES = {
    "domain.com": StubPrice(amount=Decimal("12.50"), unit="year"),
    "domain.org": StubPrice(amount=Decimal("11.00"), unit="year"),
    "mailbox": StubPrice(),
    "package.price_1": StubPrice(amount=Decimal("28.00"), domains=2),
    "mailbox.GOOGLE": StubPrice(amount=Decimal("6.00"), currency="EUR"),
    "domain.9": StubPrice(amount=Decimal("13.00"), unit="unstated"),
    "mailbox.9": StubPrice(amount=Decimal("4.50"), unit="unstated"),
}
PRODUCTS = sorted(SOUND)


def case(key: tuple[str, str]) -> tuple[Api, StubOrder]:
    return REGISTRY[key[0]], SOUND[key]


def reply(status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """A whole answer; anything but bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers=headers or {}, body=raw, seconds=0.1)


def read(api: str, status: int, body: Any, **changes: Any) -> Verdict:
    """The verdict over an answer to a vendor's only product."""
    [product] = REGISTRY[api].products
    return REGISTRY[api].read_reply(SOUND[api, product].but(**changes), reply(status, body))


def problem_in(verdict: Verdict) -> Problem:
    """The one problem of a refusal, which says what it means for the money and what to do."""
    assert isinstance(verdict, Refused), verdict
    [problem] = verdict.problems
    assert "Nothing was" in problem.message
    assert problem.fix
    return problem


class Answers:
    """A vendor's reads: what each path answers, and the questions that were asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        answer = self.answers.get(request.path)
        if isinstance(answer, ReadFailed):
            raise answer
        if isinstance(answer, Reply):
            return answer
        return reply(404, {"message": "Not found"}) if answer is None else reply(200, answer)
