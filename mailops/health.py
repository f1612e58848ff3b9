"""Does sending work? Answered from a heartbeat that proves that work gets done, and from what waits too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.timesince import timesince

from mailops.times import moment

BEAT = "worker-heartbeat"
STALE = timedelta(seconds=180)
TOO_LONG = timedelta(minutes=3)


def beat() -> None:
    """Called by the queue's monitor once a task ran and was acknowledged: the whole line works."""
    cache.set(BEAT, timezone.now(), timeout=None)


def last_beat() -> datetime | None:
    """When the queue last finished a task; None before the first."""
    at: datetime | None = cache.get(BEAT)
    return at


@dataclass(frozen=True)
class Status:
    works: bool
    text: str
    kind: str = "bad"  # of the chip that shows it


def status() -> Status:
    """Whether sending works, in the words of the page's header."""
    at = last_beat()
    if at is None:
        return Status(False, "Sending has not started yet", "wait")
    if timezone.now() - at > STALE:
        return Status(False, f"Nothing is sending since {moment(at)} ({timesince(at)})")
    return Status(True, "Sending works", "ok")


@dataclass(frozen=True)
class Finding:
    """A sentence for whoever runs MailOps. A problem needs somebody now; a note does not."""

    text: str
    is_problem: bool = True


def findings() -> list[Finding]:
    """All that is wrong, and what is worth knowing, with a broken database too. Never raises."""
    found: list[Finding] = []
    for look in (_database, _worker, _orders, _schedules, _history, _held):
        try:
            found += look()
        except DatabaseError as error:
            if look is _database:
                return [Finding(f"The database can't be reached ({type(error).__name__}). Nothing can be sent.")]
            found.append(Finding(f"The database does not answer a question about health ({type(error).__name__})."))
    return found


def is_well() -> bool:
    """Whether the database answers and work gets done: the one bit that a monitor outside may know."""
    try:
        return status().works
    except DatabaseError:
        return False


def _database() -> Iterator[Finding]:
    connection.ensure_connection()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("The database is older than this program. Run: manage.py migrate")


def _worker() -> Iterator[Finding]:
    try:
        now = status()
    except DatabaseError:
        yield Finding("The table for heartbeats is missing. Run: manage.py createcachetable")
        return
    if not now.works:
        yield Finding(f"{now.text}. Is a worker running? Look at its log.")
    at = last_beat()
    if at and at > timezone.now() + timedelta(minutes=1):
        yield Finding("The last heartbeat lies in the future: the clocks of two machines differ.")


def _orders() -> Iterator[Finding]:
    from orders.models import Attempt, Order, State
    from orders.models.attempt import Stage

    now = timezone.now()
    late = Order.objects.due(now - TOO_LONG).in_turn(now - TOO_LONG).filter(state_since__lt=now - TOO_LONG)
    if count := late.count():
        oldest = late.order_by("state_since")[0]
        yield Finding(
            f"{_orders_are(count)} confirmed, held by nothing, and not sent since {moment(oldest.state_since)}."
        )
    open_too_long = Attempt.objects.filter(
        stage__in=[Stage.CLAIMED, Stage.SENDING], lease_until__lt=now - TOO_LONG, order__state=State.SENDING
    )
    if count := open_too_long.count():
        yield Finding(f"{_orders_are(count)} being sent for too long, and no sweep has looked at it.")
    unknown = Order.objects.filter(state=State.UNKNOWN).order_by("state_since")
    if count := unknown.count():
        since = moment(unknown[0].state_since)
        yield Finding(
            f"{_orders_are(count)} of unknown outcome, the oldest since {since}: a confirmer has to check.", False
        )


def _orders_are(count: int) -> str:
    return "1 order is" if count == 1 else f"{count} orders are"


def _schedules() -> Iterator[Finding]:
    from django_q.models import Schedule

    overdue = Schedule.objects.filter(next_run__lt=timezone.now() - TOO_LONG)
    for schedule in overdue:
        yield Finding(
            f"The schedule “{schedule.name or schedule.func}” should have run {timesince(schedule.next_run)} ago. "
            "One schedule that can't be read stops them all."
        )


def _history() -> Iterator[Finding]:
    from mailops import triggers
    from mailops.history.models import TRIGGERS

    if triggers.missing(connection, TRIGGERS):
        yield Finding("The database no longer refuses changes to the history. Run: manage.py migrate")


def _held() -> Iterator[Finding]:
    from vendors.models import SendingSwitch, Vendor

    switch = SendingSwitch.current()
    if switch.stopped_at:
        since, who = moment(switch.stopped_at), switch.stopped_by_name
        yield Finding(f"All sending is held since {since} by {who}: {switch.stopped_reason}", False)
    for vendor in Vendor.objects.filter(stopped_at__isnull=False):
        assert vendor.stopped_at
        yield Finding(
            f"Sending to {vendor.name} is stopped since {moment(vendor.stopped_at)}: {vendor.stopped_reason}", False
        )
