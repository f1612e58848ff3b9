"""Mutants of the words of an answer, and of what a vendor's list shows after a 429."""

from __future__ import annotations

from tests.faults.mutation import Mutation

ANSWERS, PREFLIGHT = "vendors/apis/answers.py", "orders/sending/preflight.py"
WORDING = "tests/vendors/test_wording.py"
SLOWED = "tests/orders/sending/test_after_slow_down.py"

WORDING_MUTANTS = (
    Mutation(
        name="A refusal in words that nobody knows is called refused",
        promise="3",
        edits=((ANSWERS, "    if is_understood:\n", "    if True:\n"),),
        caught_by=(
            f"{WORDING}::test_a_refusal_in_other_words_is_unknown[scaledmail-Das Konto wurde belastet]",
        ),
    ),
    Mutation(
        name="A success in words that nobody knows is called accepted",
        promise="2",
        edits=((ANSWERS, "if success and not wording", "if False and not wording"),),
        caught_by=(f"{WORDING}::test_a_success_with_words_that_do_not_say_so_is_unknown[Dry run]",),
    ),
    Mutation(
        name="A header that names an order is passed over",
        promise="3",
        edits=((ANSWERS, " or doubts.headers_name_an_order(answer.reply.headers):", ":"),),
        caught_by=(
            f"{WORDING}::test_a_header_that_names_an_order_makes_a_refusal_unknown[scaledmail-Location]",
        ),
    ),
    Mutation(
        name="A list that can't be read after a 429 counts as looked at",
        promise="1",
        edits=((PREFLIGHT, "if item.is_gap), None)", "if False), None)"),),
        caught_by=(
            f"{SLOWED}::test_a_list_that_can_not_be_read_after_a_429_stops_the_next_try[scaledmail-package-500-body0]",
        ),
    ),
    Mutation(
        name="A trace in a list after a 429 does not stop the next try",
        promise="1",
        edits=((PREFLIGHT, ' == "placed" or item.is_trace]', ' == "placed"]'),),
        caught_by=(
            f"{SLOWED}::test_a_trace_behind_a_429_goes_to_a_person[coldmailreseller-domains-body0]",
        ),
    ),
)
