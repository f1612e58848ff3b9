"""Month-end matches: our orders compared with a vendor's list or statement, and findings."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models

from mailops.core.money import show
from vendors.models import Vendor


class Source(models.TextChoices):
    """Where the vendor's side of a match came from."""

    LIST = "list", "The vendor's own list"
    STATEMENT = "statement", "A statement"


class Match(models.Model):
    """One comparison of an account's orders over some days, and how much of it agreed."""

    vendor = models.ForeignKey(
        Vendor, models.PROTECT, related_name="matches", verbose_name="vendor account"
    )
    source = models.CharField("held against", max_length=10, choices=Source.choices)
    begins_on = models.DateField("from")
    ends_on = models.DateField("to")
    file_name = models.CharField("file", max_length=200, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    compared = models.PositiveIntegerField("orders compared")
    agreed = models.PositiveIntegerField("orders that agreed")
    lines = models.PositiveIntegerField("lines of the list or statement")
    by_name = models.CharField("by", max_length=150)
    at = models.DateTimeField("when", auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "matches"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("run_match", "Can match orders with a vendor's list or statement")
        ]

    def __str__(self) -> str:
        return f"{self.vendor}, {self.begins_on:%-d %b %Y} to {self.ends_on:%-d %b %Y}"


class Kind(models.TextChoices):
    """Kinds of differences."""

    MISSING = "missing", "Ordered, but not in the vendor's list"
    NOT_OURS = "not_ours", "In the vendor's list, but on no order here"
    COUNT = "count", "Another number of mailboxes"
    REFUSED = "refused", "In the vendor's list, though nothing was bought"
    NO_ORDER = "no_order", "A charge without an order"
    NO_CHARGE = "no_charge", "An order without a charge"
    AMOUNT = "amount", "Charged another amount"
    TWICE = "twice", "Charged more than once"
    NOTHING_BOUGHT = "nothing", "Charged, though nothing was bought"
    OUTCOME = "outcome", "Charged, while its outcome is unknown here"
    CREATED = "created", "Created here, charged there"
    UNRECORDED = "unrecorded", "Money back that is not recorded here"
    NOT_BACK = "not_back", "Money back recorded here, not on the statement"


OF_REFUNDS = (Kind.UNRECORDED, Kind.NOT_BACK)


class FindingState(models.TextChoices):
    """The states of a finding."""

    OPEN = "open", "Open"
    SETTLED = "settled", "Settled"
    GONE = "gone", "Gone: a later match agreed"


class Finding(models.Model):
    """One difference. The next match finds it again by its `key` instead of opening another."""

    # The newest match that found it.
    match = models.ForeignKey(Match, models.PROTECT, related_name="findings")
    vendor = models.ForeignKey(
        Vendor, models.PROTECT, related_name="+", verbose_name="vendor account"
    )
    order = models.ForeignKey("orders.Order", models.PROTECT, null=True, related_name="findings")
    kind = models.CharField("what", max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=64)
    says = models.TextField("says")
    ours = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    theirs = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=8, choices=FindingState.choices, default=FindingState.OPEN)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    owner_name = models.CharField("owner", max_length=150, blank=True)
    reason = models.TextField("why it is settled", blank=True)
    settled_by_name = models.CharField("settled by", max_length=150, blank=True)
    settled_at = models.DateTimeField("settled", null=True)
    opened_at = models.DateTimeField("found", auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("settle_finding", "Can take over and settle findings")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["vendor", "key"], name="finding_once_per_account")
        ]
        indexes: ClassVar = [models.Index(fields=["state", "vendor"])]

    def __str__(self) -> str:
        return f"Finding {self.pk}"

    @property
    def amounts(self) -> str:
        """ "$76.00 ordered, $80.00 charged", where it is about a charge."""
        if self.kind in OF_REFUNDS:
            return ""
        amounts = [(self.ours, "ordered"), (self.theirs, "charged")]
        return ", ".join(
            f"{self._money(amount)} {word}" for amount, word in amounts if amount is not None
        )

    def _money(self, amount: Decimal) -> str:
        return show(amount, self.currency)
