"""What the queue runs every minute: read what happened, remind, deliver. Safe to run twice at once."""

from __future__ import annotations

from django.utils import timezone

from mailops.history import acting

TICK = "mailops.notices.tasks.tick"


def tick() -> str:
    from mailops.notices import collect, deliver, reminders

    with acting(worker=True):
        now = timezone.now()
        made = collect.run(now) + reminders.run(now)
        done = deliver.run()
    return ", ".join([f"made {made}", *(f"{word} {count}" for word, count in done.items())])
