"""An account without funds: its other orders wait, so that they are not refused as well."""

from __future__ import annotations

from mailops.core.text import as_sentence
from mailops.history import record
from orders.models import Order
from vendors.models import Vendor
from vendors.verdicts import Refused, Verdict


def is_said_by(verdict: Verdict) -> bool:
    # Then the account's row is written, so it has to be locked before the order's row.
    return isinstance(verdict, Refused) and verdict.lacks_funds


def after(order: Order, verdict: Verdict) -> None:
    """Hold the account after such a refusal. The caller holds the account's row locked."""
    if not isinstance(verdict, Refused) or not verdict.lacks_funds:
        return
    # The first refusal is kept: it says since when.
    if not Vendor.objects.filter(pk=order.vendor_id, no_funds_at=None).exists():
        return
    problem = verdict.problems[0]
    says = f" It says: “{problem.vendor_says}”" if problem.vendor_says else ""
    reason = f"{order} was refused. {as_sentence(problem.message)}{says}"
    order.vendor.note_no_funds(reason)
    record("vendor.no_funds", order.vendor, reason=reason)
