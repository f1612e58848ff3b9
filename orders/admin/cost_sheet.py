"""The cost of an order in words: lines, years, the vendor's balance, missing and old prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mailops.core.money import Totals, show
from mailops.core.text import listed
from orders.models import Order, State
from orders.spending.balance import estimate
from vendors.cost import MONTH, TOTALS, UNITS, YEAR, CostLine, CostSheet, shown_now
from vendors.models import Rate, Vendor
from vendors.price_admin import changes_url

# states in which prices can still be corrected before the order is confirmed
OPEN = (State.DRAFT, State.REVIEW)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the sheet in words."""

    label: str
    remark: str
    count: str
    now: str
    when_processed: str
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
    """The noted balance at the vendor, less later orders: before and after this order."""

    before: str
    after: str
    # once the order is processed at the vendor; empty where nothing is due later
    processed: str
    at: datetime | None
    is_short: bool
    # amounts due in another currency than the balance's
    other: str


@dataclass(frozen=True, kw_only=True)
class Bill:
    """Totals and remarks on all lines together."""

    again: str
    once: Totals
    years: list[tuple[str, str]]
    # every line's price is known
    is_complete: bool
    unsaid: str
    wallet: Wallet | None
    about: str = ""
    rates: str = ""
    coupon: str = ""
    old: str = ""


def context(
    request: HttpRequest, order: Order | None, snapshot: Mapping[str, Any]
) -> dict[str, Any]:
    """The context of `_cost.html` and of pages that show totals, from a plan's snapshot."""
    if order is None:
        return {"cost": [], "totals": {}, "bill": None}
    sheet = CostSheet.from_dict(snapshot.get("cost", {}), snapshot.get("labels", {}))
    totals = {name: getattr(sheet, name) for name in TOTALS}
    totals["due_now"] = shown_now(sheet.due_now, sheet.due_later)
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
        label=line.full_label,
        remark=line.remark,
        count=_count(line),
        now=_money(line, Decimal(0) if line.is_later else line.due_now),
        when_processed=_money(line, line.due_later),
        then=_then(line),
        first_year=f"{'at least ' if line.is_unsaid else ''}{_money(line, line.in_year(1))}",
        later=_money(line, line.in_year(line.years_paid + 1)),
        is_unsaid=line.is_unsaid,
        is_missing=line.is_missing,
        source=source,
        as_of=as_of,
        is_old=order.state in OPEN and is_old(as_of),
        # A missing price has no past changes.
        past_url=changes_url(order.vendor_id, line.item) if may_see and not line.is_missing else "",
        fix=missing(order.vendor, line.item) if line.is_missing else "",
        fix_url=reverse("admin:vendors_price_add", query=query) if may_type else "",
    )


def is_old(as_of: datetime | None) -> bool:
    return as_of is not None and timezone.now() - as_of > timedelta(days=settings.PRICES_OLD_DAYS)


def missing(vendor: Vendor, item: str) -> str:
    """The remedy for a price that is not on the account's list, as a sentence."""
    typed = f"add it to the price list of {vendor.name} under the item “{item}”"
    read = "read the vendor's prices, or " if vendor.adapter.can_fetch_prices else ""
    return f"An Operator can {read}{typed}."


def _money(line: CostLine, amount: Decimal | None) -> str:
    return "" if amount is None or line.price is None else show(amount, line.price.currency)


def _count(line: CostLine) -> str:
    parts = [
        f"{line.quantity:,}",
        f"{line.multiplier} years" if line.multiplier > 1 else "",
        _money(line, line.price.amount if line.price else None),
    ]
    return " × ".join(part for part in parts if part)


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
    about, rates = _in_reporting_currency(sheet)
    coupon = str(order.options.get("coupon") or "")
    return Bill(
        again=_again(sheet),
        once=sheet.once,
        years=[
            (_years(first, last), sheet.in_words(totals)) for first, last, totals in sheet.years
        ],
        is_complete=not sheet.missing,
        unsaid=listed(
            f"{line.full_label} ({_money(line, line.first_payment)})" for line in sheet.unsaid
        ),
        # An order that is being sent may have been charged already: the balance would be wrong.
        wallet=_wallet(order, sheet) if order.state in (*OPEN, State.CONFIRMED) else None,
        about=about,
        rates=rates,
        coupon=coupon,
        old=_old(order, rows),
    )


