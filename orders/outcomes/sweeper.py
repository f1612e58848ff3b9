"""The sweep, every minute: makes the queue's own losses harmless. Safe to run twice at once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django_q.models import OrmQ

from mailops.core.queue_names import ORDERS
from mailops.history import audited, signed_cache, untracked_changes
from mailops.proposals import workflow
from orders.availability import lookup
from orders.models import Look, Order, Scratch, State, Upload
from orders.models.attempt import Stage, lease_over
from orders.outcomes import overdue_orders, questions
from orders.review import expiry
from orders.sending import circuit_breaker, restored_backup, task_queue
from orders.sending.claims import Then, not_sent
from vendors.models import Vendor

BACKLOG = 50  # queued tasks
CLOCK_TOLERANCE = timedelta(minutes=5)
WORKER_STOPPED = "The worker stopped before it sent anything."
MOST_ROWS = 200  # of a kind in one sweep, and of an account where orders are queued


def run(now: datetime | None = None) -> dict[str, int]:
    """Do all that is due; returns how many rows of each kind were dealt with.

    "rung" counts the orders that were queued again, "asked" the accounts to ask questions.
    """
    now = now or timezone.now()
    restored_backup.hold_if_older()
    done = {
        "released": 0,
        "unknown": 0,
        "rung": 0,
        "asked": 0,
        "names": 0,
        "expired": 0,
    }
    for order in Order.objects.expired(now).distinct()[:MOST_ROWS]:
        if word := _expire(order, now):
            done[word] += 1
    done["expired"] = expiry.sweep(now, at_most=MOST_ROWS)
    done["rung"] = _enqueue_again(now)
    done["asked"] = questions.enqueue_due(now)
    done["names"] = lookup.enqueue_again(now)
    done["outside"] = untracked_changes.tell()
    Scratch.objects.forgotten(now).delete()
    Upload.objects.forgotten(now).delete()
    Look.objects.forgotten(now).delete()
    signed_cache.remove_expired()
    done["overdue"] = overdue_orders.sweep(now, at_most=MOST_ROWS)
    done["proposals"] = workflow.expire(now)
    return done


def _expire(order: Order, now: datetime) -> str:
    with audited():
        Vendor.objects.locked(order.vendor_id)
        order = Order.objects.locked(order.pk)
        attempt = order.attempts.filter(
            lease_over(now), stage__in=[Stage.CLAIMED, Stage.SENDING]
        ).first()
        if order.state != State.SENDING or attempt is None:
            return ""
        # Before the mark nothing was sent. After the mark nobody knows what the vendor received.
        if not_sent(attempt, WORKER_STOPPED, Then.RELEASE):
            return "released"
        why = "The worker stopped while it was sending, so nobody saw the vendor's answer."
        if not attempt.move(Stage.UNKNOWN, since=(Stage.SENDING,), why=why):
            return ""
        order.mark_unknown(attempt, reason=why)
        circuit_breaker.close_account(order.vendor, None, is_unknown=True)
        return "unknown"


def _enqueue_again(now: datetime) -> int:
    # A queued task may be lost. Its order is due and has no time of queueing, or a stale one.
    lost = models.Q(queued_at=None)
    # Behind a long backlog a task is late, not lost.
    if OrmQ.objects.filter(key=ORDERS).count() <= BACKLOG:
        long_ago = now - timedelta(seconds=settings.RING_AGAIN_SECONDS)
        # A time that lies ahead was written by a clock that has been set back since.
        lost |= models.Q(queued_at__lt=long_ago) | models.Q(queued_at__gt=now + CLOCK_TOLERANCE)
    due = Order.objects.due(now).in_turn(now).filter(lost).order_by("state_since")
    # The bound is per account: one account's long line must not hide another's orders.
    found, by_account = [], Counter[int]()
    for pk, vendor in due.values_list("pk", "vendor_id"):
        by_account[vendor] += 1
        if by_account[vendor] <= MOST_ROWS:
            found.append(pk)
    for pk in found:
        with transaction.atomic():
            task_queue.enqueue(pk, now)
    return len(found)
