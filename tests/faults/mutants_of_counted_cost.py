"""Mutants of what an order counts, and of money back."""

from __future__ import annotations

from tests.faults.mutation import Mutation

OUTCOMES, COUNTED = "orders/models/order_outcomes.py", "orders/models/counted_cost.py"
RECORDS, COMPARE = "orders/outcomes/refund_records.py", "orders/audit/month_end/compare.py"
COUNTS = "tests/orders/models/test_counted_cost.py"
BACK = "tests/orders/outcomes/test_refund_records.py"
REFUNDS = "tests/orders/admin/test_refund_pages.py"

COUNTED_MUTANTS = (
    Mutation(
        name="What a vendor left out counts as bought",
        promise="switch",
        edits=((OUTCOMES, "if left_out or by:", "if by:"),),
        caught_by=(f"{COUNTS}::test_limits_balance_list_and_match_say_the_same_reduced_sum",),
    ),
    Mutation(
        name="A revised verdict counts what the first one left out",
        promise="switch",
        edits=((OUTCOMES, "if left_out or by:", "if left_out:"),),
        caught_by=(f"{COUNTS}::test_each_verdict_counts_anew[verdicts2]",),
    ),
    Mutation(
        name="An order of which everything was left out reads accepted",
        promise="switch",
        edits=(
            (
                OUTCOMES,
                "            if self.asset_states() <= {Asset.REFUSED}:\n",
                "            if False:\n",
            ),
        ),
        caught_by=(f"{COUNTS}::test_an_order_of_which_everything_is_left_out_ends_at_once",),
    ),
    Mutation(
        name="More money comes back than an order counts",
        promise="switch",
        edits=((RECORDS, "    if said.amount > most.get(said.currency, 0):", "    if False:"),),
        caught_by=(f"{BACK}::test_what_came_back_never_exceeds_what_the_order_counts",),
    ),
    Mutation(
        name="An editor records money back for their own order",
        promise="4",
        edits=(
            (
                RECORDS,
                "    return confirming_rights.why_not_as_editor(order, user)",
                '    return ""',
            ),
        ),
        caught_by=(f"{BACK}::test_an_editor_may_not_where_the_two_person_rule_holds[True]",),
    ),
    Mutation(
        name="A verdict is taken back although money came for it",
        promise="switch",
        edits=(
            (
                "orders/outcomes/settlement.py",
                "if order.refunds.filter(state=Refund.Stage.GOT).exists():",
                "if False:",
            ),
        ),
        caught_by=(f"{BACK}::test_a_verdict_is_not_taken_back_once_money_came",),
    ),
    Mutation(
        name="A refund on a statement is taken off its charge, unseen",
        promise="switch",
        edits=(
            (
                COMPARE,
                "            yield from (_unrecorded(line, order) for line in came)\n",
                "            pass\n",
            ),
        ),
        caught_by=(
            f"{REFUNDS}::test_a_charge_and_its_refund_are_one_finding_and_none_once_it_is_recorded",
        ),
    ),
)
