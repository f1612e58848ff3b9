"""What the queue runs: thin, each with a number and nothing else. They return a word, never an object."""

from __future__ import annotations

from mailops.history import acting

SWEEP = "orders.tasks.sweep"


def submit_order(order_id: int) -> str:
    from orders import submission

    with acting(worker=True):
        return submission.submit(order_id)


def ask_progress(order_id: int) -> str:
    from orders import progress

    with acting(worker=True):
        return progress.ask(order_id)


def look_for(attempt_id: int) -> str:
    from orders import looking
    from orders.models import Attempt

    with acting(worker=True):
        return f"{len(looking.look(Attempt.objects.get(pk=attempt_id)))} found"


def ask_names(asking_id: int) -> str:
    from orders import asking

    with acting(worker=True):
        return asking.go_on(asking_id)


def sweep() -> str:
    from orders import sweep as sweeping

    with acting(worker=True):
        done = sweeping.run()
    return ", ".join(f"{word} {count}" for word, count in done.items())
