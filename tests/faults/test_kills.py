"""A worker is killed at every step of sending: never a second paid request, never a lost order."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator

import pytest

from mailops.processes import BASE_DIR
from tests.faults.house import House, wait_for

SETUP = """
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable")
call_command("demo", "--no-orders", verbosity=0)
"""
DRAFT = """
from django.contrib.auth.models import User
from orders import drafting
from orders.management.commands import demo
from orders.models import Order
rows = "{domain}, Dana Reyes, dana"
order = demo.draft("woodpecker", "mailboxes", "Northwind", rows, {{"provider": "GOOGLE"}})
drafting.send_for_confirmation(order.pk, by=User.objects.get(username="drafter"))
"""
CONFIRM = """
from orders.management.commands import demo
from orders.models import Order
demo.confirm(Order.objects.get())
"""
# Time passes, the queue hands everything out again, and the doorbell is rung three times more.
AFTERWARDS = """
import json, time
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task
from mailops.history.chain import verify
from orders import doorbell, sweep
from orders.models import Order
later, until = timezone.now() + timedelta(hours=2), time.monotonic() + 60
order = Order.objects.get()
sweep.run(later)
for _ in range(2):
    OrmQ.objects.update(lock=timezone.now() - timedelta(days=1))
    with transaction.atomic():
        for _ in range(3):
            async_task(doorbell.SUBMIT, order.pk)
    while OrmQ.objects.exists() and time.monotonic() < until:
        time.sleep(0.05)
    sweep.run(later + timedelta(hours=2))
order.refresh_from_db()
finding = verify()
print(json.dumps({
    "state": order.state, "stages": list(order.attempts.values_list("stage", flat=True)),
    "queued": OrmQ.objects.count(), "unbroken": finding.is_unbroken,
}))
"""
# where the worker dies: the attempt as the dead worker left it, charges by then; state, stages and charges in the end
POINTS: dict[str, tuple[str, int, str, list[str], int]] = {
    "claimed": ("claimed", 0, "accepted", ["accepted", "not_sent"], 1),
    "marked": ("sending", 0, "unknown", ["unknown"], 0),
    "about to send": ("sending", 0, "unknown", ["unknown"], 0),
    "answered": ("sending", 1, "unknown", ["unknown"], 1),
    "recorded, before commit": ("sending", 1, "unknown", ["unknown"], 1),
    "recorded": ("accepted", 1, "accepted", ["accepted"], 1),
}
IN_THE_WEB = "confirm, before commit"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with people and accounts, and practice vendors for all houses."""
    house = House(tmp_path_factory.mktemp("houses"), "built")
    house.copy_database_of(None)
    try:
        house.start_practice()
        house.run(SETUP)
        yield house
    finally:
        house.tear_down()


@pytest.fixture
def house(built: House, request: pytest.FixtureRequest) -> Iterator[House]:
    """A copy of that house for one drill."""
    name = re.sub(r"\W+", "_", request.node.name).strip("_")[-40:].lower()
    house = House(built.folder, name, practice=built.env["MAILOPS_PRACTICE_URL"])
    house.copy_database_of(built)
    try:
        yield house
    finally:
        house.tear_down()


def stages(house: House) -> list[str]:
    return [stage for (stage,) in house.rows("SELECT stage FROM orders_attempt ORDER BY number")]


def assert_end(house: House, domain: str, state: str, stages: list[str], charges: int) -> None:
    """What everybody finds after a restart, with all that could still be handed out handed out."""
    requests = len(house.books(domain)["requests"])
    end = json.loads(house.run(AFTERWARDS))
    assert (end["state"], end["stages"]) == (state, stages), house.said()
    assert end["queued"] == 0
    assert end["unbroken"]
    books = house.books(domain)
    assert len(books["charges"]) == charges
    assert len(books["requests"]) == max(requests, charges) <= 1


def test_every_point_of_the_code_has_its_drill() -> None:
    named = re.findall(r'drill\.point\("(.+?)"\)', (BASE_DIR / "orders" / "submission.py").read_text())
    assert sorted(named) == sorted([*POINTS, IN_THE_WEB])


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_when_it(house: House, point: str) -> None:
    stage, charged, state, ends, charges = POINTS[point]
    domain = f"{re.sub(r'[^a-z]+', '-', point)}-killed.com"
    house.run(DRAFT.format(domain=domain) + CONFIRM)
    cluster = house.start_cluster(MAILOPS_DRILL_KILL_AT=point)
    wait_for(lambda: "reincarnated worker" in house.said(), "the worker to die", show=house.said)
    house.pull_the_plug(cluster)
    assert stages(house) == [stage]
    assert len(house.books(domain)["charges"]) == charged
    house.start_cluster()
    assert_end(house, domain, state, ends, charges)


def test_a_power_cut_while_the_vendor_is_answering(house: House) -> None:
    """Nobody chooses the line: everything dies at once while the request is on its way."""
    domain = "timeout-after-power-cut.com"
    house.run(DRAFT.format(domain=domain) + CONFIRM)
    cluster = house.start_cluster()
    wait_for(lambda: house.books(domain)["charges"], "the charge", show=house.said)
    house.pull_the_plug(cluster)
    assert stages(house) == ["sending"]
    house.start_cluster()
    assert_end(house, domain, "unknown", ["unknown"], 1)


def test_the_web_killed_while_confirming_confirms_nothing(house: House) -> None:
    house.run(DRAFT.format(domain="web-killed.com"))
    died = house.python(CONFIRM, MAILOPS_DRILL_KILL_AT=IN_THE_WEB)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert house.rows("SELECT state, digest FROM orders_order") == [("review", "")]
    assert house.rows("SELECT count(*) FROM django_q_ormq") == [(0,)]
    assert house.rows("SELECT count(*) FROM history_event WHERE action = 'order.confirmed'") == [(0,)]
    house.run(CONFIRM)
    assert house.rows("SELECT state FROM orders_order") == [("confirmed",)]
    assert house.rows("SELECT count(*) FROM django_q_ormq") == [(1,)]
