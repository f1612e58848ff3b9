"""Verdicts over a vendor's answer to a paid request. *Unknown* is the default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that stops an order or deserves a look, said to a person.

    `field` names an option or column of the draft ("contact", "domain", "address"); `row` is the
    1-based number of the mailbox or domain line it belongs to; `vendor_says` is the vendor's own
    sentence, if any. `order_id` is the order to look at; `wants_reason` says that the drafter has
    to say why to go on.
    """

    message: str
    fix: str = ""
    field: str = ""
    row: int | None = None
    level: Literal["stop", "warn"] = "stop"
    vendor_says: str = ""
    order_id: int | None = None
    wants_reason: bool = False


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The vendor took the order. `reference` is its order number, empty where it gives none."""

    reference: str = ""
    refused_domains: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The vendor said no in its documented way; nothing was bought.

    `lacks_funds`: by its documented words the account can't pay, so it would refuse other orders
    of the account too.
    """

    problems: tuple[Problem, ...]
    lacks_funds: bool = False


@dataclass(frozen=True, kw_only=True)
class NotSent:
    """Proof that nothing was bought and the same request may be tried again later.

    `retry_after` is in seconds, where the vendor told how long to wait.
    """

    why: str
    retry_after: int | None = None


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The vendor may hold a charge; only a person can settle it."""

    why: str


Verdict = Accepted | Refused | NotSent | Unknown
