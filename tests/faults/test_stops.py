"""Workers that get a stop signal, run out of time, or sleep at the worst moment."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.expectations import expect, run_to_end
from tests.faults.processes import has_ended, wait_for
from tests.faults.scenarios import DrillInstallation

# The queue's time-out

# where the worker is when its time is over: how the order ends, with how many charges
TIMED_OUT = {
    "claimed": ("accepted", 1),
    "bytes left": ("unknown", 1),
    "answered": ("unknown", 1),
    "recorded": ("accepted", 1),
}


@pytest.mark.parametrize("point", TIMED_OUT)
def test_the_queues_time_is_over_when_the_worker_is(
    installation: DrillInstallation, point: str
) -> None:
    """The queue's own alarm, sent while the worker stands still at that point."""
    end, charges = TIMED_OUT[point]
    order = installation.order(f"alarm-{point.replace(' ', '-')}")
    with installation.cluster(MAILOPS_DRILL_STOP_AT=point) as cluster:
        stage = {"claimed": "claimed", "recorded": "accepted"}.get(point, "sending")
        worker = installation.wait_frozen(order, stage)
        os.kill(worker, signal.SIGALRM)
        os.kill(worker, signal.SIGCONT)
        cluster.wait_output("after timeout|after death")
    facts = run_to_end(installation)
    expect(
        installation, f"the queue's time-out: {point}", order, facts, ends={end}, charges=charges
    )


def test_the_queues_time_is_shorter_than_the_vendors_silence(
    installation: DrillInstallation,
) -> None:
    order = installation.order("timeout-after")
    with installation.cluster("--skip-checks", QUEUE_TIMEOUT="2") as cluster:
        installation.wait_charge(order)
        cluster.wait_output("after timeout|after death")
    facts = run_to_end(installation)
    expect(
        installation,
        "the queue's time-out while the vendor is silent",
        order,
        facts,
        ends={"unknown"},
        charges=1,
    )


# SIGTERM


def test_a_stop_signal_to_main_lets_the_order_finish(installation: DrillInstallation) -> None:
    order = installation.order("slow")
    with installation.cluster() as cluster:
        installation.wait_worker(order, "sending")
        cluster.popen.terminate()
        assert cluster.wait_end() == 0
    assert installation.state(order) == "accepted"
    facts = run_to_end(installation)
    expect(
        installation, "SIGTERM to main while sending", order, facts, ends={"accepted"}, charges=1
    )


def test_a_stop_signal_to_all_processes_cuts_the_order_short(
    installation: DrillInstallation,
) -> None:
    order = installation.order("timeout-after")
    with installation.cluster() as cluster:
        installation.wait_charge(order)
        worker = installation.wait_worker(order, "sending")
        os.killpg(cluster.popen.pid, signal.SIGTERM)
        wait_for(lambda: has_ended(worker), "the worker's end")
    facts = run_to_end(installation)
    expect(
        installation,
        "SIGTERM to all processes while sending",
        order,
        facts,
        ends={"unknown"},
        charges=1,
    )


# Asleep between claim and sending, while others decide


def test_a_worker_sleeps_after_its_claim_and_another_sends(installation: DrillInstallation) -> None:
    order = installation.order("asleep-claimed")
    with installation.cluster(MAILOPS_DRILL_STOP_AT="claimed") as sleeping:
        worker = installation.wait_frozen(order, "claimed")
        assert installation.ask("run_sweep", hours=1)["released"] == 1
        with installation.cluster():
            installation.wait_sent_by_another(order)
        os.kill(worker, signal.SIGCONT)
        sleeping.wait_output("Processed")
    facts = run_to_end(installation)
    expect(
        installation,
        "asleep after the claim, another worker sends",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )


def test_a_worker_sleeps_after_its_mark_and_a_person_decides(
    installation: DrillInstallation,
) -> None:
    """The sweep calls it unknown, a person says that it was not placed and confirms again, another
    worker sends.
    """
    order = installation.order("asleep-marked")
    fresh = 5
    with installation.cluster(
        MAILOPS_DRILL_STOP_AT="marked", CLAIM_FRESH_SECONDS=str(fresh)
    ) as sleeping:
        worker = installation.wait_frozen(order, "sending")
        frozen_at = datetime.now(UTC)
        assert installation.ask("run_sweep", hours=1)["unknown"] == 1
        installation.ask("settle_not_placed", order=order)
        installation.confirm(order)
        with installation.cluster():
            installation.wait_sent_by_another(order)
        wait_for(
            lambda: datetime.now(UTC) > frozen_at + timedelta(seconds=fresh),
            "its claim to be stale",
        )
        os.kill(worker, signal.SIGCONT)
        sleeping.wait_output("Processed")
    facts = run_to_end(installation)
    assert installation.stages(order) == ["not_placed", "accepted"]
    expect(
        installation,
        "asleep after the mark, a person confirms again",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )
