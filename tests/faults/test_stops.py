"""Workers that are told to stop, run out of time, or sleep at the worst moment."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.installation import House, is_over, wait_for

# The queue's time-out

# where the worker is when its time is over: how the order ends, with how many charges
TIMED_OUT = {
    "claimed": ("accepted", 1),
    "bytes left": ("unknown", 1),
    "answered": ("unknown", 1),
    "recorded": ("accepted", 1),
}


@pytest.mark.parametrize("point", TIMED_OUT)
def test_the_queues_time_is_over_when_the_worker_is(house: House, point: str) -> None:
    """The queue's own alarm, sent while the worker stands still at that point."""
    end, charges = TIMED_OUT[point]
    order = house.order(f"alarm-{point.replace(' ', '-')}")
    with house.cluster(MAILOPS_DRILL_STOP_AT=point) as cluster:
        stage = {"claimed": "claimed", "recorded": "accepted"}.get(point, "sending")
        worker = house.wait_frozen(order, stage)
        os.kill(worker, signal.SIGALRM)
        os.kill(worker, signal.SIGCONT)
        cluster.wait_said("after timeout|after death")
    facts = house.close_books()
    house.expect(f"the queue's time-out: {point}", order, facts, end=end, charges=charges)


def test_the_queues_time_is_shorter_than_the_vendors_silence(house: House) -> None:
    order = house.order("timeout-after")
    with house.cluster("--skip-checks", QUEUE_TIMEOUT="2") as cluster:
        house.wait_charge(order)
        cluster.wait_said("after timeout|after death")
    facts = house.close_books()
    house.expect(
        "the queue's time-out while the vendor is silent", order, facts, end="unknown", charges=1
    )


# SIGTERM


def test_a_stop_signal_to_main_lets_the_order_finish(house: House) -> None:
    order = house.order("slow")
    with house.cluster() as cluster:
        house.wait_worker(order, "sending")
        cluster.popen.terminate()
        assert cluster.wait_end() == 0
    assert house.state(order) == "accepted"
    facts = house.close_books()
    house.expect("SIGTERM to main while sending", order, facts, end="accepted", charges=1)


def test_a_stop_signal_to_all_processes_cuts_the_order_short(house: House) -> None:
    order = house.order("timeout-after")
    with house.cluster() as cluster:
        house.wait_charge(order)
        worker = house.wait_worker(order, "sending")
        os.killpg(cluster.popen.pid, signal.SIGTERM)
        wait_for(lambda: is_over(worker), "the worker's end")
    facts = house.close_books()
    house.expect("SIGTERM to all processes while sending", order, facts, end="unknown", charges=1)


# Asleep between claim and sending, while others decide


def test_a_worker_sleeps_after_its_claim_and_another_sends(house: House) -> None:
    order = house.order("asleep-claimed")
    with house.cluster(MAILOPS_DRILL_STOP_AT="claimed") as sleeping:
        worker = house.wait_frozen(order, "claimed")
        assert house.ask("run_sweep", hours=1)["released"] == 1
        with house.cluster():
            house.wait_by_another(order)
        os.kill(worker, signal.SIGCONT)
        sleeping.wait_said("Processed")
    facts = house.close_books()
    house.expect(
        "asleep after the claim, another worker sends", order, facts, end="accepted", charges=1
    )


def test_a_worker_sleeps_after_its_mark_and_a_person_decides(house: House) -> None:
    """The sweep calls it unknown, a person says that it was not placed and confirms again, another
    worker sends.
    """
    order = house.order("asleep-marked")
    fresh = 5
    with house.cluster(MAILOPS_DRILL_STOP_AT="marked", CLAIM_FRESH_SECONDS=str(fresh)) as sleeping:
        worker = house.wait_frozen(order, "sending")
        frozen_at = datetime.now(UTC)
        assert house.ask("run_sweep", hours=1)["unknown"] == 1
        house.ask("settle_not_placed", order=order)
        house.confirm(order)
        with house.cluster():
            house.wait_by_another(order)
        wait_for(
            lambda: datetime.now(UTC) > frozen_at + timedelta(seconds=fresh),
            "its claim to be stale",
        )
        os.kill(worker, signal.SIGCONT)
        sleeping.wait_said("Processed")
    facts = house.close_books()
    assert house.stages(order) == ["not_placed", "accepted"]
    house.expect(
        "asleep after the mark, a person confirms again", order, facts, end="accepted", charges=1
    )
