"""Results of the last verifications: one row for all events, one for new events."""

from __future__ import annotations

from django.db import models

WHOLE, NEW = "whole", "new"


class VerificationQuerySet(models.QuerySet["Verification"]):
    def broken(self) -> Verification | None:
        """The last verification that found something wrong, if any."""
        return self.exclude(says="").order_by("-at").first()


class Verification(models.Model):
    """The last run of its kind."""

    kind = models.CharField(max_length=10, primary_key=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    records = models.BigIntegerField()
    last_hash = models.CharField(max_length=64, blank=True)
    bad = models.BigIntegerField(null=True)
    why = models.CharField(max_length=200, blank=True)
    says = models.CharField("what is wrong", max_length=500, blank=True)
    seconds = models.FloatField(default=0)

    objects = VerificationQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "the whole history" if self.kind == WHOLE else "what is new in the history"
