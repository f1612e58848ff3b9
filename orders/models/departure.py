"""Departures: why something that was ordered or owned is there no more, as a person said it."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from vendors.models import Vendor


class Departure(models.Model):
    """One for any number of domains and mailboxes of an account."""

    class Reason(models.TextChoices):
        """The reasons why something is gone."""

        NEVER_CAME = "never_came", "It never came"

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="departures")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    on = models.DateField()  # not ahead
    note = models.TextField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, {self.on}"
