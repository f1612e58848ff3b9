"""What counts as tighter."""

from __future__ import annotations

from typing import Any

import pytest

from mailops.proposals import tighter


@pytest.mark.parametrize(
    ("rule", "safer", "looser"),
    [
        (tighter.limit, "100.00", "100.01"),
        (tighter.limit, "9.00", "100.00"),  # as amounts, not as text
        (tighter.limit, "0.00", None),
        (tighter.limit, "100.00", None),
        (tighter.tolerance, None, "5.00"),
        (tighter.tolerance, "5.00", "50.00"),
        (tighter.floor, "100.00", "99.00"),
        (tighter.floor, "100.00", None),
        (tighter.pause, 15, 0),
        (tighter.stays_on, True, False),
        (tighter.stays_off, False, True),
        (tighter.stays_practice, "practice", "live"),
        (tighter.no_more, ["Drafter"], ["Confirmer", "Drafter"]),
    ],
)
def test_loosening_says_why_and_tightening_needs_nobody(rule: tighter.Rule, safer: Any, looser: Any) -> None:
    assert rule(safer, looser).endswith(".")
    assert rule(looser, safer) == ""
    assert rule(safer, safer) == ""


def test_no_tolerance_and_a_tolerance_of_nothing_are_the_same() -> None:
    assert tighter.tolerance(None, "0.00") == ""
    assert tighter.floor("0.00", None) == ""


def test_swapping_roles_gives_one_and_takes_one() -> None:
    assert tighter.no_more(["Drafter"], ["Auditor"])
    assert tighter.in_both(["Drafter", "Operator"], ["Auditor", "Operator"]) == ["Operator"]
