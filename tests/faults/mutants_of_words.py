"""Mutants of the words that a confirmer reads: the card, and what is kept beside the digest."""

from __future__ import annotations

from tests.faults.mutation import Mutation

DETAILS, CARD = "vendors/apis/order_details.py", "tests/vendors/test_order_details.py"
ON_PAGES = "tests/orders/admin/test_order_card.py"
DEFAULTS = "tests/orders/drafting/test_client_defaults.py"

WORD_MUTANTS = (
    Mutation(
        name="The card leaves out what no option explains",
        promise="5",
        edits=((DETAILS, "return (*found, *_others(adapter, small, found))", "return (*found,)"),),
        caught_by=(
            f"{CARD}::test_what_an_adapter_sends_beside_all_options_stands_there_by_its_raw_name",
        ),
    ),
    Mutation(
        name="The card leaves out an option that the form does not know",
        promise="5",
        edits=(
            (
                DETAILS,
                "for name in dict.fromkeys([*form.fields, *small.options]):",
                "for name in form.fields:",
            ),
        ),
        caught_by=(f"{CARD}::test_an_option_that_the_form_does_not_know_keeps_its_raw_name",),
    ),
    Mutation(
        name="The card does not say that an option is not sent",
        promise="5",
        edits=((DETAILS, "more = more or NOT_SENT", "more = more"),),
        caught_by=(f"{CARD}::test_what_is_typed_but_not_sent_says_so",),
    ),
    Mutation(
        name="The words of an order are part of its digest",
        promise="5",
        edits=(
            (
                "orders/plan.py",
                '"secrets": dict(self.stamps),',
                '"secrets": dict(self.stamps), "words": [one.as_dict() for one in self.details],',
            ),
        ),
        caught_by=(f"{ON_PAGES}::test_words_are_kept_beside_the_plan_and_change_no_digest",),
    ),
    Mutation(
        name="A client's default comes back after it was emptied",
        promise="5",
        edits=(
            (
                "orders/drafting/client_defaults.py",
                "if chosen is None or chosen == before:",
                "if chosen is None:",
            ),
        ),
        caught_by=(
            f"{DEFAULTS}::test_a_default_that_is_emptied_does_not_come_back[key0-forward_to]",
        ),
    ),
)
