"""Looks up whether names are free: a few while a person waits, many in the queue."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from mailops.core.queue_names import QUESTIONS
from mailops.core.sealed import CannotOpen
from mailops.history import record
from orders.availability.known_answers import ASKED_IN, asked_about, asked_with, standing
from orders.models import Asking, Availability, NotAllowed, Order
from vendors import account_reads, rate_limit, vendor_reader
from vendors.apis.values import Offered
from vendors.http import Read, ReadFailed
from vendors.models import Vendor

log = logging.getLogger("mailops.asking")
ASK = "orders.tasks.ask_names"
MOST_FAILURES = 3  # in a row, and the asking ends
MOST_QUESTIONS = 5  # questions that a person waits for
LONGEST_PACE = 5.0  # seconds of pace that a person waits for
OTHER_SECONDS = 5  # seconds of a task for everything but waiting
MOST_LOOKUPS = 50  # askings in one sweep


def begin(order_id: int, *, by: User, everything: bool = False) -> Asking | None:
    """Look up the names without a fresh answer, or all; None if there are none.

    A few are looked up at once, a task is queued for many. An unfinished lookup is returned as it
    is. Raises `NotAllowed`.
    """
    vendor_id = Order.objects.values_list("vendor_id", flat=True).get(pk=order_id)
    with transaction.atomic():
        # The account is locked: two orders may ask for the same name.
        Vendor.objects.locked(vendor_id)
        order = Order.objects.locked(order_id)
        if order.state not in ASKED_IN or not order.vendor.adapter.can_tell_availability:
            raise NotAllowed(
                f"{order} can't be asked for now. It reads: {order.get_state_display()}."
            )
        if under_way := order.askings.filter(ended_at=None).first():
            return under_way
        known = standing(order)
        words = known.words if everything else known.not_fresh
        names = [word.line.name.lower() for word in words]
        if not names:
            return None
        order.askings.all().delete()
        is_quick = takes_a_moment(order.vendor, len(names))
        asking = Asking.objects.create(
            order=order,
            asked_with=asked_with(order),
            total=len(names),
            by=by,
            by_name=by.get_username(),
            queued_at=timezone.now(),
        )
        _want(asking, order, names)
        if not is_quick:
            async_task(ASK, asking.pk, cluster=QUESTIONS)
    if is_quick:
        _ask_at_once(asking)
    return asking


def takes_a_moment(vendor: Vendor, count: int) -> bool:
    adapter = vendor.adapter
    questions = -(-count // adapter.batch_size)
    return questions <= MOST_QUESTIONS and (questions - 1) * _gap(vendor) <= LONGEST_PACE


def _gap(vendor: Vendor) -> float:
    gap = max(vendor.adapter.pace_seconds, vendor.adapter.search_pace_seconds)
    return float(gap * settings.VENDOR_PACE)


def _want(asking: Asking, order: Order, names: list[str]) -> None:
    # Each row points to this lookup until it is answered. An older answer stays on the row till
    # then.
    about = {"vendor_id": order.vendor_id, "asked_with": asking.asked_with}
    Availability.objects.bulk_create(
        (Availability(name=name, asking=asking, **about) for name in names), ignore_conflicts=True
    )
    Availability.objects.filter(name__in=names, **about).update(asking=asking)


def _ask_at_once(asking: Asking) -> None:
    # A person waits, so the first failure ends the lookup with its reason.
    try:
        read = vendor_reader.searcher(asking.order.vendor, max_wait=rate_limit.A_PERSON)
        while _ask_some(asking, read):
            pass
    except (ReadFailed, CannotOpen) as error:
        _end(asking, why=str(error))
    else:
        _end(asking)


def go_on(asking_id: int) -> str:
    """Look up some more names, then queue the next task. Returns a word for the queue's log."""
    asking = (
        Asking.objects.select_related("order__vendor", "by")
        .filter(pk=asking_id, ended_at=None)
        .first()
    )
    if asking is None:
        return "nothing to ask"
    vendor = asking.order.vendor
    lease = account_reads.take(vendor.pk)
    if lease is None:
        # The task that asks the account now ends soon, and queues this lookup again.
        return _put_off(asking)
    before = put_off(vendor.pk)
    try:
        return _ask_for_a_while(asking)
    finally:
        account_reads.give_back(vendor.pk, lease)
        enqueue(put_off(vendor.pk) - before - {asking.pk}, timezone.now())


