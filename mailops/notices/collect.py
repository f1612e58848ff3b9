"""From events to notices: reads the history from where it stopped last, each event once."""

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
AT_MOST = 500  # events at a time


def run(now: datetime) -> int:
    """Make the notices of everything that happened since the last run; how many."""
    newest = Event.objects.order_by("-number").values_list("number", flat=True).first() or 0
    cursor, _ = NoticeCursor.objects.get_or_create(pk=1, defaults={"number": newest})
    if cursor.number == newest:
        return 0
    with transaction.atomic():
        cursor = NoticeCursor.objects.select_for_update().get(pk=1)
        if (
            not settings.NOTICES or cursor.number > newest
        ):  # nothing is made up for while they were off
            NoticeCursor.objects.filter(pk=1).update(number=newest)
            return 0
        events = list(Event.objects.filter(number__gt=cursor.number).order_by("number")[:AT_MOST])
        if not events:
            return 0
        made = _tell(events, now)
        NoticeCursor.objects.filter(pk=1).update(number=events[-1].number)
    return made


def _tell(events: list[Event], now: datetime) -> int:
    audience = Audience(events)
    shared = list(SharedAddress.objects.filter(is_on=True).exclude(sealed=""))
    notices: list[Notice] = []
    for event in events:
        _follow(event)
        try:
            notices += _notices(event, audience, shared, now)
        except Error:
            raise
        except Exception:  # one event that reads strangely must not silence all that come after it
            log.exception("Event %s could not be told", event.number)
    return len(Notice.objects.bulk_create(notices, ignore_conflicts=True))


def _notices(
    event: Event, audience: Audience, shared: list[SharedAddress], now: datetime
) -> list[Notice]:
    if (kind := kind_of(event)) is None:
        return []
    subject, text = message_texts.of(event)
    wait = event.subject_id if new_state(event) in WAITS else ""
    draft = Notice(
        kind=kind.name, needs=kind.needs, event=event.number, wait=wait, subject=subject, text=text,
        path=message_texts.path(event), made_at=now,
    )  # fmt: skip
    return for_people(draft, kind, audience.of(kind, event), now) + _for_shared(
        draft, kind, shared, now
    )


WAITS = {"review": WAITING, "unknown": UNKNOWN}


def _follow(event: Event) -> None:
    """Keep the list of orders that wait for a person, so that they can be reminded."""
    if not (state := new_state(event)):
        return
    Wait.objects.filter(order_key=event.subject_id).delete()
    if state in WAITS:
        next_at = Wait.reminder_at(event.at, 0)
        Wait.objects.create(
            order_key=event.subject_id,
            kind=WAITS[state],
            event=event.number,
            since=event.at,
            next_at=next_at,
        )


def for_people(
    draft: Notice, kind: Kind, people: list[User], now: datetime, *, step: int = 0
) -> list[Notice]:
    """A notice for each of them and each way that they chose, not saved yet."""
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
