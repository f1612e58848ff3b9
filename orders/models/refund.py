"""Money back from a vendor: asked for, got, or denied."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from mailops.core.money import show
from orders.models.departure import Departure
from vendors.models import Vendor
from vendors.models.spend_limits import CURRENCY


class Refund(models.Model):
    """Money back, for an order or a departure, or for neither."""

    class Kind(models.TextChoices):
        """The forms in which money comes back."""

        MONEY = "money", "Money"
        CREDIT = "credit", "Credit at the vendor"

    class Stage(models.TextChoices):
        """The stages of money back."""

        ASKED = "asked", "Asked for"
        GOT = "got", "Got"
        DENIED = "denied", "Denied"

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="refunds")
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    departure = models.ForeignKey(
        Departure, models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, validators=[CURRENCY])
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.MONEY)
    state = models.CharField(max_length=6, choices=Stage.choices, default=Stage.ASKED)
    on = models.DateField()  # not ahead
    reference = models.CharField(max_length=120, blank=True)
    note = models.TextField(blank=True)
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at"]
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="refund_above_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.shown}"

    @property
    def shown(self) -> str:
        return show(self.amount, self.currency)
