"""Ways to break MailOps on purpose, each with the promise that it would break and the tests that
must notice.

`make mutations` tries them; `docs/safety.md` lists them in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """What is broken, which promise that would break, the edits (file, old, new), and the tests
    that must fail.
    """

    name: str
    promise: str
    edits: tuple[tuple[str, str, str], ...]
    caught_by: tuple[str, ...]


ORDER, MANY = "orders/models/order.py", "orders/models/queries.py"
SUBMISSION, SWEEP = "orders/submission.py", "orders/outcomes/sweeper.py"
DESK, BREAKER, API = (
    "orders/outcomes/settlement.py",
    "orders/sending/circuit_breaker.py",
    "vendors/apis/base.py",
)
HTTP, CONNECTION = "vendors/http/__init__.py", "vendors/http/connection.py"
FAILURES = "vendors/http/failures.py"
SENDING, CRASHES = "tests/orders/test_submission.py", "tests/orders/outcomes/test_crashes.py"
STATES = "tests/orders/models/test_states.py"
POLICIES, ANSWERS = "tests/orders/test_safeguards.py", "tests/vendors/test_answers.py"
LIMITS, BALANCE = "tests/orders/spending/test_limits.py", "tests/orders/spending/test_balance.py"
DRIFT = "tests/orders/sending/test_price_drift.py"
RIGHTS, CONSTRAINTS = "orders/review/confirming_rights.py", "orders/models/constraints.py"
TWO, DELEGATIONS = (
    "tests/orders/review/test_two_persons.py",
    "tests/orders/review/test_delegations.py",
)
BY_DATABASE, RULES = (
    "tests/orders/review/test_confirmation_constraints.py",
    "tests/orders/review/test_confirmation_rules.py",
)
HIGHEST = "test_the_highest_of_the_rules_counts_in_the_code_and_in_the_database"
LOST_CHARGE = f"{SENDING}::test_a_charge_without_a_readable_answer_is_unknown_and_never_sent_again"
RELEASE = "if not attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=reason):"

CLAIMS, PREFLIGHT = "orders/sending/claims.py", "orders/sending/preflight.py"

MUTATIONS = (
    Mutation(
        name="A move does not look whether somebody else was faster",
        promise="1",
        edits=((ORDER, "pk=self.pk, state=before, version=self.version\n", "pk=self.pk\n"),),
        caught_by=(f"{STATES}::test_a_move_that_somebody_else_made_first_raises",),
    ),
    Mutation(
        name="No claim: an order is taken up whatever its state",
        promise="1",
        edits=(
            (
                MANY,
                "            state=State.CONFIRMED,\n            vendor__stopped_at=None,",
                "            vendor__stopped_at=None,",
            ),
            (
                SUBMISSION,
                "    except NotAllowed:\n        return Result.NOTHING_TO_DO",
                "    except NotAllowed:\n        pass",
            ),
        ),
        caught_by=(f"{SENDING}::test_a_doorbell_rung_ten_times_buys_once",),
    ),
    Mutation(
        name="The database takes a second open attempt for an order",
        promise="1",
        edits=(
            (
                "orders/migrations/0001_initial.py",
                "fields=('order',), name='attempt_one_open_per_order'",
                "fields=('order', 'number'), name='attempt_one_open_per_order'",
            ),
        ),
        caught_by=(f"{CRASHES}::test_the_database_refuses_a_second_open_attempt",),
    ),
    Mutation(
        name="A task that is handed out again sends again",
        promise="1",
        edits=(
            (
                SUBMISSION,
                "    if isinstance(claimed, Result):\n        return claimed",
                (
                    "    if again := Attempt.objects.filter(order=order_id).first():\n"
                    "        claimed = Claim(attempt=again, wait=0)\n"
                    "    if isinstance(claimed, Result):\n        return claimed"
                ),
            ),
            (
                SUBMISSION,
                "since=(Stage.CLAIMED,), **fields",
                "since=tuple(Stage), **fields",
            ),
        ),
        caught_by=(f"{SENDING}::test_a_doorbell_rung_ten_times_buys_once",),
    ),
    Mutation(
        name="“About to be sent” is not saved before the request leaves",
        promise="1",
        edits=(
            (SUBMISSION, "def send(", "@transaction.atomic\ndef send("),
            (
                SUBMISSION,
                "audited(durable=True):\n        digest =",
                "audited():\n        digest =",
            ),
            (
                SUBMISSION,
                "audited(durable=True):\n                result =",
                "audited():\n                result =",
            ),
        ),
        caught_by=(f"{POLICIES}::test_the_mark_is_saved_before_a_byte_arrives",),
    ),
    Mutation(
        name="A worker that was held up sends all the same",
        promise="1",
        edits=((CLAIMS, "fresh = settings.CLAIM_FRESH_SECONDS", "fresh = 10**9"),),
        caught_by=(f"{CRASHES}::test_a_worker_that_slept_since_its_claim_does_not_send",),
    ),
    Mutation(
        name="A request whose answer was lost is sent once more",
        promise="1",
        edits=(
            (
                SUBMISSION,
                '    fault_points.point("answered")',
                (
                    "    if isinstance(outcome, Lost):\n        outcome ="
                    " post_order(request)\n   "
                    ' fault_points.point("answered")'
                ),
            ),
        ),
        caught_by=(f"{LOST_CHARGE}[woodpecker-mailboxes-cut-after]",),
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
        name="A worker lost after the mark counts as one that sent nothing",
        promise="1",
        edits=(
            (
                CLAIMS,
                RELEASE,
                RELEASE.replace("(Stage.CLAIMED,)", "(Stage.CLAIMED, Stage.SENDING)"),
            ),
        ),
        caught_by=(f"{CRASHES}::test_a_worker_lost_after_the_mark_leaves_the_outcome_unknown",),
    ),
    Mutation(
        name="“It was not placed” sends by itself",
        promise="1",
        edits=(
            (
                "orders/models/state.py",
                "State.UNKNOWN: frozenset({",
                "State.UNKNOWN: frozenset({State.CONFIRMED, ",
            ),
            (
                DESK,
                "order.back_to_review(\n            action=ACTIONS[NOT_PLACED],",
                "order.transition(\n            State.CONFIRMED, action=ACTIONS[NOT_PLACED],",
            ),
        ),
        caught_by=(
            f"{CRASHES}::test_settled_as_not_placed_waits_for_a_fresh_confirmation_and_sends_nothing",
        ),
    ),
    Mutation(
        name="The vendor's list is not read before sending",
        promise="1",
        edits=(
            (
                PREFLIGHT,
                "        return order.vendor.adapter.needs_listing_before and",
                "        return False and",
            ),
        ),
        caught_by=(f"{POLICIES}::test_what_the_vendor_lists_already_is_not_sent_again_unasked",),
    ),
    Mutation(
        name="A confirmed order whose task was lost is not rung for",
        promise="2",
        edits=((SWEEP, "OrmQ.objects.count() <= BACKLOG", "OrmQ.objects.count() < 0"),),
        caught_by=(f"{CRASHES}::test_the_sweep_rings_for_a_confirmed_order_whose_task_is_gone",),
    ),
    Mutation(
        name="An order that can't be sent is tried for ever",
        promise="2",
        edits=((ORDER, " or tries >= settings.NOT_SENT_TRIES:", ":"),),
        caught_by=(
            f"{SENDING}::test_a_closed_port_is_not_sent_and_goes_to_a_person_after_a_few_tries",
        ),
    ),
    Mutation(
        name="“Come back later” (429) is called refused",
        promise="2",
        edits=((API, "return NotSent(why=", "return Refused(problems=()) or NotSent(why="),),
        caught_by=(f"{SENDING}::test_too_many_requests_waits_and_then_buys_once",),
    ),
    Mutation(
        name="A success that can't be read is called accepted",
        promise="2",
        edits=(
            (API, "return acceptance or Unknown(", "return acceptance or Accepted() or Unknown("),
        ),
        caught_by=(
            f"{ANSWERS}::test_a_success_that_cannot_be_read_is_unknown",
            f"{LOST_CHARGE}[scaledmail-package-rubbish]",
        ),
    ),
    Mutation(
        name="An answer under another order's number is called accepted",
        promise="2",
        edits=(
            (
                "orders/sending/classification.py",
                "if reference := reference_of(verdict):",
                "if reference := '':",
            ),
        ),
        caught_by=(f"{POLICIES}::test_an_answer_under_another_orders_number_is_unknown",),
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
                API,
                "if reply.status in self.REFUSALS:",
                "if reply.status in self.REFUSALS or reply.status >= 500:",
            ),
        ),
        caught_by=(
            f"{ANSWERS}::test_a_broken_vendor_is_unknown_even_in_its_own_error_shape",
            f"{LOST_CHARGE}[coldmailreseller-domains-error-after]",
        ),
    ),
    Mutation(
        name="A worker lost after the mark leaves a refused order",
        promise="3",
        edits=(
            (SWEEP, "attempt.move(Stage.UNKNOWN,", "attempt.move(Stage.REFUSED,"),
            (SWEEP, "order.mark_unknown(attempt,", "order.refuse(attempt, problems=[],"),
        ),
        caught_by=(f"{CRASHES}::test_a_worker_lost_after_the_mark_leaves_the_outcome_unknown",),
    ),
    Mutation(
        name="A late answer overwrites a person's verdict",
        promise="3",
        edits=(
            (
                SUBMISSION,
                "since = (Stage.SENDING, Stage.UNKNOWN)",
                "since = tuple(Stage)",
            ),
            (SUBMISSION, "if order.state not in (State.SENDING, State.UNKNOWN):", "if False:"),
        ),
        caught_by=(f"{CRASHES}::test_a_late_answer_never_overwrites_a_settled_verdict",),
    ),
    Mutation(
        name="An editor may confirm, as far as the code goes",
        promise="4",
        edits=(
            (
                RIGHTS,
                "if was_edited_by(order, user) and needed(order, due_now).count:",
                "if False:",
            ),
        ),
        caught_by=(f"{SENDING}::test_nobody_confirms_their_own_order_superusers_included",),
    ),
    Mutation(
        name="An editor may confirm, as far as the database goes",
        promise="4",
        edits=(
            (
                CONSTRAINTS,
                '"NEW.confirmed_by_id IS NOT NULL"',
                '"NEW.confirmed_by_id IS NULL"',
            ),
        ),
        caught_by=(f"{SENDING}::test_the_database_refuses_an_editor_as_confirmer",),
    ),
    Mutation(
        name="A confirmer may become an editor, as far as the database goes",
        promise="4",
        edits=(
            (
                CONSTRAINTS,
                "o.confirmed_by_id = NEW.user_id",
                "o.confirmed_by_id IS NULL",
            ),
            (CONSTRAINTS, "AND o.state <> 'draft' AND (c.", "AND o.state = 'draft' AND (c."),
        ),
        caught_by=(f"{SENDING}::test_the_database_refuses_a_confirmer_as_editor",),
    ),
    Mutation(
        name="An order that needs two persons goes out after the first, as far as the code goes",
        promise="4",
        edits=((SUBMISSION, "if len(given) < needed.count:", "if False:"),),
        caught_by=(f"{TWO}::test_the_second_of_two_confirms_and_the_pages_say_who_gave_the_first",),
    ),
    Mutation(
        name="An order goes out without its confirmations, as far as the database goes",
        promise="4",
        edits=((CONSTRAINTS, "{_GIVEN} < @.confirmers_needed)", "{_GIVEN} < 0)"),),
        caught_by=(f"{BY_DATABASE}::test_the_database_refuses_by_raw_sql[one needed, none given]",),
    ),
    Mutation(
        name="The database takes a lower number of confirmers than the rules ask for",
        promise="4",
        edits=((CONSTRAINTS, "@.confirmers_needed < {NEEDED}", "@.confirmers_needed < 0"),),
        caught_by=(f"{BY_DATABASE}::test_the_database_refuses_by_raw_sql[nobody needed]",),
    ),
    Mutation(
        name="One person counts as two, as far as the code goes",
        promise="4",
        edits=(
            (
                RIGHTS,
                "if confirmer_names(order, digest) & {user.get_username(), whose.get_username()}:",
                "if False:",
            ),
        ),
        caught_by=(f"{TWO}::test_one_person_is_not_two",),
    ),
    Mutation(
        name="One person counts as two, as far as the database goes",
        promise="4",
        edits=((CONSTRAINTS, "        when=_SAME_PERSON,", "        when='1 = 0',"),),
        caught_by=(f"{DELEGATIONS}::test_the_database_refuses_one_right_twice",),
    ),
    Mutation(
        name="Of several rules the one counts that asks least",
        promise="4",
        edits=((RIGHTS, "most = max(", "most = min("),),
        caught_by=(f"{RULES}::{HIGHEST}[rules2-1-One person]",),
    ),
    Mutation(
        name="A rule that was made after confirming is ignored",
        promise="4",
        edits=(
            (
                SUBMISSION,
                "elif lacking := confirmations.lacking(order, current):",
                'elif lacking := "":',
            ),
        ),
        caught_by=(
            f"{TWO}::test_a_rule_made_after_confirming_sends_the_order_back_unsent",
            f"{TWO}::test_switching_the_accounts_rule_off_and_on_around_a_confirmation_sends_nothing",
        ),
    ),
    Mutation(
        name="A right to confirm that was passed on never ends",
        promise="4",
        edits=(("orders/models/delegation.py", "ends_at__gt=now, ", ""),),
        caught_by=(
            f"{DELEGATIONS}::test_a_delegation_that_ended_meanwhile_confirms_nothing[it is over]",
        ),
    ),
    Mutation(
        name="An attempt to confirm one's own order leaves no trace",
        promise="4",
        edits=(
            (
                SUBMISSION,
                "confirmations.record_refusal(order_id, by=by, digest=digest, why=str(refused))",
                "str(refused)",
            ),
        ),
        caught_by=(f"{TWO}::test_a_form_full_of_lies_confirms_nothing_and_the_attempt_is_kept",),
    ),
    Mutation(
        name="The database lets an order's contents be changed past the draft",
        promise="5",
        edits=(
            (
                CONSTRAINTS,
                "OLD.state <> 'draft' AND",
                "OLD.state = 'draft' AND",
            ),
        ),
        caught_by=(f"{BY_DATABASE}::test_the_database_refuses_by_raw_sql[options]",),
    ),
    Mutation(
        name="Confirming does not compare with what the page showed",
        promise="5",
        edits=((SUBMISSION, "if current.digest != digest:", "if False:"),),
        caught_by=(
            f"{SENDING}::test_an_order_edited_since_the_page_was_opened_is_refused_with_what_changed",
        ),
    ),
    Mutation(
        name="Sending does not compare with what was confirmed",
        promise="5",
        edits=(
            (SUBMISSION, "if current.digest != order.digest and (changed", "if False and (changed"),
        ),
        caught_by=(
            f"{SENDING}::test_a_price_that_moved_after_confirming_sends_nothing_and_asks_again",
            f"{SENDING}::test_rows_changed_behind_the_back_are_not_sent",
        ),
    ),
    Mutation(
        name="The account's limit for one order is ignored",
        promise="5",
        edits=(("orders/validation/order_checks.py", "elif amount > limit:", "elif False:"),),
        caught_by=("tests/orders/test_plan.py::test_the_limit_of_the_account_counts_to_the_cent",),
    ),
    Mutation(
        name="Prices that were read long ago are not read again before sending",
        promise="5",
        edits=(
            (
                PREFLIGHT,
                "return bool(_read_before(order, now - timedelta(seconds=seconds)))",
                "return False",
            ),
        ),
        caught_by=(f"{DRIFT}::test_the_vendors_new_price_sends_the_order_back",),
    ),
    Mutation(
        name="A price that rose by more than was allowed for is paid",
        promise="5",
        edits=(
            (
                "orders/sending/price_drift.py",
                "if rise > (allowed if other == currency else 0):",
                "if False:",
            ),
        ),
        caught_by=(f"{DRIFT}::test_a_cent_over_the_tolerance_goes_back",),
    ),
    Mutation(
        name="Price rises that were allowed for do not add up",
        promise="5",
        edits=(("orders/sending/price_drift.py", "> most\n", "> most + 10**6\n"),),
        caught_by=(f"{DRIFT}::test_accepted_rises_add_up_for_thirty_days",),
    ),
    Mutation(
        name="What was allowed for a price rise covers another request",
        promise="5",
        edits=(
            (
                "orders/sending/price_drift.py",
                "if any(confirmed.get(part) != current.get(part) for part in parts):",
                "if parts is None:",
            ),
        ),
        caught_by=(f"{DRIFT}::test_no_tolerance_covers_anything_but_prices[first_name]",),
    ),
    Mutation(
        name="A move writes no event",
        promise="6",
        edits=(
            (
                ORDER,
                "record(action, self, by=by, reason=reason, changes=changes, attempt=about)",
                "del changes, about",
            ),
        ),
        caught_by=(
            f"{STATES}::test_a_move_of_the_table_writes_state_time_and_event[draft-review]",
        ),
    ),
    Mutation(
        name="An event may be written apart from its change",
        promise="6",
        edits=(("mailops/history/chain.py", "if not connection.in_atomic_block:", "if False:"),),
        caught_by=("tests/history/test_chain.py::test_a_record_outside_a_transaction_is_refused",),
    ),
    Mutation(
        name="The database lets the history be edited",
        promise="6",
        edits=(
            (
                "mailops/history/apps.py",
                "sql_triggers.install(connection, [rule for rule in rules",
                "print([rule for rule in rules",
            ),
            (
                "mailops/history/migrations/0001_initial.py",
                "sql_triggers.install(schema_editor.connection, TRIGGERS)",
                "str(triggers)",
            ),
        ),
        caught_by=(
            f"{CRASHES}::test_history_cannot_be_changed_in_the_database",
            "tests/history/test_chain.py::test_the_database_refuses[update]",
        ),
    ),
    Mutation(
        name="Verifying does not look at what a record says",
        promise="6",
        edits=(
            (
                "mailops/history/verify.py",
                "strict=False))) != row[-1]:",
                "strict=False))) == row[-1] == '':",
            ),
        ),
        caught_by=(
            "tests/history/test_chain.py::test_an_edit_of_any_column_is_found_at_its_record[3-who]",
        ),
    ),
    Mutation(
        name="“Hold all sending” is ignored when an order is taken up",
        promise="switch",
        edits=((MANY, "            ~SendingSwitch.is_on(),\n", ""),),
        caught_by=(f"{POLICIES}::test_while_all_sending_is_held_nothing_is_sent",),
    ),
    Mutation(
        name="“Hold all sending” is ignored once an order is taken up",
        promise="switch",
        edits=((SUBMISSION, "if order.vendor.is_stopped or ", "if order.vendor.is_stopped and "),),
        caught_by=(
            f"{POLICIES}::test_all_sending_held_between_claim_and_sending_puts_the_order_back",
        ),
    ),
    Mutation(
        name="A stopped account goes on sending",
        promise="switch",
        edits=((MANY, "            vendor__stopped_at=None,\n        )", "        )"),),
        caught_by=(f"{SENDING}::test_a_stopped_account_sends_nothing_until_it_is_opened",),
    ),
    Mutation(
        name="A refused key does not stop its account",
        promise="switch",
        edits=((BREAKER, "outcome.status in (401, 403):", "outcome.status in ():"),),
        caught_by=(f"{POLICIES}::test_a_refused_key_stops_its_account[coldmailreseller-domains]",),
    ),
    Mutation(
        name="Unknown outcomes in a row do not stop their account",
        promise="switch",
        edits=((BREAKER, "return last.count(Stage.UNKNOWN) == limit", "return False"),),
        caught_by=(f"{POLICIES}::test_three_unknown_outcomes_in_a_row_stop_the_account",),
    ),
    Mutation(
        name="A limit for a day or a month is ignored when an order is taken up",
        promise="switch",
        edits=(
            (
                "orders/spending/spending_holds.py",
                "if use := limits.used_up(order, adds, now):",
                "if use := None:",
            ),
        ),
        caught_by=(
            f"{LIMITS}::test_an_order_that_no_day_has_room_for_goes_to_a_person",
            f"{LIMITS}::test_two_workers_at_once_can_not_both_squeeze_in[client]",
        ),
    ),
    Mutation(
        name="An order that is on its way is not counted in a limit",
        promise="switch",
        edits=(
            (
                "orders/spending/limits.py",
                "return Attempt.objects.filter(stage__in=OPEN)",
                "return Attempt.objects.filter(stage__in=OPEN, ended_at__isnull=False)",
            ),
        ),
        caught_by=(
            f"{LIMITS}::test_an_order_in_flight_is_counted_and_the_next_one_waits_for_tomorrow[account]",
        ),
    ),
    Mutation(
        name="Too low a balance does not hold an order",
        promise="switch",
        edits=(
            (
                "orders/spending/spending_holds.py",
                "if why := balance.too_low(order.vendor, adds):",
                'if why := "":',
            ),
        ),
        caught_by=(f"{BALANCE}::test_too_low_a_balance_holds_the_order_and_burns_no_attempt",),
    ),
    Mutation(
        name="One account may take all workers",
        promise="switch",
        edits=(
            (
                "vendors/models/vendor.py",
                "return self.adapter.max_concurrent or settings.ACCOUNT_AT_ONCE",
                "return 1000",
            ),
        ),
        caught_by=(
            f"{POLICIES}::test_an_account_has_only_so_many_orders_on_their_way",
            f"{POLICIES}::test_woodpecker_gets_one_order_at_a_time",
        ),
    ),
)
