"""The cost sheet as people read it: each line, the years, the wallet, one currency, and what is
missing or old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mailops.core.money import Totals, show
from orders.models import Order, State
from orders.spending.balance import estimate
from vendors.cost import MONTH, UNITS, YEAR, CostLine, CostSheet
from vendors.models import Rate, Vendor
from vendors.price_admin import changes_url

OPEN = (State.DRAFT, State.REVIEW)  # its prices can still be mended


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the sheet in words."""

    label: str
    remark: str
    count: str
    now: str
    then: str
    first_year: str
    later: str
    is_unsaid: bool
    is_missing: bool
    source: str
    as_of: datetime | None
    is_old: bool
    past_url: str = ""
    fix: str = ""
    fix_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Wallet:
    """What should be left of the balance that was noted, and what this order would leave of it."""

    before: str
    after: str
    at: datetime | None
    is_short: bool
    other: str  # what of the order is due in another currency than the wallet's


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What follows from the lines together."""

    again: str
    once: Totals
    years: list[tuple[str, str]]
    is_complete: bool  # every line's price is known
    unsaid: str
    wallet: Wallet | None
    about: str = ""
    rates: str = ""
    coupon: str = ""
    old: str = ""


def context(
    request: HttpRequest, order: Order | None, snapshot: Mapping[str, Any]
) -> dict[str, Any]:
    """What `_cost.html`, and the pages with a total beside it, show of a plan's snapshot."""
    if order is None:
        return {"cost": [], "totals": {}, "bill": None}
    sheet = CostSheet.from_dict(snapshot.get("cost", {}))
    totals = {name: getattr(sheet, name) for name in ("due_now", "per_month", "per_year")}
    rows = [_row(request, order, line, snapshot.get("sources", {})) for line in sheet.lines]
    return {"cost": rows, "totals": totals, "bill": _bill(order, sheet, rows)}


# A line


def _row(request: HttpRequest, order: Order, line: CostLine, sources: Mapping[str, Any]) -> Row:
    source, read_at = sources.get(line.item, ["", None])
    as_of = datetime.fromisoformat(read_at) if read_at else None
    may_see = request.user.has_perm("vendors.view_priceversion")
    may_type = line.is_missing and request.user.has_perm("vendors.add_price")
    query = {"vendor": order.vendor_id, "item": line.item}
    return Row(
        label=line.label,
        remark=line.remark,
        count=_count(line),
        now=_money(line, line.due_now),
        then=_then(line),
        first_year=f"{'at least ' if line.is_unsaid else ''}{_money(line, line.in_year(1))}",
        later=_money(line, line.in_year(line.years_paid + 1)),
        is_unsaid=line.is_unsaid,
        is_missing=line.is_missing,
        source=source,
        as_of=as_of,
        is_old=order.state in OPEN and is_old(as_of),
        past_url=changes_url(order.vendor_id, line.item) if may_see and not line.is_missing else "",
        fix=missing(order.vendor, line.item) if line.is_missing else "",
        fix_url=reverse("admin:vendors_price_add", query=query) if may_type else "",
    )


def is_old(as_of: datetime | None) -> bool:
    """Whether a price was read or typed so long ago that somebody should look again."""
    return as_of is not None and timezone.now() - as_of > timedelta(days=settings.PRICES_OLD_DAYS)


def missing(vendor: Vendor, item: str) -> str:
    """What to do about a price that is not on the account's list."""
    typed = f"add it to the price list of {vendor.name} under the item “{item}”"
    return (
        f"An Operator can read the vendor's prices, or {typed}."
        if _can_read(vendor)
        else f"An Operator can {typed}."
    )


def _can_read(vendor: Vendor) -> bool:
    return vendor.adapter.can_fetch_prices


def _money(line: CostLine, amount: Decimal | None) -> str:
    return "" if amount is None or line.price is None else show(amount, line.price.currency)


def _count(line: CostLine) -> str:
    parts = [f"{line.quantity:,}", f"{line.multiplier} years" if line.multiplier > 1 else ""]
    return " × ".join(
        part for part in [*parts, _money(line, line.price.amount if line.price else None)] if part
    )


