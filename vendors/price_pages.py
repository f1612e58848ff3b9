"""Pages about prices that no order may go by: of 0, or left out by the list they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from mailops.core.text import listed
from vendors.models import Price, Vendor
from vendors.price_lists import Fetched

FREE = "free"
MOST_NAMED = 20


def say_fetched(request: HttpRequest, vendor: Vendor, fetched: Fetched) -> None:
    label, count = vendor.adapter.label, len(fetched.read)
    prices = "1 price was" if count == 1 else f"{count} prices were"
    messages.success(request, f"{prices} read from {label}.")
    if fetched.gone:
        messages.warning(
            request,
            f"{label}'s list has no price any more for {_named(fetched.gone)}. Orders that need it"
            " stop until the list has one again, or an Operator types it.",
        )
    if fetched.doubtful:
        messages.warning(
            request,
            f"{label}'s list says 0 for {_named(fetched.doubtful)}. Orders that need it stop until"
            " somebody says on the price's page that it is really free.",
        )


def _named(prices: Sequence[Price]) -> str:
    names = [price.label or price.item for price in prices[:MOST_NAMED]]
    more = len(prices) - len(names)
    return listed([*names, f"{more} more"] if more else names)


class PriceForm(forms.ModelForm):
    """A price; 0 is taken only with the word that it is meant."""

    really_free = forms.CharField(
        label="Is it really free?",
        max_length=10,
        required=False,
        help_text=(
            f"Only for a price of 0: type “{FREE}”, once you have seen at the vendor that nothing"
            " is charged. A list may write 0 for a price that it does not know."
        ),
    )

    class Meta:
        model = Price
        fields = (
            "vendor",
            "item",
            "label",
            "amount",
            "currency",
            "unit",
            "renewal_amount",
            "domains",
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        amounts = (cleaned.get("amount"), cleaned.get("renewal_amount"))
        has_nought = any(amount is not None and not amount for amount in amounts)
        said = cleaned.get("really_free", "").strip().lower()
        if has_nought and said != FREE:
            self.add_error("really_free", ValidationError(f"Type “{FREE}” if it really is."))
        elif said and not has_nought:
            self.add_error("really_free", ValidationError("This price is not 0. Leave it empty."))
        return cleaned
