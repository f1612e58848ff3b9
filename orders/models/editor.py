"""Who edited an order, and the database's own rule that none of them confirms it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models

from mailops.core.sql_triggers import Trigger, append_only, differ
from orders.models.confirmation_rule import NEEDED


class Editor(models.Model):
    """Somebody who edited an order's contents, and so may not confirm it under the two-person rule.

    The name stays when the user is deleted, and stands for whoever is made under it again.
    """

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


def kept(
    table: str, message: str, *, stays: tuple[str, ...], may_go: tuple[str, ...]
) -> tuple[Trigger, ...]:
    """Rules by which rows are only added. Columns that `may_go` become NULL when a user is deleted."""
    rules = append_only(table, message)
    set_anew = [
        f"(NEW.{c} IS NOT NULL AND (OLD.{c} IS NULL OR NEW.{c} <> OLD.{c}))" for c in may_go
    ]
    return (replace(rules[0], when=" OR ".join([*set_anew, differ("id", *stays)])), *rules[1:])


_SAYS = "Somebody who edited an order may not confirm it"
_CONFIRMER_EDITED = (
    "NEW.confirmed_by_id IS NOT NULL"  # noqa: S608  (our own words)
    " AND EXISTS (SELECT 1 FROM orders_editor e WHERE e.order_id = NEW.id AND (e.user_id ="
    " NEW.confirmed_by_id"
    " OR e.name = (SELECT u.username FROM auth_user u WHERE u.id = NEW.confirmed_by_id)))"
    f" AND {NEEDED.replace('@', 'NEW')} > 0"
)
_EDITOR_CONFIRMED = (
    "EXISTS (SELECT 1 FROM orders_order o WHERE o.id = NEW.order_id AND "
    "o.confirmed_by_id = NEW.user_id AND o.confirmers_needed > 0) OR EXISTS (SELECT 1 FROM orders_order o JOIN"
    " orders_confirmation c ON c.order_id = o.id AND c.round = o.round WHERE o.id = NEW.order_id"
    " AND o.state <> 'draft' AND (c.user_id = NEW.user_id OR c.name = NEW.name))"
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
    *kept(
        "orders_editor",
        "Who edited an order is kept for good",
        stays=("order_id", "name"),
        may_go=("user_id",),
    ),
)
