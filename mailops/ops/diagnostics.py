"""What is wrong with this installation, in sentences for people: `manage.py health` prints them.

Each look reads a few rows and changes nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.timesince import timesince
from django_q.models import Schedule

from mailops.core import heartbeat, sql_triggers
from mailops.core.times import moment
from mailops.history import audited_tables, untracked_changes, verification_runs
from mailops.history.models import ALL_TRIGGERS as HISTORY_TRIGGERS
from mailops.history.models import TRACE_TRIGGERS, Digest, Event, Verification
from mailops.notices.models import Notice
from mailops.proposals.models import TRIGGERS as PROPOSAL_TRIGGERS
from orders.models import Attempt, Order, State
from orders.models.constraints import RULES as ORDER_RULES
from orders.models.hold import hold_of
from orders.tasks import SWEEP
from vendors.models import SendingSwitch, Vendor
from vendors.models.exchange_rate import TRIGGERS as RATE_TRIGGERS
from vendors.models.price_version import TRIGGERS as VERSION_TRIGGERS

WAITS = timedelta(minutes=3)  # an order that may be sent, and a schedule
TOO_LONG = timedelta(minutes=30)  # an order whose account is busy with others
OVER = timedelta(
    minutes=2
)  # an order whose worker should have reported: the sweep comes every minute
SKEW = timedelta(seconds=10)


@dataclass(frozen=True)
class Finding:
    """One sentence. A problem needs somebody now; a note is good to know."""

    level: Literal["problem", "note"]
    text: str

    @property
    def is_problem(self) -> bool:
        return self.level == "problem"


def problem(text: str) -> Finding:
    return Finding("problem", text)


def note(text: str) -> Finding:
    return Finding("note", text)


def findings(now: datetime | None = None) -> list[Finding]:
    """Everything that is wrong or good to know, problems first. Never raises."""
    now = now or timezone.now()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        behind = list(_migrations())
    except Exception as error:
        return [problem(f"The database can't be read: {heartbeat.first_line(error)}.")]
    found = behind
    for what, look in PROBES:
        try:
            found += look(now)
        except Exception as error:  # one look that fails must not hide what the others see
            if not (
                behind and isinstance(error, Error)
            ):  # its table or column comes with the migration
                found.append(problem(f"{what} can't be read: {heartbeat.first_line(error)}."))
    return sorted(found, key=lambda finding: not finding.is_problem)


def _migrations() -> Iterable[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = _some([f"{migration.app_label}.{migration.name}" for migration, _ in plan])
        yield problem(
            f"The database is older than the program: {names} not applied. Run `manage.py migrate`."
            " What else is wrong may not show before that."
        )


def _heartbeat(now: datetime) -> Iterable[Finding]:
    table = settings.CACHES["default"]["LOCATION"]
    if table not in connection.introspection.table_names():
        yield problem(
            f"The table {table} is missing, so no worker can say that it works. Run `manage.py"
            " createcachetable`."
        )
        return
    at = heartbeat.last_beat()
    if at is None:
        yield problem("Sending has not started yet: no worker has finished a task.")
    elif now - at > heartbeat.STALE:
        yield problem(f"Nothing is sending since {moment(at)} ({_ages(at, now)}).")
    elif at - now > SKEW:
        ahead = (
            "The last worker to report has a clock that is ahead of this machine's by"
            f" {_ages(now, at)}"
        )
        if at - now > heartbeat.STALE:
            yield problem(f"{ahead}, so nobody can tell whether sending works. Set both clocks.")
        else:
            yield note(f"{ahead}. Set both clocks.")


def _waiting(now: datetime) -> Iterable[Finding]:
    """Confirmed orders that nothing holds. Behind others of their account they wait for their turn."""
    before = now - WAITS
    if Event.objects.filter(action="sending.released", at__gt=before).exists():
        return
    due = (
        Order.objects.due(before)
        .filter(state_since__lte=before)
        .exclude(vendor__opened_at__gt=before)
    )
    for row in (
        due.order_by("vendor_id")
        .values("vendor")
        .annotate(count=Count("pk"), since=Min("state_since"))
    ):
        oldest = (
            due.filter(vendor=row["vendor"])
            .select_related("vendor")
            .order_by("state_since", "pk")
            .first()
        )
        if oldest is None or hold_of(oldest):
            continue
        more = f", and {row['count'] - 1} more" if row["count"] > 1 else ""
        text = (
            f"{oldest} waits to be sent to {oldest.vendor.name} since {moment(row['since'])}{more}"
        )
        moves = Attempt.objects.filter(order__vendor=row["vendor"], claimed_at__gte=before).exists()
        if moves and now - row["since"] <= TOO_LONG:
            yield note(f"{text}. Other orders of this account are being sent before it.")
        else:
            yield problem(f"{text}, and nothing holds it.")


def _sending(now: datetime) -> Iterable[Finding]:
    late = [
        str(order) for order in Order.objects.expired(now - OVER).distinct().order_by("state_since")
    ]
    if late:
        yield problem(
            f"{_some(late)} should have an outcome by now. The worker is gone, and the sweep that"
            " would say so does not run."
        )


def _schedules(now: datetime) -> Iterable[Finding]:
    rows = list(Schedule.objects.exclude(repeats=0).order_by("pk"))
    for row in rows:
        if why := _unreadable(row):
            yield problem(
                f"The schedule “{row.name or row.func}” (row {row.pk}) {why}. It stops all"
                " schedules."
            )
        elif row.next_run < now - WAITS:
            yield problem(
                f"The schedule “{row.name or row.func}” is overdue since {moment(row.next_run)}."
            )
    if not any(row.func == SWEEP for row in rows):
        yield problem(
            "The schedule “Sweep” is missing, so lost orders stay lost. Run `manage.py migrate`."
        )


def _unreadable(row: Schedule) -> str:
    """Why the queue's scheduler would give up at this row, as it reads them; empty where it would
    not.
    """
    try:
        ast.literal_eval(row.args or "()")
    except Exception:  # a name, a syntax error, an expression too deep
        return f"has arguments that can't be read: {row.args[:60]}"
    try:
        if not isinstance(ast.literal_eval(row.kwargs or "{}"), dict):
            return f"has named arguments that can't be read: {row.kwargs[:60]}"
    except (SyntaxError, ValueError):
        pass  # the queue goes on without them
    try:
        if row.schedule_type != Schedule.ONCE:
            row.calculate_next_run()
    except Exception as error:  # a cron line without the package that reads it
        return f"has no next time: {heartbeat.first_line(error)}"
    return ""


def _triggers(now: datetime) -> Iterable[Finding]:
    rules = [
        (HISTORY_TRIGGERS, "edits of the history"),
        *ORDER_RULES,
        (PROPOSAL_TRIGGERS, "that somebody approves a proposal of their own"),
        (VERSION_TRIGGERS, "edits of what prices were"),
        (RATE_TRIGGERS, "edits of typed exchange rates"),
        (TRACE_TRIGGERS, "edits of what it traced"),
    ]
    tables = connection.introspection.table_names()
    if gone := sql_triggers.missing(
        connection, [rule for rule in audited_tables.everywhere() if rule.table in tables]
    ):
        yield problem(
            f"The database no longer traces every change made by raw SQL: {_some(gone)} missing. "
            "Run `manage.py migrate`, and ask whoever keeps the database."
        )
    for kept, what in rules:
        if kept[0].table in tables and (gone := sql_triggers.missing(connection, kept)):
            yield problem(
                f"The database no longer refuses {what}: {_some(gone)} missing. Run `manage.py"
                " migrate`, then `manage.py verify_history`."
            )


def _outside(now: datetime) -> Iterable[Finding]:
    """What reached the tables by raw SQL or in a shell, and whether the history tells of it."""
    seen = untracked_changes.lately()
    if seen.marked:
        yield problem(
            "Somebody left the mark in history_telling by which the database keeps no traces."
            " MailOps takes it away with its next change; ask whoever keeps the database."
        )
    if silenced := untracked_changes.silenced():
        many = (
            "1 change from outside MailOps reads"
            if silenced == 1
            else f"{silenced} changes from outside MailOps read"
        )
        yield problem(
            f"{many} as told in the history, and no record tells of it: somebody marked the rows of"
            " history_trace by hand. They still hold what was changed; ask whoever keeps the"
            " database."
        )
    if seen.is_late and seen.oldest:
        yield problem(
            f"{seen.untold} changes from outside MailOps, the first at {moment(seen.oldest)}, are"
            " not in the history yet. The sweep that would tell of them does not run."
        )
    if seen.count and seen.last:
        yield note(
            f"Rows were changed outside MailOps in the last seven days: {seen.count}, last at"
            f" {moment(seen.last)}. The history has them as “outside: changed”."
        )


def _history(now: datetime) -> Iterable[Finding]:
    """What the last verifications found, and whether they and the digests go on."""
    if broken := Verification.objects.broken():
        yield problem(
            f"{broken.says} Found {moment(broken.at)}. An auditor has to look at History, Verify."
        )
    if verification_runs.is_late(now):
        yield problem(
            "The whole history was not verified for two days, so the nightly verification does not"
            " end."
        )
    last = Digest.objects.order_by("-id").first()
    if last and last.trouble and now - last.at > timedelta(hours=1):
        yield problem(f"The history's digest can't be kept elsewhere: {last.trouble}.")


def _held(now: datetime) -> Iterable[Finding]:
    """Switches that people, or MailOps itself, have thrown."""
    switch = SendingSwitch.current()
    if switch.stopped_at:
        since, why = moment(switch.stopped_at), switch.stopped_reason.rstrip(".")
        yield note(f"All sending is held since {since} by {switch.stopped_by_name}: {why}.")
    for vendor in Vendor.objects.exclude(stopped_at=None):
        since = moment(vendor.stopped_at or now)
        yield note(
            f"Sending to {vendor.name} is stopped since {since}:"
            f" {vendor.stopped_reason.rstrip('.')}."
        )


def _one_person(now: datetime) -> Iterable[Finding]:
    if settings.ONE_PERSON:
        yield note(
            "This installation is marked as one-person: limits, keys and roles change without a"
            " second person."
        )


def _unknown(now: datetime) -> Iterable[Finding]:
    orders = Order.objects.filter(state=State.UNKNOWN).order_by("state_since", "pk")
    count, oldest = orders.count(), orders.first()
    if oldest and count == 1:
        yield note(
            f"The outcome of {oldest} is unknown since {moment(oldest.state_since)}. A confirmer"
            " has to check."
        )
    elif oldest:
        yield note(
            f"The outcomes of {count} orders are unknown, the oldest ({oldest}) since"
            f" {moment(oldest.state_since)}. A confirmer has to check."
        )


def _notices(now: datetime) -> Iterable[Finding]:
    """Messages that do not go out. Orders never wait for them."""
    unsent = Notice.objects.open().filter(tries__gte=3)
    if oldest := unsent.order_by("made_at", "pk").first():
        count = unsent.count()
        since, why = (
            moment(oldest.made_at),
            oldest.why or "The worker stopped while it was sending.",
        )
        text = (
            f"{count} notice{'s' * (count != 1)} to people can't be delivered since {since}: {why}"
        )
        newest = Notice.objects.filter(channel=oldest.channel, sent_at__gt=oldest.made_at)
        yield note(text) if newest.exists() else problem(text)
    lost = Notice.objects.filter(gave_up=True, ended_at__gte=now - timedelta(days=1))
    if last := lost.order_by("-ended_at").first():
        count = lost.count()
        yield note(
            f"{count} notice{'s' * (count != 1)} given up within a day, the last because:"
            f" {last.why}"
        )


PROBES: tuple[tuple[str, Callable[[datetime], Iterable[Finding]]], ...] = (
    ("The heartbeat", _heartbeat),
    ("The orders that wait", _waiting),
    ("The orders that are being sent", _sending),
    ("The schedules", _schedules),
    ("The database's own rules", _triggers),
    ("The changes from outside", _outside),
    ("The history's verification", _history),
    ("The switches", _held),
    ("The mark as one-person", _one_person),
    ("The unknown outcomes", _unknown),
    ("The notices", _notices),
)


def _some(names: list[str]) -> str:
    """The first three and how many more: a sentence must stay one."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _ages(since: datetime, until: datetime) -> str:
    """ "2 hours, 5 minutes"; seconds where it is less than a minute."""
    if until - since < timedelta(minutes=1):
        return f"{(until - since).seconds} seconds"
    return timesince(since, until).replace("\xa0", " ")
