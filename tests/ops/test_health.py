"""Is it working?

What `manage.py health`, `/healthz` and the pages say, with everything broken that can be.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client as Browser
from django.utils import timezone
from django_q.models import Schedule

from mailops.core import heartbeat, sql_triggers
from mailops.core.times import moment
from mailops.history.models import TRIGGERS as HISTORY_TRIGGERS
from mailops.ops.diagnostics import findings
from mailops.ops.processes import BASE_DIR
from orders.models import Attempt, Order
from orders.models.constraints import RULES as ORDER_RULES
from orders.tasks import SWEEP
from tests.conftest import OrderFactory
from tests.faults.installation import Installation
from tests.test_roles import PEOPLE
from tests.test_settings import PRODUCTION, run
from vendors import rate_limit
from vendors.models import SendingSwitch
from vendors.models.exchange_rate import TRIGGERS as RATE_TRIGGERS
from vendors.models.price_version import TRIGGERS as VERSION_TRIGGERS


def ago(**how_long: float) -> Any:
    return timezone.now() - timedelta(**how_long)


def beat_at(at: Any) -> None:
    cache.set(heartbeat.BEAT, at, timeout=None)


def problems() -> list[str]:
    return [finding.text for finding in findings() if finding.is_problem]


def notes() -> list[str]:
    return [finding.text for finding in findings() if not finding.is_problem]


def problems_at(*, minutes: int) -> list[str]:
    """What will be said about orders, if nothing happens until then."""
    later = timezone.now() + timedelta(minutes=minutes)
    return [finding.text for finding in findings(later) if " waits to be sent " in finding.text]


def make_well() -> None:
    heartbeat.beat()
    Schedule.objects.update(next_run=timezone.now())


@pytest.fixture
def well(db: None) -> None:
    """Nothing is wrong: a worker reported just now, and no schedule is late."""
    make_well()


@pytest.fixture
def well_committed(committed: None) -> None:
    make_well()


# What is wrong: the worker


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
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mailops_cache SET value = 'x'")
    unread, missing = problems()
    assert unread.startswith("The heartbeat can't be read: ")
    assert "“Sweep” is missing" in missing


# What is wrong: the orders


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


# What is wrong: queue and database


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


# The command


def command(*arguments: str) -> tuple[str, int]:
    """What it prints, and its exit code."""
    said, code = StringIO(), 0
    try:
        call_command("health", *arguments, stdout=said)
    except SystemExit as end:
        code = int(end.code or 0)
    return said.getvalue(), code


def test_the_command_says_that_all_is_well(well: None) -> None:
    assert command() == ("Sending works. No problem found.\n", 0)
    assert command("--quiet") == ("", 0)


def test_a_note_alone_is_no_failure(well: None, factory: OrderFactory) -> None:
    factory.accounts["woodpecker"].stop(reason="Holidays")
    said, code = command()
    assert said.startswith("Note: Sending to ")
    assert said.endswith("Sending works. No problem found.\n")
    assert code == 0
    assert command("--quiet") == ("", 0)


def test_a_problem_fails_the_command_and_comes_first(well: None, factory: OrderFactory) -> None:
    factory.accounts["woodpecker"].stop(reason="Holidays")
    cache.delete(heartbeat.BEAT)
    problem = "Problem: Sending has not started yet: no worker has finished a task.\n"
    said, code = command()
    assert code == 1
    assert said.startswith(f"{problem}Note: ")
    assert command("--quiet") == (problem, 1)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A database of its own with nothing in it, and real processes."""
    made = Installation(tmp_path)
    yield made
    made.tear_down()


def python(
    installation: Installation, *command: str, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=installation.env | env,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def asked(installation: Installation, *arguments: str, **env: str) -> tuple[str, int]:
    """The command as a process of its own; whatever happens, it shows no traceback."""
    done = python(installation, "manage.py", "health", *arguments, **env)
    assert done.stderr == ""
    return done.stdout, done.returncode


def after(installation: Installation, code: str) -> None:
    """Run this in the installation's database first."""
    done = python(installation, "-c", f"import django\ndjango.setup()\n{code}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "address", ["postgres://mailops:sesame@127.0.0.1:9/mailops", "sqlite:////no/such/folder/db"]
)
def test_a_database_that_is_away_is_one_sentence(installation: Installation, address: str) -> None:
    said, code = asked(installation, DATABASE_URL=address)
    assert code == 1
    assert said.startswith("Problem: The database can't be read: ")
    assert said.count("\n") == 1
    assert "sesame" not in said


def test_an_empty_database_is_two_sentences(installation: Installation) -> None:
    said, code = asked(installation)
    older, cache_table = said.splitlines()
    assert code == 1
    assert older.startswith("Problem: The database is older than the program: ")
    assert cache_table.startswith("Problem: The table mailops_cache is missing")


def test_the_command_from_the_first_worker_to_a_lost_table(installation: Installation) -> None:
    after(
        installation,
        "from django.core.management import call_command as c; c('migrate', verbosity=0);"
        " c('createcachetable')",
    )
    assert asked(installation) == (
        "Problem: Sending has not started yet: no worker has finished a task.\n",
        1,
    )
    after(
        installation,
        "from datetime import timedelta; from django.utils import timezone; from django_q.models"
        " import Schedule\nSchedule.objects.update(next_run=timezone.now() +"
        " timedelta(hours=1))\nfrom mailops.core import heartbeat as health; health.beat()",
    )
    after(
        installation,
        "from vendors.models import Vendor; Vendor.objects.create(name='Čapek',"
        " api='woodpecker').stop(reason='?')",
    )
    said, code = asked(installation, PYTHONIOENCODING="ascii")  # a cron job's terminal
    assert "Note: Sending to ?apek is stopped since " in said
    assert code == 0
    assert asked(installation, "--quiet") == ("", 0)
    after(
        installation,
        "from django.db import connection; connection.cursor().execute('DROP TABLE"
        " django_q_schedule')",
    )
    said, code = asked(installation, "--quiet")
    assert said.startswith("Problem: The schedules can't be read: ")
    assert said.count("\n") == code == 1


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[str]:
    """The address of a database that answers nobody."""
    file = tmp_path / "hangs.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE t (a)")
        holder.execute("BEGIN EXCLUSIVE")
        yield f"sqlite:///{file}"


