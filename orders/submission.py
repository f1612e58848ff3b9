"""Sending: the one place that spends. Six steps, to be read from top to bottom.

One confirmation leads to at most one paid request, whatever is killed, clicked twice or delivered
twice. A queued task carries an order's number; the order's row decides.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.utils import timezone

from mailops.core import fault_points
from mailops.core.sealed import CannotOpen, Sealed
from mailops.history import audited, digest_mark, record
from orders.models import Attempt, NotAllowed, Order, Stage, State
from orders.models.hold import hold_of
from orders.models.mailbox_counts import read_before
from orders.plan import Plan, plan
from orders.review import confirmations, confirming_rights, expiry, shown_plans
from orders.sending import (
    circuit_breaker,
    classification,
    no_funds,
    preflight,
    price_drift,
    restored_backup,
    task_queue,
)
from orders.sending.claims import Claim, Then, not_sent
from orders.sending.classification import Outcome
from orders.sending.results import Result
from orders.spending import limits, spending_holds
from vendors import rate_limit
from vendors.http import NoConnection, PreparedRequest, post_order
from vendors.models import SendingSwitch, Vendor
from vendors.verdicts import NotSent, Verdict

log = logging.getLogger("mailops.submission")
Done = TypeVar("Done")
HELD_UP = "The worker was held up before it could send."
DATABASE_FAILED = "The database failed before this was sent."
PATIENCE_SECONDS = 10


# 1. Confirm: one transaction, which ends with a queued task in the same database


def confirm(order_id: int, *, by: User, digest: str, planned_for: datetime | None = None) -> Order:
    """Confirm exactly the plan whose digest the person saw; not sent before `planned_for`.

    Where two persons have to confirm, the order still waits after the first. Raises `NotAllowed` or
    `PlanChanged`, with nothing changed.
    """
    try:
        with audited():
            order = Order.objects.locked(order_id)
            by = User.objects.get(pk=by.pk)  # their roles and delegations may have changed
            current = plan(order)
            needed = confirmations.check(order, current, by=by)
            if current.digest != digest:
                raise shown_plans.PlanChanged(shown_plans.changes_since(digest, current))
            if current.blocking:
                raise NotAllowed(f"This order can't be confirmed: {current.why_blocked}")
            now = timezone.now()
            not_before = confirmations.not_before(order, digest, planned_for)
            goes_at = max(not_before or now, now + timedelta(minutes=order.vendor.hold_minutes))
            if why := limits.why_not(order, current.cost.due_now, at=goes_at):
                raise NotAllowed(f"Not confirmed. {why}")
            on_behalf = confirming_rights.on_behalf(order, by, digest)
            given = confirmations.give(order, current, needed, by=by, planned_for=planned_for)
            if len(given) < needed.count:
                return order
            order.confirm(
                by=by,
                digest=digest,
                snapshot=current.snapshot(),
                needed=needed,
                reason=on_behalf,
                planned_for=not_before,
            )
            fault_points.point("confirm, before commit")
            if hold_of(order) is None:  # otherwise the sweep queues it once nothing holds it
                task_queue.enqueue(order.pk)
            return order
    except confirmations.OwnOrder as refused:
        confirmations.record_refusal(order_id, by=by, digest=digest, why=str(refused))
        raise
    except IntegrityError as error:
        raise NotAllowed(confirmations.why_database_refused(error)) from error


def submit(order_id: int) -> Result:
    """The queued task: read what is needed, then claim, recheck, mark, send once, record."""
    restored_backup.hold_if_older()  # then the claim finds that all sending is held
    claimed = _persistently(lambda: claim(order_id))
    if claimed is Result.READ_FIRST:
        claimed = preflight.read(order_id) or _persistently(lambda: claim(order_id))
    if claimed is Result.READ_FIRST:  # the first read grew old while the second one took place
        task_queue.forget(order_id)
        return Result.NOT_FRESH
    if isinstance(claimed, Result):
        return claimed
    fault_points.point("claimed")
    try:
        return send(claimed)
    except SystemExit:
        # The queue's time-out. Within a BEGIN it leaves a transaction open that Django doesn't see.
        connection.close()
        raise
    finally:
        task_queue.enqueue_next(claimed.attempt.order.vendor_id)


# 2. Claim: compare-and-set. No row updated means that another worker has the order. A claim may
# send while it is fresh (seconds); when its lease (minutes) is over, the sweeper ends it


def claim(order_id: int) -> Claim | Result:
    """Take a confirmed order and write its attempt, in one commit."""
    now = timezone.now()
    with audited(durable=True):
        # Only the account's row is locked, so that its orders and limits are counted by one worker
        # at a time. What was read of the order may be old by then: `start_sending` compares.
        due = Order.objects.due(now).select_related("vendor", "client").filter(pk=order_id)
        due = preflight.with_needs(due)
        order = due.select_for_update(of=("vendor",), no_key=True).first()
        if order is None or _is_busy(order.vendor):
            task_queue.forget(order_id)
            return Result.NOTHING_TO_DO
        now = timezone.now()  # the lock may have taken a while
        spends = spending_holds.confirmed_sum(order)
        if expiry.is_over(order, now):
            expiry.end_if_unchanged(order)
        elif hold := spending_holds.hold_needed(order, spends, now):
            spending_holds.put_on_hold(order, hold)
        elif preflight.is_needed(order, now):
            return Result.READ_FIRST
        else:
            return _take(order, spends.as_dict(), now)
    # In a transaction of its own: it locks another order, and no order is locked after the history.
    task_queue.enqueue_next(order.vendor_id)
    return Result.NOTHING_TO_DO


def _is_busy(vendor: Vendor) -> bool:
    under_way = Order.objects.filter(vendor=vendor, state=State.SENDING).count()
    return under_way >= vendor.max_concurrent


def _take(order: Order, spends: dict[str, str], now: datetime) -> Claim | Result:
    wait = rate_limit.acquire(order.vendor, max_wait=rate_limit.AN_ORDER, now=now)
    if wait is None:
        task_queue.forget(order.pk)
        return Result.NOTHING_TO_DO
    number = order.attempts.count() + 1
    try:
        order.start_sending(number, confirmed_at=order.confirmed_at)
    except NotAllowed:
        return Result.NOTHING_TO_DO
    attempt = Attempt.objects.create(
        order=order,
        number=number,
        worker=f"{socket.gethostname()}/{os.getpid()}",
        digest=order.digest,
        claimed_at=now,
        counted_at=now,
        lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        due_now=spends,
        before=order.listed if order.looked_at else [],
        before_at=order.looked_at,
        counts_before={} if order.product_spec.buys_domains else read_before(order.pk, now),
    )
    return Claim(attempt=attempt, wait=wait)


# 3. Recheck: switches, prices, digest, confirmations. If anything differs, nothing is sent


def recheck(attempt: Attempt) -> Plan | None:
    """The plan, if it still is what was confirmed; else the order gets another state, unsent."""
    orders = Order.objects.select_related("vendor", "client", "contact")
    order = orders.annotate(all_held=SendingSwitch.is_on()).get(pk=attempt.order_id)
    attempt.order = order
    if order.all_held or order.vendor.holds_orders:
        not_sent(attempt, "Sending was stopped a moment before this was sent.", Then.SEND_LATER)
        return None
    current = plan(order)
    why = ""
    if current.digest != order.digest and (objection := price_drift.objection_to(attempt, current)):
        why = f"Not sent, because it is no longer what was confirmed. {objection}"
    elif current.blocking:
        why = f"Not sent. {current.why_blocked}"
    elif lacking := confirmations.lacking(order, current):
        why = f"Not sent. {lacking}"
    if why:
        not_sent(attempt, why, Then.REVIEW)
    return None if why else current


# 4. Mark "about to send", committed. From here on a crash leaves an outcome that nobody knows: once
# the lease is over, the sweeper calls it unknown


def mark(claimed: Claim, request: PreparedRequest) -> bool:
    """This worker may send now. After a pause it may not: somebody may have decided since."""
    attempt = claimed.attempt
    if not claimed.is_in_time():
        not_sent(attempt, HELD_UP, Then.TRY_AGAIN)
        return False
    with audited(durable=True):
        body_sha256 = request.body_sha256
        fields = {"sent_at": timezone.now(), "body_sha256": body_sha256}
        if not attempt.move(Stage.SENDING, since=(Stage.CLAIMED,), **fields):
            return False
        changes = {"body_sha256": [None, body_sha256]}
        about = attempt.order
        event = record("attempt.about_to_send", about, attempt=attempt.pk, changes=changes)
    fault_points.point("marked")
    try:
        # Outside the database: a backup that is restored later lacks this record.
        digest_mark.note(digest_mark.Mark(event.number, event.hash, event.at))
    except digest_mark.MarkTrouble as trouble:
        why = f"What is sent can't be noted outside the database. {trouble}"
        # Without `retry_after` the pause grows with each try; 0 tries again at once.
        record_outcome(attempt, NoConnection(why), NotSent(why=why))
        return False
    if not claimed.is_in_time():  # the commit took too long; no byte has left yet
        record_outcome(attempt, NoConnection(HELD_UP), NotSent(why=HELD_UP, retry_after=0))
        return False
    return True


# 5. Send: one POST


def send(claimed: Claim) -> Result:
    """Recheck, mark, send once, record."""
    time.sleep(claimed.wait)
    attempt = claimed.attempt
    try:
        request = _marked(claimed)
    except (OperationalError, InterfaceError) as error:
        log.warning("%s is given back: %s", attempt, error)
        return _persistently(lambda: _give_back(attempt))
    if isinstance(request, Result):
        return request
    fault_points.point("about to send")
    outcome = post_order(request, may_go=claimed.is_in_time)
    fault_points.point("answered")
    return record_outcome(attempt, outcome, classification.verdict_over(attempt.order, outcome))


def _marked(claimed: Claim) -> PreparedRequest | Result:
    """The request, marked as about to be sent; or why it must not be sent."""
    attempt = claimed.attempt
    current = recheck(attempt)
    if current is None:
        return Result.HELD_BACK
    try:
        secrets = attempt.order.vendor.secrets.open() | Sealed(attempt.order.sealed).open()
        request = current.request.prepare(current.host, secrets)
    except (CannotOpen, KeyError):
        not_sent(attempt, preflight.KEY_MISSING, Then.REVIEW)
        return Result.HELD_BACK
    return request if mark(claimed, request) else Result.TOO_LATE


def _give_back(attempt: Attempt) -> Result:
    """The database failed before anything was sent: the order is tried again."""
    if not not_sent(attempt, DATABASE_FAILED, Then.TRY_AGAIN):
        # The commit of the mark came through, though its answer was lost.
        why = NotSent(why=DATABASE_FAILED, retry_after=0)
        record_outcome(attempt, NoConnection(DATABASE_FAILED), why)
    return Result.HELD_BACK


# 6. Record: the outcome and its event in one commit


def record_outcome(attempt: Attempt, outcome: Outcome, verdict: Verdict) -> Result:
    """Write the verdict. Tries for ten seconds, since the answer exists nowhere else."""

    def write() -> Result:
        with audited(durable=True):
            result = _write_outcome(attempt, outcome, verdict)
            fault_points.point("recorded, before commit")
        fault_points.point("recorded")
        return result

    try:
        return _persistently(write)
    except (OperationalError, InterfaceError):
        log.error("The outcome of %s could not be written; the sweeper calls it unknown", attempt)
        raise


def _persistently(step: Callable[[], Done]) -> Done:
    """Run a step that may be run again, for ten seconds of errors of the database."""
    until, tries = time.monotonic() + PATIENCE_SECONDS, 0
    while True:
        tries += 1
        try:
            return step()
        except (OperationalError, InterfaceError):
            # At least three tries: a frozen worker may wake up after the ten seconds.
            if time.monotonic() > until and tries >= 3:
                raise
            connection.close()
            time.sleep(0.5)


def _write_outcome(attempt: Attempt, outcome: Outcome, verdict: Verdict) -> Result:
    writes_account = circuit_breaker.may_close(outcome, verdict) or no_funds.is_said_by(verdict)
    if writes_account or classification.reference_of(verdict):
        Vendor.objects.locked(attempt.order.vendor_id)  # before the order's lock, as everywhere
    verdict = classification.if_it_is_ours(attempt.order, verdict)
    order = Order.objects.locked(attempt.order_id)
    reply = classification.stored_reply(outcome)
    stage, why, reference = classification.in_short(verdict)
    since = (Stage.SENDING, Stage.UNKNOWN)
    if not attempt.move(stage, since=since, why=why, reference=reference, **reply):
        classification.record_late_answer(order, attempt, stage, why, reply)
        return Result.LATE
    if order.state not in (State.SENDING, State.UNKNOWN):
        raise RuntimeError(f"{order} reads {order.state} while its attempt is open")
    classification.move_order(order, attempt, verdict)
    circuit_breaker.after(order.vendor, outcome, verdict)
    no_funds.after(order, verdict)
    return Result(stage)
