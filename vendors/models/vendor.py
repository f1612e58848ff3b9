"""Vendor accounts: where we buy, with which key, within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from mailops.core.sealed import CannotOpen, Sealed
from vendors.apis import REGISTRY
from vendors.apis.base import Api
from vendors.cost import PriceLike
from vendors.models.spend_limits import CURRENCY as CURRENCY
from vendors.models.spend_limits import Limited, money_or_none

PRACTICE, LIVE = "practice", "live"


class VendorQuerySet(models.QuerySet["Vendor"]):
    """Rules about many accounts."""

    def locked(self, pk: int) -> Vendor:
        """The account, its row locked until the transaction ends. Take this lock first."""
        # Every transaction locks the account before an order and the history. In another order,
        # two transactions could wait for each other. `no_key` lets other transactions go on writing
        # rows that refer to the account.
        return self.select_for_update(no_key=True).get(pk=pk)


class Vendor(Limited):
    """An account at a vendor.

    In practice mode its orders go to the practice vendors and nothing is bought.
    """

    name = models.CharField(max_length=80, unique=True, help_text="What you call this account.")
    api = models.CharField("vendor", max_length=40)
    mode = models.CharField(
        max_length=10,
        choices=[(PRACTICE, "Practice: nothing is bought"), (LIVE, "Live: orders cost money")],
        default=PRACTICE,
    )
    settings = models.JSONField(default=dict, blank=True)
    sealed = models.TextField(blank=True, editable=False)
    two_person_rule = models.BooleanField(
        "two-person rule",
        default=True,
        help_text=(
            "Somebody who did not edit an order must confirm it. Turn off in a one-person agency."
        ),
    )
    hold_minutes = models.PositiveSmallIntegerField(
        default=0,
        help_text=(
            "Wait this many minutes after confirming before sending. Until then it can be"
            " cancelled."
        ),
    )
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_reason = models.CharField(max_length=200, blank=True, editable=False)
    # Since when the vendor refuses orders because the account has no funds, and its words
    no_funds_at = models.DateTimeField(null=True, blank=True, editable=False)
    no_funds_said = models.CharField(max_length=300, blank=True, editable=False)
    # When sending was last resumed: the circuit breaker counts only what happened since.
    opened_at = models.DateTimeField(null=True, blank=True, editable=False)
    # No worker sends the vendor a request before the first, nor a search before the second.
    next_turn_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_search_at = models.DateTimeField(null=True, blank=True, editable=False)
    # How long this vendor takes; after `overdue_days` people are asked to look.
    usual_days = models.PositiveSmallIntegerField(
        "usual days until delivered",
        default=3,
        help_text="How many days this vendor usually takes to set an order up.",
    )
    overdue_days = models.PositiveSmallIntegerField(
        "overdue after days",
        default=5,
        help_text="After this many days people are asked to look after an undelivered order.",
    )
    # Questions to this account: who asks now, until when it rests, and the last answer
    asking_until = models.DateTimeField(null=True, blank=True, editable=False)
    quiet_until = models.DateTimeField(null=True, blank=True, editable=False)
    reads_failed = models.PositiveSmallIntegerField(default=0, editable=False)
    read_at = models.DateTimeField(null=True, blank=True, editable=False)
    read_said = models.CharField(max_length=300, blank=True, editable=False)
    # As a person read it at the vendor: no vendor documents a way to ask for it.
    balance = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, editable=False
    )
    balance_currency = models.CharField(max_length=3, blank=True, editable=False)
    balance_at = models.DateTimeField(null=True, blank=True, editable=False)
    balance_by_name = models.CharField(max_length=150, blank=True, editable=False)
    balance_floor = money_or_none(
        "hold orders below",
        "An order waits that would leave less than this of the noted balance. Leave empty to hold"
        " only what the balance can't pay.",
    )
    drift_per_order = money_or_none(
        "price rise allowed for an order",
        "How much a confirmed order's total may rise until it is sent, in the currency of the"
        " limits. Leave empty, and any change of a price sends it back for confirmation.",
    )
    drift_cumulative = money_or_none(
        "price rises allowed in 30 days",
        "The most that such rises of all orders may add up to in 30 days. Leave empty to allow"
        " none.",
    )

    objects = VendorQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "vendor account"
        permissions: ClassVar = [("test_vendor", "Can test keys and fetch prices")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(mode__in=[PRACTICE, LIVE]), name="vendor_mode_known"
            ),
            models.CheckConstraint(
                condition=models.Q(order_limit__isnull=True) | models.Q(order_limit__gte=0),
                name="vendor_limit_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    usual_days__gte=1,
                    usual_days__lte=models.F("overdue_days"),
                    overdue_days__lte=60,
                ),
                name="vendor_usual_before_overdue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (practice)" if self.is_practice else self.name

    @property
    def adapter(self) -> Api:
        return REGISTRY[self.api]

    @property
    def is_practice(self) -> bool:
        return self.mode == PRACTICE

    @property
    def is_stopped(self) -> bool:
        return self.stopped_at is not None

    @property
    def lacks_funds(self) -> bool:
        """The vendor refused an order for want of money, and no person has answered to it yet."""
        return self.no_funds_at is not None

    @property
    def holds_orders(self) -> bool:
        return self.is_stopped or self.lacks_funds

    @property
    def host(self) -> str:
        # In practice mode all requests of the account stay on this installation.
        return f"{settings.PRACTICE_URL}/{self.api}" if self.is_practice else self.adapter.host

    @property
    def dashboard_url(self) -> str:
        return (
            f"{settings.PRACTICE_URL}/dashboard" if self.is_practice else self.adapter.dashboard_url
        )

    @property
    def secrets(self) -> Sealed:
        return Sealed(self.sealed)

    @property
    def has_its_secrets(self) -> bool:
        try:
            return self.adapter.secrets.keys() <= self.secrets.open().keys()
        except CannotOpen:
            return False

    @property
    def max_concurrent(self) -> int:
        """The number of the account's orders that may be sent at the same time."""
        # Without a limit, one slow vendor could occupy all workers.
        return self.adapter.max_concurrent or settings.ACCOUNT_AT_ONCE

    def price_list(self) -> dict[str, PriceLike]:
        """The account's prices by item."""
        return {price.item: price for price in self.prices.order_by()}

    def price_labels(self) -> dict[str, str]:
        """The labels of the account's prices by item; empty ones too."""
        return dict(self.prices.order_by().values_list("item", "label"))

    def note_balance(self, amount: Decimal, *, currency: str, by: str) -> None:
        """Store a balance that a person read at the vendor, and make held orders due again."""
        self.balance, self.balance_currency = amount, currency
        self.balance_at, self.balance_by_name = timezone.now(), by
        self.save(update_fields=["balance", "balance_currency", "balance_at", "balance_by_name"])
        self.let_funds_go_on()
        self.mark_limits_changed()

    def forget_balance(self) -> None:
        """From now on no balance is known, and no order waits for one."""
        self.balance, self.balance_at, self.balance_by_name = None, None, ""
        self.save(update_fields=["balance", "balance_at", "balance_by_name"])
        self.mark_limits_changed()

    def note_no_funds(self, said: str) -> None:
        self.no_funds_at, self.no_funds_said = timezone.now(), said[:300]
        self.save(update_fields=["no_funds_at", "no_funds_said"])

    def let_funds_go_on(self) -> None:
        self.no_funds_at, self.no_funds_said = None, ""
        self.save(update_fields=["no_funds_at", "no_funds_said"])

    def stop(self, *, reason: str) -> None:
        self.stopped_at, self.stopped_reason = timezone.now(), reason
        self.save(update_fields=["stopped_at", "stopped_reason"])

    def resume(self) -> None:
        self.stopped_at, self.stopped_reason, self.opened_at = None, "", timezone.now()
        self.save(update_fields=["stopped_at", "stopped_reason", "opened_at"])


def account_settings(vendor: Vendor) -> Mapping[str, Any]:
    """The account's settings, completed with the initial values of its form."""
    form = vendor.adapter.AccountForm()
    return {
        name: vendor.settings.get(name, field.initial or "") for name, field in form.fields.items()
    }
