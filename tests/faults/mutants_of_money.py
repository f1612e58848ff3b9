"""Mutants of balances and of accounts without funds."""

from __future__ import annotations

from tests.faults.mutation import Mutation

NO_FUNDS = "tests/orders/sending/test_no_funds.py"
OTHERS_WAIT = f"{NO_FUNDS}::test_the_accounts_other_orders_wait_and_the_refused_one_stays_refused"
BALANCE = "tests/orders/spending/test_balance.py"

MONEY_MUTANTS = (
    Mutation(
        name="A noted balance without a floor holds nothing",
        promise="switch",
        edits=(
            (
                "orders/spending/balance.py",
                "if left is None or left - needs >=",
                "if left is None or vendor.balance_floor is None or left - needs >=",
            ),
        ),
        caught_by=(f"{BALANCE}::test_without_a_floor_an_order_waits_that_the_balance_cannot_pay",),
    ),
    Mutation(
        name="A refusal for want of money does not hold its account",
        promise="switch",
        edits=(("orders/sending/no_funds.py", "or not verdict.lacks_funds:", "or True:"),),
        caught_by=(f"{OTHERS_WAIT}[kind0]", f"{OTHERS_WAIT}[kind1]"),
    ),
    Mutation(
        name="An account without funds goes on sending",
        promise="switch",
        edits=(("orders/models/queries.py", "            vendor__no_funds_at=None,\n", ""),),
        caught_by=(f"{OTHERS_WAIT}[kind0]", f"{OTHERS_WAIT}[kind1]"),
    ),
    Mutation(
        name="An account found without funds sends what a worker has in hand",
        promise="switch",
        edits=(
            (
                "vendors/models/vendor.py",
                "return self.is_stopped or self.lacks_funds",
                "return self.is_stopped",
            ),
        ),
        caught_by=(f"{NO_FUNDS}::test_an_order_in_a_workers_hand_goes_back_unsent",),
    ),
)
