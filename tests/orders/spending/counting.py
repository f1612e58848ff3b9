"""Orders of which a part is left out, and what is counted for them."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from mailops.core.money import Totals
from orders.audit import month_end
from orders.models import Finding, Order
from orders.spending import balance, limits
from tests.conftest import OrderFactory
from vendors.models import Vendor

CMR = ("coldmailreseller", "domains")
# Each domain costs $13.00 and its mailbox $3.00; the vendor leaves the last one out.
THREE = "acme.com, Ann Lee, ann\nbeta.com, Bo Lee, bo\npartial-acme.com, Cy Lee, cy"
ALL_LEFT_OUT = "partial-acme.com, Ann Lee, ann\npartial-beta.com, Bo Lee, bo"


def one_left_out(factory: OrderFactory) -> Order:
    return factory.sent(*CMR, rows=THREE)


def with_limit(vendor: Vendor, currency: str = "USD") -> Vendor:
    Vendor.objects.filter(pk=vendor.pk).update(day_limit=10**6, limit_currency=currency)
    return Vendor.objects.get(pk=vendor.pk)


def used(vendor: Vendor) -> Decimal:
    """What the account's limit of a day counts as sent."""
    vendor.refresh_from_db()
    (use,) = limits.uses(vendor, at=timezone.now())
    return use.sent


def spent_of_balance(vendor: Vendor) -> Decimal:
    vendor.refresh_from_db()
    left = balance.estimate(vendor)
    assert left is not None and vendor.balance is not None
    return vendor.balance - left


def counted(order: Order) -> Totals:
    return Totals.from_dict(order.attempts.get().due_now)


def kinds_on(factory: OrderFactory, order: Order, *lines: month_end.Charge) -> list[str]:
    """The kinds of the open findings that a statement of today with these lines leaves."""
    day = timezone.localdate()
    file = ("november.csv", repr(lines).encode())
    month_end.begin_with_statement(
        order.vendor_id, list(lines), days=(day, day), file=file, by=factory.people.operator
    )
    return [finding.kind for finding in Finding.objects.filter(state="open").order_by("pk")]


def line(amount: str, order: Order, *, number: int = 2, currency: str = "USD") -> month_end.Charge:
    return month_end.Charge(
        line=number, amount=Decimal(amount), currency=currency, reference=order.reference
    )
