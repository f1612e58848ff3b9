"""An attempt: one paid request for one confirmation, committed before a socket opens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from mailops.core.money import Totals


class Stage(models.TextChoices):
    """The stages of an attempt. Only a person turns *unknown* into *placed* or *not placed*."""

    CLAIMED = "claimed", "Claimed, nothing sent yet"
    SENDING = "sending", "Sent or about to be"
    NOT_SENT = "not_sent", "Not sent"
    REFUSED = "refused", "Refused by the vendor"
    ACCEPTED = "accepted", "Accepted by the vendor"
    UNKNOWN = "unknown", "Outcome unknown"
    PLACED = "placed", "Settled: it was placed"
    NOT_PLACED = "not_placed", "Settled: it was not placed"


SETTLED = [Stage.PLACED, Stage.NOT_PLACED]
BOUGHT_NOTHING = [Stage.NOT_SENT, Stage.REFUSED]  # as the vendor said or the network proved
# Money may have been spent, so the database refuses another attempt for the order.
OPEN = [Stage.CLAIMED, Stage.SENDING, Stage.ACCEPTED, Stage.UNKNOWN, Stage.PLACED]


def lease_over(now: datetime, *, of: str = "") -> models.Q:
    """For a WHERE clause: attempts whose worker should have reported long ago."""
    # A lease that ends too far ahead was written by a clock that has been set back since.
    furthest = now + timedelta(seconds=settings.LEASE_SECONDS) + timedelta(minutes=5)
    return models.Q(**{f"{of}lease_until__lt": now}) | models.Q(
        **{f"{of}lease_until__gt": furthest}
    )


class Attempt(models.Model):
    """One request, its worker and the vendor's answer. `digest` is the confirmed plan's."""

    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.CLAIMED)
    worker = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    body_sha256 = models.CharField(max_length=64, blank=True)
    claimed_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    why = models.TextField(blank=True)
    reply_status = models.PositiveSmallIntegerField(null=True)
    reply_body = models.TextField(blank=True)
    reference = models.CharField(max_length=120, blank=True)
    # By currency: the amount that limits and balances count, from `counted_at` on, and the part of
    # it above the confirmed amount, within the tolerance.
    due_now = models.JSONField(default=dict)
    counted_at = models.DateTimeField(default=timezone.now)  # the claim, or when it was processed
    rise = models.JSONField(default=dict)
    # Of an order that the vendor only created, as a person recorded it
    processed_at = models.DateTimeField(null=True)
    processed_by = models.CharField(max_length=150, blank=True)  # at the vendor
    moved_cost = models.JSONField(null=True)  # the cost sheet at sending, where prices had moved
    # Names that the vendor listed just before this was sent.
    before = models.JSONField(default=list)
    before_at = models.DateTimeField(null=True)
    counts_before = models.JSONField(default=dict)  # of mailboxes, by domain: mailbox_counts.py
    evidence = models.JSONField(default=list)
    evidence_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by_name = models.CharField(max_length=150, blank=True)
    settled_reason = models.TextField(blank=True)
    wait: float = 0  # seconds until its account's turn; known to the worker alone
    late_answer = models.TextField(blank=True)
    # Set while nobody has read that the vendor contradicted the verdict afterwards.
    news_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["claimed_at"]),
            models.Index(fields=["counted_at"], name="attempt_counted_at"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "number"], name="attempt_numbered_once"),
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(stage__in=OPEN),
                name="attempt_one_open_per_order",
            ),
            models.CheckConstraint(
                condition=models.Q(stage__in=Stage.values), name="attempt_stage_known"
            ),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.order}"

    @property
    def may_have_spent(self) -> bool:
        # Bytes may have left from the moment it was marked as about to be sent.
        return self.sent_at is not None and self.stage not in (
            Stage.NOT_SENT,
            Stage.REFUSED,
            Stage.NOT_PLACED,
        )

    @property
    def rose(self) -> Totals:
        return Totals.from_dict(self.rise)

    @property
    def is_newest(self) -> bool:
        later = Attempt.objects.filter(order_id=self.order_id, number__gt=self.number)
        return not later.exclude(stage__in=BOUGHT_NOTHING).exists()

    @property
    def verdict_seen(self) -> str:
        """Version of the verdict. A page posts it back, so that a concurrent change is noticed."""
        return f"{self.stage} {self.settled_at.isoformat() if self.settled_at else ''}".strip()

    @property
    def is_settled(self) -> bool:
        return self.stage in SETTLED

    def move(self, stage: Stage, *, since: tuple[Stage, ...], **fields: object) -> bool:
        """Change the stage if it is still one of `since`. False if it was not."""
        ended = {} if stage in (Stage.CLAIMED, Stage.SENDING) else {"ended_at": timezone.now()}
        changes = {"stage": stage, **ended, **fields}
        # The WHERE clause is the lock.
        moved = Attempt.objects.filter(pk=self.pk, stage__in=since).update(**changes)
        if moved:
            for name, value in changes.items():
                setattr(self, name, value)
        return bool(moved)
