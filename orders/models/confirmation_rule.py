"""Rules by account, client, amount and first use of a contact: how many have to confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from mailops.core.money import Totals, show
from vendors.models.spend_limits import CURRENCY

COUNTS = [
    (0, "Nobody else: the drafter may confirm"),
    (1, "One person who did not edit it"),
    (2, "Two persons who did not edit it"),
]
PERSONS = {
    0: "Nobody else has to confirm this: the drafter may.",
    1: "One person has to confirm it who did not edit it.",
    2: "Two persons have to confirm it who did not edit it.",
}


@dataclass(frozen=True, kw_only=True)
class Needed:
    """How many persons besides the editors have to confirm an order, and why, in sentences."""

    count: int
    why: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        return " ".join([PERSONS[self.count], *self.why])


class RuleQuerySet(models.QuerySet["ConfirmationRule"]):
    """Rules about all the rules."""

    def about(self, vendor_id: int, client_id: int) -> RuleQuerySet:
        vendor = models.Q(vendor=None) | models.Q(vendor=vendor_id)
        client = models.Q(client=None) | models.Q(client=client_id)
        return self.filter(vendor, client).select_related("vendor", "client").order_by("pk")


class ConfirmationRule(models.Model):
    """How many persons have to confirm the orders that fit. An empty field fits every order."""

    confirmers = models.PositiveSmallIntegerField(
        "who has to confirm",
        choices=COUNTS,
        default=2,
        help_text="Where several rules fit, the one that asks most.",
    )
    vendor = models.ForeignKey(
        "vendors.Vendor",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="vendor account",
        help_text="Leave empty for all accounts.",
    )
    client = models.ForeignKey(
        "orders.Client",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Leave empty for all clients.",
    )
    from_amount = models.DecimalField(
        "from this amount on",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="What the order costs now and when it is processed. Leave empty for any amount.",
    )
    currency = models.CharField(
        max_length=3,
        blank=True,
        validators=[CURRENCY],
        help_text=(
            "Of that amount. An order in another currency counts as if it reached the amount."
        ),
    )
    first_contact = models.BooleanField(
        "only the first use of a contact",
        default=False,
        help_text="Only for orders whose registrant contact no vendor has taken an order with.",
    )
    note = models.CharField(max_length=300, blank=True, help_text="Why there is this rule.")

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-confirmers", "pk"]
        verbose_name = "confirmation rule"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(confirmers__lte=2), name="rule_asks_for_two_at_most"
            ),
            models.CheckConstraint(
                condition=models.Q(from_amount=None, currency="")
                | (models.Q(from_amount__gte=0, confirmers__gte=1) & ~models.Q(currency="")),
                name="rule_amount_has_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"{['Nobody else', 'One person', 'Two persons'][self.confirmers]}, {self.speaks_of}"

    @property
    def speaks_of(self) -> str:
        parts = [f"at {self.vendor.name}"] if self.vendor else []
        parts += [f"for {self.client.name}"] if self.client else []
        parts += (
            [f"from {show(self.from_amount, self.currency)} on"]
            if self.from_amount is not None
            else []
        )
        parts += ["at the first use of a contact"] if self.first_contact else []
        return " ".join(parts) or "for every order"

    def clean(self) -> None:
        wrong: dict[str, Any] = {}
        if (self.from_amount is None) != (not self.currency):
            wrong["currency"] = "An amount and its currency belong together: fill in both or none."
        if self.confirmers == 0 and self.from_amount is not None:
            wrong["from_amount"] = (
                "Where nobody else has to confirm, leave it empty. Add a second rule for amounts."
            )
        if wrong:
            raise ValidationError(wrong)

    def reaches(self, due: Totals) -> bool:
        if self.from_amount is None:
            return True
        # The rule can't weigh an amount in another currency, so it counts as large enough.
        return bool(self._unspoken(due)) or due.get(self.currency, -1) >= self.from_amount

    def _unspoken(self, due: Totals) -> list[str]:
        return sorted(set(due) - {self.currency}) if self.from_amount is not None else []

    def why(self, due: Totals) -> list[str]:
        """Why the rule asks for its confirmers, in sentences for pages."""
        said = [f"The rule {self.speaks_of}{f' ({self.note})' if self.note else ''} asks for it."]
        if others := self._unspoken(due):
            said.append(
                f"It speaks of {self.currency} and not of {' or '.join(others)}, so the stricter"
                " answer counts."
            )
        return said
