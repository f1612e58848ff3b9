"""The values that adapters take and give: lines of an order, products, answers of a vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from django import forms


@dataclass(frozen=True, kw_only=True)
class MailboxLine:
    """One mailbox of an order. `row` is its 1-based number as the drafter sees it."""

    username: str
    domain: str
    first_name: str = ""
    last_name: str = ""
    picture: str = ""
    row: int | None = None

    @property
    def address(self) -> str:
        return f"{self.username}@{self.domain}"


@dataclass(frozen=True, kw_only=True)
class DomainLine:
    """One domain of an order with its mailboxes.

    Where the vendor makes the addresses from one name per domain, `first_name`, `last_name` and
    `picture` are filled and `mailboxes` is empty.
    """

    name: str
    years: int = 1
    forward_to: str = ""
    first_name: str = ""
    last_name: str = ""
    picture: str = ""
    mailboxes: tuple[MailboxLine, ...] = ()
    row: int | None = None


class ContactLike(Protocol):
    """The registrant's details that a request may carry (`vendors.models.Contact` has them)."""

    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def company(self) -> str: ...
    @property
    def address_line_one(self) -> str: ...
    @property
    def address_line_two(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def postal_code(self) -> str: ...
    @property
    def country(self) -> str: ...
    @property
    def phone_country_code(self) -> str: ...
    @property
    def phone(self) -> str: ...


class OrderLike(Protocol):
    """The attributes of an order that an adapter reads (`orders.models.Order` has them)."""

    @property
    def product(self) -> str: ...

    # The vendor account's `AccountForm` and the product's `OptionsForm`, as plain JSON values.
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def options(self) -> Mapping[str, Any]: ...

    # Names of the secret options that are filled. Their values never reach an adapter.
    @property
    def secret_names(self) -> frozenset[str]: ...
    @property
    def contact(self) -> ContactLike | None: ...
    @property
    def forward_to(self) -> str: ...
    @property
    def contents(self) -> tuple[DomainLine, ...]: ...

    # The vendor's order numbers known so far, newest first.
    @property
    def references(self) -> tuple[str, ...]: ...


class SentOrderLike(OrderLike, Protocol):
    """An order about which a vendor is asked after its paid request."""

    # When the request was sent. None where none was that may have placed it.
    @property
    def request_sent_at(self) -> datetime | None: ...

    # By domain in lower case: the vendor's count of mailboxes shortly before, where one was read.
    @property
    def counts_before(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, kw_only=True)
class Product:
    """Something that can be ordered: one paid request of a vendor."""

    label: str
    help: str
    OptionsForm: type[forms.Form]
    # The request registers or assigns new domains. Otherwise the mailboxes go on owned domains.
    buys_domains: bool
    # It registers the names, so they must be free. Otherwise somebody has registered them already.
    registers_names: bool = False
    # One name per domain is enough: the vendor makes the addresses.
    names_per_domain: bool = False
    needs_contact: bool = False
    forwards: bool = False
    # It forwards to the whole address of a page. Otherwise only to a domain.
    forwards_to_page: bool = False
    has_years: bool = False
    has_pictures: bool = False
    # Priced by the package of a set number of domains, not by domain and mailbox.
    in_packages: bool = False
    # By kind of mailbox: the exact number on a domain that the vendor documents.
    mailboxes_per_domain: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One thing a vendor's reads show about an order whose answer was lost.

    Never a verdict, never proof of absence. `points_to` is "placed" where the evidence speaks for a
    placed order, else empty. `is_trace`: it shows something of the order that may be new, in
    whatever state. `is_gap`: a part of the list could not be looked at.
    """

    text: str
    points_to: str = ""
    reference: str = ""
    is_trace: bool = False
    is_gap: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of an accepted order, by domain name and by full address, in lower case.

    Values: "ordered", "ready", "refused". Names without a state from the vendor are absent. So are,
    in the other members by domain name, the domains of which the vendor tells no such thing.
    """

    domains: Mapping[str, str] = field(default_factory=dict)
    mailboxes: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    note: str = ""
    # Mailboxes by the vendor's count, and the domains that are known by it alone
    counts: Mapping[str, int] = field(default_factory=dict)
    by_count: frozenset[str] = frozenset()
    # The vendor's numbers, each by its name
    ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # A sentence of a status that speaks against the domain; empty where the status is a good one
    against: Mapping[str, str] = field(default_factory=dict)
    # All mailboxes that the vendor lists for a domain that was ordered by one name
    made: Mapping[str, tuple[MailboxLine, ...]] = field(default_factory=dict)
    # A sentence of what only an order that was processed leaves there
    bought: Mapping[str, str] = field(default_factory=dict)


def joined(parts: Sequence[Progress]) -> Progress:
    """Answers about different domains of one order as one; without reference and note."""
    names = ("domains", "mailboxes", "counts", "ids", "against", "made", "bought")
    whole: dict[str, Any] = {
        name: {key: value for part in parts for key, value in getattr(part, name).items()}
        for name in names
    }
    return Progress(by_count=frozenset().union(*(part.by_count for part in parts)), **whole)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A vendor's answer about one domain name: is it free? Asking reserves nothing.

    `price` is the price of registering the name, in `currency`; None and empty without one.
    """

    name: str
    state: Literal["free", "taken", "unsaid"]
    price: Decimal | None = None
    currency: str = ""
    says: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnedDomain:
    """A domain in a vendor's list of what an account has; `mailboxes` is None without a count."""

    domain: str
    mailboxes: int | None = None
