"""Two queues with a heartbeat each: what is said about questions and the sweep, and what beats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_q.models import Schedule

from mailops import checks
from mailops.core import heartbeat
from mailops.core.queue_names import ORDERS, QUESTIONS
from mailops.core.times import moment
from mailops.ops.diagnostics import findings
from orders import apps
from orders.tasks import SWEEP
from tests.ops.health_state import ago, beat_at, notes, problems


def questions_beat_at(at: Any) -> None:
    cache.set(heartbeat.BEATS[QUESTIONS], at.isoformat(), timeout=None)


def swept_at(at: Any) -> None:
    cache.set(heartbeat.SWEPT, at.isoformat(), timeout=None)


# What is said


def test_late_questions_are_a_note_and_sending_works_all_the_same(well: None) -> None:
    at = ago(minutes=20)
    questions_beat_at(at)
    assert problems() == []
    assert notes() == [
        f"Questions to vendors are late since {moment(at)}: the workers for questions and notices"
        " finish nothing. Orders are sent all the same."
    ]
    assert heartbeat.status() == heartbeat.Status(True, "Sending works", "ok")


def test_an_installation_without_workers_for_questions_says_so(well: None) -> None:
    cache.delete(heartbeat.BEATS[QUESTIONS])
    assert notes() == [
        "No question to a vendor was asked yet: no worker for questions has started."
    ]


def test_questions_that_are_asked_do_not_make_sending_look_well(well: None) -> None:
    at = ago(minutes=20)
    beat_at(at)
    assert heartbeat.status().text == f"Nothing is sending since {moment(at)}"


@pytest.mark.parametrize(("minutes", "is_problem"), [(2, None), (10, False), (40, True)])
def test_a_sweep_that_is_late_is_said(well: None, minutes: int, is_problem: bool | None) -> None:
    swept_at(ago(minutes=minutes))
    found = [finding for finding in findings() if "The sweep, which" in finding.text]
    assert [finding.is_problem for finding in found] == ([] if is_problem is None else [is_problem])


def test_a_sweep_that_never_ended_is_said(well: None) -> None:
    cache.delete(heartbeat.SWEPT)
    assert notes() == ["The sweep, which finds lost orders, has not ended once yet."]


def test_a_dead_worker_is_said_once(well: None) -> None:
    beat_at(ago(minutes=20))
    swept_at(ago(minutes=20))
    assert len(problems()) == 1
    assert notes() == []


# What beats


@pytest.fixture
def silent(db: None) -> Iterator[None]:
    for key in (*heartbeat.BEATS.values(), heartbeat.SWEPT):
        cache.delete(key)
    apps.last_beats.clear()
    yield
    apps.last_beats.clear()


def ended(func: str, *, queue: str = ORDERS, success: bool = True) -> None:
    apps.heartbeat(task={"func": func, "cluster": queue, "success": success})


@pytest.mark.parametrize("success", [True, False])
def test_any_task_that_ended_is_a_beat_of_its_queue_alone(silent: None, success: bool) -> None:
    ended("orders.tasks.submit_order", success=success)
    assert heartbeat.last_beat(ORDERS)
    assert heartbeat.last_beat(QUESTIONS) is None
    assert heartbeat.last_sweep() is None
    ended("orders.tasks.ask_account", queue=QUESTIONS, success=success)
    assert heartbeat.last_beat(QUESTIONS)


def test_only_a_sweep_that_worked_is_noted_as_one(silent: None) -> None:
    ended(SWEEP, success=False)
    assert heartbeat.last_sweep() is None
    ended(SWEEP)
    assert heartbeat.last_sweep()


def test_many_tasks_write_one_beat(silent: None) -> None:
    ended("orders.tasks.submit_order")
    long_ago = timezone.now() - timedelta(hours=1)
    beat_at(long_ago)
    ended("orders.tasks.submit_order")
    assert heartbeat.last_beat() == long_ago
    ended(SWEEP)
    assert heartbeat.last_beat() != long_ago


def test_a_task_of_another_queue_is_no_beat(silent: None) -> None:
    ended("orders.tasks.submit_order", queue="elsewhere")
    assert heartbeat.last_beat() is None


# The settings


def test_notices_and_the_sweep_are_scheduled_in_queues_of_their_own(db: None) -> None:
    queues = dict(Schedule.objects.values_list("name", "cluster"))
    assert (queues["Notices"], queues["Sweep"]) == (QUESTIONS, None)


def test_both_queues_take_each_others_tasks_apart_and_sign_alike(settings: Any) -> None:
    queue = settings.Q_CLUSTER
    assert (queue["name"], list(queue["ALT_CLUSTERS"])) == (ORDERS, [QUESTIONS])
    assert "name" not in queue["ALT_CLUSTERS"][QUESTIONS]


@pytest.mark.parametrize(
    ("changed", "number"),
    [({"workers": 0, "queue_limit": 0}, 9), ({"workers": 1, "queue_limit": 9}, 3)],
)
def test_a_queue_for_questions_that_can_not_work_is_an_error(
    settings: Any, changed: dict[str, Any], number: int
) -> None:
    settings.Q_CLUSTER = settings.Q_CLUSTER | {"ALT_CLUSTERS": {QUESTIONS: changed}}
    assert [found.id for found in checks.check_queue()] == [f"mailops.E00{number}"]
