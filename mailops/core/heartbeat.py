"""Does sending work? Answered from a heartbeat that proves that work gets done."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import Error
from django.utils import timezone

from mailops.core.times import moment

log = logging.getLogger("mailops.health")
BEAT = "worker-heartbeat"
STALE = timedelta(seconds=180)


def beat() -> None:
    """Called by the queue's monitor once a task ran and was acknowledged: the whole line works."""
    cache.set(BEAT, timezone.now(), timeout=None)


def last_beat() -> datetime | None:
    """When the queue last finished a task; None before the first."""
    at: datetime | None = cache.get(BEAT)
    return at


@dataclass(frozen=True)
class Status:
    works: bool
    text: str
    kind: str = "bad"  # of the chip that shows it
    since: datetime | None = None  # when the last task was finished, where that is too long ago


CANT_TELL = Status(False, "Nobody can tell whether sending works")


def status() -> Status:
    """Whether sending works, in the words of the page's header. A page must not break over it."""
    try:
        at = last_beat()
    except Error as error:
        log.warning("The heartbeat can't be read: %s", first_line(error))
        return CANT_TELL
    now = timezone.now()
    if at is None:
        return Status(False, "Sending has not started yet", "wait")
    if at - now > STALE:  # the clocks of web and worker differ by more than a heartbeat may be old
        return CANT_TELL
    if now - at > STALE:
        return Status(False, f"Nothing is sending since {moment(at)}", since=at)
    return Status(True, "Sending works", "ok")


def first_line(error: Exception) -> str:
    """What an error says, without its second thoughts."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
