"""Mutants of created orders: their state, the count of their sum, and who says what."""

from __future__ import annotations

from tests.faults.mutation import Mutation

ADAPTER, COST = "vendors/apis/coldmailreseller.py", "vendors/cost.py"
CREATED = "orders/outcomes/created_orders.py"
TESTS = "tests/orders/outcomes/test_created_orders.py"
VERDICTS = "tests/orders/outcomes/test_created_verdicts.py"
PAGES = "tests/orders/admin/test_created_order_page.py"

CREATED_MUTANTS = (
    Mutation(
        name="An order that is only created is taken for bought",
        promise="3",
        edits=(
            (
                "orders/sending/classification.py",
                "case Accepted() if order.creates_only:",
                "case Accepted() if False:",
            ),
        ),
        caught_by=(
            f"{TESTS}::test_an_order_that_is_only_created_gets_its_own_state_and_counts_nothing",
        ),
    ),
    Mutation(
        name="What is due once an order is processed counts before",
        promise="switch",
        edits=(
            (
                COST,
                "return None if self.is_later else self.first_payment",
                "return self.first_payment",
            ),
        ),
        caught_by=(
            f"{TESTS}::test_create_only_over_a_day_limit_is_confirmed_and_created_with_nothing_used",
        ),
    ),
    Mutation(
        name="Confirmation rules by amount leave out what is due later, in the code",
        promise="4",
        edits=((COST, "return together(self.due_now, self.due_later)", "return self.due_now"),),
        caught_by=(
            f"{PAGES}::test_create_only_of_19_asks_for_two_persons_where_the_rule_begins_at_15[15.00-2]",
        ),
    ),
    Mutation(
        name="Confirmation rules by amount leave out what is due later, in the database",
        promise="4",
        edits=(
            (
                "orders/models/constraints.py",
                "OR {_OTHERS} OR {_SUM} >= r.from_amount",
                "OR {_OTHERS} OR {_NOW_SUM} >= r.from_amount",
            ),
        ),
        caught_by=(
            f"{PAGES}::test_create_only_of_19_asks_for_two_persons_where_the_rule_begins_at_15[15.00-2]",
        ),
    ),
    Mutation(
        name="An editor may say that a created order was processed",
        promise="4",
        edits=(
            (
                CREATED,
                "if order.confirmers_needed != 0 and confirming_rights.was_edited_by(order, user):",
                "if False:",
            ),
        ),
        caught_by=(
            f"{TESTS}::test_an_editor_does_not_say_it_where_a_second_person_confirms",
            f"{PAGES}::test_drafters_operators_and_editors_even_superusers_get_403[boss-processed]",
        ),
    ),
    Mutation(
        name="A page of another version records that an order was processed",
        promise="5",
        edits=(
            (
                CREATED,
                "if attempt is None or (order.digest, attempt.pk) != (shown.digest, shown.attempt):",
                "if attempt is None:",
            ),
        ),
        caught_by=(
            f"{TESTS}::test_an_old_page_records_nothing",
            f"{PAGES}::test_an_old_digest_gets_409_and_keeps_the_typed_words",
        ),
    ),
    Mutation(
        name="What looks processed is left without a word",
        promise="3",
        edits=((CREATED, "if order.looks_processed_at and not whose:", "if False:"),),
        caught_by=(f"{TESTS}::test_what_looks_processed_is_left_only_with_the_words_whose_it_is",),
    ),
    Mutation(
        name="An order that looked processed goes on counting once it is left",
        promise="switch",
        edits=(
            (CREATED, 'return {"due_now": [before, {}]} if before else {}', "return {}"),
            (CREATED, "due_now={}, counted_at=attempt.claimed_at", "counted_at=attempt.claimed_at"),
        ),
        caught_by=(f"{TESTS}::test_what_looks_processed_is_left_only_with_the_words_whose_it_is",),
    ),
    Mutation(
        name="A verdict of processed counts nothing",
        promise="switch",
        edits=(
            (
                "orders/outcomes/settlement.py",
                "counted = created_orders.count(order, attempt, processing) if processing else {}",
                "counted: dict[str, object] = {}",
            ),
        ),
        caught_by=(
            f"{VERDICTS}::test_a_lost_answer_of_a_created_order_gets_one_of_three_verdicts[processed]",
        ),
    ),
)
