"""What the queue runs: thin, each with a number and nothing else.

They return a word, never an object.
"""

from __future__ import annotations

from mailops.history import acting

SWEEP = "orders.tasks.sweep"


def submit_order(order_id: int) -> str:
    from orders import submission

    with acting(worker=True):
        return submission.submit(order_id)


def ask_progress(order_id: int) -> str:
    from orders.outcomes import delivery

    with acting(worker=True):
        return delivery.ask(order_id)


def look_for(attempt_id: int) -> str:
    from orders.models import Attempt
    from orders.sending import vendor_lookup

    with acting(worker=True):
        return f"{len(vendor_lookup.look(Attempt.objects.get(pk=attempt_id)))} found"


def ask_names(asking_id: int) -> str:
    from orders.availability import lookup

    with acting(worker=True):
        return lookup.go_on(asking_id)


def sweep() -> str:
    from orders.outcomes import sweeper

    with acting(worker=True):
        done = sweeper.run()
    return ", ".join(f"{word} {count}" for word, count in done.items())
