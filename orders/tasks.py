"""The functions that the queue runs by name. Each gets a number and returns a word for the log."""

from __future__ import annotations

from mailops.history import acting
from orders import submission
from orders.availability import lookup
from orders.models import Attempt
from orders.outcomes import delivery, evidence_lookup, sweeper

SWEEP = "orders.tasks.sweep"


def submit_order(order_id: int) -> str:
    with acting(worker=True):
        return str(submission.submit(order_id))


def ask_progress(order_id: int) -> str:
    with acting(worker=True):
        return delivery.ask(order_id)


def look_for(attempt_id: int) -> str:
    with acting(worker=True):
        return f"{len(evidence_lookup.look(Attempt.objects.get(pk=attempt_id)))} found"


def ask_names(asking_id: int) -> str:
    with acting(worker=True):
        return lookup.go_on(asking_id)


def sweep() -> str:
    with acting(worker=True):
        done = sweeper.run()
    return ", ".join(f"{word} {count}" for word, count in done.items())
