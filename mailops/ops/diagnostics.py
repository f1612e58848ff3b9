"""Problems of this installation, in sentences for people; `manage.py health` prints them.

Each probe reads a few rows and changes nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.timesince import timesince
from django_q.models import Schedule

from mailops.core import durability, heartbeat, sql_triggers
from mailops.core.times import moment
from mailops.history import audited_tables, digest_mark, untracked_changes, verification_runs
from mailops.history.models import ALL_TRIGGERS as HISTORY_TRIGGERS
from mailops.history.models import TRACE_TRIGGERS, Digest, Event, Verification
from mailops.notices.models import Notice
from mailops.ops import newer_database, queue_health
from mailops.ops.finding import Finding, note, problem
from mailops.proposals.models import TRIGGERS as PROPOSAL_TRIGGERS
from orders.models import Attempt, Order, State
from orders.models.constraints import RULES as ORDER_RULES
from orders.models.hold import hold_of
from orders.outcomes import overdue_orders
from orders.sending import restored_backup
from orders.tasks import SWEEP
from vendors.models import SendingSwitch, Vendor
from vendors.models.exchange_rate import TRIGGERS as RATE_TRIGGERS
from vendors.models.price_version import TRIGGERS as VERSION_TRIGGERS

# How late something may be before it is a problem:
LATE = timedelta(minutes=3)  # an order that may be sent, and a schedule
LATE_BEHIND_OTHERS = timedelta(minutes=30)  # an order while others of its account are sent
LATE_OUTCOME = timedelta(minutes=2)  # the sweep, which ends lost orders, runs every minute
CLOCK_SKEW = timedelta(seconds=10)


def findings(now: datetime | None = None) -> list[Finding]:
    """Findings of all probes, problems first. Never raises."""
    now = now or timezone.now()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        behind = list(_migrations())
    except Exception as error:
        return [problem(f"The database can't be read: {heartbeat.first_line(error)}.")]
    found = [*behind]
    for name, probe in PROBES:
        try:
            found += probe(now)
        # a probe that fails must not hide what the others find
        except Exception as error:
            # before a migration a table or a column may be missing, and that is said already
            if not (behind and isinstance(error, Error)):
                found.append(problem(f"{name} can't be read: {heartbeat.first_line(error)}."))
    return sorted(found, key=lambda finding: not finding.is_problem)


def _migrations() -> Iterable[Finding]:
    if says := newer_database.sentence():
        yield problem(says)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = _some([f"{migration.app_label}.{migration.name}" for migration, _ in plan])
        yield problem(
            f"The database is older than the program: {names} not applied. Run `manage.py migrate`."
            " What else is wrong may not show before that."
        )


def _heartbeat(now: datetime) -> Iterable[Finding]:
    # the heartbeat is a row of the cache's table
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
    elif at - now > CLOCK_SKEW:
        ahead = (
            "The last worker to report has a clock that is ahead of this machine's by"
            f" {_ages(now, at)}"
        )
        if at - now > heartbeat.STALE:
            yield problem(f"{ahead}, so nobody can tell whether sending works. Set both clocks.")
        else:
            yield note(f"{ahead}. Set both clocks.")
    yield from queue_health.questions(now)
    yield from queue_health.sweep(now)


def _waiting(now: datetime) -> Iterable[Finding]:
    """Confirmed orders that nothing holds."""
    before = now - LATE
    # orders that were let go a moment ago are not late yet
    if Event.objects.filter(action="sending.released", at__gt=before).exists():
        return
    due = Order.objects.due(before).filter(state_since__lte=before)
    due = due.exclude(vendor__opened_at__gt=before)
    accounts = due.order_by("vendor_id").values("vendor")
    for row in accounts.annotate(count=Count("pk"), since=Min("state_since")):
        # the oldest order of an account stands for the others
        waiting = due.filter(vendor=row["vendor"]).select_related("vendor")
        oldest = waiting.order_by("state_since", "pk").first()
        if oldest is None or hold_of(oldest):
            continue
        more = f", and {row['count'] - 1} more" if row["count"] > 1 else ""
        text = (
            f"{oldest} waits to be sent to {oldest.vendor.name} since {moment(row['since'])}{more}"
        )
        sent = Attempt.objects.filter(order__vendor=row["vendor"], claimed_at__gte=before)
        if now - row["since"] <= LATE_BEHIND_OTHERS and sent.exists():
            yield note(f"{text}. Other orders of this account are being sent before it.")
        else:
            yield problem(f"{text}, and nothing holds it.")


def _sending(now: datetime) -> Iterable[Finding]:
    expired = Order.objects.expired(now - LATE_OUTCOME).distinct().order_by("state_since")
    late = [str(order) for order in expired]
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
        elif row.next_run < now - LATE:
            yield problem(
                f"The schedule “{row.name or row.func}” is overdue since {moment(row.next_run)}."
            )
    if not any(row.func == SWEEP for row in rows):
        yield problem(
            "The schedule “Sweep” is missing, so lost orders stay lost. Run `manage.py migrate`."
        )


def _unreadable(row: Schedule) -> str:
    """Why django-q's scheduler fails at this row and runs no later one; empty if it does not."""
    # in the scheduler's own order: arguments, named arguments, next time
    try:
        ast.literal_eval(row.args or "()")
    # a name, a syntax error, an expression that is nested too deep
    except Exception:
        return f"has arguments that can't be read: {row.args[:60]}"
    try:
        if not isinstance(ast.literal_eval(row.kwargs or "{}"), dict):
            return f"has named arguments that can't be read: {row.kwargs[:60]}"
    # the queue catches these two, and runs the task without named arguments
    except (SyntaxError, ValueError):
        pass
    try:
        if row.schedule_type != Schedule.ONCE:
            row.calculate_next_run()
    # for example a cron line without the package that reads it
    except Exception as error:
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
    # a table that comes with a migration not applied yet has no triggers either
    tables = connection.introspection.table_names()
    audited = [rule for rule in audited_tables.everywhere() if rule.table in tables]
    if gone := sql_triggers.missing(connection, audited):
        yield problem(
            f"The database no longer traces every change made by raw SQL: {_some(gone)} missing. "
            "Run `manage.py migrate`, and ask whoever keeps the database."
        )
    for triggers, refused in rules:
        if triggers[0].table in tables and (gone := sql_triggers.missing(connection, triggers)):
            yield problem(
                f"The database no longer refuses {refused}: {_some(gone)} missing. Run `manage.py"
                " migrate`, then `manage.py verify_history`."
            )


