"""The value classes of the practice server, its faults and the four practice vendors."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from vendors.practice.ledger import CHARGED, Charge, Ledger
from vendors.practice.schema import Check, Flaw

JSON = frozenset({"application/json"})


class Manner(Enum):
    """The way in which an answer is sent."""

    WHOLE = auto()
    SLOW = auto()
    DRIP = auto()  # a byte at a time
    ENDLESS = auto()  # far more than any honest answer
    SHORT = auto()  # ends before the announced length
    SHORT_HEAD = auto()  # ends in the middle of its headers
    CUT = auto()  # the connection is reset instead
    CUT_HEAD = auto()  # the connection is reset in the middle of the headers
    SILENCE = auto()  # never, the connection stays open


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(
        status=status,
        body=json.dumps(value).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request to one vendor. `path` and `args` are without the vendor's segment, and decoded."""

    vendor: str
    account: str
    path: str
    target: str  # path and query as they arrived
    args: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    json: Mapping[str, Any]
    ledger: Ledger
    delivery_seconds: float
    is_followed: bool  # it arrived by following a redirect

    @cached_property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def whole_sha256(self) -> str:
        # The query belongs to it: some vendors take a part of the order there.
        return hashlib.sha256(self.target.encode() + b"\n" + self.body).hexdigest()

    @cached_property
    def _done(self) -> frozenset[tuple[str, int | None, str]]:
        acts = self.ledger.acts(vendor=self.vendor, account=self.account)
        return frozenset((act.act, act.charge, name) for act in acts for name in act.domains)

    def was_done(self, act: str, charge: Charge, domain: str) -> bool:
        """A person did this in the dashboard to the order's domain."""
        return (act, charge.id, domain) in self._done

    def charges(self, *, domain: str | None = None) -> list[Charge]:
        """The account's charges, oldest first."""
        return self.ledger.charges(vendor=self.vendor, account=self.account, domain=domain)[::-1]


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A valid order for the ledger: names in lower case, `details` without secrets.

    `amount` is what it costs at once by the prices that this practice vendor tells.
    """

    request: str
    domains: Sequence[str]
    mailboxes: Sequence[str]
    details: Mapping[str, Any]
    answer: Answer
    amount: Decimal
    currency: str = "USD"
    # Empty where the vendor documents no order number.
    reference: str = ""
    status: str = CHARGED


@dataclass(frozen=True, kw_only=True)
class Route:
    """One documented request.

    A route with `check` is a paid POST, one with `asks` a free POST; the body is a JSON object that
    must satisfy it. `required` maps query names to the vendor's text for a missing one.
    """

    method: str
    path: str
    handle: Callable[[Call], Answer | Purchase]
    required: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    check: Check | None = None
    asks: Check | None = None
    content_types: frozenset[str] = JSON

    def match(self, path: str) -> dict[str, str] | None:
        """The variable parts of the path, decoded. None where the path is another one."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        found = re.fullmatch(pattern, path)
        return (
            {name: unquote(value) for name, value in found.groupdict().items()} if found else None
        )


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A practice vendor: its requests and its documented errors.

    `without` takes domains out of a purchase, where the vendor documents partial acceptance.
    """

    name: str
    # From the headers, whose names are in lower case, and the query.
    key: Callable[[Mapping[str, str], Mapping[str, str]], str]
    error: Callable[[int, str], Answer]
    invalid: Callable[[Sequence[Flaw]], Answer]
    refuse_field: Callable[[Purchase, str], Answer]
    refuse_payment: Callable[[Purchase], Answer | None]
    routes: tuple[Route, ...]
    fail_charge: Callable[[], Answer] | None = None
    without: Callable[[Purchase, Sequence[str]], Purchase] | None = None
