"""What every vendor API offers: five pure functions and a few reads, behind one small base class."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Literal, Protocol

from django import forms

from vendors.cost import CostSheet, FetchedPrice, PriceLike
from vendors.http import Read, Reply, Request
from vendors.verdicts import Accepted, NotSent, Problem, Refused, Unknown, Verdict

LONGEST_WAIT = 24 * 3600


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

    `first_name`, `last_name` and `picture` are filled where the vendor makes the addresses from one
    name per domain; `mailboxes` is empty then.
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
    """The attributes of an order that an adapter reads (`orders.models.Order` has them).

    `settings` are the vendor account's settings (the adapter's `AccountForm`), `options` the
    order's (`OptionsForm` of its product), both as plain JSON values. `secret_names` are the names
    of the order's filled secret options. `references` are the vendor's order numbers known so far,
    newest first.
    """

    @property
    def product(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def secret_names(self) -> frozenset[str]: ...
    @property
    def contact(self) -> ContactLike | None: ...
    @property
    def forward_to(self) -> str: ...
    @property
    def contents(self) -> tuple[DomainLine, ...]: ...
    @property
    def references(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Product:
    """Something that can be ordered: one paid request of a vendor.

    `buys_domains`: the request registers or assigns new domains (else the mailboxes go on domains
    already held). `registers_names`: it registers them, so they must be free; else somebody has
    registered them already. `names_per_domain`: one name per domain is enough, the vendor makes the
    addresses. `in_packages`: priced by the package of a set number of domains, not by domain and
    mailbox. `mailboxes_per_domain`: by kind of mailbox, the exact number on a domain that the
    vendor documents.
    """

    label: str
    help: str
    OptionsForm: type[forms.Form]
    buys_domains: bool
    registers_names: bool = False
    names_per_domain: bool = False
    needs_contact: bool = False
    forwards: bool = False
    has_years: bool = False
    has_pictures: bool = False
    in_packages: bool = False
    mailboxes_per_domain: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One thing a vendor's reads show about an order whose answer was lost.

    Never a verdict, never proof of absence.
    """

    text: str
    points_to: str = (
        ""  # "placed" where it speaks for a placed order, "" where it says nothing either way
    )
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What the vendor says of an accepted order, by domain name and by full address, in lower case.

    Values: "ordered", "ready", "refused". What the vendor does not tell is absent.
    """

    domains: Mapping[str, str] = field(default_factory=dict)
    mailboxes: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What a vendor says of one domain name when it is asked whether it is free. Nothing is
    reserved by asking.

    `price` is what it told for registering the name, in `currency` (empty where it told none).
    """

    name: str
    state: Literal["free", "taken", "unsaid"]
    price: Decimal | None = None
    currency: str = ""
    says: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnedDomain:
    """A domain in a vendor's own list of what an account has: how many mailboxes it counts, where
    it tells.
    """

    domain: str
    mailboxes: int | None = None


class OptionsForm(forms.Form):
    """The options of one product. Cleaned values must be plain JSON: strings, whole numbers,
    booleans.

    `price_choices` names choice fields whose choices are the account's price items under a prefix:
    {"price_id": "package."} offers every item "package.X" as the value "X".
    """

    price_choices: ClassVar[Mapping[str, str]] = {}

    def offer(self, items: Mapping[str, str]) -> None:
        """Fill the choice fields named in `price_choices` from the price list (item -> label)."""
        for name, prefix in self.price_choices.items():
            chosen = [
                (key.removeprefix(prefix), label)
                for key, label in items.items()
                if key.startswith(prefix)
            ]
            choice = self.fields[name]
            assert isinstance(choice, forms.ChoiceField)
            choice.choices = [("", "Choose"), *chosen]


