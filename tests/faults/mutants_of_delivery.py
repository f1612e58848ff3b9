"""Mutants of what people say about a delivery, and of how an order ends."""

from __future__ import annotations

from tests.faults.mutation import Mutation

NEVER_CAME = "tests/orders/outcomes/test_never_came.py"
OVERDUE = "tests/orders/outcomes/test_overdue_orders.py"

DELIVERY_MUTANTS = (
    Mutation(
        name="An order of which nothing came reads partly delivered",
        promise="3",
        edits=(
            (
                "orders/outcomes/conclusion.py",
                "if Asset.READY not in states:",
                "if not states:",
            ),
        ),
        caught_by=(
            f"{NEVER_CAME}::test_one_of_two_lines_leaves_it_accepted_and_both_make_it_not_delivered",
        ),
    ),
    Mutation(
        name="A line that came since the page was shown is given up",
        promise="3",
        edits=(("orders/outcomes/lines.py", "        if gone:\n", "        if not wanted:\n"),),
        caught_by=(f"{NEVER_CAME}::test_a_line_that_came_meanwhile_is_not_given_up",),
    ),
    Mutation(
        name="An order that its vendor has for too long is overdue for nobody",
        promise="3",
        edits=(
            (
                "orders/models/queries.py",
                "late |= models.Q(state=state, at_vendor_since__lt=since_when)",
                "late &= models.Q(state=state, at_vendor_since__lt=since_when)",
            ),
        ),
        caught_by=(
            f"{OVERDUE}::test_a_never_delivered_order_is_named_on_today_in_one_notice_each_and_by_health",
        ),
    ),
    Mutation(
        name="An editor gives up lines of an order where the two-person rule is on",
        promise="4",
        edits=(
            (
                "orders/review/confirming_rights.py",
                "    if was_edited_by(order, user) and needed(order).count:\n",
                "    if was_edited_by(order, user) and needed(order).count > 9:\n",
            ),
        ),
        caught_by=(f"{NEVER_CAME}::test_an_editor_says_it_only_where_the_two_person_rule_is_off",),
    ),
)
