"""Prices that moved between confirming and sending, and the tolerance for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from mailops.core.money import Totals, show
from mailops.history import audited, record
from orders.models import Attempt
from orders.models.attempt import Stage
from orders.plan import Plan, digest_of
from orders.review.plan_diff import differences
from orders.spending import limits, spending_holds
from vendors.cost import MONTH, TOTALS, YEAR
from vendors.models import Vendor

COUNTED = timedelta(days=30)  # rises of this time add up
MOVING = {"unit_price", "renewal", *TOTALS}  # fields of a line; all others have to be the same


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Prices that moved, all else being equal."""

    rises: Totals  # by currency, the most that any total rose by
    says: list[str]  # a sentence for each moved price


def between(confirmed: Mapping[str, Any], current: Mapping[str, Any]) -> Drift | None:
    """The moved prices of two snapshots. None where anything else differs."""
    parts = (confirmed.keys() | current.keys()) - {"cost", "may_rise"}
    if any(confirmed.get(part) != current.get(part) for part in parts):
        return None
    old, new = confirmed["cost"]["lines"], current["cost"]["lines"]
    if len(old) != len(new) or not all(
        _is_same(was, now) for was, now in zip(old, new, strict=True)
    ):
        return None
    says = [text for was, now in zip(old, new, strict=True) for text in _sentences(was, now)]
    return Drift(rises=_rises(confirmed["cost"], current["cost"]), says=says)


def _is_same(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    # Only yearly and monthly renewals are in a total. Another renewal must not move unseen.
    if {name: was[name] for name in was if name not in MOVING} != {
        name: now[name] for name in now if name not in MOVING
    }:
        return False
    if was["unit_price"] is None or now["unit_price"] is None:
        return False
    return now["unit"] in (MONTH, YEAR) or was["renewal"] == now["renewal"]


def _rises(was: Mapping[str, Any], now: Mapping[str, Any]) -> Totals:
    rises = Totals()
    for name in TOTALS:
        before = Totals.from_dict(was.get(name, {}))
        for currency, amount in Totals.from_dict(now.get(name, {})).items():
            rises[currency] = max(
                rises.get(currency, Decimal(0)), amount - before.get(currency, Decimal(0))
            )
    return rises


def _sentences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """ "Mailboxes rose from $9.00 to $11.00: $20.00 more than was confirmed for 10." """
    count, currency = now["quantity"] * now["multiplier"], now["currency"]
    found = []
    for key, what in (("unit_price", now["label"]), ("renewal", f"The renewal of {now['label']}")):
        if was[key] == now[key]:
            continue
        if was[key] is None or now[key] is None:
            found.append(
                f"{what} changed from {was[key] or 'the first price'} to"
                f" {now[key] or 'the first price'}."
            )
            continue
        before, after = Decimal(was[key]), Decimal(now[key])
        times = count if key == "unit_price" else now["quantity"]
        verb, more = ("rose", "more") if after > before else ("fell", "less")
        difference = show(abs(after - before) * times, currency)
        moved = f"{what} {verb} from {show(before, currency)} to {show(after, currency)}"
        found.append(f"{moved}: {difference} {more} than was confirmed for {times}.")
    return found


def objection_to(attempt: Attempt, current: Plan) -> str:
    """Accept today's prices if nothing else differs and the account's tolerance covers them.

    Returns why not, in words. Empty where they are accepted: then the difference is stored on the
    attempt and in the history.
    """
    order = attempt.order
    after = current.as_dict()
    confirmed = {
        name: part
        for name, part in (order.snapshot or {}).items()
        if name in after or name == "may_rise"
    }
    if digest_of(confirmed) != order.digest:
        return "What was confirmed can't be told any more."
    drift = between(confirmed, after)
    # Only the tolerance was changed since, and no price moved.
    if drift and confirmed["cost"] == after["cost"]:
        return ""
    if drift is None or not drift.says:
        changes = differences(order.snapshot or {}, current.snapshot())
        return " ".join(changes) or "Something changed."
    news = f"The price changed. {' '.join(drift.says)}"
    # Rises add up over 30 days. They are counted and written under one lock of the account, or two
    # workers could each use up what is left.
    with audited(durable=True):
        vendor = Vendor.objects.locked(order.vendor_id)
        why = _too_much(attempt, vendor, drift, Totals.from_dict(confirmed.get("may_rise", {})))
        return _go_on(attempt, current, drift, news) if why is None else f"{news} {why}".strip()


def _too_much(attempt: Attempt, vendor: Vendor, drift: Drift, confirmed: Totals) -> str | None:
    """None where the tolerance covers the rise; otherwise why not, empty where there is none."""
    currency = vendor.limit_currency
    # Of today's tolerance and the one that the confirmer saw, the lesser counts.
    allowed = min(vendor.drift_per_order or limits.NOTHING, confirmed.get(currency, Decimal(0)))
    if not allowed:
        return ""
    for other, rise in drift.rises.items():
        if rise > (allowed if other == currency else 0):
            return f"At most {show(allowed, currency)} more was allowed for."
    rise = drift.rises.get(currency, limits.NOTHING)
    most = vendor.drift_cumulative or limits.NOTHING
    recent = limits.spending().filter(
        order__vendor=vendor, claimed_at__gte=timezone.now() - COUNTED
    )
    others = recent.exclude(pk=attempt.pk)
    if rise and limits.total(others, limits.amount(currency, "rise")) + rise > most:
        return (
            f"The rises of the last 30 days at {vendor.name} would come to more than"
            f" {show(most, currency)}."
        )
    return None


def _go_on(attempt: Attempt, current: Plan, drift: Drift, news: str) -> str:
    before, after = Totals.from_dict(attempt.due_now), current.cost.due_now
    more = Totals(
        {currency: amount - before.get(currency, Decimal(0)) for currency, amount in after.items()}
    )
    rose = Totals({currency: rise for currency, rise in more.items() if rise > 0})
    if rose and (held := spending_holds.hold_needed(attempt.order, rose, timezone.now())):
        return f"{news} {held.why}"
    rises = Totals({currency: rise for currency, rise in drift.rises.items() if rise > 0})
    fields = {"due_now": after.as_dict(), "rise": rises.as_dict()}
    moved = {"moved_cost": current.cost.as_dict()}
    # The WHERE clause is the lock: the sweep may have taken the claim away.
    if not Attempt.objects.filter(pk=attempt.pk, stage=Stage.CLAIMED).update(**fields, **moved):
        return "Something changed."
    attempt.due_now, attempt.rise = fields["due_now"], fields["rise"]
    attempt.moved_cost = moved["moved_cost"]
    record(
        "attempt.prices_moved",
        attempt.order,
        reason=f"{news} Within what was allowed for.",
        attempt=attempt.pk,
        changes={"due_now": [before.as_dict(), after.as_dict()], "rise": [None, rises.as_dict()]},
    )
    return ""
