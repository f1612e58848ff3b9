"""Text typed into a draft's page and not saved yet, and the files that were read there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from mailops.core.sealed import Sealed
from vendors.models import Vendor

KEPT_FOR = timedelta(days=30)
MOST_KEPT = 20  # of one person; the oldest go first
LARGEST = 12 * 1024 * 1024  # characters of one


class TooLarge(Exception):
    """Somebody typed more than is kept; the message is for the person."""


class ScratchQuerySet(models.QuerySet["Scratch"]):
    """Rules about many."""

    def of(self, user: User) -> ScratchQuerySet:
        # Nobody but the person ever sees them.
        return self.filter(user=user).select_related("vendor", "order").order_by("-kept_at", "-pk")

    def for_draft(self, *, vendor: Vendor, product: str, order_id: int | None) -> ScratchQuerySet:
        return self.filter(vendor=vendor, product=product, order=order_id)

    def keep(
        self,
        user: User,
        token: str,
        *,
        vendor: Vendor,
        product: str,
        order_id: int | None,
        fields: Mapping[str, list[str]],
        secrets: Mapping[str, str],
    ) -> Scratch:
        """Store what a tab holds now. A secret left empty keeps the one typed before."""
        if len(json.dumps(dict(fields))) > LARGEST:
            raise TooLarge("This is too much to be kept while you type. Save it in smaller parts.")
        about = {"vendor": vendor, "product": product, "order_id": order_id}
        scratch, _ = self.get_or_create(user=user, token=token, defaults=about)
        scratch.vendor, scratch.product, scratch.order_id = vendor, product, order_id
        # PostgreSQL stores no NUL character in JSON.
        scratch.fields = {
            name.replace("\0", ""): [v.replace("\0", "") for v in values]
            for name, values in fields.items()
        }
        scratch.kept_at = timezone.now()
        scratch.lines = sum(
            1 for line in (fields.get("rows") or [""])[-1].splitlines() if line.strip()
        )
        scratch.sealed = str(Sealed(scratch.sealed).put(secrets))
        scratch.save()
        old = self.of(user).values_list("pk", flat=True)[MOST_KEPT:]
        self.filter(pk__in=list(old)).delete()
        return scratch

    def forgotten(self, now: datetime) -> ScratchQuerySet:
        """Unsaved work from so long ago that nobody will take it up."""
        return self.filter(kept_at__lt=now - KEPT_FOR)


class Scratch(models.Model):
    """Unsaved work in one tab of one person. `token` names the tab, `sealed` holds passwords."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    token = models.CharField(max_length=64)
    vendor = models.ForeignKey(Vendor, models.CASCADE, related_name="+")
    product = models.CharField(max_length=40)
    order = models.ForeignKey("orders.Order", models.CASCADE, null=True, related_name="+")
    fields = models.JSONField(default=dict)
    lines = models.PositiveIntegerField(default=0)
    sealed = models.TextField(blank=True)
    kept_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = ScratchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "token"], name="scratch_one_per_tab")
        ]

    def __str__(self) -> str:
        return f"Unsaved work from {timezone.localtime(self.kept_at):%H:%M}"

    @property
    def size(self) -> str:
        lines = "1 line" if self.lines == 1 else f"{self.lines:,} lines"
        return lines if self.lines else "no lines yet"


class UploadQuerySet(models.QuerySet["Upload"]):
    """Rules about many."""

    def note(self, *, name: str, data: bytes, by: User) -> Upload:
        return self.create(
            name=name.replace("\0", "")[:200],
            sha256=hashlib.sha256(data).hexdigest(),
            by=by,
            by_name=by.get_username(),
        )

    def same_as(self, upload: Upload, *, but: Iterable[int] = ()) -> Upload | None:
        """The latest time that the same bytes were read, an order's before all others."""
        earlier = (
            self.filter(sha256=upload.sha256)
            .exclude(pk__in=[upload.pk, *but])
            .select_related("order")
        )
        return earlier.order_by(models.F("order_id").desc(nulls_last=True), "-pk").first()

    def forgotten(self, now: datetime) -> UploadQuerySet:
        return self.filter(order=None, at__lt=now - KEPT_FOR)


class Upload(models.Model):
    """A file that was read on a draft's page: its name and fingerprint, not its contents."""

    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, db_index=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)
    order = models.ForeignKey("orders.Order", models.SET_NULL, null=True, related_name="uploads")

    objects = UploadQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {self.sha256})"
