"""The functions that the queue runs by name. Each gets a number and returns a word for the log."""

from __future__ import annotations

from mailops.history import acting
from orders import submission
from orders.availability import lookup
from orders.models import Order
from orders.outcomes import question_queue, questions, sweeper

SWEEP = "orders.tasks.sweep"


def submit_order(order_id: int) -> str:
    with acting(worker=True):
        return str(submission.submit(order_id))


def ask_account(vendor_id: int) -> str:
    with acting(worker=True):
        return questions.ask_account(vendor_id)


def ask_progress(order_id: int) -> str:
    """Queued by an older version, in the queue for orders. The questions have their own now."""
    with acting(worker=True):
        return questions.pass_on(Order.objects.filter(pk=order_id))


def look_for(attempt_id: int) -> str:
    """As `ask_progress`."""
    with acting(worker=True):
        return questions.pass_on(Order.objects.filter(attempts=attempt_id))


def beat() -> str:
    return "works"


def ask_names(asking_id: int) -> str:
    with acting(worker=True):
        return lookup.go_on(asking_id)


def sweep() -> str:
    with acting(worker=True):
        done = sweeper.run()
        question_queue.keep_beating()
    return ", ".join(f"{word} {count}" for word, count in done.items())
