"""The whole life of orders at random, with the promises checked after every step.

In CI the examples are the same every time. For a longer hunt with new ones:
`MAILOPS_MACHINE_EXAMPLES=1000 make test ARGS=tests/orders/test_lifecycle_machine.py`, each of up to
`MAILOPS_MACHINE_STEPS` steps (50). What fails is shown as the shortest list of steps that still
fails.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import OrderFactory
from tests.orders.random_moves import Lifecycle
from tests.orders.simulation import happened
from vendors.practice.server import Practice

EXAMPLES = int(os.environ.get("MAILOPS_MACHINE_EXAMPLES", "0"))
STEPS = int(os.environ.get("MAILOPS_MACHINE_STEPS", "50"))
AT_LEAST = {  # in all examples together; less than half of what happens
    "charges": 40,
    "unknown outcomes": 40,
    "refusals": 5,
    "worker deaths": 15,
    **{
        f"deaths with {steps} steps left": 1 for steps in (4, 3, 2, 1)
    },  # claimed, checked, marked, sent
    "verdicts": 15,
    "revised verdicts": 10,
    "wrong verdicts": 2,
    "late answers": 4,
    "expired": 1,
    "second confirmations": 15,
}


def test_whatever_happens_nothing_is_bought_twice_and_nothing_is_lost(
    factory: OrderFactory, practice: Practice, tmp_path: Path
) -> None:
    happened.clear()
    run_state_machine_as_test(
        lambda: Lifecycle(factory, practice, tmp_path),
        settings=settings(
            max_examples=EXAMPLES or 36,
            stateful_step_count=STEPS,
            derandomize=not EXAMPLES,
            database=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
    few = {what: happened[what] for what, least in AT_LEAST.items() if happened[what] < least}
    assert not few, f"too little happened for a proof: {few} of {dict(happened)}"
