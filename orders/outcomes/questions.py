"""Questions to vendors about orders that were sent: an account at a time, apart from sending.

The sweep queues a task for each account about which something is due. A queued task may run twice
or be lost: the account's lease and the orders' own times decide what is asked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django_q.tasks import async_task

from mailops.core.queue_names import QUESTIONS
from mailops.core.sealed import CannotOpen
from orders.availability import lookup
from orders.models import Attempt, Order
from orders.models.queries import ASKED
from orders.outcomes import delivery, evidence_lookup, question_queue
from vendors import account_reads, rate_limit, vendor_reader
from vendors.account_reads import Reads
from vendors.http import ReadFailed
from vendors.models import Vendor

log = logging.getLogger("mailops.questions")
ASK = "orders.tasks.ask_account"
WORK_SECONDS = 20.0  # then other accounts come first
OVER_TIME = 10.0  # by which a question that has begun may go over that
RAREST = timedelta(days=1)
PART_OF_AGE = 20  # an order is asked about once in a twentieth of its age
LOOK_AGAIN = 0.2  # seconds between two tries for an account's lease, while a person waits


def ask_again_at(asked_at: datetime | None, since: datetime, now: datetime) -> datetime:
    """The time from which the vendor is asked about an order again.

    `since`: when the order came into its state.
    """
    if asked_at is None or asked_at > now + timedelta(minutes=5):
        return since
    rarer = min((now - since) / PART_OF_AGE, RAREST)
    return asked_at + max(timedelta(seconds=settings.PROGRESS_SECONDS), rarer)


# What is due


def due_accounts(now: datetime) -> list[int]:
    """The accounts that may be asked now and about which something is due, the longest due first.

    An account that rests is among them only where a person waits.
    """
    due: dict[int, datetime] = {}  # since when

    def add(vendor_id: int, at: datetime) -> None:
        due[vendor_id] = min(at, due.get(vendor_id, at))

    found = Order.objects.due_for_progress(now)
    for vendor_id, asked_at, since in found.values_list("vendor_id", "asked_at", "state_since"):
        if (at := ask_again_at(asked_at, since, now)) <= now:
            add(vendor_id, at)
    for attempt in evidence_lookup.due(now):
        add(attempt.order.vendor_id, evidence_lookup.due_at(attempt))
    accounts = Vendor.objects.in_bulk(due)
    due = {pk: at for pk, at in due.items() if not account_reads.rests_until(accounts[pk], now)}
    wanted = Order.objects.filter(wanted_at__isnull=False)
    for vendor_id, wanted_at in wanted.values_list("vendor_id", "wanted_at"):
        add(vendor_id, wanted_at or now)
    accounts = Vendor.objects.in_bulk(due)
    return [
        pk
        for pk in sorted(due, key=due.__getitem__)
        if not account_reads.is_asked(accounts[pk], now)
        and not vendor_reader.rests_until(accounts[pk])
    ]


def enqueue_due(now: datetime) -> int:
    """Queue a task for accounts with something due, as far as there is room; their number."""
    waiting = question_queue.accounts(now, ASK)
    room = 2 * settings.QUESTION_WORKERS - question_queue.length(now)
    chosen = [pk for pk in due_accounts(now) if pk not in waiting][: max(room, 0)]
    for pk in chosen:
        enqueue(pk)
    return len(chosen)


def enqueue(vendor_id: int) -> None:
    with transaction.atomic():
        async_task(ASK, vendor_id, cluster=QUESTIONS)


def pass_on(orders: models.QuerySet[Order]) -> str:
    """Let the queue for questions ask about these orders as soon as it can."""
    # The older version wrote `asked_at` when it queued the question, not when it asked.
    orders.filter(state__in=ASKED).update(asked_at=None)
    for vendor_id in {*orders.values_list("vendor_id", flat=True)}:
        if vendor_id not in question_queue.accounts(timezone.now(), ASK):
            enqueue(vendor_id)
    return "passed on"


# Asking


@dataclass(kw_only=True)
class Session:
    """The questions of one task to one account, while it has the account's lease."""

    vendor: Vendor
    reads: Reads
    may_begin: Callable[[], bool]
    # Lookups of names that were put off before. One put off since waits for this account's lease.
    put_off: set[int] = field(default_factory=set)

    @property
    def waiting_lookups(self) -> set[int]:
        return lookup.put_off(self.vendor.pk) - self.put_off

    def run(self) -> str:
        """Ask until nothing is due or the time is over. Returns a word for the log."""
        questions = _due_questions(self.vendor.pk)
        while self.may_begin():
            if self.waiting_lookups:
                return "goes on"
            self.vendor.refresh_from_db(fields=["quiet_until"])
            rests = account_reads.rests_until(self.vendor, timezone.now())
            question = _wanted(self.vendor.pk) or (None if rests else next(questions, None))
            if question is None:
                return "rests" if rests else "all asked"
            try:
                self.ask(question)
            except rate_limit.Busy:
                return "account busy" if self.may_begin() else "goes on"
        return "goes on"

    def ask(self, question: Order | Attempt) -> str:
        """Ask one question, and note on the account how that went.

        Raises `Busy` where the account's turn or the task's time does not allow it.
        """
        self.reads.begin()
        word, why_not = "", ""
        try:
            if isinstance(question, Attempt):
                evidence_lookup.look(question, read=self.reads)
            else:
                word = delivery.ask_with(question.pk, self.reads, may_ask=self.may_begin)
        except rate_limit.Busy:
            if isinstance(question, Order):
                self._take_back(question)
            raise
        except ReadFailed as error:
            word, why_not = "no answer", str(error)
        # Adapters turn some failures into evidence or pass over them; the reads know of them.
        why_not = self.reads.why_not or why_not
        if self.reads.is_throttled:
            raise rate_limit.Busy(f"{self.vendor.name} asked for a pause.")
        if why_not:
            log.info("%s: %s", self.vendor, why_not)
            account_reads.note_failure(self.vendor.pk, why_not)
        elif self.reads.answers:
            account_reads.note_answer(self.vendor.pk)
        if self.reads.is_busy:
            raise rate_limit.Busy("There was no time for all of it.")
        return word

    def _take_back(self, order: Order) -> None:
        # A person waits on. Where not even a part was asked, the order keeps its place.
        times = {"wanted_at": order.wanted_at}
        if not self.reads.answers:
            times["asked_at"] = order.asked_at
        Order.objects.filter(pk=order.pk).update(**times)


