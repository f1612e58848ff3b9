"""Breaks of the questions to vendors: they hold up orders, pile up at an account, or forget some."""

from __future__ import annotations

from tests.faults.mutation import Mutation

QUESTIONS, READS = "orders/outcomes/questions.py", "vendors/account_reads.py"
ASKED = "tests/orders/outcomes/test_questions.py"
LEASES = "tests/vendors/test_account_reads.py"

QUESTION_MUTANTS = (
    Mutation(
        name="Questions to vendors stand in the line of orders",
        promise="2",
        edits=((QUESTIONS, "async_task(ASK, vendor_id, cluster=QUESTIONS)", "async_task(ASK, vendor_id)"),),
        caught_by=(f"{ASKED}::test_the_sweep_queues_one_task_for_the_account",),
    ),
    Mutation(
        name="An account is asked by two workers at a time",
        promise="2",
        edits=((READS, "filter(free, pk=vendor_id)", "filter(pk=vendor_id)"),),
        caught_by=(
            f"{LEASES}::test_an_account_has_one_lease_at_a_time",
            f"{ASKED}::test_an_account_that_is_being_asked_is_not_queued_or_asked_again",
        ),
    ),
    Mutation(
        name="An account that does not answer is asked on and on",
        promise="2",
        edits=((QUESTIONS, "account_reads.note_failure(self.vendor.pk, why_not)", "pass"),),
        caught_by=(f"{ASKED}::test_an_account_that_does_not_answer_rests_and_says_why",),
    ),
    Mutation(
        name="The orders that were asked about longest ago come last",
        promise="2",
        edits=(
            (
                "orders/models/queries.py",
                'models.F("asked_at").asc(nulls_first=True)',
                'models.F("asked_at").desc(nulls_last=True)',
            ),
        ),
        caught_by=(
            f"{ASKED}::test_what_a_person_asked_for_comes_first_then_unknown_outcomes_then_the_oldest",
        ),
    ),
    Mutation(
        name="An order counts as asked about though nobody asked",
        promise="2",
        edits=((QUESTIONS, "    for pk in chosen:\n", "    Order.objects.filter(vendor_id__in=chosen).update(asked_at=now)\n    for pk in chosen:\n"),),
        caught_by=(f"{ASKED}::test_queueing_is_not_asking",),
    ),
    Mutation(
        name="The heartbeat of one queue counts for the other",
        promise="2",
        edits=(
            (
                "mailops/ops/processes.py",
                "self.last_beat(child.name)",
                "self.last_beat(self.children[0].name)",
            ),
        ),
        caught_by=("tests/test_supervisor.py::test_a_worker_that_hangs_is_seen_though_another_beats",),
    ),
    Mutation(
        name="Only the sweep is a heartbeat",
        promise="2",
        edits=(("orders/apps.py", "    if queue not in health.BEATS:", "    if task.get(\"func\") != SWEEP:"),),
        caught_by=("tests/ops/test_queue_health.py::test_any_task_that_ended_is_a_beat_of_its_queue_alone[True]",),
    ),
)  # fmt: skip
