"""Who confirmed what. `constraints.py` keeps an order from going out with too few."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone


class Confirmation(models.Model):
    """One person's confirmation of one digest."""

    # Names stand beside the users, who may be deleted one day.

    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="confirmations")
    # The order's at that time: a confirmation from before the order came back counts no more.
    round = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=150)
    # Whose right it was, if it was passed on.
    for_user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    for_name = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)
    # This person wants it sent no earlier.
    planned_for = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order", "round", "digest", "name"], name="confirmation_once_by_name"
            ),
            models.UniqueConstraint(
                fields=["order", "round", "digest", "user"], name="confirmation_once_by_user"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.for_name} (delegated)" if self.for_name else self.name
