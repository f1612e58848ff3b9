"""The tasks that wait in the queue for questions, or are worked on there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from mailops.core.queue_names import QUESTIONS
from vendors.account_reads import LEASE

NOTHING = "orders.tasks.beat"


def _rows(now: datetime) -> models.QuerySet[Any]:
    # A task that a dead worker took stays in the table until `retry` is over. It takes no room.
    taken = now + timedelta(seconds=settings.QUEUE_RETRY)
    alive = models.Q(lock__lte=now) | models.Q(lock__gt=taken - LEASE)
    found: models.QuerySet[Any] = OrmQ.objects.filter(alive, key=QUESTIONS)
    return found


def length(now: datetime) -> int:
    return _rows(now).count()


def accounts(now: datetime, func: str) -> set[int]:
    """The accounts for which a task of that name is there."""
    found: set[int] = set()
    for row in _rows(now):
        # None where the row can't be unpacked, for example after a change of the key.
        task: dict[str, Any] = row.task or {}
        if task.get("func") == func:
            found |= {*task.get("args", ())}
    return found


def keep_beating() -> bool:
    """Queue a task that does nothing where none waits, so that the queue has a heartbeat."""
    if OrmQ.objects.filter(key=QUESTIONS, lock__lte=timezone.now()).exists():
        return False
    with transaction.atomic():
        async_task(NOTHING, cluster=QUESTIONS)
    return True
