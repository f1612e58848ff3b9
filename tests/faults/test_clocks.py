"""Clocks that jump, and machines whose clocks differ."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from glob import glob

import pytest

from tests.faults.expectations import expect, run_to_end
from tests.faults.scenarios import DrillInstallation

# Python sleeps until a moment of the monotonic clock, which libfaketime shifts although it leaves
# that clock alone.
SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


def test_the_sweep_runs_with_clocks_that_are_hours_off(installation: DrillInstallation) -> None:
    """Under the worker's hands: what it holds reads as unknown for a moment, and its answer settles
    that.
    """
    order = installation.order("slow")
    with installation.cluster():
        installation.wait_worker(order, "sending")
        for hours in (-5, 5, -5):
            installation.ask("run_sweep", hours=hours)
        installation.wait_state("accepted", order)
        facts = run_to_end(installation, cluster=False)
    expect(
        installation,
        "the sweep hours ahead and hours behind",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )


def test_clocks_jump_before_anything_is_sent(installation: DrillInstallation) -> None:
    orders = [installation.order("jump") for _ in range(4)]
    installation.ask("lose_queue")
    for hours in (-5, 5, -5, 10):
        installation.ask("run_sweep", hours=hours)
    with installation.cluster():
        facts = run_to_end(installation, cluster=False)
    for order in orders:
        expect(
            installation,
            "the sweep before anything is sent",
            order,
            facts,
            ends={"accepted"},
            charges=1,
        )


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
    done = subprocess.run(
        ask,
        env=os.environ | apart | {"FAKETIME": "-2h"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert float(done.stdout) < time.time() - 7000, done.stderr
    return apart


def test_two_machines_whose_clocks_are_hours_off(
    installation: DrillInstallation, faketime: dict[str, str]
) -> None:
    """Each takes for its own what the other has in hand."""
    orders = [installation.order("slow" if number % 3 == 0 else "skewed") for number in range(9)]
    with (
        installation.cluster(QUEUE_WORKERS="2"),
        installation.cluster(QUEUE_WORKERS="2", FAKETIME="+2h", **faketime),
        installation.cluster(QUEUE_WORKERS="2", FAKETIME="-2h", **faketime),
    ):
        facts = run_to_end(installation, cluster=False)
    for order in orders:
        expect(
            installation,
            "clusters two hours ahead and two hours behind",
            order,
            facts,
            ends={"accepted"},
            charges=1,
        )
