"""The heartbeats of the queues, and whether sending works according to them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import Error
from django.utils import timezone

from mailops.core.queue_names import ORDERS, QUESTIONS
from mailops.core.times import moment

log = logging.getLogger("mailops.health")
BEAT = "worker-heartbeat"  # of the queue for orders
BEATS = {ORDERS: BEAT, QUESTIONS: "questions-heartbeat"}
SWEPT = "sweep-ended"
STALE = timedelta(seconds=180)


def beat(queue: str = ORDERS) -> None:
    # The queue's monitor calls this once a task ran and was acknowledged. So the heartbeat proves
    # that worker and monitor work.
    cache.set(BEATS[queue], timezone.now().isoformat(), timeout=None)


def last_beat(queue: str = ORDERS) -> datetime | None:
    """When the queue last finished a task; None before the first."""
    return _read(BEATS[queue])


def note_sweep() -> None:
    # Any task of an order is a beat, so the sweep's own end is noted beside it: it proves that the
    # scheduler works too.
    cache.set(SWEPT, timezone.now().isoformat(), timeout=None)


def last_sweep() -> datetime | None:
    return _read(SWEPT)


def _read(key: str) -> datetime | None:
    at: str | None = cache.get(key)
    return datetime.fromisoformat(at) if at else None


@dataclass(frozen=True)
class Status:
    works: bool
    text: str
    kind: str = "bad"  # of the chip on the page
    since: datetime | None = None  # the last finished task, if it is too long ago


CANT_TELL = Status(False, "Nobody can tell whether sending works")


def status() -> Status:
    try:
        at = last_beat()
    except Error as error:
        # The cache is a table. Every page shows this state, and no page may break over it.
        log.warning("The heartbeat can't be read: %s", first_line(error))
        return CANT_TELL
    now = timezone.now()
    if at is None:
        return Status(False, "Sending has not started yet", "wait")
    # The clocks of web and worker differ by more than the age that is allowed.
    if at - now > STALE:
        return CANT_TELL
    if now - at > STALE:
        return Status(False, f"Nothing is sending since {moment(at)}", since=at)
    return Status(True, "Sending works", "ok")


def first_line(error: Exception) -> str:
    """First line of an error's text; its class where it has no text."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
