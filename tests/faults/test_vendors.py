"""Vendors that fail in every way there is, through the queue: never a second charge, nothing called
failed that was charged.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import PRODUCTS
from tests.faults.expectations import expect, run_to_end
from tests.faults.scenarios import DrillInstallation
from vendors.practice.faults import FAULTS

Orders = dict[tuple[str, str, str], int]
Facts = dict[str, Any]
# A vendor's silence has to end, a slow vendor has to be waited for.
ENV = {
    "QUEUE_WORKERS": "8",
    "VENDOR_READ_SECONDS": "10",
    "VENDOR_DEADLINE_SECONDS": "12",
    "NOT_SENT_TRIES": "3",
}

# practice value: how an order with it ends, and what it was charged
EXPECTED: dict[str, tuple[str, int]] = {
    "refused-field": ("refused", 0),
    "no-funds": ("refused", 0),
    "bad-key": ("refused", 0),
    "slow": ("accepted", 1),
    "busy": ("accepted", 1),
    "busy-date": ("accepted", 1),
    "busy-always": ("review", 0),
    "timeout-before": ("unknown", 0),
    "timeout-after": ("unknown", 1),
    "cut-before": ("unknown", 0),
    "cut-after": ("unknown", 1),
    "cut-headers": ("unknown", 1),
    "error-before": ("unknown", 0),
    "error-after": ("unknown", 1),
    "unavailable": ("unknown", 0),
    "unavailable-after": ("unknown", 1),
    "bad-gateway-before": ("unknown", 0),
    "bad-gateway-after": ("unknown", 1),
    "gateway-timeout-before": ("unknown", 0),
    "gateway-timeout-after": ("unknown", 1),
    "redirect": ("unknown", 0),
    "redirect-301": ("unknown", 0),
    "redirect-302": ("unknown", 0),
    "redirect-308": ("unknown", 0),
    "rubbish": ("unknown", 1),
    "truncated": ("unknown", 1),
    "truncated-headers": ("unknown", 1),
    "wrong-shape": ("unknown", 1),
    "wrong-charset": ("unknown", 1),
    "no-content": ("unknown", 1),
    "odd-accepted": ("unknown", 1),
    "other-order": ("unknown", 1),
    "drip": ("unknown", 1),
    "huge": ("unknown", 1),
    "partial": ("accepted", 1),
    "never-delivered": ("accepted", 1),
    "charge-failed": ("accepted", 1),
    "late": ("accepted", 1),
    "few-mailboxes": ("accepted", 1),
    "cancelled-later": ("accepted", 1),
    "other-user": ("accepted", 1),
}
# where a vendor's own words make a difference
OTHERWISE: dict[tuple[str, str], tuple[str, int]] = {
    ("no-funds", "scaledmail"): (
        "unknown",
        0,
    ),  # its 400 about payment may hide a subscription that was made
    ("charge-failed", "scaledmail"): ("unknown", 1),
    ("other-order", "scaledmail"): ("accepted", 1),  # answers without a number
    ("other-order", "woodpecker"): ("accepted", 1),
}
UNTIL_THE_DEADLINE = {"timeout-before", "timeout-after", "drip"}  # the same for all, and slow
AFTER_ANOTHER = {"other-order"}  # needs an earlier order in its account
CASES = [
    (fault, api, product)
    for fault in FAULTS
    if fault in EXPECTED
    for api, product in (PRODUCTS[1:3] if fault in UNTIL_THE_DEADLINE else PRODUCTS)
]


def test_every_practice_value_has_an_expectation() -> None:
    assert set(FAULTS) <= set(EXPECTED)


@pytest.fixture(scope="module")
def failed(installation: DrillInstallation) -> tuple[Orders, Facts]:
    """An order for every fault at every vendor, each in an account of its own, all brought to their
    end.
    """
    accounts = {case: "-".join(case) for case in CASES}
    with installation.cluster():
        earlier = [
            installation.order("earlier", api=case[1], product=case[2], account=accounts[case])
            for case in CASES
            if case[0] in AFTER_ANOTHER
        ]
        installation.wait_state("accepted", *earlier)
        orders = {
            case: installation.order(case[0], api=case[1], product=case[2], account=accounts[case])
            for case in CASES
        }
        return orders, run_to_end(installation, cluster=False)


@pytest.mark.parametrize(("fault", "api", "product"), CASES)
def test_a_vendor_fails(
    installation: DrillInstallation,
    failed: tuple[Orders, Facts],
    fault: str,
    api: str,
    product: str,
) -> None:
    orders, facts = failed
    end, charges = OTHERWISE.get((fault, api), EXPECTED[fault])
    expect(
        installation,
        f"{fault}, {api} {product}",
        orders[fault, api, product],
        facts,
        ends={end},
        charges=charges,
    )
