"""Each thing that can be broken is found, and nothing else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client as Browser
from django_q.models import Schedule

from mailops.core import heartbeat, sql_triggers
from mailops.core.times import moment
from mailops.history.models import TRIGGERS as HISTORY_TRIGGERS
from mailops.ops.diagnostics import findings
from orders.models import Attempt, Order
from orders.models.constraints import RULES as ORDER_RULES
from orders.tasks import SWEEP
from tests.conftest import OrderFactory
from tests.ops.health_state import ago, beat_at, notes, problems, problems_at
from vendors import rate_limit
from vendors.models import SendingSwitch
from vendors.models.exchange_rate import TRIGGERS as RATE_TRIGGERS
from vendors.models.price_version import TRIGGERS as VERSION_TRIGGERS


def test_nothing_is_found_where_nothing_is_wrong(well: None) -> None:
    assert findings() == []


def test_a_worker_that_never_finished_a_task_is_a_problem(well: None) -> None:
    cache.delete(heartbeat.BEAT)
    assert problems() == ["Sending has not started yet: no worker has finished a task."]
    assert heartbeat.status() == heartbeat.Status(False, "Sending has not started yet", "wait")


def test_a_worker_that_stopped_is_a_problem_with_its_time(well: None) -> None:
    at = ago(hours=2, minutes=5)
    beat_at(at)
    assert problems() == [f"Nothing is sending since {moment(at)} (2 hours, 5 minutes)."]
    assert heartbeat.status().text == f"Nothing is sending since {moment(at)}"


def test_a_heartbeat_is_good_for_three_minutes(well: None) -> None:
    beat_at(ago(seconds=120))
    assert findings() == []
    assert heartbeat.status() == heartbeat.Status(True, "Sending works", "ok")


def test_a_clock_that_is_a_little_ahead_is_a_note(well: None) -> None:
    beat_at(ago(seconds=-115))
    assert problems() == []
    assert "clock that is ahead of this machine's by 1 minute. Set both clocks" in notes()[0]
    assert heartbeat.status().works


def test_a_clock_that_is_far_ahead_hides_whether_anything_works(well: None) -> None:
    beat_at(ago(hours=-2, seconds=-50))
    assert (
        "ahead of this machine's by 2 hours, so nobody can tell whether sending works"
        in problems()[0]
    )
    assert heartbeat.status() == heartbeat.CANT_TELL


def test_a_missing_cache_table_is_a_problem(well: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE mailops_cache")
    assert problems() == [
        "The table mailops_cache is missing, so no worker can say that it works. Run `manage.py"
        " createcachetable`."
    ]


def test_a_look_that_fails_hides_no_other(well: None) -> None:
    Schedule.objects.all().delete()
    cache.set(heartbeat.BEAT, "no time at all", timeout=None)
    unread, missing = problems()
    assert unread.startswith("The heartbeat can't be read: ")
    assert "“Sweep” is missing" in missing


@pytest.fixture
def waiting(well: None, factory: OrderFactory) -> Order:
    """Confirmed four minutes ago, held by nothing."""
    order = factory.confirmed()
    Order.objects.filter(pk=order.pk).update(state_since=ago(minutes=4))
    order.refresh_from_db()
    return order


def test_an_order_that_nothing_holds_and_nobody_sends_is_a_problem(waiting: Order) -> None:
    name, since = waiting.vendor.name, moment(waiting.state_since)
    assert problems() == [
        f"{waiting} waits to be sent to {name} since {since}, and nothing holds it."
    ]


def test_the_oldest_order_of_an_account_speaks_for_the_others(
    waiting: Order, factory: OrderFactory
) -> None:
    other = factory.confirmed(word="other")
    Order.objects.filter(pk=other.pk).update(state_since=ago(minutes=9))
    assert [
        text
        for text in problems()
        if text.startswith(f"{other} waits") and "and 1 more, and nothing" in text
    ]


def test_an_order_confirmed_just_now_is_no_problem(well: None, factory: OrderFactory) -> None:
    factory.confirmed()
    assert findings() == []


def test_all_sending_held_is_a_note_and_no_order_is_a_problem(waiting: Order) -> None:
    SendingSwitch.current().hold(reason="Lunch.", by="operator")
    assert problems() == []
    assert notes() == [
        f"All sending is held since {moment(SendingSwitch.current().stopped_at)} by operator:"
        " Lunch."
    ]


def test_an_order_just_let_go_is_no_problem_yet(waiting: Order) -> None:
    browser = Browser()
    browser.force_login(User.objects.get(username="operator"))
    for switch in ("hold_all", "release_all"):
        browser.post(f"/vendors/vendor/{switch}/", {"reason": "Lunch"})
    assert findings() == []
    assert problems_at(minutes=4) != []


def test_an_order_of_an_account_just_opened_is_no_problem_yet(waiting: Order) -> None:
    waiting.vendor.stop(reason="Lunch")
    waiting.vendor.resume()
    assert findings() == []
    assert problems_at(minutes=4) != []


def test_an_order_whose_vendor_asked_to_be_left_alone_is_no_problem(waiting: Order) -> None:
    rate_limit.rest(waiting.vendor, 600)
    assert findings() == []


@pytest.mark.parametrize("field", ["hold_until", "next_try_at"])
def test_an_order_that_is_held_is_no_problem(waiting: Order, field: str) -> None:
    Order.objects.filter(pk=waiting.pk).update(**{field: ago(minutes=-5)})
    assert findings() == []


def test_an_order_whose_hold_ended_just_now_is_no_problem(waiting: Order) -> None:
    Order.objects.filter(pk=waiting.pk).update(hold_until=ago(minutes=1))
    assert findings() == []


def test_a_stopped_account_is_a_note_and_its_orders_are_no_problem(waiting: Order) -> None:
    waiting.vendor.stop(reason="The key was refused.")
    assert problems() == []
    since = moment(waiting.vendor.stopped_at)
    assert notes() == [
        f"Sending to {waiting.vendor.name} is stopped since {since}: The key was refused."
    ]


def test_an_order_behind_others_of_its_account_waits_for_its_turn(
    waiting: Order, factory: OrderFactory
) -> None:
    factory.sent(word="first")
    assert problems() == []
    assert "Other orders of this account are being sent before it." in notes()[0]


def test_an_order_that_others_overtake_for_half_an_hour_is_a_problem(
    waiting: Order, factory: OrderFactory
) -> None:
    factory.sent(word="first")
    Order.objects.filter(pk=waiting.pk).update(state_since=ago(minutes=31))
    assert str(waiting) in problems()[0]


@pytest.mark.parametrize(("minutes", "found"), [(1, False), (3, True)])
def test_an_order_whose_worker_vanished_is_a_problem_once_the_sweep_missed_it(
    well: None, factory: OrderFactory, minutes: int, found: bool
) -> None:
    attempt = factory.claimed()
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=ago(minutes=minutes))
    assert [
        text for text in problems() if text.startswith(f"{attempt.order} should have an outcome")
    ] == problems()
    assert bool(problems()) is found


def test_unknown_outcomes_are_a_note_with_the_oldest(well: None, factory: OrderFactory) -> None:
    one = factory.sent(word="cut-after")
    assert notes() == [
        f"The outcome of {one} is unknown since {moment(one.state_since)}. A confirmer has to"
        " check."
    ]
    two = factory.sent(word="timeout-after")
    at = ago(days=2)
    Order.objects.filter(pk=two.pk).update(state_since=at)
    assert f"2 orders are unknown, the oldest ({two}) since {moment(at)}." in notes()[0]
    assert problems() == []


def test_an_overdue_schedule_is_a_problem(well: None) -> None:
    at = ago(minutes=4)
    Schedule.objects.filter(name="Sweep").update(next_run=at)
    assert problems() == [f"The schedule “Sweep” is overdue since {moment(at)}."]
    Schedule.objects.update(next_run=ago(minutes=2))
    assert problems() == []


@pytest.mark.parametrize("repeats", [None, 0])
def test_a_missing_sweep_is_a_problem(well: None, repeats: int | None) -> None:
    sweeps = Schedule.objects.filter(func=SWEEP)
    sweeps.delete() if repeats is None else sweeps.update(repeats=repeats)
    assert problems() == [
        "The schedule “Sweep” is missing, so lost orders stay lost. Run `manage.py migrate`."
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"args": "(oops"},
        {"args": "name"},
        {"kwargs": "5"},
        {
            "schedule_type": Schedule.CRON,
            "cron": "* * * * *",
        },  # needs a package that is not installed
    ],
)
def test_a_schedule_that_stops_all_others_is_named(well: None, row: dict[str, str]) -> None:
    bad = Schedule(name="Report", func="reports.send", **row)
    Schedule.objects.bulk_create([bad])
    (text,) = problems()
    assert text.startswith("The schedule “Report” (row ")
    assert text.endswith("It stops all schedules.")


@pytest.mark.parametrize(
    "row", [{"args": "1, 'two'"}, {"kwargs": "{'a': 1}"}, {"kwargs": "a=1"}, {"kwargs": "(oops"}]
)
def test_a_schedule_that_the_queue_can_read_is_no_problem(well: None, row: dict[str, str]) -> None:
    Schedule.objects.create(name="Report", func="reports.send", **row)
    assert findings() == []


@pytest.mark.parametrize(
    ("gone", "what"),
    [
        (HISTORY_TRIGGERS[0], "edits of the history"),
        *[(rules[0], what) for rules, what in ORDER_RULES],
        (VERSION_TRIGGERS[0], "edits of what prices were"),
        (RATE_TRIGGERS[1], "edits of typed exchange rates"),
    ],
)
def test_a_missing_trigger_is_a_problem(well: None, gone: sql_triggers.Trigger, what: str) -> None:
    sql_triggers.remove(connection, (gone,))
    (text,) = problems()
    assert text.startswith(f"The database no longer refuses {what}: {gone.name} missing.")


def test_a_migration_that_was_not_applied_is_a_problem(well: None) -> None:
    MigrationRecorder(connection).migration_qs.filter(app="orders").delete()
    (text,) = problems()
    assert "orders.0001_initial, " in text
    assert "not applied. Run `manage.py migrate`" in text
