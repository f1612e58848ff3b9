"""The oracle of the drills can tell good books from bad ones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.invariants import disagreements

BODY = "b" * 64


def books(
    *, state: str = "accepted", stage: str = "accepted", charges: int = 1, requests: int = 1, sent: bool = True,
    confirmed: int = 1, said: int = 1, attempts: int = 1, broken: str = "",
) -> list[str]:  # fmt: skip
    """What is wrong with the books of a single order."""
    attempt = {
        "order_id": 1,
        "number": 1,
        "stage": stage,
        "body_sha256": BODY,
        "sent_at": "2026-01-01" if sent else "",
    }
    facts: dict[str, Any] = {
        "states": {"1": state},
        "attempts": [attempt] * attempts,
        "confirmed": {"1": said},
        "broken": broken,
    }
    row = {"body_sha256": BODY}
    return disagreements(
        {"charges": [row] * charges, "requests": [row] * requests}, facts, {1: confirmed}
    )


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
def test_books_that_agree(good: dict[str, Any]) -> None:
    assert books(**good) == []


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
def test_books_that_do_not(bad: dict[str, Any]) -> None:
    assert books(**bad)
