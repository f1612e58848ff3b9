"""Mutants of balances, of accounts without funds, and of prices that no order may go by."""

from __future__ import annotations

from tests.faults.mutation import Mutation

NO_FUNDS = "tests/orders/sending/test_no_funds.py"
OTHERS_WAIT = f"{NO_FUNDS}::test_the_accounts_other_orders_wait_and_the_refused_one_stays_refused"
DOUBTFUL = "tests/vendors/test_doubtful_prices.py"
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
    Mutation(
        name="A price of 0 counts as known",
        promise="5",
        edits=(
            (
                "vendors/models/price.py",
                "if self.has_nought and not self.free_by_name:",
                "if False:",
            ),
        ),
        caught_by=(
            f"{DOUBTFUL}::test_a_price_of_0_from_a_list_is_asked_about_and_stops_orders",
            f"{DOUBTFUL}::test_a_price_that_became_0_after_confirming_sends_nothing",
        ),
    ),
    Mutation(
        name="A price that its list left out counts as known",
        promise="5",
        edits=(("vendors/models/price.py", "        if self.gone_at:", "        if False:"),),
        caught_by=(
            f"{DOUBTFUL}::test_a_price_that_vanished_is_named_everywhere_and_stops_orders",
            f"{DOUBTFUL}::test_an_order_of_a_vanished_price_comes_back_before_it_is_sent",
        ),
    ),
    Mutation(
        name="An empty price list takes every price away",
        promise="5",
        edits=(("vendors/price_lists.py", "    if not fetched:", "    if fetched is None:"),),
        caught_by=(f"{DOUBTFUL}::test_an_empty_list_changes_nothing_and_says_so[rows0]",),
    ),
)
