"""Mutants of sending an order and of what a worker leaves behind."""

from __future__ import annotations

from tests.faults.mutation import Mutation

MOVES, QUERIES = "orders/models/order_moves.py", "orders/models/queries.py"
OUTCOMES = "orders/models/order_outcomes.py"
SUBMISSION, SWEEP = "orders/submission.py", "orders/outcomes/sweeper.py"
SETTLEMENT = "orders/outcomes/settlement.py"
DOUBTS = "vendors/apis/doubts.py"
SENDING, CRASHES = "tests/orders/test_submission.py", "tests/orders/outcomes/test_crashes.py"
TABLE = "tests/vendors/test_answers_table.py"
PREFLIGHTS = "tests/orders/sending/test_after_slow_down.py"
STATES = "tests/orders/models/test_states.py"
POLICIES = "tests/orders/test_safeguards.py"
LOST_CHARGE = f"{SENDING}::test_a_charge_without_a_readable_answer_is_unknown_and_never_sent_again"
RELEASE = "if not attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=reason):"
CLAIMS, PREFLIGHT = "orders/sending/claims.py", "orders/sending/preflight.py"

BACKUP, MARK = "orders/sending/restored_backup.py", "mailops/history/digest_mark.py"
RESTORED = "tests/orders/sending/test_restored_backup.py"

DATABASE = "tests/orders/sending/test_database_errors.py"
LOSES_NONE = f"{DATABASE}::test_an_error_of_the_database_before_the_mark_loses_no_order"

REFUSES = "tests/orders/models/test_database_refuses.py"
BESIDE = "::test_no_attempt_can_be_made_beside_an_open_one"

