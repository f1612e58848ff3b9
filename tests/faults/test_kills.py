"""kill -9 at every step of sending and of every kind of process: never a second paid request, never
a lost order.
"""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from mailops.ops.processes import BASE_DIR
from tests.faults import test_first_run
from tests.faults.expectations import expect, run_to_end
from tests.faults.processes import wait_for
from tests.faults.scenarios import DrillInstallation

# where the worker dies: the attempt as it leaves it; state, stages and charges in the end
POINTS: dict[str, tuple[str, str, list[str], int]] = {
    "claimed": ("claimed", "accepted", ["not_sent", "accepted"], 1),
    "marked": ("sending", "unknown", ["unknown"], 0),
    "about to send": ("sending", "unknown", ["unknown"], 0),
    "bytes left": ("sending", "unknown", ["unknown"], 1),
    "answered": ("sending", "unknown", ["unknown"], 1),
    "recorded, before commit": ("sending", "unknown", ["unknown"], 1),
    "recorded": ("accepted", "accepted", ["accepted"], 1),
}
IN_THE_WEB = "confirm, before commit"


def test_every_point_of_the_code_has_its_drill() -> None:
    files = [BASE_DIR / "orders", BASE_DIR / "vendors" / "http"]
    sources = [
        path
        for file in files
        for path in ([file] if file.is_file() else sorted(file.rglob("*.py")))
    ]
    named = {
        name
        for path in sources
        for name in re.findall(r'fault_points\.point\(\s*"(.+?)"', path.read_text())
    }
    assert named == {*POINTS, IN_THE_WEB, *test_first_run.POINTS}


# At every point of the code: all killed first, then brought to their end together


@dataclass
class Killed:
    orders: dict[str, int] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def killed(installation: DrillInstallation) -> Killed:
    """An order for every point at which a worker died over it, each with what that worker left
    behind.
    """
    killed = Killed()
    for point in POINTS:
        order = killed.orders[point] = installation.order(
            f"killed-{point.replace(', ', '-').replace(' ', '-')}"
        )
        with installation.cluster(MAILOPS_DRILL_KILL_AT=point) as cluster:
            cluster.wait_output("reincarnated worker")
        killed.left[point] = installation.stages(order)
    killed.facts = run_to_end(installation)
    return killed


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_when_it(
    installation: DrillInstallation, killed: Killed, point: str
) -> None:
    left, state, stages, charges = POINTS[point]
    order = killed.orders[point]
    assert killed.left[point] == [left]
    assert [a["stage"] for a in killed.facts["attempts"] if a["order_id"] == order] == stages
    expect(
        installation,
        f"kill -9 of the worker: {point}",
        order,
        killed.facts,
        ends={state},
        charges=charges,
    )


# While the vendor is silent after charging


def test_a_worker_killed_while_the_vendor_is_silent(installation: DrillInstallation) -> None:
    order = installation.order("timeout-after")
    with installation.cluster():
        installation.wait_charge(order)
        os.kill(installation.wait_worker(order, "sending"), signal.SIGKILL)
        facts = run_to_end(installation, cluster=False)
    expect(
        installation,
        "kill -9 of the worker: the vendor charged and is silent",
        order,
        facts,
        ends={"unknown"},
        charges=1,
    )


def test_everything_killed_while_the_vendor_is_silent(installation: DrillInstallation) -> None:
    order = installation.order("timeout-after")
    with installation.cluster():
        installation.wait_charge(order)
    assert installation.stages(order) == ["sending"]
    facts = run_to_end(installation)
    expect(installation, "kill -9 of the whole cluster", order, facts, ends={"unknown"}, charges=1)


# Processes of the queue


@pytest.mark.parametrize("victim", ["main", "sentinel"])
def test_orphans_work_on_beside_a_new_cluster(installation: DrillInstallation, victim: str) -> None:
    with installation.cluster() as old:
        os.kill(old.popen.pid if victim == "main" else old.sentinel, signal.SIGKILL)
        old.wait_end()
        alone = installation.order("orphans")
        installation.wait_state("accepted", alone)
        with installation.cluster():
            both = [installation.order(f"beside-orphans-{number}") for number in range(4)]
            facts = run_to_end(installation, cluster=False)
    for order in [alone, *both]:
        expect(
            installation,
            f"kill -9 of {victim}, its orphans work on",
            order,
            facts,
            ends={"accepted"},
            charges=1,
        )


