"""Who edited an order, and the database's own rule that none of them confirms it."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models

from mailops.triggers import Trigger


class Editor(models.Model):
    """Somebody who edited an order's contents, and so may not confirm it under the two-person rule."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="editors")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(max_length=150)  # who it was stays known when the user is deleted

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "user"], name="editor_once_per_order")]

    def __str__(self) -> str:
        return f"{self.user_name}, who edited {self.order}"


_SAYS = "Somebody who edited an order may not confirm it"
_CONFIRMER_EDITED = (
    "NEW.confirmed_by_id IS NOT NULL"
    " AND EXISTS (SELECT 1 FROM orders_editor e WHERE e.order_id = NEW.id AND (e.user_id = NEW.confirmed_by_id"
    " OR e.user_id IS NULL"
    " AND e.user_name = (SELECT u.username FROM auth_user u WHERE u.id = NEW.confirmed_by_id)))"
    " AND EXISTS (SELECT 1 FROM vendors_vendor v WHERE v.id = NEW.vendor_id AND v.two_person_rule)"
)
_EDITOR_CONFIRMED = (
    "EXISTS (SELECT 1 FROM orders_order o JOIN vendors_vendor v ON v.id = o.vendor_id"
    " WHERE o.id = NEW.order_id AND o.confirmed_by_id = NEW.user_id AND v.two_person_rule)"
)
TRIGGERS = (
    Trigger(
        name="order_confirmer_is_no_editor_insert",
        table="orders_order",
        event="INSERT",
        message=_SAYS,
        when=_CONFIRMER_EDITED,
    ),
    Trigger(
        name="order_confirmer_is_no_editor_update",
        table="orders_order",
        event="UPDATE",
        columns=("confirmed_by_id",),
        message=_SAYS,
        when=_CONFIRMER_EDITED,
    ),
    Trigger(
        name="order_editor_is_no_confirmer",
        table="orders_editor",
        event="INSERT",
        message=_SAYS,
        when=_EDITOR_CONFIRMED,
    ),
)
