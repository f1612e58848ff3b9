"""Does sending work? Answered from a heartbeat that proves that work gets done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone
from django.utils.timesince import timesince

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


def status() -> Status:
    """Whether sending works, in the words of the page's header."""
    at = last_beat()
    if at is None:
        return Status(False, "Sending has not started yet", "wait")
    if timezone.now() - at > STALE:
        return Status(False, f"Nothing is sending since {timezone.localtime(at):%H:%M} ({timesince(at)})")
    return Status(True, "Sending works", "ok")
