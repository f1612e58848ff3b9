"""Typed rates to the one currency in which people want to read totals."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format

from mailops.core import sql_triggers
from vendors.models.vendor import CURRENCY


class RateQuerySet(models.QuerySet["Rate"]):
    """Rules about many rates."""

    def current(self) -> dict[str, Rate]:
        """The newest rate of each currency to the reporting currency, by currency."""
        if not settings.REPORTING_CURRENCY:
            return {}
        newest = (
            self.filter(to=settings.REPORTING_CURRENCY)
            .order_by()
            .values("currency")
            .annotate(models.Max("pk"))
        )
        return {rate.currency: rate for rate in self.filter(pk__in=newest.values("pk__max"))}


class Rate(models.Model):
    """The worth of one unit of a currency in the reporting currency, typed by a person."""

    # Rates are never edited: a total that a page showed must be explainable later. A newer row of
    # the same currency replaces an older one.

    currency = models.CharField(
        max_length=3, validators=[CURRENCY], help_text="The currency of prices, such as USD."
    )
    to = models.CharField("reporting currency", max_length=3, editable=False)
    rate = models.DecimalField(
        max_digits=14, decimal_places=6, validators=[MinValueValidator(Decimal("0.000001"))]
    )
    typed_by_name = models.CharField("typed by", max_length=150, editable=False)
    typed_at = models.DateTimeField("when", default=timezone.now, editable=False)

    objects = RateQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ("add", "view")
        verbose_name = "exchange rate"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_above_zero")
        ]

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.shown} {self.to}"

    @property
    def shown(self) -> str:
        return f"{self.rate:f}".rstrip("0").rstrip(".") if self.rate % 1 else f"{self.rate:.0f}"

    @property
    def says(self) -> str:
        """For example: 0.92 for USD, typed by jo on 3 Nov 2026."""
        on = date_format(timezone.localtime(self.typed_at), "j M Y")
        return f"{self.shown} for {self.currency}, typed by {self.typed_by_name} on {on}"


TRIGGERS = sql_triggers.append_only("vendors_rate", "Typed rates are kept for good")
