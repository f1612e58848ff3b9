"""Notices, people's settings for them, orders that wait, and how far the history was read."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models

from mailops.notices.kinds import ADDRESS, AT_ONCE, BOTH, BY, DIGEST, EMAIL, WHEN, Kind

TRIES = 8
PAUSES = [60, 120, 300, 900, 3600, 4 * 3600, 8 * 3600]  # seconds before the next try
LEASE = timedelta(minutes=5)  # then a claim of a worker that died has run out
KEPT = timedelta(days=90)
REMINDERS = 5


class NoticeCursor(models.Model):
    """One row: the number of the last event that was read."""

    # begins at the newest event, so that an update of MailOps never sends the past
    number = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="notice_cursor_is_one_row")
        ]


class Wait(models.Model):
    """An order that waits for a person to confirm it or to check its outcome."""

    order_key = models.CharField(max_length=60, unique=True)  # as the history has it
    kind = models.CharField(max_length=12)
    event = models.BigIntegerField()
    since = models.DateTimeField()
    reminded = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        default_permissions = ()

    @staticmethod
    def reminder_at(since: datetime, reminded: int) -> datetime | None:
        """When the next reminder is due after so many were sent; None after the last."""
        # 4, 12, 28, 60 and 124 hours after the event, if the setting is 4
        hours = settings.NOTICE_REMIND_HOURS
        if hours <= 0 or reminded >= REMINDERS:
            return None
        return since + timedelta(hours=hours * (2 ** (reminded + 1) - 1))


class NoticeSettings(models.Model):
    """One person's choices. People without a row get the defaults of their role."""

    user = models.OneToOneField(User, models.CASCADE, related_name="notice_settings")
    choices = models.JSONField(default=dict)  # kind: [when, by]
    sealed = models.TextField(blank=True)
    # the service of the other address, shown instead of the sealed address
    service = models.CharField(max_length=40, blank=True)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    urgent_passes = models.BooleanField(default=True)
    digest_hour = models.PositiveSmallIntegerField(default=8)
    time_zone = models.CharField(max_length=60, blank=True)

    class Meta:
        default_permissions = ()

    @classmethod
    def of(cls, user: User) -> NoticeSettings:
        """This person's row, or an unsaved one."""
        try:
            return user.notice_settings
        except cls.DoesNotExist:
            return cls(user=user)

    @property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone or settings.TIME_ZONE)
        # the name was chosen on a machine with another list of zones
        except ZoneInfoNotFoundError:
            return ZoneInfo(settings.TIME_ZONE)

    def choice(self, kind: Kind) -> tuple[str, str]:
        """One of `WHEN` and one of `BY`."""
        if kind.name in self.choices:
            when, by = self.choices[kind.name]
            return when, by
        has_role = not self.user.is_superuser or bool(self.user.groups.all())
        return (kind.default if has_role else kind.superusers), EMAIL

    def channels(self, by: str) -> list[str]:
        """The chosen channels for which there is an address."""
        wanted = [EMAIL, ADDRESS] if by == BOTH else [by]
        usable = {EMAIL: bool(self.user.email), ADDRESS: bool(self.sealed)}
        return [channel for channel in wanted if usable[channel]]

    def due_at(self, when: str, kind: Kind, now: datetime) -> datetime:
        at = self._next_digest(now) if when == DIGEST else now
        return at if kind.is_urgent and self.urgent_passes else self._after_quiet(at)

    def _next_digest(self, now: datetime) -> datetime:
        local = now.astimezone(self.zone)
        at = datetime.combine(local.date(), time(self.digest_hour), self.zone)
        if at > local:
            return at
        return datetime.combine(local.date() + timedelta(days=1), at.time(), self.zone)

    def _after_quiet(self, at: datetime) -> datetime:
        """The end of the quiet hours that `at` lies in, or `at` itself."""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return at
        local = at.astimezone(self.zone)
        clock, is_over_midnight = local.time(), self.quiet_from > self.quiet_to
        if is_over_midnight:
            is_quiet = clock >= self.quiet_from or clock < self.quiet_to
        else:
            is_quiet = self.quiet_from <= clock < self.quiet_to
        if not is_quiet:
            return at
        tomorrow = is_over_midnight and clock >= self.quiet_from
        end = datetime.combine(local.date() + timedelta(days=tomorrow), self.quiet_to, self.zone)
        # Compared as instants: in the hour that autumn repeats, the wall clock would point back.
        return max(end, at, key=datetime.timestamp)


class SharedAddress(models.Model):
    """A channel or a pager of the whole installation; gets every urgent notice."""

    name = models.CharField(
        max_length=80, unique=True, help_text="How people call it, for example “On call”."
    )
    sealed = models.TextField(blank=True, editable=False)
    service = models.CharField(max_length=40, blank=True, editable=False)
    is_on = models.BooleanField("gets notices", default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name, verbose_name_plural = "shared address", "shared addresses"

    def __str__(self) -> str:
        return self.name


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices by what is to be done with them."""

    def open(self) -> NoticeQuerySet:
        return self.filter(sent_at=None, ended_at=None)

    def due(self, now: datetime) -> NoticeQuerySet:
        return self.open().filter(due_at__lte=now)

    def forgotten(self, now: datetime) -> NoticeQuerySet:
        return self.filter(made_at__lt=now - KEPT)


class Notice(models.Model):
    """One message to one person, or to a shared address, by one channel. Its row is the outbox."""

    # event, step, person and channel: a second run of the task can't make the same notice again
    key = models.CharField(max_length=100, unique=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="notices")
    shared = models.ForeignKey(SharedAddress, models.CASCADE, null=True, related_name="notices")
    channel = models.CharField(max_length=8, choices=BY)
    kind = models.CharField(max_length=12)
    needs = models.CharField(max_length=80)
    event = models.BigIntegerField()
    # the order that must still wait for a person when the message goes out
    wait = models.CharField(max_length=60, blank=True)
    timing = models.CharField(max_length=8, choices=WHEN, default=AT_ONCE)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    path = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claim = models.CharField(max_length=32, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    # not sent, and never will be
    ended_at = models.DateTimeField(null=True)
    gave_up = models.BooleanField(default=False)
    why = models.CharField(max_length=200, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(
                "due_at", name="notice_open", condition=models.Q(sent_at=None, ended_at=None)
            ),
            models.Index(fields=["user", "-id"], name="notice_of_person"),
            models.Index(fields=["made_at"], name="notice_made"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def standing(self) -> dict[str, Any]:
        """Kind and text of the chip that shows the notice's state."""
        if self.sent_at:
            return {"kind": "ok", "text": "Sent"}
        if self.gave_up:
            return {"kind": "bad", "text": "Given up"}
        if self.ended_at:
            return {"kind": "", "text": "Not needed any more"}
        return {"kind": "wait", "text": "Tried again soon" if self.tries else "Waits"}
