"""Somebody who can write to the database names functions of their own in the queue's tables."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule, Task
from django_q.scheduler import scheduler
from django_q.signals import pre_execute
from django_q.tasks import async_task

from mailops.core import task_list
from mailops.core.queue_names import ORDERS

pytestmark = pytest.mark.django_db
ran: list[str] = []


def run_code(*words: str) -> None:
    ran.append(" ".join(words))


class Payload:
    def __reduce__(self) -> Any:
        return run_code, ("from a result",)


HERE = f"{__name__}.run_code"


def queued() -> list[dict[str, Any]]:
    return [row.task for row in OrmQ.objects.order_by("pk")]


def test_a_schedule_with_another_function_and_a_hook_queues_neither(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # it would close the test's own transaction
    monkeypatch.setattr("django_q.scheduler.close_old_django_connections", lambda: None)
    Schedule.objects.update(next_run=timezone.now())
    Schedule.objects.create(
        name="A", func=HERE, hook=HERE, args="'a',", schedule_type=Schedule.ONCE,
        next_run=timezone.now(), cluster=ORDERS,
    )  # fmt: skip
    scheduler()
    functions = {task["func"]: task for task in queued()}
    assert HERE not in functions
    assert functions[task_list.REFUSE]["args"] == (HERE,)
    assert all("hook" not in task for task in functions.values())
    # the honest schedules behind it are queued as before
    assert "orders.tasks.sweep" in functions
    with pytest.raises(task_list.NotOnList, match="none of the functions"):
        task_list.refuse(HERE)


def test_each_of_our_own_tasks_is_queued_as_it_is() -> None:
    names = sorted(task_list.allowed())
    for name in names:
        async_task(name, 1, cluster=ORDERS)
    assert [task["func"] for task in queued()] == names
    assert all(callable(import_string(name)) for name in names)


def test_every_schedule_of_the_code_is_on_the_list() -> None:
    functions = set(Schedule.objects.values_list("func", flat=True))
    assert functions
    assert functions <= task_list.allowed()


@pytest.mark.parametrize("func", ["os.system", HERE, run_code, None])
def test_a_worker_ends_rather_than_run_a_task_that_is_not_on_the_list(func: Any) -> None:
    with pytest.raises(task_list.NotOnList):
        pre_execute.send(sender="django_q", func=run_code, task={"func": func})
    pre_execute.send(sender="django_q", func=run_code, task={"func": "orders.tasks.sweep"})
    assert ran == []


def test_a_pickled_result_in_the_table_is_never_unpacked() -> None:
    now = timezone.now()
    Task.objects.create(
        id="x", name="x", func="x", started=now, stopped=now, result=1, args=(), kwargs={}
    )
    packed = base64.b64encode(pickle.dumps(Payload())).decode()
    pickle.loads(base64.b64decode(packed))
    assert ran.pop() == "from a result"  # the payload works where something unpickles it
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET result = %s, args = %s, kwargs = %s", [packed] * 3)
    task = Task.objects.get(id="x")
    assert (task.result, task.args, task.kwargs) == (packed, packed, packed)
    assert ran == []


def test_no_app_lists_a_function_of_another() -> None:
    for config in apps.get_app_configs():
        for name in getattr(config, "queue_tasks", ()):
            assert name.startswith(f"{config.name}.tasks."), name
