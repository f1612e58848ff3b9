"""Vendors' answers on whether domain names are free, and the questions under way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from mailops.core.money import show


class Answer(models.TextChoices):
    """A vendor's answer on a name; empty while it was never asked."""

    FREE = "free", "Free"
    TAKEN = "taken", "Taken"
    UNKNOWN = "unsaid", "The vendor did not say"


class AskingQuerySet(models.QuerySet["Asking"]):
    """Rules about many askings."""

    def without_a_task(self, now: datetime) -> AskingQuerySet:
        """Askings that were put off, or whose task must be lost: nobody worked on them for long."""
        long_ago = now - timedelta(seconds=settings.RING_AGAIN_SECONDS)
        lost = models.Q(queued_at=None) | models.Q(queued_at__lt=long_ago)
        # A time ahead was written by a clock that has been set back since.
        lost |= models.Q(queued_at__gt=now + timedelta(minutes=5))
        return self.filter(lost, ended_at=None)


class Asking(models.Model):
    """A person's question about the names of an order. Names without an answer point to it."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="askings")
    asked_with = models.CharField(max_length=100, blank=True)
    total = models.PositiveIntegerField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    started_at = models.DateTimeField(default=timezone.now)
    # When somebody last worked on it; empty while it has no task.
    queued_at = models.DateTimeField(null=True, db_column="rung_at")
    ended_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    why = models.CharField(max_length=500, blank=True)  # what went wrong, in words

    objects = AskingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(ended_at=None),
                name="asking_one_at_a_time_per_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.total} names of {self.order}"

    @property
    def left(self) -> int:
        return self.names.count()

    @property
    def answered(self) -> int:
        return self.total - self.left if self.ended_at is None else self.total


class AvailabilityQuerySet(models.QuerySet["Availability"]):
    """Rules about many names."""

    def about(
        self, names: Iterable[str], *, vendor_id: int, asked_with: str
    ) -> AvailabilityQuerySet:
        """That account's answers on the names when asked with that option, also those due."""
        return self.filter(vendor=vendor_id, asked_with=asked_with, name__in=list(names))


class Availability(models.Model):
    """A vendor's newest answer on one name. It reserves nothing and grows old."""

    vendor = models.ForeignKey("vendors.Vendor", models.CASCADE, related_name="+")
    # The option that the question carried.
    asked_with = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=253)
    state = models.CharField(max_length=10, choices=Answer.choices, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    says = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField(null=True)
    asking = models.ForeignKey(Asking, models.SET_NULL, null=True, related_name="names")

    objects = AvailabilityQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["vendor", "asked_with", "name"], name="availability_newest_word_only"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["", *Answer.values]), name="availability_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_fresh(self, now: datetime) -> bool:
        if self.asked_at is None:
            return False
        # One from the future is not: a clock was set back.
        return now - timedelta(minutes=settings.AVAILABILITY_FRESH_MINUTES) < self.asked_at <= now

    @property
    def price_shown(self) -> str:
        return show(self.price, self.currency) if self.price is not None and self.currency else ""
