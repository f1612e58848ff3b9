"""Who confirmed what, and the database's own rule that an order goes out with as many confirmations
as it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from mailops.core.sql_triggers import Trigger, differ
from orders.models.confirmation_rule import NEEDED
from orders.models.editor import kept

if TYPE_CHECKING:
    from orders.models.order import Order


class ConfirmationQuerySet(models.QuerySet["Confirmation"]):
    """Rules about many confirmations."""

    def of(self, order: Order) -> ConfirmationQuerySet:
        """Those given since the order last began to wait for confirmation, oldest first."""
        return self.filter(order=order, round=order.round).order_by("pk")


class Confirmation(models.Model):
    """One person's confirmation of one digest.

    Names stand beside the users, who may be deleted one day.
    """

    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="confirmations")
    round = (
        models.PositiveIntegerField()
    )  # of the order: what was given before it came back counts no more
    digest = models.CharField(max_length=64)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=150)
    for_user = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+"
    )  # whose right it was, if passed on
    for_name = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)
    planned_for = models.DateTimeField(null=True)  # not sent before, where this person said so

    objects = ConfirmationQuerySet.as_manager()

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


_BY_EDITOR = (
    "EXISTS (SELECT 1 FROM orders_editor e WHERE e.order_id = c.order_id AND (e.user_id IN"
    " (c.user_id, c.for_user_id) OR (e.name <> '' AND e.name IN (c.name, c.for_name))))"
)
_GIVEN = (
    "(SELECT COUNT(*) FROM orders_confirmation c WHERE c.order_id = @.id AND c.round = @.round"  # noqa: S608  (our own words)
    f" AND c.digest = @.digest AND NOT {_BY_EDITOR})"
)
_LACKS = (
    f"(@.confirmed_by_id IS NULL OR @.confirmers_needed IS NULL OR @.confirmers_needed < {NEEDED}"
    f" OR {_GIVEN} < @.confirmers_needed)"
)
ON_ITS_WAY = "('confirmed', 'sending')"
_BECOMES = f"NEW.state IN {ON_ITS_WAY} AND OLD.state NOT IN {ON_ITS_WAY}"
_STAYS = f"NEW.state IN {ON_ITS_WAY} AND OLD.state IN {ON_ITS_WAY}"
_SAME_PERSON = (
    "EXISTS (SELECT 1 FROM orders_confirmation c WHERE c.order_id = NEW.order_id AND c.round ="
    " NEW.round AND c.digest = NEW.digest AND (c.user_id IN (NEW.user_id, NEW.for_user_id) OR"
    " c.name IN (NEW.name, NEW.for_name) OR c.for_user_id IN (NEW.user_id, NEW.for_user_id) OR"
    " (c.for_name <> '' AND c.for_name IN (NEW.name, NEW.for_name))))"
)


def _over(sql: str, row: str) -> str:
    return sql.replace("@", row)


_CONFIRMED = ("digest", "snapshot", "cost", "confirmers_needed", "round")
TRIGGERS = (
    Trigger(
        name="order_has_its_confirmations",
        table="orders_order",
        event="UPDATE",
        columns=("state",),
        message="This order lacks confirmations",
        when=f"{_BECOMES} AND {_over(_LACKS, 'NEW')}",
    ),
    Trigger(
        name="order_is_not_born_confirmed",
        table="orders_order",
        event="INSERT",
        message="This order lacks confirmations",
        when=f"NEW.state IN {ON_ITS_WAY}",
    ),
    Trigger(
        name="order_stays_as_confirmed",
        table="orders_order",
        event="UPDATE",
        columns=_CONFIRMED,
        message="What was confirmed can not be changed",
        when=f"{_STAYS} AND ({differ(*_CONFIRMED)})",
    ),
    Trigger(
        name="order_waits_in_a_new_round",
        table="orders_order",
        event="UPDATE",
        columns=("state", "round"),
        message="Confirmations count for one round",
        when=(
            "NEW.round < OLD.round OR (NEW.state = 'review' AND OLD.state <> 'review' AND NEW.round"
            " <= OLD.round)"
        ),
    ),
    Trigger(
        name="confirmation_by_no_editor",
        table="orders_confirmation",
        event="INSERT",
        message="Somebody who edited an order may not confirm it",
        when=_BY_EDITOR.replace("c.", "NEW."),
    ),
    Trigger(
        name="confirmation_by_another_person",
        table="orders_confirmation",
        event="INSERT",
        message="The second confirmation has to come from another person",
        when=_SAME_PERSON,
    ),
    *kept(
        "orders_confirmation",
        "Confirmations are kept for good",
        stays=("order_id", "round", "digest", "name", "for_name", "at", "planned_for"),
        may_go=("user_id", "for_user_id"),
    ),
)