SENDING_MUTANTS = (
    Mutation(
        name="A move does not look whether somebody else was faster",
        promise="1",
        edits=((MOVES, "pk=self.pk, state=before, version=self.version\n", "pk=self.pk\n"),),
        caught_by=(f"{STATES}::test_a_move_that_somebody_else_made_first_raises",),
    ),
    Mutation(
        name="No claim: an order is taken up whatever its state",
        promise="1",
        edits=(
            (
                QUERIES,
                "            state=State.CONFIRMED,\n            vendor__stopped_at=None,",
                "            vendor__stopped_at=None,",
            ),
            (
                SUBMISSION,
                "    except NotAllowed:\n        return Result.NOTHING_TO_DO",
                "    except NotAllowed:\n        pass",
            ),
        ),
        caught_by=(f"{SENDING}::test_a_task_delivered_ten_times_buys_once",),
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
        name="The database takes another attempt beside an accepted or placed one",
        promise="1",
        edits=(
            (
                "orders/migrations/0001_initial.py",
                "['claimed', 'sending', 'accepted', 'unknown', 'placed'])), fields=",
                "['claimed', 'sending', 'unknown'])), fields=",
            ),
        ),
        caught_by=(f"{REFUSES}{BESIDE}[accepted]", f"{REFUSES}{BESIDE}[placed]"),
    ),
    Mutation(
        name="The database takes two live domains of one name",
        promise="1",
        edits=(
            (
                "orders/migrations/0001_initial.py",
                "fields=('name',), name='domain_one_live_per_installation'",
                "fields=('name', 'order'), name='domain_one_live_per_installation'",
            ),
        ),
        caught_by=(f"{REFUSES}::test_no_two_live_domains_have_one_name",),
    ),
    Mutation(
        name="A claim does not look for which confirmation it is",
        promise="1",
        edits=(
            (
                "orders/models/order.py",
                "            where=models.Q(confirmed_at=confirmed_at),\n",
                "",
            ),
        ),
        caught_by=(f"{REFUSES}::test_a_claim_is_for_the_confirmation_that_was_read",),
    ),
    Mutation(
        name="SQLite does not wait until a commit is on the disk",
        promise="1",
        edits=(("mailops/settings.py", "PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL"),),
        caught_by=("tests/core/test_durability.py::test_sqlite_writes_each_commit_to_the_disk",),
    ),
    Mutation(
        name="What is sent is not noted outside the database",
        promise="1",
        edits=((SUBMISSION, "digest_mark.note(digest_mark.Mark(", "print(digest_mark.Mark("),),
        caught_by=(f"{RESTORED}::test_every_send_notes_its_record_outside_the_database",),
    ),
    Mutation(
        name="An order is sent though its record could not be noted",
        promise="1",
        edits=(
            (
                SUBMISSION,
                "        record_outcome(attempt, NoConnection(why), NotSent(why=why))\n"
                "        return False\n",
                "",
            ),
        ),
        caught_by=(f"{RESTORED}::test_an_order_is_not_sent_where_its_record_can_not_be_noted",),
    ),
    Mutation(
        name="A restored backup whose record numbers were given again is not noticed",
        promise="1",
        edits=((MARK, "return found == self.hash", "return True"),),
        caught_by=(f"{RESTORED}::test_a_database_without_the_last_sends_record_sends_nothing[0]",),
    ),
    Mutation(
        name="A restored backup is not noticed before an order is taken up",
        promise="1",
        edits=((SUBMISSION, "    restored_backup.hold_if_older()", "    "),),
        caught_by=(
            f"{RESTORED}::test_a_database_without_the_last_sends_record_sends_nothing[1000000]",
        ),
    ),
    Mutation(
        name="After a restored backup, a release sends what was confirmed",
        promise="1",
        edits=((BACKUP, "    for order in orders:", "    for order in []:"),),
        caught_by=(
            f"{RESTORED}::test_a_release_sends_confirmed_orders_back_and_then_sending_works",
        ),
    ),
    Mutation(
        name="After a restored backup, a release sends what a worker had in hand",
        promise="1",
        edits=((BACKUP, "not_sent(attempt, WHY_BACK, Then.REVIEW)", "pass"),),
        caught_by=(
            f"{RESTORED}::test_a_release_sends_back_what_a_worker_had_in_hand_when_the_backup_was_made",
        ),
    ),
    Mutation(
        name="A claim that the database failed is not tried again",
        promise="2",
        edits=((SUBMISSION, "or _persistently(lambda: claim(order_id))", "or claim(order_id)"),),
        caught_by=(f"{LOSES_NONE}[order.claimed-accepted]",),
    ),
    Mutation(
        name="An order whose mark the database failed is not given back",
        promise="2",
        edits=((SUBMISSION, "return _persistently(lambda: _give_back(attempt))", "raise"),),
        caught_by=(f"{LOSES_NONE}[attempt.about_to_send-confirmed]",),
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
        caught_by=(f"{SENDING}::test_a_task_delivered_ten_times_buys_once",),
    ),
    Mutation(
        name="“About to be sent” is not saved before the request leaves",
        promise="1",
        edits=(
            (SUBMISSION, "def send(", "@transaction.atomic\ndef send("),
            (SUBMISSION, "import IntegrityError, Int", "import transaction, IntegrityError, Int"),
            (
                SUBMISSION,
                "audited(durable=True):\n        body_sha256 =",
                "audited():\n        body_sha256 =",
            ),
            (
                SUBMISSION,
                "audited(durable=True):\n            result =",
                "audited():\n            result =",
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
        name="A claim's age is told by the day's clock alone",
        promise="1",
        edits=(
            (CLAIMS, "return time.monotonic() - self.started <= fresh and age <=", "return age <="),
        ),
        caught_by=(f"{CRASHES}::test_a_worker_that_slept_since_its_claim_does_not_send",),
    ),
    Mutation(
        name="A claim's age is told by the running clock alone",
        promise="1",
        edits=((CLAIMS, " and age <= timedelta(seconds=fresh)", ""),),
        caught_by=(f"{CRASHES}::test_a_worker_whose_machine_slept_since_its_claim_does_not_send",),
    ),
    Mutation(
        name="A request whose answer was lost is sent once more",
        promise="1",
        edits=(
            (
                SUBMISSION,
                '    fault_points.point("answered")',
                (
                    "    if type(outcome).__name__ == 'Lost':\n        outcome ="
                    " post_order(request)\n   "
                    ' fault_points.point("answered")'
                ),
            ),
        ),
        caught_by=(f"{LOST_CHARGE}[woodpecker-mailboxes-cut-after]",),
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
                "State.UNKNOWN: frozenset(\n        {",
                "State.UNKNOWN: frozenset(\n        {State.CONFIRMED, ",
            ),
            (
                SETTLEMENT,
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
        name="A confirmed order whose task was lost is not queued again",
        promise="2",
        edits=((SWEEP, ".count() <= BACKLOG", ".count() < 0"),),
        caught_by=(f"{CRASHES}::test_the_sweep_queues_a_confirmed_order_whose_task_is_gone",),
    ),
    Mutation(
        name="An order that can't be sent is tried for ever",
        promise="2",
        edits=((OUTCOMES, " or tries >= settings.NOT_SENT_TRIES:", ":"),),
        caught_by=(
            f"{SENDING}::test_a_closed_port_is_not_sent_and_goes_to_a_person_after_a_few_tries",
        ),
    ),
    Mutation(
        name="A refusal that speaks of money taken is called refused",
        promise="1",
        edits=((DOUBTS, "    if MONEY_OR_ORDER.search(text):", "    if text == MONEY_OR_ORDER:"),),
        caught_by=(f"{TABLE}::test_an_answer_is_read_as_the_table_says",),
    ),
    Mutation(
        name="After a 429 the vendor is not looked at before the next try",
        promise="1",
        edits=((PREFLIGHT, "        return order.is_slowed_down", "        return False"),),
        caught_by=(
            f"{PREFLIGHTS}::test_an_order_that_was_taken_behind_a_429_is_not_sent_again",
            f"{PREFLIGHTS}::test_an_order_behind_a_429_is_looked_for_once_before_the_next_try",
        ),
    ),
    Mutation(
        name="A word such as “undefined” counts as an order's number",
        promise="2",
        edits=((DOUBTS, "    return text.strip().lower() in NOTHING or", "    return"),),
        caught_by=(f"{TABLE}::test_an_answer_is_read_as_the_table_says",),
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
)
