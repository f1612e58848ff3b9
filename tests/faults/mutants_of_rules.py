"""Mutants of the rules: two persons, the confirmed bytes, the history, switches and limits."""

from __future__ import annotations

from tests.faults.mutation import Mutation

MOVES, QUERIES = "orders/models/order_moves.py", "orders/models/queries.py"
SUBMISSION = "orders/submission.py"
BREAKER = "orders/sending/circuit_breaker.py"
SENDING, CRASHES = "tests/orders/test_submission.py", "tests/orders/outcomes/test_crashes.py"
STATES = "tests/orders/models/test_states.py"
POLICIES = "tests/orders/test_safeguards.py"
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
PREFLIGHT = "orders/sending/preflight.py"

RULE_MUTANTS = (
    Mutation(
        name="An editor may confirm, as far as the code goes",
        promise="4",
        edits=(
            (
                RIGHTS,
                "if was_edited_by(order, user) and needed(order, due).count:",
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
            (
                SUBMISSION,
                "if current.digest != order.digest and (objection",
                "if False and (objection",
            ),
        ),
        caught_by=(
            f"{SENDING}::test_a_price_that_moved_after_confirming_sends_nothing_and_asks_again",
            f"{SENDING}::test_rows_changed_behind_the_back_are_not_sent",
        ),
    ),
    Mutation(
        name="A problem that came up after confirming does not stop an order",
        promise="5",
        edits=((SUBMISSION, "    elif current.blocking:", "    elif False:"),),
        caught_by=(f"{POLICIES}::test_a_problem_that_came_up_after_confirming_stops_the_order",),
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
        edits=(("orders/sending/price_drift.py", "> most:\n", "> most + 10**6:\n"),),
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
                MOVES,
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
                "str(sql_triggers)",
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
        edits=((QUERIES, "            ~SendingSwitch.is_on(),\n", ""),),
        caught_by=(f"{POLICIES}::test_while_all_sending_is_held_nothing_is_sent",),
    ),
    Mutation(
        name="“Hold all sending” is ignored once an order is taken up",
        promise="switch",
        edits=((SUBMISSION, "if order.all_held or ", "if order.all_held and "),),
        caught_by=(
            f"{POLICIES}::test_all_sending_held_between_claim_and_sending_puts_the_order_back",
        ),
    ),
    Mutation(
        name="A stopped account goes on sending",
        promise="switch",
        edits=((QUERIES, "            vendor__stopped_at=None,\n        )", "        )"),),
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
