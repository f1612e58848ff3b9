"""The functions that the queue runs, and no others.

A row of the queue's tables can name any function, and `django_q_task` holds pickles. Somebody who
can write to the database must not run code in a worker.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.apps import apps
from django_q.models import Task

REFUSE = "mailops.core.task_list.refuse"
PICKLED = ("args", "kwargs", "result")


class NotOnList(Exception):
    """The queue was to run something else than MailOps' own tasks."""


def allowed() -> frozenset[str]:
    """The dotted names in `queue_tasks` of the apps' configurations."""
    configs = apps.get_app_configs()
    return frozenset(
        {REFUSE} | {name for config in configs for name in getattr(config, "queue_tasks", ())}
    )


def replace_others(*, task: dict[str, Any], **kwargs: Any) -> None:
    """Before a task is queued: any other function becomes one that fails and says so."""
    task.pop("hook", None)  # a function too, which we never use
    if task["func"] not in allowed():
        # Raising here would keep the queue from all schedules that come after this one.
        task.update(func=REFUSE, args=(str(task["func"]),), kwargs={})


def stop_before_others(*, task: dict[str, Any], **kwargs: Any) -> None:
    """Before a worker runs a task: end the process rather than run a function that is not ours.

    Such a task was signed with the key of this installation, by something else than MailOps.
    """
    if task["func"] not in allowed():
        raise NotOnList(_says(task["func"]))


def refuse(name: str) -> NoReturn:
    raise NotOnList(_says(name))


def _says(name: object) -> str:
    return f"“{name}” is none of the functions that the queue runs, so it was not run."


def read_no_pickles() -> None:
    """Results of tasks stay as they lie in the database. Nobody needs them unpacked."""
    for name in PICKLED:
        field = Task._meta.get_field(name)
        field.from_db_value = lambda value, *_: value
