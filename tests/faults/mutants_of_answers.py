"""Mutants of a vendor's request, of reading its answers, and of the exchange itself."""

from __future__ import annotations

from tests.faults.mutation import Mutation

HTTP, CONNECTION = "vendors/http/__init__.py", "vendors/http/connection.py"
ANSWERS_MODULE = "vendors/apis/answers.py"
FAILURES = "vendors/http/failures.py"
SENDING = "tests/orders/test_submission.py"
TABLE = "tests/vendors/test_answers_table.py"
POLICIES, ANSWERS = "tests/orders/test_safeguards.py", "tests/vendors/test_answers.py"
LOST_CHARGE = f"{SENDING}::test_a_charge_without_a_readable_answer_is_unknown_and_never_sent_again"


ANSWER_MUTANTS = (
    Mutation(
        name="Mailboxes on a domain renew themselves, ticked or not",
        promise="5",
        edits=(
            (
                "vendors/apis/coldmailreseller.py",
                '({"autoRenew": bool(order.options.get("auto_renew"))} if is_new else {})',
                '({"autoRenew": True} if is_new else {})',
            ),
        ),
        caught_by=(
            (
                "tests/vendors/test_golden_requests.py"
                "::test_coldmailreseller_mailboxes_on_a_domain_renew_only_where_that_was_ticked[False]"
            ),
        ),
    ),
    Mutation(
        name="A redirect is followed",
        promise="1",
        edits=(
            (HTTP, "allow_redirects=False", "allow_redirects=True"),
            (CONNECTION, "    def get_redirect_target(", "    def looks_nowhere("),
        ),
        caught_by=(
            (
                "tests/vendors/test_http_wire.py::test_a_redirect_is_shown_and_not_followed[307"
                " Temporary]"
            ),
        ),
    ),
    Mutation(
        name="“Come back later” (429) is called refused",
        promise="2",
        edits=(
            (
                ANSWERS_MODULE,
                "    return _doubt(api, order, answer) or NotSent(",
                "    return Refused(problems=()) or NotSent(",
            ),
        ),
        caught_by=(f"{SENDING}::test_too_many_requests_waits_and_then_buys_once",),
    ),
    Mutation(
        name="A success that can't be read is called accepted",
        promise="2",
        edits=(
            (
                ANSWERS_MODULE,
                "    return success or Unknown(",
                "    return success or Accepted() or Unknown(",
            ),
        ),
        caught_by=(
            f"{ANSWERS}::test_a_success_that_cannot_be_read_is_unknown",
            f"{LOST_CHARGE}[scaledmail-package-rubbish]",
        ),
    ),
    Mutation(
        name="An answer with one key more than documented counts as the documented one",
        promise="1",
        edits=((ANSWERS_MODULE, "        and value.keys() <= {*required, *optional}\n", ""),),
        caught_by=(
            f"{TABLE}::test_an_answer_is_read_as_the_table_says",
            f"{TABLE}::test_only_the_documented_success_is_accepted",
        ),
    ),
    Mutation(
        name="A refusal that names an order is called refused",
        promise="1",
        edits=(
            (ANSWERS_MODULE, "if doubts.names_an_order(answer.body) or", "if"),
            (ANSWERS_MODULE, "        and value.keys() <= {*required, *optional}\n", ""),
        ),
        caught_by=(
            f"{TABLE}::test_an_answer_with_an_orders_number_is_neither_refused_nor_not_sent",
        ),
    ),
    Mutation(
        name="A success that denies itself deeper down is called accepted",
        promise="2",
        edits=(
            (
                ANSWERS_MODULE,
                "    if doubts.denies(answer.body) or doubts.has_trouble_in_words(answer.body):",
                "    if False:",
            ),
        ),
        caught_by=(f"{TABLE}::test_an_answer_is_read_as_the_table_says",),
    ),
    Mutation(
        name="A 429 of any form is called not sent",
        promise="1",
        edits=((ANSWERS_MODULE, "    if not api.is_throttled(answer):", "    if False:"),),
        caught_by=(f"{ANSWERS}::test_429_of_another_form_is_unknown",),
    ),
    Mutation(
        name="A verdict is read after secrets are struck out",
        promise="2",
        edits=(
            (
                "vendors/http/request.py",
                "        return self.body if self.raw is None else self.raw",
                "        return self.body",
            ),
        ),
        caught_by=(f"{TABLE}::test_a_secret_that_is_a_word_of_the_answer_does_not_turn_it_round",),
    ),
    Mutation(
        name="What the vendor listed before sending speaks for the order",
        promise="2",
        edits=(
            (
                "vendors/apis/woodpecker.py",
                "new = [address for address in listed if address not in before]",
                "new = listed",
            ),
        ),
        caught_by=(
            "tests/vendors/test_reads.py::test_woodpecker_mailboxes_that_were_listed_before_sending_say_nothing",
            f"{POLICIES}::test_whoever_was_told_of_the_list_may_confirm_again",
        ),
    ),
    Mutation(
        name="An answer that does not come in time is called not sent",
        promise="3",
        edits=(
            (HTTP, "if not deadline.is_connected and is_failure", "if is_failure"),
            (
                FAILURES,
                "(link, NewConnectionError | ConnectTimeoutError)",
                "(link, NewConnectionError | requests.Timeout)",
            ),
        ),
        caught_by=(
            (
                "tests/vendors/test_http.py::test_an_exchange_that_broke_is_lost_and_never_tried_again[read"
                " whole, no answer]"
            ),
            f"{LOST_CHARGE}[woodpecker-mailboxes-timeout-after]",
        ),
    ),
    Mutation(
        name="Trouble with the secure connection is called not sent",
        promise="3",
        edits=(
            (HTTP, "if not deadline.is_connected and is_failure", "if is_failure"),
            (
                FAILURES,
                "(link, NewConnectionError | ConnectTimeoutError)",
                "(link, requests.exceptions.SSLError)",
            ),
        ),
        caught_by=(
            "tests/vendors/test_http.py::test_a_certificate_that_nobody_vouches_for_is_doubt",
        ),
    ),
    Mutation(
        name="An error of the vendor's own (5xx) is called refused",
        promise="3",
        edits=(
            (
                ANSWERS_MODULE,
                "    if status in api.REFUSALS:",
                "    if status in api.REFUSALS or status >= 500:",
            ),
        ),
        caught_by=(
            f"{ANSWERS}::test_a_broken_vendor_is_unknown_even_in_its_own_error_shape",
            f"{LOST_CHARGE}[coldmailreseller-domains-error-after]",
        ),
    ),
)