def test_a_database_that_hangs_ends_the_command_too(
    installation: Installation, hanging: str
) -> None:
    said, code = asked(installation, "--seconds", "0.5", DATABASE_URL=hanging)
    assert said == "Problem: The database did not answer within 0.5 seconds.\n"
    assert code == 1


# /healthz


def test_a_monitor_without_a_login_gets_one_word(well_committed: None) -> None:
    browser = Browser()
    for address in ("/healthz", "/healthz/"):
        response = browser.get(address)
        assert (response.status_code, response.content) == (200, b"ok\n")
        assert response.headers["Content-Type"] == "text/plain"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Vary" not in response.headers
        assert not response.cookies
    assert browser.head("/healthz").status_code == 200


@pytest.mark.parametrize("beat", [None, timedelta(minutes=4), timedelta(hours=-1)])
def test_a_monitor_hears_that_nothing_is_sending(
    well_committed: None, beat: timedelta | None
) -> None:
    cache.delete(heartbeat.BEAT) if beat is None else beat_at(timezone.now() - beat)
    response = Browser().get("/healthz")
    assert (response.status_code, response.content) == (503, b"not ok\n")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_a_monitor_may_only_look(db: None, method: str) -> None:
    response = getattr(Browser(enforce_csrf_checks=True), method)("/healthz")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("name", PEOPLE)
def test_whoever_asks_gets_the_same_word_and_no_session_is_read(
    well_committed: None, people: Any, name: str, django_assert_num_queries: Any
) -> None:
    browser = Browser()
    if name != "nobody":
        browser.force_login(getattr(people, name))
    with django_assert_num_queries(0):  # the look itself has a connection of its own
        response = browser.get("/healthz")
    assert (response.content, response.cookies) == (b"ok\n", {})


def test_a_monitor_inside_need_not_know_the_name(well_committed: None) -> None:
    inside = {"host": "10.1.2.3"}
    assert Browser().get("/login/", headers=inside).status_code == 400
    assert Browser().get("/healthz", headers=inside).status_code == 200


def test_a_missing_cache_table_is_not_ok_and_breaks_no_page(committed: None, people: Any) -> None:
    browser = Browser()
    browser.force_login(people.operator)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE mailops_cache")
    try:
        assert browser.get("/healthz").status_code == 503
        assert "Nobody can tell whether sending works" in browser.get("/").content.decode()
    finally:
        call_command("createcachetable")


ASK = """
import django
django.setup()
from django.test import Client
browser = Client(headers={"cookie": "sessionid=somebody", "host": "mailops.example.com"})
for address in ("/healthz", "/healthz/", "/login/"):
    response = browser.get(address)
    print(response.status_code, response.content.decode().strip(), dict(response.cookies))
"""


def test_a_live_installation_without_its_database_answers_503_to_a_visitor_with_a_session(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "-c", ASK, **PRODUCTION)
    assert done.stdout.splitlines() == ["503 not ok {}", "503 not ok {}", "301  {}"], done.stderr


MANY_ASK = """
import django, threading
django.setup()
from concurrent.futures import ThreadPoolExecutor
from django.test import RequestFactory
from mailops.ops.healthz import Healthz
healthz = Healthz(lambda request: None)
with ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(lambda _: healthz(RequestFactory().get("/healthz")).status_code, range(8)))
print(answers, sum(thread.name == "healthz" for thread in threading.enumerate()))
"""


def test_a_database_that_hangs_is_not_ok_and_many_who_ask_share_one_look(
    tmp_path: Path, hanging: str
) -> None:
    done = run(tmp_path, "-c", MANY_ASK, DATABASE_URL=hanging)
    assert done.stdout == f"{[503] * 8} 1\n", done.stderr


# The pages


@pytest.mark.parametrize(
    ("beat", "chip", "card"),
    [
        (None, "Sending has not started yet", "Sending has not started yet."),
        (timedelta(0), "Sending works", "Sending works."),
        (
            timedelta(hours=1, seconds=5),
            "Nothing is sending since {}",
            "Nothing is sending since {} (1 hour).",
        ),
    ],
)
def test_every_page_says_whether_sending_works(
    well: None, people: Any, beat: timedelta | None, chip: str, card: str
) -> None:
    at = timezone.now() - (beat or timedelta(0))
    cache.delete(heartbeat.BEAT) if beat is None else beat_at(at)
    browser = Browser()
    browser.force_login(people.operator)
    assert f">{chip.format(moment(at))}<" in browser.get("/password_change/").content.decode()
    assert f"<p>{card.format(moment(at))}</p>" in browser.get("/").content.decode().replace(
        "\xa0", " "
    )


def test_the_confirm_page_says_that_nothing_is_sending(well: None, factory: OrderFactory) -> None:
    order = factory.reviewed()
    browser = Browser()
    browser.force_login(factory.people.confirmer)
    address = f"/orders/order/{order.pk}/confirm/"
    assert "as soon as sending works again" not in browser.get(address).content.decode()
    at = ago(hours=1)
    beat_at(at)
    said = f"Nothing is sending since {moment(at)}: it is sent as soon as sending works again."
    assert said in browser.get(address).content.decode()
