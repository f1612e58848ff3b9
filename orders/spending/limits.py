"""Limits for a day and a month of accounts and clients, and how much of them is used.

An attempt counts from its claim on, unless it provably bought nothing. Days and months are those of
the installation's time zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.utils import timezone

from mailops.core.money import show
from orders.models import Attempt, Client, Order, State
from orders.models.attempt import OPEN
from vendors.models import Vendor
from vendors.models.spend_limits import DAY, MONTH
from vendors.verdicts import Problem

NOTHING = Decimal(0)
CENT = Decimal("0.01")
ON = {DAY: "tomorrow", MONTH: "next month"}


@dataclass(frozen=True, kw_only=True)
class Use:
    """The use of one limit in one day or month.

    `sent` was sent in it; `reserved` is confirmed and will be sent in it.
    """

    owner: Vendor | Client
    period: str
    limit: Decimal
    sent: Decimal
    reserved: Decimal = NOTHING
    ends_at: datetime

    @property
    def used(self) -> Decimal:
        return self.sent + self.reserved

    @property
    def words(self) -> str:
        """For example: the limit of $500.00 a day for Woodpecker."""
        return f"the limit of {self.money(self.limit)} a {self.period} for {self.owner.name}"

    def money(self, amount: Decimal) -> str:
        return show(amount, self.owner.limit_currency)

    def is_over(self, adds: Mapping[str, Decimal]) -> bool:
        # Amounts that add nothing fit, even where the limit is exceeded already.
        added = adds.get(self.owner.limit_currency, NOTHING)
        return bool(added) and self.used + added > self.limit


def period(name: str, at: datetime) -> tuple[datetime, datetime]:
    """The start of the day or month that holds the moment, and the start of the next one."""
    here = timezone.localtime(at, timezone.get_default_timezone())
    first = here.date() if name == DAY else here.date().replace(day=1)
    after = (
        first + timedelta(days=1) if name == DAY else (first + timedelta(days=31)).replace(day=1)
    )
    # Each end is computed by its own date: a day with a clock change has 23 or 25 hours.
    start, end = (datetime.combine(day, time.min, tzinfo=here.tzinfo) for day in (first, after))
    return start, end


def amount(currency: str, key: models.Expression | str) -> Cast:
    """The amount in one currency out of a JSON column with amounts by currency."""
    return Cast(
        KeyTextTransform(currency, key), models.DecimalField(max_digits=14, decimal_places=2)
    )


def total(rows: models.QuerySet[Any], amounts: Cast | models.F) -> Decimal:
    return _to_the_cent(rows.order_by().aggregate(total=models.Sum(amounts))["total"])


def _to_the_cent(value: Any) -> Decimal:
    # SQLite adds decimals as floating point numbers.
    return Decimal(value or 0).quantize(CENT)


def spending() -> models.QuerySet[Attempt]:
    """Attempts that spent money or may have. An order has at most one."""
    return Attempt.objects.filter(stage__in=OPEN)


def uses(
    *owners: Vendor | Client, at: datetime, without: Order | None = None, sent_only: bool = False
) -> list[Use]:
    """The use of each limit of the owners in the day and month of the moment.

    `sent_only` leaves out confirmed orders. No query where no limit is set.
    """
    limited = [owner for owner in owners if owner.period_limits]
    spans = {name: period(name, at) for name in (DAY, MONTH)}
    sent = {name: models.Q(counted_at__gte=start) for name, (start, _end) in spans.items()}
    waits = {name: _waits(start, end) for name, (start, end) in spans.items()}
    confirmed = Order.objects.filter(state=State.CONFIRMED)
    if without:
        confirmed = confirmed.exclude(pk=without.pk)
    found: dict[Any, Decimal] = defaultdict(Decimal)
    # One query for all owners of a kind that share a currency, however many they are.
    for kind, currency in sorted({(_kind(owner), owner.limit_currency) for owner in limited}):
        mine = [
            owner.pk
            for owner in limited
            if (_kind(owner), owner.limit_currency) == (kind, currency)
        ]
        rows = _sums(spending(), f"order__{kind}", mine, amount(currency, "due_now"), sent)
        found.update({("sent", kind, *key): value for key, value in rows.items()})
        if not sent_only:
            rows = _sums(
                confirmed, kind, mine, amount(currency, KeyTransform("due_now", "cost")), waits
            )
            found.update({("reserved", kind, *key): value for key, value in rows.items()})
    return [
        Use(
            owner=owner,
            period=name,
            limit=limit,
            sent=found["sent", _kind(owner), owner.pk, name],
            reserved=found["reserved", _kind(owner), owner.pk, name],
            ends_at=spans[name][1],
        )
        for owner in limited
        for name, limit in owner.period_limits.items()
    ]


def _kind(owner: Vendor | Client) -> str:
    return "vendor" if isinstance(owner, Vendor) else "client"


def _waits(start: datetime, end: datetime) -> models.Q:
    # An order without a planned time, or with one that has passed, counts for the current span.
    if start <= timezone.now():
        return models.Q(hold_until=None) | models.Q(hold_until__lt=end)
    return models.Q(hold_until__gte=start, hold_until__lt=end)


def _sums(
    rows: models.QuerySet[Any],
    of: str,
    owners: list[int],
    amounts: Cast,
    spans: Mapping[str, models.Q],
) -> dict[tuple[int, str], Decimal]:
    """Sums by owner and span. One query."""
    sums = {f"sum_{name}": models.Sum(amounts, filter=span) for name, span in spans.items()}
    wanted = rows.filter(reduce(or_, spans.values()), **{f"{of}__in": owners})
    return {
        (row[of], name): _to_the_cent(row[f"sum_{name}"])
        for row in wanted.order_by().values(of).annotate(**sums)
        for name in spans
    }


def rows(found: Iterable[Use], adds: Mapping[str, Decimal] | None = None) -> list[dict[str, Any]]:
    """Limits as pages show them, with the amounts that an order would add."""
    return [
        {
            "owner": use.owner.name,
            "period": {DAY: "today", MONTH: "this month"}[use.period],
            "limit": use.money(use.limit),
            "used": use.money(use.used),
            "reserved": use.money(use.reserved) if use.reserved else "",
            "after": use.money(use.used + (adds or {}).get(use.owner.limit_currency, NOTHING)),
            "is_over": use.is_over(adds or {}),
            "needs_room": bool((adds or {}).get(use.owner.limit_currency)),
        }
        for use in found
    ]


# While drafting, and confirming


def used_now(order: Order, *, at: datetime | None = None) -> list[Use]:
    """The use of the order's limits by all other orders."""
    moment = at or timezone.now()
    return uses(order.vendor, order.client, at=moment, without=order)


