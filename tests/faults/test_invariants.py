"""The drills' invariants notice every contradiction between records."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.invariants import violations

BODY = "b" * 64


# A single order for which everything agrees.
GOOD: dict[str, Any] = {
    "state": "accepted", "stage": "accepted", "charges": 1, "requests": 1, "sent": True,
    "confirmed": 1, "said": 1, "attempts": 1, "broken": "",
}  # fmt: skip


def violations_of(changes: dict[str, Any]) -> list[str]:
    """The violations of the good order with these changes."""
    case = GOOD | changes
    attempt = {
        "order_id": 1,
        "number": 1,
        "stage": case["stage"],
        "body_sha256": BODY,
        "sent_at": "2026-01-01" if case["sent"] else "",
    }
    facts: dict[str, Any] = {
        "states": {"1": case["state"]},
        "attempts": [attempt] * case["attempts"],
        "confirmed": {"1": case["said"]},
        "broken": case["broken"],
    }
    row = {"body_sha256": BODY}
    ledger = {"charges": [row] * case["charges"], "requests": [row] * case["requests"]}
    return violations(ledger, facts, {1: case["confirmed"]})


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"state": "unknown", "stage": "unknown"},
        {"state": "unknown", "stage": "unknown", "charges": 0, "requests": 0},
        {"state": "refused", "stage": "refused", "charges": 0},
        {"state": "review", "stage": "not_sent", "charges": 0, "requests": 0, "sent": False},
        {"state": "accepted", "stage": "placed"},
        {"charges": 1, "requests": 2, "attempts": 2},  # asked to come back the first time
    ],
)
def test_records_that_agree(good: dict[str, Any]) -> None:
    assert violations_of(good) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"charges": 2, "requests": 2},  # more than were marked
        {"charges": 2, "requests": 2, "attempts": 2},  # more than were confirmed
        {"requests": 2},
        {"sent": False},  # a charge without a mark
        {"attempts": 0},
        {"state": "refused", "stage": "refused"},
        {"state": "review", "stage": "not_sent"},
        {"state": "review", "stage": "not_placed"},
        {"state": "cancelled"},
        {"stage": "not_sent"},
        {"state": "sending", "stage": "sending", "charges": 0},
        {"state": "confirmed", "stage": "not_sent", "charges": 0},
        {"said": 2},
        {"said": 0},
        {"broken": "record 7"},
    ],
)
def test_records_that_contradict_each_other(bad: dict[str, Any]) -> None:
    assert violations_of(bad)
