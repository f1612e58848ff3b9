"""Mutants of reading where an order stands at its vendor."""

from __future__ import annotations

from tests.faults.mutation import Mutation

SUBSCRIPTIONS = "vendors/apis/coldmailreseller_subscriptions.py"
COLD = "tests/vendors/test_progress_coldmailreseller.py"
SCALED = "tests/vendors/test_progress_scaledmail.py"
COUNTED = "tests/orders/outcomes/test_counted_orders.py"
MADE = "tests/orders/outcomes/test_made_mailboxes.py"
SIGNS = "tests/orders/outcomes/test_processing_signs.py"

PROGRESS_MUTANTS = (
    Mutation(
        name="A subscription of another user makes an order ready",
        promise="2",
        edits=(
            (
                SUBSCRIPTIONS,
                'row.get("userId") not in (None, "", word(order.settings, "user_id"))',
                'row.get("userId") == 0',
            ),
        ),
        caught_by=(f"{COUNTED}::test_another_users_subscription_changes_nothing",),
    ),
    Mutation(
        name="A subscription that began before an order makes it ready",
        promise="2",
        edits=(
            (
                SUBSCRIPTIONS,
                'return is_since(row.get("periodStart"), since) is True',
                "return True",
            ),
        ),
        caught_by=(
            f"{COLD}::test_a_new_subscription_of_a_held_domain_is_read_like_one_of_a_new_domain",
        ),
    ),
    Mutation(
        name="Fewer mailboxes than ordered make a domain ready",
        promise="2",
        edits=((SUBSCRIPTIONS, "before + len(line.mailboxes)", "before + 1"),),
        caught_by=(f"{COUNTED}::test_one_mailbox_too_few_keeps_its_domain_ordered",),
    ),
    Mutation(
        name="Mailboxes that join a subscription are there, whatever its count was",
        promise="2",
        edits=(
            (SUBSCRIPTIONS, "if joins and name not in order.counts_before:", "if False:"),
            (
                SUBSCRIPTIONS,
                "order.counts_before[name] if joins",
                "order.counts_before.get(name, 0) if joins",
            ),
        ),
        caught_by=(f"{COLD}::test_without_the_count_before_nobody_guesses",),
    ),
    Mutation(
        name="Two orders for one subscription are both there by the same count",
        promise="2",
        edits=(
            (
                "orders/models/mailbox_counts.py",
                "others = _joined(order_id, counts, since=since) if counts else set()",
                "others: set[str] = set()",
            ),
        ),
        caught_by=(
            f"{COUNTED}::test_two_orders_for_one_subscription_are_not_told_apart_by_its_count",
        ),
    ),
    Mutation(
        name="A cancelled order makes its domains ready",
        promise="2",
        edits=(
            (
                "vendors/apis/scaledmail_lists.py",
                "for name, row in listed.items() if not against.get(name)}",
                "for name, row in listed.items()}",
            ),
        ),
        caught_by=(f"{SCALED}::test_a_cancelled_order_makes_nothing_ready_and_says_so",),
    ),
    Mutation(
        name="A list of made mailboxes that is not whole is not read again",
        promise="2",
        edits=(("orders/models/made_lists.py", "filter(never | differs)", "filter(never)"),),
        caught_by=(f"{MADE}::test_a_list_that_is_not_whole_says_both_numbers_and_mends_itself",),
    ),
    Mutation(
        name="An order that looks processed counts nothing",
        promise="switch",
        edits=(
            (
                "orders/outcomes/processing_signs.py",
                "update(due_now=due, counted_at=now)",
                "update(counted_at=now)",
            ),
        ),
        caught_by=(f"{SIGNS}::test_an_order_that_was_processed_there_is_noticed_and_counts",),
    ),
    Mutation(
        name="An order that looks processed counts on the day it was created",
        promise="switch",
        edits=(
            (
                "orders/outcomes/processing_signs.py",
                "update(due_now=due, counted_at=now)",
                "update(due_now=due)",
            ),
        ),
        caught_by=(f"{SIGNS}::test_an_order_that_was_processed_there_is_noticed_and_counts",),
    ),
)