def test_the_idle_worker_that_holds_the_queues_lock_is_killed(
    installation: DrillInstallation,
) -> None:
    """The cluster hangs for good, looking alive; a new one finds everything as it was."""
    with installation.cluster() as cluster:
        os.kill(cluster.pids("worker")[0], signal.SIGKILL)
        cluster.wait_output("reincarnated worker")
        order = installation.order("lock-holder")
        wait_for(
            lambda: installation.ask("queued")["taken"],
            "the hung cluster to take the task",
            show=cluster.output,
        )
        facts = run_to_end(installation)  # beside the hung one
    expect(
        installation,
        "kill -9 of the idle worker that holds the lock",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )


def test_the_idle_monitor_is_killed(installation: DrillInstallation) -> None:
    """Nothing is ever acknowledged again, so the queue hands out every task again and again."""
    with installation.cluster() as cluster:
        os.kill(cluster.pids("monitor")[0], signal.SIGKILL)
        cluster.wait_output("reincarnated monitor")
        order = installation.order("monitor")
        installation.wait_state("accepted", order)
        for times in (2, 3, 4):
            installation.ask("hand_out_again")
            wait_for(
                lambda times=times: cluster.output().count("processing") >= times, "it to run again"
            )
    facts = run_to_end(installation)
    expect(installation, "kill -9 of the idle monitor", order, facts, ends={"accepted"}, charges=1)


def test_the_pusher_is_killed(installation: DrillInstallation) -> None:
    with installation.cluster() as cluster:
        os.kill(cluster.pids("pusher")[0], signal.SIGKILL)
        order = installation.order("pusher")
        cluster.wait_output("reincarnated pusher")
        facts = run_to_end(installation, cluster=False)
    expect(installation, "kill -9 of the pusher", order, facts, ends={"accepted"}, charges=1)


# The web


class Person:
    """Signed in over HTTP."""

    def __init__(self, installation: DrillInstallation, web: str, name: str) -> None:
        self.web, self.session = web, requests.Session()
        logins = (
            (Path(installation.env["MAILOPS_DATA"]) / "demo-logins.txt").read_text().splitlines()
        )
        password = dict(line.split() for line in logins)[name]
        self.post(
            "/login/",
            self.session.get(f"{web}/login/", timeout=60).text,
            username=name,
            password=password,
            next="/",
        )

    def post(self, path: str, page: str, **fields: str) -> requests.Response:
        """Send the page's form."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, page
        fields["csrfmiddlewaretoken"] = token[1]
        answer = self.session.post(f"{self.web}{path}", data=fields, timeout=60)
        assert answer.ok, answer.text
        return answer

    def confirm(self, order: int) -> requests.Response:
        """The digest that the page shows, sent back as its button does."""
        path = f"/orders/order/{order}/confirm/"
        page = self.session.get(f"{self.web}{path}", timeout=60)
        digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page.text)
        assert digest, page.text
        return self.post(path, page.text, digest=digest[1])


def test_the_web_is_killed_while_it_confirms(installation: DrillInstallation) -> None:
    installation.ask("collect_static")
    order = installation.review("web-killed")
    before = installation.ask("queued")["tasks"]
    confirmer = Person(
        installation, installation.start_web(MAILOPS_DRILL_KILL_AT=IN_THE_WEB), "confirmer"
    )
    with pytest.raises(requests.ConnectionError):
        confirmer.confirm(order)
    facts = installation.ask("facts")
    assert facts["states"][str(order)] == "review"
    assert str(order) not in facts["confirmed"]
    assert installation.ask("queued")["tasks"] == before
    confirmer.web = installation.start_web()
    assert "is confirmed" in confirmer.confirm(order).text
    installation.confirmed[order] += 1
    assert installation.ask("queued")["tasks"] == before + 1
    facts = run_to_end(installation)
    expect(
        installation,
        "kill -9 of the web while it confirms",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )
