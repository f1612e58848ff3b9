"""The task that the queue runs every minute: collect, remind, deliver."""

from __future__ import annotations

from django.utils import timezone

from mailops.history import acting
from mailops.notices import collect, deliver, reminders

# stored in the schedule's row
TICK = "mailops.notices.tasks.tick"


# each step locks its rows, so that two workers may run this at once
def tick() -> str:
    with acting(worker=True):
        now = timezone.now()
        made = collect.run(now) + reminders.run(now)
        done = deliver.run()
    return ", ".join([f"made {made}", *(f"{word} {count}" for word, count in done.items())])
