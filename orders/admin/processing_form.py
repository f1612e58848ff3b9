"""The fields in which a person says when an order was processed, by whom, and for what sum."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from mailops.core.money import Totals, show
from orders.models import Attempt, Order
from orders.outcomes import created_orders
from orders.outcomes.created_orders import Processing

AT, BY, WHY_OTHER, PAID = "processed_at", "processed_by", "why_other", "paid_"
DATETIME = "%Y-%m-%dT%H:%M"


def fields(order: Order, attempt: Attempt, *, required: bool) -> dict[str, forms.Field]:
    """The fields by name; `required` is off where another answer needs none of them."""
    label = order.vendor.adapter.label
    # When the vendor's list first spoke for it, that is the best guess.
    likely = timezone.localtime(order.looks_processed_at or timezone.now())
    made: dict[str, forms.Field] = {
        AT: forms.DateTimeField(
            label="When was it processed?",
            required=required,
            initial=likely.strftime(DATETIME),
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=DATETIME),
            help_text=f"Its sum counts from that time on. Times are in {settings.TIME_ZONE}.",
        ),
        BY: forms.CharField(
            label=f"Who processed it at {label}?", max_length=150, required=required
        ),
    }
    for currency, amount in _expected(order).items():
        made[f"{PAID}{currency}"] = forms.DecimalField(
            label=f"What the wallet paid, in {currency}",
            required=required,
            min_value=Decimal(0),
            max_digits=12,
            decimal_places=2,
            initial=amount.quantize(Decimal("0.01")),
            help_text=f"{show(amount, currency)} was confirmed.",
        )
    made[WHY_OTHER] = forms.CharField(
        label="Why another sum?",
        max_length=500,
        required=False,
        help_text="Only if the wallet paid something else than was confirmed.",
    )
    return made


def _expected(order: Order) -> Totals:
    # An order for nothing may have been charged all the same.
    return order.due or Totals({order.vendor.limit_currency: Decimal(0)})


def names(order: Order) -> list[str]:
    return [AT, BY, *(f"{PAID}{currency}" for currency in _expected(order)), WHY_OTHER]


def processing_of(order: Order, cleaned: Mapping[str, Any]) -> Processing | None:
    paid = {name: cleaned.get(f"{PAID}{name}") for name in _expected(order)}
    at, by = cleaned.get(AT), cleaned.get(BY)
    if not at or not by or any(amount is None for amount in paid.values()):
        return None
    why_other = cleaned.get(WHY_OTHER, "")
    return Processing(at=at, by=by, paid=Totals.of(paid.items()), why_other=why_other)


def complain(form: forms.Form, order: Order, attempt: Attempt) -> None:
    processing = processing_of(order, form.cleaned_data)
    if processing is None:
        return
    if why := created_orders.may_be_at(attempt, processing.at):
        form.add_error(AT, why)
    elif why := created_orders.objection(order, attempt, processing):
        form.add_error(WHY_OTHER, why)
