"""Questions that change nothing at a vendor, and readers for the parts of the answers."""

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
FIRST = datetime(2015, 1, 1, tzinfo=UTC)  # an earlier time is none that a vendor means
CURRENCY = re.compile(r"[A-Z]{3}")
LARGEST = Decimal(10) ** 10
# States of a row that is there and yet holds nothing.
OVER = re.compile(
    r"fail|delet|cancel|reject|refus|declin|expired|terminat|refund|void|error|remov", re.IGNORECASE
)


def ask(
    read: Read,
    path: str,
    *,
    query: tuple[tuple[str, str], ...] = (),
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Any:
    """The object or list in the 200 answer to a GET, or with `body` to a POST that only asks.

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
    # The vendors put their sentence at one of these places.
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
    """Is a vendor's time after `since`? None where it can't be read. Times without zone are UTC."""
    try:
        # A date alone counts as its whole day: the order may have been made later that day.
        if isinstance(value, str) and len(value) == len("2026-01-31"):
            return date.fromisoformat(value) >= (since - SKEW).astimezone(UTC).date()
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) >= since - SKEW
    except (TypeError, ValueError, OverflowError):
        return None


def is_long_before(value: Any, since: datetime) -> bool:
    """A vendor's time is so long before `since` that neither clocks nor time zones explain it.

    False where it can't be read, and for times before there were such orders.
    """
    return is_since(value, FIRST) is True and is_since(value, since - timedelta(days=2)) is False


def shown_time(value: Any, *, otherwise: str) -> str:
    """A vendor's time for a person, with a note where it has no time zone."""
    shown = text(value)
    try:
        is_bare = "T" in shown and datetime.fromisoformat(shown).tzinfo is None
    except ValueError:
        is_bare = False
    return f"{shown} (no time zone, read as UTC)" if is_bare else shown or otherwise


def shown_day(value: Any) -> str:
    """The day of a vendor's time for a person."""
    try:
        return f"{datetime.fromisoformat(value):%-d %b %Y}"
    except (TypeError, ValueError):
        return "an unknown day"


def over(*states: Any) -> str:
    """The first state that says that nothing is left of a row, such as "Cancelled"; else empty."""
    shown = (text(state, limit=40) for state in states)
    return next((state for state in shown if OVER.search(state)), "")


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
    """A three-letter currency code in capitals, empty for anything else."""
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if CURRENCY.fullmatch(code) else ""


def listed_once(found: Iterable[FetchedPrice]) -> list[FetchedPrice]:
    """A price list with every item once; the first row of an item counts."""
    prices: dict[str, FetchedPrice] = {}
    for price in found:
        prices.setdefault(price.item, price)
    return list(prices.values())


def owned_domains(
    rows: Iterable[Mapping[str, Any]], *, name: str, count: str = ""
) -> list[OwnedDomain]:
    """The rows as domains, each once, in lower case. The counts of rows with one name are added."""
    counts: dict[str, int | None] = {}
    for row in rows:
        if domain := text(row.get(name), limit=253).lower():
            number, before = row.get(count), counts.get(domain, 0)
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                number = None
            # A sum with an unknown part would look like the whole number.
            counts[domain] = None if number is None or before is None else before + number
    return [OwnedDomain(domain=domain, mailboxes=mailboxes) for domain, mailboxes in counts.items()]


def one_answer_each(names: Sequence[str], found: Iterable[Offered]) -> list[Offered]:
    """One answer for each of `names`, in their order; answers about other names are dropped.

    A name without an answer, or with two different ones, is "unsaid".
    """
    answers: dict[str, Offered] = {}
    for offered in found:
        name = offered.name.lower()
        if answers.setdefault(name, offered).state != offered.state:
            says = "The vendor said two different things of it."
            answers[name] = Offered(name=name, state="unsaid", says=says)
    missing = "The vendor's answer left it out."
    return [
        answers.get(name.lower()) or Offered(name=name, state="unsaid", says=missing)
        for name in names
    ]


def could_not_ask(what: str, error: ReadFailed) -> Evidence:
    return Evidence(text=f"{what} could not be looked at. {error}", is_gap=True)


def weighed(found: list[Evidence]) -> list[Evidence]:
    """The evidence, with a warning where none of it speaks for a placed order."""
    if any(evidence.points_to == "placed" for evidence in found):
        return found
    caution = (
        "Nothing that the vendor shows speaks for a placed order. This is no proof that none was"
        " placed: it may still be in work. Look in the vendor's dashboard before you decide."
    )
    return [*found, Evidence(text=caution)]