def _outside(now: datetime) -> Iterable[Finding]:
    """Changes past MailOps, by raw SQL or in a shell, and those that no event records."""
    seen = untracked_changes.lately()
    if seen.marked:
        yield problem(
            "Somebody left the mark in history_telling by which the database keeps no traces."
            " MailOps takes it away with its next change; ask whoever keeps the database."
        )
    if silenced := untracked_changes.silenced():
        is_one = silenced == 1
        changes = "1 change" if is_one else f"{silenced} changes"
        yield problem(
            f"{changes} from outside MailOps {'reads' if is_one else 'read'} as told in the"
            " history, and no record tells of it: somebody marked the rows of history_trace by"
            " hand. They still hold what was changed; ask whoever keeps the database."
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


def _durability(now: datetime) -> Iterable[Finding]:
    return map(problem, durability.problems(connection))


def _backup(now: datetime) -> Iterable[Finding]:
    try:
        mark = digest_mark.missing()
    except digest_mark.MarkTrouble as trouble:
        yield problem(f"{trouble} Nothing is sent before that is mended.")
        return
    if mark and not restored_backup.is_settled(mark):
        yield problem(restored_backup.reason(mark))


def _held(now: datetime) -> Iterable[Finding]:
    # people throw these switches, and MailOps stops an account by itself
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
    for vendor in Vendor.objects.exclude(no_funds_at=None):
        since = moment(vendor.no_funds_at or now)
        yield note(
            f"{vendor.name} has had no money for orders since {since}:"
            f" {vendor.no_funds_said.rstrip('.')}."
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


def _overdue(now: datetime) -> Iterable[Finding]:
    late = list(overdue_orders.overdue(now))
    if not late:
        return
    says = overdue_orders.sentences(late[:3], now)
    named = [f"{order}, {says[order.pk]}" for order in late[:3]]
    more = f"; and {len(late) - 3} more" if len(late) > 3 else ""
    yield note(f"Overdue, the oldest first: {'; '.join(named)}{more}.")


def _notices(now: datetime) -> Iterable[Finding]:
    # three failures: one or two may be a mail server that restarts
    unsent = Notice.objects.open().filter(tries__gte=3)
    if oldest := unsent.order_by("made_at", "pk").first():
        count = unsent.count()
        since = moment(oldest.made_at)
        why = oldest.why or "The worker stopped while it was sending."
        notices = f"{count} notice{'s' * (count != 1)}"
        text = f"{notices} to people can't be delivered since {since}: {why}"
        # if the channel works for others, only some addresses are wrong
        newest = Notice.objects.filter(channel=oldest.channel, sent_at__gt=oldest.made_at)
        yield note(text) if newest.exists() else problem(text)
    lost = Notice.objects.filter(gave_up=True, ended_at__gte=now - timedelta(days=1))
    if last := lost.order_by("-ended_at").first():
        count = lost.count()
        notices = f"{count} notice{'s' * (count != 1)}"
        yield note(f"{notices} given up within a day, the last because: {last.why}")


# each with its name for the sentence that says that it failed
PROBES: tuple[tuple[str, Callable[[datetime], Iterable[Finding]]], ...] = (
    ("The heartbeat", _heartbeat),
    ("The orders that wait", _waiting),
    ("The orders that are being sent", _sending),
    ("The schedules", _schedules),
    ("The database's own rules", _triggers),
    ("The changes from outside", _outside),
    ("The history's verification", _history),
    ("The database's settings", _durability),
    ("The record of the last send", _backup),
    ("The switches", _held),
    ("The mark as one-person", _one_person),
    ("The unknown outcomes", _unknown),
    ("The overdue orders", _overdue),
    ("The notices", _notices),
)


def _some(names: list[str]) -> str:
    """The first three names and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _ages(since: datetime, until: datetime) -> str:
    """A duration like "2 hours, 5 minutes"; seconds if it is less than a minute."""
    if until - since < timedelta(minutes=1):
        return f"{(until - since).seconds} seconds"
    return timesince(since, until).replace("\xa0", " ")
