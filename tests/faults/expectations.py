"""The end of a drill: every order at rest, the invariants hold, each order where it should be."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from tests.faults import results
from tests.faults.invariants import violations
from tests.faults.scenarios import DrillInstallation


def run_to_end(
    installation: DrillInstallation,
    *,
    rounds: int = 1,
    cluster: bool = True,
    control: bool = True,
) -> dict[str, Any]:
    """Drain the queue for that many rounds, buy a control order, check the invariants.

    Returns the agent's `facts`. `cluster`: start one for it; otherwise one has to be running.
    """
    if cluster:
        with installation.cluster():
            return run_to_end(installation, rounds=rounds, cluster=False, control=control)
    order = installation.order("control") if control else 0
    installation.ask("drain", rounds=rounds)
    facts: dict[str, Any] = installation.ask("facts")
    wrong = violations(installation.ledger(), facts, installation.confirmed)
    assert not wrong, "\n".join([*wrong, installation.logs()])
    if control:
        assert facts["states"][str(order)] == "accepted", installation.logs()
        assert installation.charges(order) == 1
    return facts


def expect(
    installation: DrillInstallation,
    fault: str,
    order: int,
    facts: dict[str, Any],
    *,
    ends: Set[str],
    charges: int,
) -> None:
    """Assert that the order is in one of the states and was charged so often; note it as a result."""
    actual, charged = facts["states"][str(order)], installation.charges(order)
    attempts = [attempt for attempt in facts["attempts"] if attempt["order_id"] == order]
    results.note(
        fault=fault,
        expected=" or ".join(sorted(ends)),
        actual=actual,
        charges=charged,
        attempts=len(attempts),
    )
    assert actual in ends, (fault, actual, facts["reasons"][str(order)], installation.logs())
    assert charged == charges, (fault, charged)
