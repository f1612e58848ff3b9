"""Reminders of orders that still wait for a person: in growing intervals, five at most."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from mailops.history.models import Event
from mailops.notices import message_texts
from mailops.notices.collect import for_people
from mailops.notices.kinds import CONFIRM, CREATED, NOTICE_KINDS, PROCESS, REMINDER, SETTLE, UNKNOWN
from mailops.notices.models import Notice, Wait
from mailops.notices.recipients import Audience

# Kind of the wait: the permission of those who are reminded
NEEDS = {UNKNOWN: SETTLE, CREATED: PROCESS}
MOST_REMINDERS = 200  # in one run


def run(now: datetime) -> int:
    """Make the reminders that are due; returns how many notices that were."""
    if not settings.NOTICES:
        return 0
    waits = list(Wait.objects.filter(next_at__lte=now).order_by("next_at")[:MOST_REMINDERS])
    if not waits:
        return 0
    events = Event.objects.in_bulk([wait.event for wait in waits])
    audience = Audience(events.values())
    return sum(_remind(wait, events[wait.event], audience, now) for wait in waits)


def _remind(wait: Wait, event: Event, audience: Audience, now: datetime) -> int:
    step = wait.reminded + 1
    kind, needs = NOTICE_KINDS[REMINDER], NEEDS.get(wait.kind, CONFIRM)
    hours = int((now - wait.since).total_seconds() // 3600)
    with transaction.atomic():
        # the WHERE clause is the lock: of two workers one finds the count as it was
        mine = Wait.objects.filter(pk=wait.pk, reminded=wait.reminded)
        if not mine.update(reminded=step, next_at=_next(wait, now)):
            return 0
        subject, text = message_texts.reminder(event, wait.kind, hours)
        draft = Notice(
            kind=kind.name,
            needs=needs,
            event=event.number,
            wait=wait.order_key,
            subject=subject,
            text=text,
            path=message_texts.path(event),
            made_at=now,
        )
        people = audience.recipients(kind, event, needs=needs)
        made = for_people(draft, kind, people, now, step=step)
        return len(Notice.objects.bulk_create(made, ignore_conflicts=True))


def _next(wait: Wait, now: datetime) -> datetime | None:
    # only times that lie ahead: after a night without a worker people get one reminder, not three
    for reminded in range(wait.reminded + 1, 10):
        at = Wait.reminder_at(wait.since, reminded)
        if at is None or at > now:
            return at
    return None