def _again(sheet: CostSheet) -> str:
    """ "$8.00 a month, $14.50 a year": the payments after the first one."""
    lasts = {line.years_paid for line in sheet.lines if line.per_year is not None}
    yearly = f"{sheet.per_year} a year" if sheet.per_year else ""
    # Domains that are paid for several years are due later than the ones paid for one.
    if yearly and max(lasts) > 1:
        several = ", some of it only after the years that are paid for"
        yearly += _from(max(lasts)) if len(lasts) == 1 else several
    monthly = f"{sheet.per_month} a month" if sheet.per_month else ""
    return ", ".join(part for part in (monthly, yearly) if part)


def _years(first: int, last: int | None) -> str:
    if first == 1:
        return "First 12 months"
    if last is None:
        return f"Each year from year {first} on" if first > 2 else "Each year after"
    return f"Year {first}" if last == first else f"Years {first} to {last}, each"


def _in_reporting_currency(sheet: CostSheet) -> tuple[str, str]:
    """The totals in the reporting currency, and the rates used or the reason for no total.

    Both are empty if no reporting currency is set or every amount is in it.
    """
    into, currencies = settings.REPORTING_CURRENCY, set(sheet.due)
    if not into or currencies <= {into}:
        return "", ""
    rates = Rate.objects.current()
    # A total without one of the currencies would read as if it were complete.
    unknown = sorted(currencies - rates.keys() - {into})
    if unknown:
        return "", f"There is no total in {into}: no rate for {listed(unknown)} is typed yet."
    now, later, year = (
        _in_one(totals, rates, into)
        for totals in (sheet.due_now, sheet.due_later, sheet.in_year(1))
    )
    processed = f"{later} when it is processed, " if sheet.due_later else ""
    used = listed(rates[currency].says for currency in sorted(currencies - {into}))
    least = "at least " if sheet.unsaid else ""
    return (
        f"about {now} now, {processed}{least}{year} over the first 12 months",
        f"At the rate {used}. Only for reading.",
    )


def _in_one(totals: Totals, rates: Mapping[str, Rate], into: str) -> str:
    factors = {into: Decimal(1)} | {name: rate.rate for name, rate in rates.items() if name != into}
    amounts = (amount * factors[currency] for currency, amount in totals.items())
    return show(sum(amounts, Decimal(0)), into)


def _wallet(order: Order, sheet: CostSheet) -> Wallet | None:
    vendor = order.vendor
    left = estimate(vendor)
    if left is None:
        return None
    currency = vendor.balance_currency
    # Only amounts in the currency of the balance are taken from it.
    after = left - sheet.due_now.get(currency, Decimal(0))
    processed = after - sheet.due_later.get(currency, Decimal(0))
    other = Totals({name: amount for name, amount in sheet.due.items() if name != currency})
    return Wallet(
        before=show(left, currency),
        after=show(after, currency),
        processed=show(processed, currency) if processed != after else "",
        at=vendor.balance_at,
        is_short=after < 0,
        other=str(other or ""),
    )


def _old(order: Order, rows: list[Row]) -> str:
    old = sum(row.is_old for row in rows)
    if not old:
        return ""
    these, them = (
        ("1 of these prices is", "it") if old == 1 else (f"{old} of these prices are", "them")
    )
    remedy = (
        "read the vendor's prices again"
        if order.vendor.adapter.can_fetch_prices
        else f"look {them} up at the vendor and type {them} again"
    )
    return f"{these} more than {settings.PRICES_OLD_DAYS} days old. An Operator can {remedy}."
