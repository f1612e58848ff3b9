"""What the queue runs for the history: thin; they return a word, never an object."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from mailops.history import acting

NIGHT = 3  # the hour of the daily verification
LONG = 540  # seconds for a verification; the queue hands a task out again after 600


def verify_whole() -> str:
    from mailops.history.verification_runs import check_whole

    with acting(worker=True):
        return check_whole().says or "unbroken"


def verify_new() -> str:
    from mailops.history.verification_runs import check_new

    with acting(worker=True):
        return check_new().says or "unbroken"


def write_digest() -> str:
    from mailops.history import digest_files

    with acting(worker=True):
        return digest_files.write()


def schedules() -> list[tuple[str, dict[str, Any], datetime]]:
    """Name, row and first time of each schedule."""
    from django_q.models import Schedule

    now = timezone.localtime()
    tonight = (now + timedelta(days=1)).replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    long = {"repeats": -1, "kwargs": {"q_options": {"timeout": LONG}}}
    minutes = {"repeats": -1, "kwargs": {}, "schedule_type": Schedule.MINUTES, "minutes": 10}
    here = "mailops.history.tasks"
    return [
        (
            "History, all of it",
            long | {"func": f"{here}.verify_whole", "schedule_type": Schedule.DAILY},
            tonight,
        ),
        (
            "History, what is new",
            long | {"func": f"{here}.verify_new", "schedule_type": Schedule.HOURLY},
            now + timedelta(hours=1),
        ),
        ("History digest", minutes | {"func": f"{here}.write_digest"}, now + timedelta(minutes=10)),
    ]