class Api:
    """A vendor API.

    Subclasses fill in the names below; a feature the vendor does not document stays off.
    """

    name: ClassVar[str]  # the key stored on Vendor.api
    label: ClassVar[str]
    host: ClassVar[str]  # scheme and host of the live API, no trailing slash
    dashboard_url: ClassVar[str]
    docs_url: ClassVar[str]
    products: ClassVar[Mapping[str, Product]]
    secrets: ClassVar[Mapping[str, str]]  # account secret -> label, e.g. {"api_key": "API key"}
    secret_help: ClassVar[Mapping[str, str]] = {}  # account secret -> where a person finds it
    price_items: ClassVar[
        Mapping[str, str]
    ]  # pattern of a price item -> what it is, for the person typing prices
    balance_note: ClassVar[
        str
    ]  # where a person sees the money, as no vendor's balance endpoint is documented
    can_fetch_prices: ClassVar[bool] = False
    can_tell_progress: ClassVar[bool] = False
    pace_seconds: ClassVar[float] = (
        0  # between two requests with one key, as the vendor's limit has it
    )
    can_tell_availability: ClassVar[bool] = False
    can_suggest: ClassVar[bool] = False
    batch_size: ClassVar[int] = 1  # names in one question about availability
    availability_option: ClassVar[str] = (
        ""  # the order's option that such a question carries, where the answer hangs on it
    )
    search_pace_seconds: ClassVar[float] = (
        0  # between two searches, where the vendor limits them beyond its pace
    )
    can_list_domains: ClassVar[bool] = False
    max_concurrent: ClassVar[int | None] = (
        None  # orders of one account under way at a time, where the vendor limits it
    )
    # The only evidence after a lost answer is a list without dates: it is read before the paid
    # request as well.
    needs_listing_before: ClassVar[bool] = False
    AccountForm: ClassVar[type[forms.Form]]
    secret_options: ClassVar[frozenset[str]] = (
        frozenset()
    )  # OptionsForm fields that are sealed, never stored plain
    REFUSALS: ClassVar[frozenset[int]] = frozenset({400, 401, 403, 404, 405, 413, 415, 422})

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        """Everything the vendor would refuse, with the field, the row and the fix."""
        raise NotImplementedError

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        """The cost sheet from the account's price list, keyed by item."""
        raise NotImplementedError

    def order_request(self, order: OrderLike) -> Request:
        """Exactly what will be sent; the path has no host, secrets are `Secret` placeholders."""
        raise NotImplementedError

    def read_reply(self, order: OrderLike, reply: Reply) -> Verdict:
        """The verdict over a whole answer to the paid request.

        Whatever is not documented is *unknown*.
        """
        if reply.status == 429:
            return NotSent(why="The vendor asks us to slow down.", retry_after=retry_after(reply))
        if reply.status in self.REFUSALS:
            refusal = self.refusal(order, reply)
            return refusal or Unknown(
                why=f"The vendor answered {reply.status} in a form it does not document."
            )
        if 200 <= reply.status < 300:
            acceptance = self.acceptance(order, reply)
            return acceptance or Unknown(
                why=f"The vendor answered {reply.status}, but the answer can't be read."
            )
        return Unknown(
            why=(
                f"The vendor answered {reply.status}, which does not say whether it placed the"
                " order."
            )
        )

    def refusal(self, order: OrderLike, reply: Reply) -> Refused | Unknown | None:
        """The refusal in a documented error body; None where the body has another shape."""
        raise NotImplementedError

    def acceptance(self, order: OrderLike, reply: Reply) -> Accepted | Unknown | None:
        """The acceptance in a documented success; None where it can't be read."""
        raise NotImplementedError

    def listed(self, order: OrderLike, read: Read) -> list[str]:
        """Which of the order's addresses or domains are listed now, where it
        `needs_listing_before`. Raises `ReadFailed`.
        """
        raise NotImplementedError

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        """What the vendor's read endpoints show of an order sent at `since` whose answer was lost.

        `before`: what `listed` named just before it was sent, which therefore speaks for nothing.
        """
        raise NotImplementedError

    def progress(self, order: OrderLike, read: Read) -> Progress:
        """State of the order's domains and mailboxes, where `can_tell_progress`."""
        raise NotImplementedError

    def owned_domains(self, settings: Mapping[str, Any], read: Read) -> list[OwnedDomain]:
        """Every domain that the account has at the vendor, names in lower case, where it
        `can_list_domains`.
        """
        raise NotImplementedError

    def prices(self, settings: Mapping[str, Any], read: Read) -> list[FetchedPrice]:
        """The vendor's price list, where `can_fetch_prices`."""
        raise NotImplementedError

    def availability(
        self, names: Sequence[str], read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        """What the vendor says of at most `batch_size` names, each once, where it
        `can_tell_availability`.

        `asked_with` is the value of the option `availability_option`. Raises `ReadFailed`.
        """
        raise NotImplementedError

    def suggest(
        self, name: str, read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        """Names like this one that the vendor offers, none that it calls taken, where it
        `can_suggest`.
        """
        raise NotImplementedError

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        """Use the key on a harmless read; a sentence that says it works.

        Raises `ReadFailed` otherwise.
        """
        raise NotImplementedError


def retry_after(reply: Reply) -> int | None:
    """Seconds to wait, at most a day, from a `Retry-After` header as number or date; None without a
    usable one.
    """
    value = {name.lower(): text for name, text in reply.headers.items()}.get(
        "retry-after", ""
    ).strip()
    try:
        if value.isdigit():
            return min(int(value), LONGEST_WAIT)
        wait = round((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
        return min(max(0, wait), LONGEST_WAIT)
    except (TypeError, ValueError, OverflowError):
        return None


def refused_key(vendor_says: str) -> Problem:
    """The problem of a key that the vendor turned down."""
    return Problem(
        message="The vendor did not accept the key. Nothing was bought.",
        fix=(
            "Ask an Operator to enter the account's API key again and test it. Then copy this order"
            " into a new draft."
        ),
        vendor_says=vendor_says,
    )


def refused_order(vendor_says: str, *, field: str = "", row: int | None = None) -> Problem:
    """The problem of an order that the vendor turned down for a reason only its own words give."""
    return Problem(
        message="The vendor refused this order. Nothing was bought.",
        fix="Copy it into a new draft and change what the vendor names.",
        field=field,
        row=row,
        vendor_says=vendor_says,
    )


def word(values: Mapping[str, Any], name: str) -> str:
    """An option or setting as it was typed, empty while it is not filled."""
    value = values.get(name)
    return "" if value is None else str(value)


def text(value: Any, *, limit: int = 500) -> str:
    """A vendor's word as one short line of text, empty for anything that is no string or number.

    What JSON can hold and a database can't (a null character, half a surrogate pair) is replaced.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    storable = str(value).replace("\0", " ").encode("utf-8", "replace").decode()
    return " ".join(storable.split())[:limit]
