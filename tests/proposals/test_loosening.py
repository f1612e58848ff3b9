"""Rules that say which change is tighter and which is looser."""

from __future__ import annotations

from typing import Any

import pytest

from mailops.proposals import loosening


@pytest.mark.parametrize(
    ("rule", "safer", "looser"),
    [
        (loosening.limit, "100.00", "100.01"),
        (loosening.limit, "9.00", "100.00"),  # as amounts, not as text
        (loosening.limit, "0.00", None),
        (loosening.limit, "100.00", None),
        (loosening.tolerance, None, "5.00"),
        (loosening.tolerance, "5.00", "50.00"),
        (loosening.floor, "100.00", "99.00"),
        (loosening.floor, "100.00", None),
        (loosening.pause, 15, 0),
        (loosening.stays_on, True, False),
        (loosening.stays_off, False, True),
        (loosening.stays_practice, "practice", "live"),
        (loosening.no_more, ["Drafter"], ["Confirmer", "Drafter"]),
    ],
)
def test_loosening_says_why_and_tightening_needs_nobody(
    rule: loosening.Rule, safer: Any, looser: Any
) -> None:
    assert rule(safer, looser).endswith(".")
    assert rule(looser, safer) == ""
    assert rule(safer, safer) == ""


def test_no_tolerance_and_a_tolerance_of_nothing_are_the_same() -> None:
    assert loosening.tolerance(None, "0.00") == ""
    assert loosening.floor("0.00", None) == ""


def test_swapping_roles_gives_one_and_takes_one() -> None:
    assert loosening.no_more(["Drafter"], ["Auditor"])
    assert loosening.in_both(["Drafter", "Operator"], ["Auditor", "Operator"]) == ["Operator"]
