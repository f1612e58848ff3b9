"""Limits for money, alike for vendor accounts and clients."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

CURRENCY = RegexValidator(r"^[A-Z]{3}$", "Use the three-letter code, for example USD.")
DAY, MONTH = "day", "month"


def money_or_none(name: str | None, help_text: str) -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        name,
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=help_text,
    )


class Limited(models.Model):
    """Limits for the cost of orders. An order in another currency than the limits never fits."""

    order_limit = money_or_none(
        None, "The most that one order may cost now. Leave empty for no limit."
    )
    day_limit = money_or_none(
        None,
        "The most that all orders of a day may cost. What is over it waits for the next day. Leave"
        " empty for no limit.",
    )
    month_limit = money_or_none(
        None,
        "The most that all orders of a month may cost. What is over it waits for the next month. "
        "Leave empty for no limit.",
    )
    limit_currency = models.CharField(max_length=3, default="USD", validators=[CURRENCY])
    # Orders that were put on hold before this moment are due again.
    limits_changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def has_limits(self) -> bool:
        return self.order_limit is not None or bool(self.period_limits)

    @property
    def period_limits(self) -> dict[str, Decimal]:
        both = {DAY: self.day_limit, MONTH: self.month_limit}
        return {period: limit for period, limit in both.items() if limit is not None}

    def mark_limits_changed(self) -> None:
        """Make orders that a limit or the balance holds due again. Call after saving a change."""
        # Saving waits for a worker that has this row locked and puts an order on hold by the old
        # limit. Taken afterwards, the time is later than the hold's.
        self.limits_changed_at = timezone.now()
        self.save(update_fields=["limits_changed_at"])
