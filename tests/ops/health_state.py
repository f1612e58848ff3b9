"""Heartbeats of a worker, and the findings of the diagnostics."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django_q.models import Schedule

from mailops.core import heartbeat
from mailops.ops.diagnostics import findings


def ago(**how_long: float) -> Any:
    return timezone.now() - timedelta(**how_long)


def beat_at(at: Any) -> None:
    cache.set(heartbeat.BEAT, at.isoformat(), timeout=None)


def problems() -> list[str]:
    return [finding.text for finding in findings() if finding.is_problem]


def notes() -> list[str]:
    return [finding.text for finding in findings() if not finding.is_problem]


def problems_at(*, minutes: int) -> list[str]:
    """What will be said about orders, if nothing happens until then."""
    later = timezone.now() + timedelta(minutes=minutes)
    return [finding.text for finding in findings(later) if " waits to be sent " in finding.text]


def make_well() -> None:
    for queue in heartbeat.BEATS:
        heartbeat.beat(queue)
    heartbeat.note_sweep()
    Schedule.objects.update(next_run=timezone.now())
