"""Prices of the items that can be bought at an account."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models

from mailops.core.times import moment
from vendors.cost import UNITS
from vendors.models.vendor import CURRENCY, Vendor

# How the source of a price begins that a person typed.
TYPED = "Typed by"


class Price(models.Model):
    """The price of one item at one account, typed by an Operator or fetched from the vendor."""

    vendor = models.ForeignKey(
        Vendor, models.CASCADE, related_name="prices", verbose_name="vendor account"
    )
    # The key under which an adapter looks a price up. Each vendor has its own form of keys.
    item = models.CharField(
        max_length=120, help_text="What is bought, in the form named on the vendor account's page."
    )
    label = models.CharField(
        max_length=160, blank=True, help_text="How the item is called on the cost sheet."
    )
    amount = models.DecimalField(max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    unit = models.CharField("for", max_length=10, choices=UNITS)
    renewal_amount = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="What the next period costs, where it differs from the first.",
    )
    currency = models.CharField(max_length=3, default="USD", validators=[CURRENCY])
    domains = models.PositiveSmallIntegerField(
        "domains in a package", null=True, blank=True, help_text="Only for packages."
    )
    source = models.CharField(max_length=160, editable=False)
    as_of = models.DateTimeField(editable=False)
    # Who said that an amount of 0 is right: a list may write 0 for a price that it does not know.
    free_by_name = models.CharField(max_length=150, blank=True, editable=False)
    # Since when the vendor's list, where this price comes from, has no price for the item
    gone_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["vendor", "item"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vendor", "item"], name="price_once_per_item"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.label or self.item} at {self.vendor.name}"

    @property
    def has_nought(self) -> bool:
        return not self.amount or (self.renewal_amount is not None and not self.renewal_amount)

    @property
    def is_typed(self) -> bool:
        return self.source.startswith(TYPED)

    @property
    def doubt(self) -> str:
        """Why no order may go by this price, as a sentence. Empty where one may."""
        if self.gone_at:
            return f"{self.source} has no price for it any more since {moment(self.gone_at)}."
        if self.has_nought and not self.free_by_name:
            return f"{self.source} says 0, and nobody has said that it is really free."
        return ""
