"""Notices: how far the history was read, who still waits, what goes to whom, and how each person
wants it.
"""

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
LEASE = timedelta(minutes=5)  # a worker that vanished while it sent: tried again after so long
KEPT = timedelta(days=90)
REMINDERS = 5


class NoticeCursor(models.Model):
    """One row: the number of the last event that was read.

    It begins at the newest, so the past is never sent.
    """

    number = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="notice_cursor_is_one_row")
        ]


class Wait(models.Model):
    """An order that waits for a person since an event: for confirmation, or for somebody to check
    its outcome.
    """

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
        """After 4 hours, then after 12, 28, 60 and 124, where the setting says 4; None after the
        last.
        """
        hours = settings.NOTICE_REMIND_HOURS
        if hours <= 0 or reminded >= REMINDERS:
            return None
        return since + timedelta(hours=hours * (2 ** (reminded + 1) - 1))


class NoticeSettings(models.Model):
    """How one person wants to be told.

    Who never saved the page has no row, and gets what their role gets.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="notice_settings")
    choices = models.JSONField(default=dict)  # kind: [when, by]
    sealed = models.TextField(blank=True)
    service = models.CharField(
        max_length=40, blank=True
    )  # what the other address belongs to, to show in its place
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
        except ZoneInfoNotFoundError:  # another machine's list of zones knew it
            return ZoneInfo(settings.TIME_ZONE)

    def choice(self, kind: Kind) -> tuple[str, str]:
        """When and by what this person is told of this kind."""
        if kind.name in self.choices:
            when, by = self.choices[kind.name]
            return when, by
        has_role = not self.user.is_superuser or bool(self.user.groups.all())
        return (kind.default if has_role else kind.superusers), EMAIL

    def channels(self, by: str) -> list[str]:
        """Those of the chosen ways that lead somewhere."""
        wanted = [EMAIL, ADDRESS] if by == BOTH else [by]
        usable = {EMAIL: bool(self.user.email), ADDRESS: bool(self.sealed)}
        return [channel for channel in wanted if usable[channel]]

    def due_at(self, when: str, kind: Kind, now: datetime) -> datetime:
        """When a message goes out: at once or at the digest's hour, and not in quiet hours unless
        it is urgent.
        """
        at = self._next_digest(now) if when == DIGEST else now
        return at if kind.is_urgent and self.urgent_passes else self._after_quiet(at)

    def _next_digest(self, now: datetime) -> datetime:
        local = now.astimezone(self.zone)
        at = datetime.combine(local.date(), time(self.digest_hour), self.zone)
        return (
            at
            if at > local
            else datetime.combine(local.date() + timedelta(days=1), at.time(), self.zone)
        )

    def _after_quiet(self, at: datetime) -> datetime:
        """The end of the quiet hours that `at` lies in, or `at` itself.

        They may reach over midnight.
        """
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
        # compared as instants: in the hour that autumn repeats, the wall clock alone would point
        # back
        return max(end, at, key=datetime.timestamp)


class SharedAddress(models.Model):
    """Where everybody's urgent notices go too: a channel or a pager of the whole installation."""

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
    """Rules about many notices."""

    def open(self) -> NoticeQuerySet:
        return self.filter(sent_at=None, ended_at=None)

    def due(self, now: datetime) -> NoticeQuerySet:
        return self.open().filter(due_at__lte=now)

    def forgotten(self, now: datetime) -> NoticeQuerySet:
        return self.filter(made_at__lt=now - KEPT)


class Notice(models.Model):
    """One message to one person, or to a shared address, by one way. Its row is the outbox."""

    key = models.CharField(max_length=100, unique=True)  # event, person and way: told once
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="notices")
    shared = models.ForeignKey(SharedAddress, models.CASCADE, null=True, related_name="notices")
    channel = models.CharField(max_length=8, choices=BY)
    kind = models.CharField(max_length=12)
    needs = models.CharField(max_length=80)
    event = models.BigIntegerField()
    wait = models.CharField(
        max_length=60, blank=True
    )  # the order that must still wait when this goes out
    timing = models.CharField(max_length=8, choices=WHEN, default=AT_ONCE)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    path = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claim = models.CharField(max_length=32, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # not sent and never will be
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
        """How it stands, as a chip: kind and words."""
        if self.sent_at:
            return {"kind": "ok", "text": "Sent"}
        if self.gave_up:
            return {"kind": "bad", "text": "Given up"}
        if self.ended_at:
            return {"kind": "", "text": "Not needed any more"}
        return {"kind": "wait", "text": "Tried again soon" if self.tries else "Waits"}
