"""Harmless questions to a vendor, and how much their answers may be believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from vendors.apis.replies import text
from vendors.apis.values import Evidence, Offered, OwnedDomain
from vendors.cost import FetchedPrice
from vendors.http import Read, ReadFailed, Reply, Request

SKEW = timedelta(minutes=5)  # how far a vendor's clock may be off ours
CURRENCY = re.compile(r"[A-Z]{3}")
LARGEST = Decimal(10) ** 10


def ask(
    read: Read,
    path: str,
    *,
    query: tuple[tuple[str, str], ...] = (),
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Any:
    """The object or list that a GET, or a POST that only asks, answers with 200.

    Raises `ReadFailed`.
    """
    method = "GET" if body is None else "POST"
    reply = read(Request(method=method, path=path, query=query, headers=headers or {}, body=body))
    if reply.status in (401, 403):
        raise ReadFailed(
            "The vendor did not accept this key. Copy it again from the vendor's own settings."
        )
    if reply.status != 200:
        says = _says(reply)
        words = f" It says: “{says}”" if says else ""
        raise ReadFailed(f"The vendor answered {reply.status} to a harmless question.{words}")
    answer = reply.json()
    if not isinstance(answer, dict | list):
        raise ReadFailed("The vendor answered in a form that can't be read.")
    return answer


def _says(reply: Reply) -> str:
    """The vendor's own sentence in an error, where one of its usual places holds one."""
    body = reply.json()
    if not isinstance(body, dict):
        return ""
    inner = body.get("error")
    places = [
        inner.get("message") if isinstance(inner, dict) else inner,
        body.get("message"),
        body.get("details"),
    ]
    return next(
        (text(says, limit=200) for says in places if isinstance(says, str) and says.strip()), ""
    )


def rows(answer: Any, *keys: str) -> list[dict[str, Any]]:
    """The objects of the list under `keys`; entries that are no objects are left out.

    Raises `ReadFailed`.
    """
    for key in keys:
        answer = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(answer, list):
        raise ReadFailed("The vendor answered in a form that can't be read.")
    return [row for row in answer if isinstance(row, dict)]


def is_since(value: Any, since: datetime) -> bool | None:
    """Whether a vendor's time lies after `since`; None where it can't be read.

    A date alone counts as its whole day.
    """
    try:
        if isinstance(value, str) and len(value) == len("2026-01-31"):
            return date.fromisoformat(value) >= (since - SKEW).astimezone(UTC).date()
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) >= since - SKEW
    except (TypeError, ValueError, OverflowError):
        return None


def amount(value: Any) -> Decimal | None:
    """A price as a vendor writes it, as text or number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return found if found.is_finite() and 0 <= found < LARGEST else None


def currency(value: Any) -> str:
    """A three-letter currency code, empty for anything else."""
    return value if isinstance(value, str) and CURRENCY.fullmatch(value) else ""


def listed_once(found: Iterable[FetchedPrice]) -> list[FetchedPrice]:
    """A price list with every item once: the first of those that a vendor lists twice."""
    prices: dict[str, FetchedPrice] = {}
    for price in found:
        prices.setdefault(price.item, price)
    return list(prices.values())


def owned_domains(
    rows: Iterable[Mapping[str, Any]], *, name: str, count: str = ""
) -> list[OwnedDomain]:
    """A list of domains with each once: the mailboxes of rows with one name are added up, if all of
    them tell.
    """
    counts: dict[str, int | None] = {}
    for row in rows:
        if domain := text(row.get(name), limit=253).lower():
            told, before = row.get(count), counts.get(domain, 0)
            is_number = isinstance(told, int) and not isinstance(told, bool) and told >= 0
            counts[domain] = (
                before + told if is_number and before is not None and told is not None else None
            )
    return [OwnedDomain(domain=domain, mailboxes=mailboxes) for domain, mailboxes in counts.items()]


def told_of(names: Sequence[str], found: Iterable[Offered]) -> list[Offered]:
    """Each name that was asked about once, in that order; what the vendor left out or contradicts
    is unsaid.

    Names that nobody asked about are dropped.
    """
    told: dict[str, Offered] = {}
    for offered in found:
        name = offered.name.lower()
        before = told.setdefault(name, offered)
        if before.state != offered.state:
            told[name] = Offered(
                name=name, state="unsaid", says="The vendor said two different things of it."
            )
    missing = "The vendor's answer left it out."
    return [
        told.get(name.lower()) or Offered(name=name, state="unsaid", says=missing) for name in names
    ]


def could_not_ask(what: str, error: ReadFailed) -> Evidence:
    return Evidence(text=f"{what} could not be looked at. {error}")


def weighed(found: list[Evidence]) -> list[Evidence]:
    """The evidence, with a warning where none of it speaks for a placed order."""
    if any(evidence.points_to == "placed" for evidence in found):
        return found
    caution = (
        "Nothing that the vendor shows speaks for a placed order. This is no proof that none was"
        " placed: it may still be in work. Look in the vendor's dashboard before you decide."
    )
    return [*found, Evidence(text=caution)]