def _then(line: CostLine) -> str:
    words = dict(UNITS)
    if line.is_unsaid:
        return "The vendor does not say when it is due again"
    if line.per_month is not None:
        return f"{_money(line, line.per_month)} {words[MONTH]}"
    if line.per_year is None:
        return ""
    return f"{_money(line, line.per_year)} {words[YEAR]}{_from(line.years_paid)}"


def _from(years_paid: int) -> str:
    return f", due again after {years_paid} years" if years_paid > 1 else ""


# All lines


def _bill(order: Order, sheet: CostSheet, rows: list[Row]) -> Bill:
    about, rates = _about(sheet)
    coupon = str(order.options.get("coupon") or "")
    return Bill(
        again=_again(sheet),
        once=sheet.once,
        years=[
            (_years(first, last), sheet.in_words(totals)) for first, last, totals in sheet.years
        ],
        is_complete=not sheet.missing,
        unsaid=_joined(f"{line.label} ({_money(line, line.due_now)})" for line in sheet.unsaid),
        wallet=_wallet(order, sheet.due_now) if order.state in (*OPEN, State.CONFIRMED) else None,
        about=about,
        rates=rates,
        coupon=coupon,
        old=_old(order, rows),
    )


def _again(sheet: CostSheet) -> str:
    """ "$8.00 a month, $14.50 a year": what comes after the first payment, each in its own rhythm."""
    lasts = {line.years_paid for line in sheet.lines if line.per_year is not None}
    yearly = f"{sheet.per_year} a year" if sheet.per_year else ""
    if yearly and max(lasts) > 1:
        yearly += (
            _from(max(lasts))
            if len(lasts) == 1
            else ", some of it only after the years that are paid for"
        )
    return ", ".join(
        part for part in [f"{sheet.per_month} a month" if sheet.per_month else "", yearly] if part
    )


def _years(first: int, last: int | None) -> str:
    if first == 1:
        return "First 12 months"
    if last is None:
        return f"Each year from year {first} on" if first > 2 else "Each year after"
    return f"Year {first}" if last == first else f"Years {first} to {last}, each"


def _joined(parts: Iterable[str]) -> str:
    *most, last = [*parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _about(sheet: CostSheet) -> tuple[str, str]:
    """The totals in the reporting currency and the typed rates behind them; or why there is none."""
    into, currencies = settings.REPORTING_CURRENCY, set(sheet.due_now)
    if not into or currencies <= {into}:
        return "", ""
    rates = Rate.objects.current()
    unknown = sorted(currencies - rates.keys() - {into})
    if unknown:
        return "", f"There is no total in {into}: no rate for {_joined(unknown)} is typed yet."
    now, year = (_in_one(totals, rates, into) for totals in (sheet.due_now, sheet.in_year(1)))
    said = _joined(rates[currency].says for currency in sorted(currencies - {into}))
    least = "at least " if sheet.unsaid else ""
    return (
        f"about {now} now, {least}{year} over the first 12 months",
        f"At the rate {said}. Only for reading.",
    )


def _in_one(totals: Totals, rates: Mapping[str, Rate], into: str) -> str:
    total = sum(
        (
            amount * (Decimal(1) if currency == into else rates[currency].rate)
            for currency, amount in totals.items()
        ),
        Decimal(0),
    )
    return show(total, into)


def _wallet(order: Order, due_now: Totals) -> Wallet | None:
    vendor = order.vendor
    left = estimate(vendor)
    if left is None:
        return None
    currency = vendor.balance_currency
    after = left - due_now.get(currency, Decimal(0))
    return Wallet(
        before=show(left, currency),
        after=show(after, currency),
        at=vendor.balance_at,
        is_short=after < 0,
        other=str(
            Totals({name: amount for name, amount in due_now.items() if name != currency}) or ""
        ),
    )


def _old(order: Order, rows: list[Row]) -> str:
    old = sum(row.is_old for row in rows)
    if not old:
        return ""
    says, them = (
        ("1 of these prices is", "it") if old == 1 else (f"{old} of these prices are", "them")
    )
    how = (
        "read the vendor's prices again"
        if _can_read(order.vendor)
        else f"look {them} up at the vendor and type {them} again"
    )
    return f"{says} more than {settings.PRICES_OLD_DAYS} days old. An Operator can {how}."
