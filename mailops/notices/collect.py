"""From events to notices: reads the history from where the last run stopped, each event once."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error, transaction

from mailops.history.models import Event
from mailops.notices import message_texts
from mailops.notices.kinds import (
    ADDRESS,
    AT_ONCE,
    CREATED,
    OFF,
    UNKNOWN,
    WAITING,
    Kind,
    kind_of,
    new_state,
)
from mailops.notices.models import Notice, NoticeCursor, NoticeSettings, SharedAddress, Wait
from mailops.notices.recipients import Audience

log = logging.getLogger("mailops.notices")
MOST_EVENTS = 500  # in one run
# states in which an order waits for a person: kind of the wait
WAITS = {"review": WAITING, "unknown": UNKNOWN, "created": CREATED}


def run(now: datetime) -> int:
    """Make the notices of all events since the last run; returns how many."""
    newest = Event.objects.order_by("-number").values_list("number", flat=True).first() or 0
    cursor, _ = NoticeCursor.objects.get_or_create(pk=1, defaults={"number": newest})
    if cursor.number == newest:
        return 0
    with transaction.atomic():
        # locked: two workers may run this at once
        cursor = NoticeCursor.objects.select_for_update().get(pk=1)
        # events that happen while notices are off never become notices
        if not settings.NOTICES or cursor.number > newest:
            NoticeCursor.objects.filter(pk=1).update(number=newest)
            return 0
        later = Event.objects.filter(number__gt=cursor.number).order_by("number")
        events = list(later[:MOST_EVENTS])
        if not events:
            return 0
        made = _make_notices(events, now)
        NoticeCursor.objects.filter(pk=1).update(number=events[-1].number)
    return made


def _make_notices(events: list[Event], now: datetime) -> int:
    audience = Audience(events)
    shared = list(SharedAddress.objects.filter(is_on=True).exclude(sealed=""))
    notices: list[Notice] = []
    for event in events:
        _update_wait(event)
        try:
            notices += _notices(event, audience, shared, now)
        except Error:
            raise
        # one event that can't be read must not stop the notices of all later ones
        except Exception:
            log.exception("Event %s could not be told", event.number)
    # the unique key of a notice leaves out those that an earlier run made
    return len(Notice.objects.bulk_create(notices, ignore_conflicts=True))


def _notices(
    event: Event, audience: Audience, shared: list[SharedAddress], now: datetime
) -> list[Notice]:
    if (kind := kind_of(event)) is None:
        return []
    subject, text = message_texts.subject_and_text(event)
    draft = Notice(
        kind=kind.name,
        needs=kind.needs,
        event=event.number,
        wait=event.subject_id if new_state(event) in WAITS else "",
        subject=subject,
        text=text,
        path=message_texts.path(event),
        made_at=now,
    )
    own = for_people(draft, kind, audience.recipients(kind, event), now)
    return own + _for_shared(draft, kind, shared, now)


def _update_wait(event: Event) -> None:
    if not (state := new_state(event)):
        return
    Wait.objects.filter(order_key=event.subject_id).delete()
    if state in WAITS:
        Wait.objects.create(
            order_key=event.subject_id,
            kind=WAITS[state],
            event=event.number,
            since=event.at,
            next_at=Wait.reminder_at(event.at, 0),
        )


def for_people(
    draft: Notice, kind: Kind, people: list[User], now: datetime, *, step: int = 0
) -> list[Notice]:
    """Unsaved notices: one for each person and each channel that this person chose.

    `step` is the number of the reminder, 0 for the notice of the event itself.
    """
    found = []
    for user in people:
        own = NoticeSettings.of(user)
        when, by = own.choice(kind)
        if when == OFF:
            continue
        for channel in own.channels(by):
            key = f"{kind.name}-{draft.event}-{step}-user{user.pk}-{channel}"
            due_at = own.due_at(when, kind, now)
            found.append(
                _copy(draft, key=key, user=user, channel=channel, timing=when, due_at=due_at)
            )
    return found


def _for_shared(
    draft: Notice, kind: Kind, shared: list[SharedAddress], now: datetime
) -> list[Notice]:
    if not kind.is_urgent:
        return []
    return [
        _copy(
            draft,
            key=f"{kind.name}-{draft.event}-0-shared{address.pk}",
            shared=address,
            channel=ADDRESS,
            timing=AT_ONCE,
            due_at=now,
        )
        for address in shared
    ]


def _copy(draft: Notice, **fields: object) -> Notice:
    same = ("kind", "needs", "event", "wait", "subject", "text", "path", "made_at")
    return Notice(**{name: getattr(draft, name) for name in same}, **fields)
