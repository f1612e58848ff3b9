"""The base class of the vendor adapters: an API's identity, its pure functions and its reads.

Every adapter writes `check`, `cost`, `order_request`, `success`, `refusal`, `look_for` and `test`;
`listed` where it `needs_listing_before`. The others only where the vendor documents them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from vendors.apis import answers
from vendors.apis.answers import Answer
from vendors.apis.values import (
    Evidence,
    Offered,
    OrderLike,
    OwnedDomain,
    Product,
    Progress,
    SentOrderLike,
)
from vendors.cost import CostSheet, FetchedPrice, PriceLike
from vendors.http import Read, Reply, Request
from vendors.verdicts import Accepted, Problem, Refused, Unknown, Verdict


class Api:
    """A vendor API. Subclasses override what the vendor documents; all else stays off."""

    name: ClassVar[str]  # the key stored on Vendor.api
    label: ClassVar[str]
    host: ClassVar[str]  # scheme and host of the live API, no trailing slash
    dashboard_url: ClassVar[str]
    docs_url: ClassVar[str]
    products: ClassVar[Mapping[str, Product]]
    secrets: ClassVar[Mapping[str, str]]  # account secret -> label, e.g. {"api_key": "API key"}
    secret_help: ClassVar[Mapping[str, str]] = {}  # account secret -> where a person finds it
    # OptionsForm fields that are sealed, never stored plain.
    secret_options: ClassVar[frozenset[str]] = frozenset()
    AccountForm: ClassVar[type[forms.Form]]

    # Pattern of a price item -> its meaning, for the person who types prices.
    price_items: ClassVar[Mapping[str, str]]
    # Where a person sees the money, as no vendor documents a balance endpoint.
    balance_note: ClassVar[str]

    # The vendor's limits: seconds between two requests and two searches with one key, names in one
    # question about availability, and orders of one account under way at a time.
    pace_seconds: ClassVar[float] = 0
    search_pace_seconds: ClassVar[float] = 0
    batch_size: ClassVar[int] = 1
    # Where `progress` asks about domains by name: how many in one question. 0: lists tell of all.
    progress_batch: ClassVar[int] = 0
    max_concurrent: ClassVar[int | None] = None

    # The order's option that a question about availability carries, if the answer depends on one.
    availability_option: ClassVar[str] = ""
    # The only evidence after a lost answer is a list without dates or numbers, so the list is read
    # before the paid request as well.
    needs_listing_before: ClassVar[bool] = False
    # Others have seen the forms of the reads about an order; no page of the vendor documents them.
    progress_is_unwritten: ClassVar[bool] = False
    # The name of a vendor's number of a domain -> its label, and the order's option that it fills.
    # Of two that exclude each other the first that is known is filled in, unless it is one
    # `that ends`: of no use once a status speaks against the domain.
    id_labels: ClassVar[Mapping[str, str]] = {}
    id_options: ClassVar[Mapping[str, str]] = {}
    ids_that_end: ClassVar[frozenset[str]] = frozenset()
    # For the diff of two plans. `words`: a name in the request's query or body -> the words that
    # people read; "query.provider" or "mailboxes.name" where a name alone has two meanings.
    # `row_words`: the name of a list -> the word for one row. `row_keys`: names that identify one.
    words: ClassVar[Mapping[str, str]]
    row_words: ClassVar[Mapping[str, str]]
    row_keys: ClassVar[tuple[str, ...]]
    # A name in the request whose value no person chooses -> value -> words.
    fixed_words: ClassVar[Mapping[str, Mapping[Any, str]]] = {}

    # The statuses with which the vendor's own refusals come.
    REFUSALS: ClassVar[frozenset[int]] = frozenset({400, 401, 403, 404, 422})
    # Words after which this vendor's refusals may have bought something, beside those of all.
    doubtful_words: ClassVar[re.Pattern[str] | None] = None

    # Set by `__init_subclass__`.
    can_fetch_prices: ClassVar[bool]
    can_tell_progress: ClassVar[bool]
    can_tell_availability: ClassVar[bool]
    can_suggest: ClassVar[bool]
    can_list_domains: ClassVar[bool]

    def __init_subclass__(cls) -> None:
        # Derived from the overridden methods, so that a flag can't contradict them.
        cls.can_fetch_prices = cls.prices is not Api.prices
        cls.can_tell_progress = cls.progress is not Api.progress
        cls.can_tell_availability = cls.availability is not Api.availability
        cls.can_suggest = cls.suggest is not Api.suggest
        cls.can_list_domains = cls.owned_domains is not Api.owned_domains

    @property
    def progress_source(self) -> str:
        form = ", in a form it does not document" if self.progress_is_unwritten else ""
        return f"{self.label} says{form}"

    # The paid request and its answer: pure functions.

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        """Everything the vendor would refuse, with the field, the row and the fix."""
        raise NotImplementedError

    def needs_domains_here(self, order: OrderLike) -> bool:
        """The vendor takes the order only for domains that this account holds already."""
        product = self.products.get(order.product)
        return product is not None and not product.registers_names

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        """The cost sheet from the account's price list, keyed by item."""
        raise NotImplementedError

    def order_request(self, order: OrderLike) -> Request:
        """Exactly what will be sent; the path has no host, secrets are `Secret` placeholders."""
        raise NotImplementedError

    def read_reply(self, order: OrderLike, reply: Reply) -> Verdict:
        """The verdict over a whole answer to the paid request.

        Whatever is not documented is *unknown*. The shared rules are in `vendors.apis.answers`.
        """
        return answers.read(self, order, reply)

    # The documented shapes, key sets included: a body with one key more has another shape.

    def success(self, order: OrderLike, answer: Answer) -> Accepted | Unknown | None:
        """The acceptance in the documented success of any 2xx; None for another shape."""
        raise NotImplementedError

    def refusal(self, order: OrderLike, answer: Answer) -> Refused | None:
        """The refusal in the documented error body; None for another shape."""
        raise NotImplementedError

    def is_throttled(self, answer: Answer) -> bool:
        """The body is the one that the vendor documents for "too many requests" (429)."""
        return False

    def wait_of(self, answer: Answer) -> Any:
        """The vendor's number in that body for how long to wait, or until when."""
        return None

    def creates_only(self, order: OrderLike) -> bool:
        """The vendor only creates this order: it buys nothing until a person processes it there."""
        return False

    # The reads. All raise `ReadFailed`.

    def listed(self, order: OrderLike, read: Read) -> list[str]:
        """The order's addresses or domains that are listed now, where it `needs_listing_before`."""
        raise NotImplementedError

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        """Evidence of an order sent at `since` whose answer was lost. A failed read is noted too.

        `before`: the names that `listed` gave just before sending. They speak for nothing.
        """
        raise NotImplementedError

    def progress(self, order: SentOrderLike, read: Read) -> Progress:
        """Where the order's domains and mailboxes stand, for an order that was sent."""
        raise NotImplementedError

    def owned_domains(self, settings: Mapping[str, Any], read: Read) -> list[OwnedDomain]:
        """Every domain that the account has at the vendor, names in lower case."""
        raise NotImplementedError

    def prices(self, settings: Mapping[str, Any], read: Read) -> list[FetchedPrice]:
        raise NotImplementedError

    def availability(
        self, names: Sequence[str], read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        """One answer for each of at most `batch_size` names.

        `asked_with` is the value of the option `availability_option`.
        """
        raise NotImplementedError

    def suggest(
        self, name: str, read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        """Names like this one that the vendor offers, none that it calls taken."""
        raise NotImplementedError

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        """Use the key on a harmless read; a sentence that says it works."""
        raise NotImplementedError
