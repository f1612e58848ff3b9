"""Clocks that jump, and machines whose clocks differ."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from glob import glob

import pytest

from tests.faults.installation import House

# Python sleeps until a moment of the monotonic clock, which libfaketime shifts although it leaves
# that clock alone.
SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


def test_the_sweep_runs_with_clocks_that_are_hours_off(house: House) -> None:
    """Under the worker's hands: what it holds reads as unknown for a moment, and its answer settles
    that.
    """
    order = house.order("slow")
    with house.cluster():
        house.wait_worker(order, "sending")
        for hours in (-5, 5, -5):
            house.ask("run_sweep", hours=hours)
        house.wait_state("accepted", order)
        facts = house.close_books(cluster=False)
    house.expect("the sweep hours ahead and hours behind", order, facts, end="accepted", charges=1)


def test_clocks_jump_before_anything_is_sent(house: House) -> None:
    orders = [house.order("jump") for _ in range(4)]
    house.ask("lose_queue")
    for hours in (-5, 5, -5, 10):
        house.ask("run_sweep", hours=hours)
    with house.cluster():
        facts = house.close_books(cluster=False)
    for order in orders:
        house.expect("the sweep before anything is sent", order, facts, end="accepted", charges=1)


@pytest.fixture(scope="module")
def faketime(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `FAKETIME` gives a process another clock."""
    found = os.environ.get("FAKETIME_LIBRARY") or next(
        iter(glob("/usr/lib/*/faketime/libfaketime.so.1")), ""
    )
    if not found:
        pytest.skip("libfaketime is not here")
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(SLEEP)
    apart = {"LD_PRELOAD": found, "DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": str(folder)}
    ask = [sys.executable, "-c", "import time; time.sleep(0.01); print(time.time())"]
    told = subprocess.run(
        ask,
        env=os.environ | apart | {"FAKETIME": "-2h"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert float(told.stdout) < time.time() - 7000, told.stderr
    return apart


def test_two_machines_whose_clocks_are_hours_off(house: House, faketime: dict[str, str]) -> None:
    """Each takes for its own what the other has in hand."""
    orders = [house.order("slow" if number % 3 == 0 else "skewed") for number in range(9)]
    with (
        house.cluster(QUEUE_WORKERS="2"),
        house.cluster(QUEUE_WORKERS="2", FAKETIME="+2h", **faketime),
        house.cluster(QUEUE_WORKERS="2", FAKETIME="-2h", **faketime),
    ):
        facts = house.close_books(cluster=False)
    for order in orders:
        house.expect(
            "clusters two hours ahead and two hours behind", order, facts, end="accepted", charges=1
        )
