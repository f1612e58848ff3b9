"""For any mix of outcomes, the limits count what the practice vendors charged, to the cent."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from decimal import Decimal
from itertools import count

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mailops.core.money import Totals
from orders.audit import month_end
from orders.models import Finding, Order, Refund, State
from orders.models.refund import Refund as Back
from orders.outcomes import refund_records
from orders.outcomes.refund_records import Said
from tests.conftest import OrderFactory, rows_for
from tests.orders.spending.counting import counted, used, with_limit
from vendors.models import Vendor
from vendors.practice import ledger as books
from vendors.practice.ledger import account_of
from vendors.practice.server import Practice

pytestmark = pytest.mark.django_db
PRODUCTS = [
    ("coldmailreseller", "domains"),
    ("scaledmail", "package"),
    ("woodpecker", "mailboxes"),
    ("smartsenders", "domains"),
]
CURRENCY = defaultdict(lambda: "USD", woodpecker="EUR")
FATES = ["taken", "partial", "all-left-out", "refused-field", "no-funds", "cut-after", "cut-before"]
UNKNOWN = ("cut-after", "cut-before")
numbers = count()
# Earlier examples leave their orders, so a smaller one would not fail alone.
PHASES = (Phase.explicit, Phase.generate)


def rows(api: str, fate: str) -> str:
    # No two names may look alike, or a drafter has to say why.
    word = hashlib.sha256(str(next(numbers)).encode()).hexdigest()[:12]
    if api == "coldmailreseller" and fate in ("partial", "all-left-out"):
        other = "partial" if fate == "all-left-out" else "kept"
        names = [f"{other}-{word}.com", f"partial-{word[::-1]}.net"]
        return "\n".join(f"{name}, Ann Lee, ann" for name in names)
    value = "partial" if fate == "all-left-out" else fate
    return rows_for(api, word=f"{value}-{word}" if value != "taken" else word)


def key_of(vendor: Vendor) -> str:
    return account_of(vendor.secrets.open()["api_key"])


def sums(charges: list[books.Charge] | list[books.Refund]) -> Totals:
    return Totals.of((row.currency, Decimal(row.amount)) for row in charges)


def give_back(factory: OrderFactory, practice: Practice, order: Order, share: int) -> None:
    """A part of the order's charge comes back, at the vendor and here."""
    (charge,) = [row for row in practice.ledger.charges() if row.body_sha256 == body_of(order)]
    amount = (Decimal(charge.amount) * share / 100).quantize(Decimal("0.01"))
    if amount:
        practice.ledger.record_refund(charge, amount=amount)
        on = timezone.localdate()
        said = Said(state=Back.Stage.GOT, amount=amount, currency=charge.currency, on=on, note="x")
        refund_records.say(order.pk, said, by=factory.people.confirmer)


def body_of(order: Order) -> str:
    return order.attempts.get().body_sha256


@settings(
    max_examples=10, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    mix=st.lists(
        st.tuples(st.sampled_from(PRODUCTS), st.sampled_from(FATES), st.integers(0, 100)),
        min_size=1,
        max_size=4,
    )
)
def test_limits_count_what_was_charged(
    factory: OrderFactory, practice: Practice, mix: list[tuple[tuple[str, str], str, int]]
) -> None:
    for (api, product), fate, share in mix:
        with_limit(factory.accounts[api], CURRENCY[api])
        # Unknown outcomes stop an account, and a refusal for want of money holds it.
        Vendor.objects.update(stopped_at=None, no_funds_at=None)
        order = factory.sent(api, product, rows=rows(api, fate))
        if fate in UNKNOWN:
            assert order.state == State.UNKNOWN
        elif fate in ("taken", "partial"):
            assert order.state == State.ACCEPTED, order.reason
        if order.state == State.ACCEPTED:
            give_back(factory, practice, order, share)
    # Earlier examples left their orders: every sum is over all of them.
    for api, _product in PRODUCTS:
        vendor = with_limit(factory.accounts[api], CURRENCY[api])
        check(factory, practice, vendor)


def check(factory: OrderFactory, practice: Practice, vendor: Vendor) -> None:
    unknown = list(Order.objects.filter(vendor=vendor, state=State.UNKNOWN))
    in_doubt = {body_of(order) for order in unknown}
    charges = practice.ledger.charges(vendor=vendor.api, account=key_of(vendor))
    known = [charge for charge in charges if charge.body_sha256 not in in_doubt]
    currency = CURRENCY[vendor.api]
    # What may have been bought counts in full.
    doubt = sum((counted(order)[currency] for order in unknown), Decimal(0))
    assert used(vendor) == sums(known).get(currency, Decimal(0)) + doubt

    refunds = practice.ledger.refunds(vendor=vendor.api, account=key_of(vendor))
    ours = Refund.objects.filter(vendor=vendor, state=Back.Stage.GOT)
    assert Totals.of(ours.values_list("currency", "amount")) == sums(refunds)

    lines = [as_line(number, row, 1) for number, row in enumerate(known, 2)]
    lines += [as_line(number, row, -1) for number, row in enumerate(refunds, 2 + len(lines))]
    if lines:
        day = timezone.localdate()
        month_end.begin_with_statement(
            vendor.pk, lines, days=(day, day), file=("a.csv", b""), by=factory.people.operator
        )
    assert [finding.says for finding in Finding.objects.all()] == []


def as_line(number: int, row: books.Charge | books.Refund, sign: int) -> month_end.Charge:
    amount, currency = sign * Decimal(row.amount), row.currency
    text = " ".join(row.domains)
    return month_end.Charge(
        line=number, amount=amount, currency=currency, reference=row.reference, text=text
    )