def warnings(order: Order, due_now: Mapping[str, Decimal]) -> list[Problem]:
    # Only warnings: confirmed for a later day, the order may fit.
    return [
        Problem(
            message=says,
            fix=f"Send it {ON[use.period]}, split it, or ask an Operator to raise the limit.",
            field="limits",
            level="warn",
        )
        for use in used_now(order)
        if (says := _over(use, due_now))
    ]


def why_not(order: Order, due_now: Mapping[str, Decimal], *, at: datetime) -> str:
    """Why an order to be sent at that moment goes over a limit. Empty where it fits."""
    for use in used_now(order, at=at):
        if says := _over(use, due_now):
            return (
                f"{says} Choose a later time under “Send it later”, or ask an Operator to raise the"
                " limit."
            )
    return ""


def _over(use: Use, due_now: Mapping[str, Decimal]) -> str:
    if not use.is_over(due_now):
        return ""
    adds = use.money(due_now.get(use.owner.limit_currency, NOTHING))
    return (
        f"With its {adds} it would go over {use.words}: {use.money(use.used)} is used or on its"
        " way."
    )


# At the claim


def used_up(order: Order, adds: Mapping[str, Decimal], now: datetime) -> Use | None:
    """A limit that has no room for the amounts now, or None.

    The caller has the account's row locked. Locks the client's row.
    """
    # A claim for the same account or client waits for these locks and then counts this order in.
    client = order.client
    if client.period_limits:
        client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    over = [use for use in uses(order.vendor, client, at=now, sent_only=True) if use.is_over(adds)]
    # First a limit that can never hold the order, then the one that takes the longest to reset.
    return max(
        over,
        key=lambda use: (use.limit < adds.get(use.owner.limit_currency, NOTHING), use.ends_at),
        default=None,
    )
