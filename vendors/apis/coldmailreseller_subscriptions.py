"""ColdMailReseller's subscriptions, and the state of an order that they tell.

Vendor pages: docs.coldmailreseller.com/get-all-subscriptions-13454648e0 and
/get-domain-renewal-pricing-31980200e0. The statuses of a subscription are what others have seen.

The list tells no addresses. A subscription that began after the order was sent exists and is
billed. Nothing says whether its mailboxes can send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vendors.apis.reads import SKEW, ask, is_since, rows, shown_day
from vendors.apis.replies import text, word
from vendors.apis.values import DomainLine, OrderLike, Progress, SentOrderLike, joined
from vendors.http import Read, ReadFailed, Secret

BASE = "/api/v1/integration"
KEY = {"cmr-x-api-key": Secret("api_key")}
SUBSCRIPTION, DOMAIN = "subscriptionId", "domainId"  # the vendor's numbers
RUNNING = frozenset({"ACTIVE", "RENEWING"})
AGAINST = frozenset({"CANCELLED", "EXPIRED"})
NAMES_A_QUESTION = 20
MOST_MAILBOXES = 100_000  # a larger count is no count
LONGEST_ID = 100  # as the options that take these numbers


def subscriptions(read: Read, *query: tuple[str, str]) -> list[dict[str, Any]]:
    return rows(read_subscriptions(read, *query), "data", "subscriptions")


def read_subscriptions(read: Read, *query: tuple[str, str]) -> Any:
    return _without_error(ask(read, f"{BASE}/subscriptions", query=query, headers=KEY))


def _without_error(answer: Any) -> Any:
    # An error may come with HTTP status 200 and its own status inside.
    if isinstance(answer, dict) and answer.get("status", 200) != 200:
        raise ReadFailed(f"The vendor said: {text(answer.get('message'))}")
    return answer


def progress(order: SentOrderLike, read: Read) -> Progress:
    """The state of an order that was sent. Nothing is known of one that was not."""
    if order.request_sent_at is None:
        return Progress()
    parts = [
        _by_subscription(order, line, read, since=order.request_sent_at)
        for line in order.contents
        if line.mailboxes
    ]
    bare = [line.name.lower() for line in order.contents if not line.mailboxes]
    for start in range(0, len(bare), NAMES_A_QUESTION):
        parts.append(_by_renewal(order, bare[start : start + NAMES_A_QUESTION], read))
    return joined(parts)


def _by_subscription(
    order: SentOrderLike, line: DomainLine, read: Read, *, since: datetime
) -> Progress:
    """The state of a domain and its mailboxes by the count of its subscription."""
    name = line.name.lower()
    listed = subscriptions(read, ("domain", line.name))
    found = [row for row in listed if _fits(order, name, row, since)]
    running = [(count, row) for row in found if (count := _count(row)) is not None]
    over = [row for row in found if _status(row) in AGAINST]
    joins = bool(_joined(order))
    if not running:
        return _by_ended(name, over[-1], joins=joins) if over else Progress()
    count, row = max(running, key=lambda pair: pair[0])
    number = _number(row)
    ids = {name: {SUBSCRIPTION: number}} if number else {}
    seen = Progress(counts={name: count}, ids=ids, against={name: ""})
    if joins and name not in order.counts_before:
        # The subscription was there before. Without its count of then nobody can tell if it grew.
        return seen
    before = order.counts_before[name] if joins else 0
    is_whole = count >= before + len(line.mailboxes)
    state = "ready" if is_whole else "ordered"
    shown = _began(name, row)
    if joins:
        shown = f"The subscription of {name} has {count} mailboxes. It had {before} before."
    return replace(
        seen,
        domains={name: state} if order.product == "domains" else {},
        mailboxes={box.address.lower(): state for box in line.mailboxes},
        by_count=frozenset({name}),
        bought={name: shown} if is_whole or not joins else {},
    )


def _by_ended(name: str, row: Mapping[str, Any], *, joins: bool) -> Progress:
    """The answer about a subscription whose status speaks against the domain."""
    number = _number(row) or "without a number"
    says = f"Subscription {number} reads {_status(row)}, in a form that is not documented."
    # One that began after the order was sent was paid for, whatever it reads now.
    shown = f"{_began(name, row)} It reads {_status(row)}."
    return Progress(against={name: says}, bought={} if joins else {name: shown})


def _began(name: str, row: Mapping[str, Any]) -> str:
    return f"{name} has a subscription since {shown_day(row.get('periodStart'))}."


def _by_renewal(order: OrderLike, names: Sequence[str], read: Read) -> Progress:
    """The state of domains without mailboxes: there once their renewal has a price and a day."""
    # A POST that only asks.
    answer = ask(
        read,
        f"{BASE}/domains/renewal-price",
        headers=KEY | {"Content-Type": "application/json"},
        body={"userId": word(order.settings, "user_id"), "domains": list(names)},
    )
    now, ids, shown = datetime.now(UTC), {}, {}
    for row in rows(_without_error(answer), "data"):
        name, ends = text(row.get("domainName"), limit=253).lower(), row.get("expireOn")
        if name in names and is_since(ends, now + SKEW):
            shown[name] = f"{name} is there until {shown_day(ends)}."
            if number := text(row.get(DOMAIN), limit=LONGEST_ID):
                ids[name] = {DOMAIN: number}
    return Progress(domains=dict.fromkeys(shown, "ready"), ids=ids, bought=shown)


def _fits(order: OrderLike, name: str, row: Mapping[str, Any], since: datetime) -> bool:
    """The row is of this domain and user, and of this order: joined by it, or begun since then."""
    if text(row.get("domain")).lower() != name:
        return False
    if row.get("userId") not in (None, "", word(order.settings, "user_id")):
        return False
    if joined_to := _joined(order):
        return _number(row) == joined_to
    return is_since(row.get("periodStart"), since) is True


def _joined(order: OrderLike) -> str:
    """The subscription that the order adds mailboxes to; empty where it begins one."""
    return word(order.options, "subscription_id") if order.product == "mailboxes" else ""


def _status(row: Mapping[str, Any]) -> str:
    return text(row.get("subscriptionStatus"), limit=40).upper()


def _number(row: Mapping[str, Any]) -> str:
    return text(row.get(SUBSCRIPTION), limit=LONGEST_ID)


def _count(row: Mapping[str, Any]) -> int | None:
    """The mailboxes of a running subscription; None for any other, or without a count."""
    count = row.get("totalMailboxQuantity")
    if _status(row) not in RUNNING or isinstance(count, bool) or not isinstance(count, int):
        return None
    return count if 0 <= count <= MOST_MAILBOXES else None
