"""Tasks of the queue for the history. Each returns a text, which the queue stores."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django_q.models import Schedule

from mailops.history import acting, digest_files, verification_runs

VERIFIED_AT = 3  # the hour of the daily verification
# Seconds for a verification. The queue starts a task again after 600.
VERIFICATION_TIMEOUT = 540


def verify_whole() -> str:
    with acting(worker=True):
        return verification_runs.check_whole().says or "unbroken"


def verify_new() -> str:
    with acting(worker=True):
        return verification_runs.check_new().says or "unbroken"


def write_digest() -> str:
    with acting(worker=True):
        return digest_files.write()


def schedules() -> list[tuple[str, dict[str, Any], datetime]]:
    """Name, row and first time of each schedule."""
    # No first run at once: a new history has nothing to verify yet.
    now = timezone.localtime()
    tonight = (now + timedelta(days=1)).replace(hour=VERIFIED_AT, minute=0, second=0, microsecond=0)
    long = {"repeats": -1, "kwargs": {"q_options": {"timeout": VERIFICATION_TIMEOUT}}}
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
