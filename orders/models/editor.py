"""Who edited an order. `constraints.py` keeps them from confirming it."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models


class Editor(models.Model):
    """Somebody who edited an order, and so may not confirm it under the two-person rule."""

    # The name stays when the user is deleted: a user made under it later counts as the same.

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="editors")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=150, default="", editable=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "user"], name="editor_once_per_order")
        ]

    def __str__(self) -> str:
        return f"{self.name}, who edited {self.order}"
