"""The right to confirm, passed on to another person for some days."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.utils import timezone

from mailops.auth import roles

RIGHT = "orders.confirm_order"


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """Rules about many delegations."""

    def to(self, user: User, now: datetime | None = None) -> DelegationQuerySet:
        return self.standing(now).filter(to_user=user)

    def standing(self, now: datetime | None = None) -> DelegationQuerySet:
        """Active delegations: within their dates, not ended, to nobody who is an auditor.

        The giver still has the right by their own role.
        """
        now = now or timezone.now()
        rightful = Permission.objects.filter(
            codename="confirm_order", content_type__app_label="orders"
        )
        may = models.Q(from_user__is_superuser=True) | models.Q(
            from_user__groups__in=Group.objects.filter(permissions__in=rightful)
        )
        found = self.filter(may | models.Q(from_user__user_permissions__in=rightful), ended_at=None)
        found = found.filter(
            starts_at__lte=now, ends_at__gt=now, from_user__is_active=True, to_user__is_active=True
        )
        return (
            found.exclude(to_user__groups__name=roles.AUDITOR)
            .select_related("from_user")
            .order_by("pk")
            .distinct()
        )


class Delegation(models.Model):
    """Lets another person use somebody's right to confirm, until it ends by itself."""

    from_user = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", editable=False
    )
    from_name = models.CharField("passed on by", max_length=150, editable=False)
    to_user = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name="to",
        help_text="Who confirms in your place.",
    )
    to_name = models.CharField("to", max_length=150, editable=False)
    starts_at = models.DateTimeField("from", default=timezone.now)
    ends_at = models.DateTimeField("until", help_text="It ends by itself then.")
    reason = models.CharField(
        "why", max_length=300, help_text="The others will read this, for example “on leave”."
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField("ended early", null=True, editable=False)
    ended_by_name = models.CharField(max_length=150, blank=True, editable=False)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ("add", "view")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="delegation_ends_after_its_start",
            ),
            models.CheckConstraint(
                condition=~models.Q(from_user=models.F("to_user")), name="delegation_to_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_name} to {self.to_name}"

    @property
    def stands(self) -> str:
        now = timezone.now()
        if self.ended_at:
            return f"Ended early by {self.ended_by_name}"
        if self.ends_at <= now:
            return "Over"
        return "In force" if self.starts_at <= now else "Begins later"

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None or self.ends_at <= timezone.now()
