"""The sending switch, which holds all sending."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.module_loading import import_string

# Dotted names of functions that run before sending goes on, in the same transaction.
before_release: list[str] = []


class SendingSwitch(models.Model):
    """The sending switch: one row for all accounts and workers."""

    stopped_at = models.DateTimeField(null=True)
    stopped_reason = models.CharField(max_length=200, blank=True)
    stopped_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("hold_all_sending", "Can hold all sending and release it")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="sending_switch_is_one_row")
        ]

    def __str__(self) -> str:
        return "All sending"

    @classmethod
    def current(cls) -> SendingSwitch:
        # No migration makes the row: until somebody uses the switch, there is none.
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @classmethod
    def is_on(cls) -> models.Exists:
        """True while all sending is held, as part of a WHERE clause."""
        return models.Exists(cls.objects.filter(stopped_at__isnull=False))

    def hold(self, *, reason: str, by: str) -> None:
        """Hold all sending from the next claim on. Requests that already left are not stopped."""
        self.stopped_at, self.stopped_reason, self.stopped_by_name = timezone.now(), reason, by
        self.save()

    def release(self) -> None:
        """Let sending go on. Orders that need a fresh confirmation first go back to review."""
        for name in before_release:
            import_string(name)()
        self.stopped_at, self.stopped_reason, self.stopped_by_name = None, "", ""
        self.save()
