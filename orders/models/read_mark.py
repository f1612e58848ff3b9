"""Read marks: how an order stood when somebody last looked, and who was named in a comment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from orders.models.state import FINISHED

KEPT_FOR = timedelta(days=30)  # after the order ended


class LookQuerySet(models.QuerySet["Look"]):
    """Rules about many read marks."""

    def forgotten(self, now: datetime) -> LookQuerySet:
        return self.filter(order__state__in=FINISHED, order__state_since__lt=now - KEPT_FOR)


class Look(models.Model):
    """How a waiting order stood when this person last looked, and at the time before that.

    A page compares with `earlier`, which stays while somebody goes back and forth between pages.
    """

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="looks")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    # Since when the order waited then: it may have gone and come back.
    since = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64)  # over `picture`
    picture = models.JSONField(default=dict)
    earlier = models.JSONField(null=True)
    earlier_at = models.DateTimeField(null=True)

    objects = LookQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "user"], name="look_once_per_person")
        ]


class MentionQuerySet(models.QuerySet["Mention"]):
    """Rules about many mentions."""

    def unseen_by(self, user: User) -> MentionQuerySet:
        return self.filter(user=user, seen_at=None).select_related("order__client").order_by("at")


class Mention(models.Model):
    """Somebody was named in a comment; seen once they open the order."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["user", "seen_at"], name="mention_unseen")]