def ask_account(vendor_id: int, *, clock: Callable[[], float] = time.monotonic) -> str:
    """Ask an account what is due, for about 20 seconds. Returns a word for the log.

    What is left is queued again.
    """
    vendor = Vendor.objects.get(pk=vendor_id)
    lease = account_reads.take(vendor_id)
    if lease is None:
        return "is asked already"
    lookups: set[int] = set()
    try:
        session = _begin(vendor, seconds=WORK_SECONDS, over=OVER_TIME, clock=clock)
        if session is None:
            Order.objects.filter(vendor_id=vendor_id).exclude(wanted_at=None).update(wanted_at=None)
            return "no key"
        word = session.run()
        lookups = session.waiting_lookups
    finally:
        account_reads.give_back(vendor_id, lease)
    lookup.enqueue(lookups, timezone.now())
    if word == "goes on":
        enqueue(vendor_id)
    return word


def ask_order_now(
    order_id: int, *, at_most: float = 10.0, clock: Callable[[], float] = time.monotonic
) -> str:
    """Ask about one order while a person waits, whether or not the account rests.

    Returns the word of `delivery.ask`; "asked" where the queue was faster, and "later" where the
    time was too short: the order is then the first in the queue.
    """
    order = Order.objects.select_related("vendor").get(pk=order_id)
    ends = clock() + at_most
    wanted = Order.objects.filter(pk=order_id)
    wanted.update(wanted_at=timezone.now())
    while (lease := account_reads.take(order.vendor_id)) is None:
        if not wanted.exclude(wanted_at=None).exists():
            return "asked"
        if clock() >= ends:
            enqueue(order.vendor_id)
            return "later"
        time.sleep(LOOK_AGAIN)
    try:
        session = _begin(order.vendor, seconds=max(ends - clock(), 1.0), over=0, clock=clock)
        word = session.ask(order) if session else "no answer"
    except rate_limit.Busy:
        word = "later"
    finally:
        account_reads.give_back(order.vendor_id, lease)
    if word == "later":
        wanted.update(wanted_at=timezone.now())
        enqueue(order.vendor_id)
    else:
        wanted.update(wanted_at=None)
    return word


def _begin(
    vendor: Vendor, *, seconds: float, over: float, clock: Callable[[], float]
) -> Session | None:
    """A session of so many seconds; None where the account's key can't be opened."""
    ends = clock() + seconds
    gap = vendor.adapter.pace_seconds * settings.VENDOR_PACE
    try:
        read = vendor_reader.reader(
            vendor,
            max_wait=rate_limit.BY_ITSELF + gap,
            seconds=min(seconds, account_reads.SECONDS),
        )
    except CannotOpen as error:
        account_reads.note_failure(vendor.pk, str(error))
        return None
    return Session(
        vendor=vendor,
        reads=Reads(read=read, may_ask=lambda: clock() < ends + over),
        may_begin=lambda: clock() < ends,
        put_off=lookup.put_off(vendor.pk),
    )


def _wanted(vendor_id: int) -> Order | None:
    found = Order.objects.filter(vendor_id=vendor_id).exclude(wanted_at=None)
    return found.order_by("wanted_at", "pk").first()


def _due_questions(vendor_id: int) -> Iterator[Order | Attempt]:
    """Unknown outcomes, then orders, those first that were not asked about for longest."""
    now = timezone.now()
    for attempt in evidence_lookup.due(now):
        if attempt.order.vendor_id == vendor_id:
            yield attempt
    orders = Order.objects.due_for_progress(now).filter(vendor_id=vendor_id)
    for pk, asked_at, since in list(orders.values_list("pk", "asked_at", "state_since")):
        if ask_again_at(asked_at, since, now) <= now:
            yield Order.objects.only("asked_at", "wanted_at").get(pk=pk)