def _ask_for_a_while(asking: Asking) -> str:
    vendor = asking.order.vendor
    max_wait = rate_limit.BY_ITSELF + _gap(vendor)
    # Ends early enough that the queue never kills the task: one more question may need its whole
    # reading time and two waits for the pace.
    ends = (
        time.monotonic()
        + min(settings.QUEUE_TIMEOUT, account_reads.LEASE.total_seconds() - OTHER_SECONDS)
        - settings.VENDOR_READ_SECONDS
        - 2 * max_wait
        - OTHER_SECONDS
    )
    try:
        read = vendor_reader.searcher(vendor, max_wait=max_wait)
        while _ask_some(asking, read):
            if time.monotonic() > ends:
                return _hand_on(asking)
    except rate_limit.Busy:
        return _put_off(asking)
    except ReadFailed as error:
        return _failed(asking, str(error))
    except CannotOpen as error:
        _end(asking, why=str(error))
        return "no key"
    _end(asking)
    return "all asked"


def _put_off(asking: Asking) -> str:
    Asking.objects.filter(pk=asking.pk).update(queued_at=None)  # the sweep queues it again
    return "account busy"


def _ask_some(asking: Asking, read: Read) -> bool:
    """Ask one question; True while names are left. Raises `ReadFailed`."""
    order = asking.order
    adapter = order.vendor.adapter
    waiting = list(asking.names.order_by("pk").values_list("name", flat=True)[: adapter.batch_size])
    if not waiting:
        return False
    try:
        found = adapter.availability(
            waiting, read, settings=order.settings, asked_with=asking.asked_with
        )
    except ReadFailed:
        raise
    # An answer of an unknown form may fail anywhere in the adapter; the lookup has to end anyway.
    except Exception:
        log.exception("What the vendor says of names of %s could not be read", order)
        raise ReadFailed("The vendor answered in a form that can't be read.") from None
    with transaction.atomic():
        Vendor.objects.locked(order.vendor_id)
        keep(found, vendor=order.vendor, asked_with=asking.asked_with)
        Asking.objects.filter(pk=asking.pk).update(queued_at=timezone.now(), failures=0, why="")
    return asking.names.exists()


def keep(found: Iterable[Offered], *, vendor: Vendor, asked_with: str) -> None:
    """Store the newest answer on each name. The caller locks the account."""
    now = timezone.now()
    Availability.objects.bulk_create(
        [
            Availability(
                vendor=vendor,
                asked_with=asked_with,
                name=offered.name,
                state=offered.state,
                price=offered.price,
                currency=offered.currency,
                says=offered.says[:500],
                asked_at=now,
            )
            for offered in found
        ],
        update_conflicts=True,
        unique_fields=["vendor", "asked_with", "name"],
        update_fields=["state", "price", "currency", "says", "asked_at", "asking"],
    )


def _failed(asking: Asking, why: str) -> str:
    # The next sweeps try again, a few times. After that a person has to decide.
    asking.failures += 1
    if asking.failures >= MOST_FAILURES:
        _end(asking, why=why)
        return "gave up"
    Asking.objects.filter(pk=asking.pk).update(
        failures=asking.failures, why=why[:500], queued_at=None
    )
    return "no answer"


def _hand_on(asking: Asking) -> str:
    with transaction.atomic():
        Asking.objects.filter(pk=asking.pk).update(queued_at=timezone.now())
        async_task(ASK, asking.pk, cluster=QUESTIONS)
    return "goes on"


def _end(asking: Asking, *, why: str = "") -> None:
    # The history gets one event with the counts. Names without an answer leave no row.
    with transaction.atomic():
        Vendor.objects.locked(asking.order.vendor_id)
        # The update is the lock: of two tasks that end this lookup, one records it.
        if not Asking.objects.filter(pk=asking.pk, ended_at=None).update(
            ended_at=timezone.now(), why=why[:500]
        ):
            return
        left = asking.names.count()
        asking.names.filter(asked_at=None).delete()
        asking.names.update(asking=None)
        asking.refresh_from_db()
        record(
            "order.asked_for_names",
            asking.order,
            by=asking.by,
            reason=why,
            changes=_counts(asking, left),
        )


def _counts(asking: Asking, left: int) -> dict[str, Any]:
    rows = asked_about(asking.order).filter(asked_at__gte=asking.started_at)
    counts = Counter(rows.values_list("state", flat=True))
    return {state: [None, counts[state]] for state in sorted(counts)} | (
        {"not_asked": [None, left]} if left else {}
    )


def put_off(vendor_id: int) -> set[int]:
    found = Asking.objects.filter(order__vendor_id=vendor_id, ended_at=None, queued_at=None)
    return {*found.values_list("pk", flat=True)}


def enqueue_again(now: datetime) -> int:
    """Queue a task for each lookup that has none; their number."""
    found = list(Asking.objects.without_a_task(now).values_list("pk", flat=True)[:MOST_LOOKUPS])
    enqueue(found, now)
    return len(found)


def enqueue(lookups: Iterable[int], now: datetime) -> None:
    for pk in lookups:
        with transaction.atomic():
            # Checked again in the transaction: another sweep may have queued it.
            if Asking.objects.without_a_task(now).filter(pk=pk).update(queued_at=now):
                async_task(ASK, pk, cluster=QUESTIONS)
