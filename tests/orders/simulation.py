"""An installation in the hands of a state machine: its people's moves, its workers step by step,
its clock, its end.

A worker is driven by hand through the very steps that `submission.submit` takes, so that it can
stop between any two of them, for ever or for hours. Time passes by moving every stored moment back.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from hypothesis.stateful import RuleBasedStateMachine

from mailops.core.sealed import Sealed
from mailops.history import audited
from mailops.history.verify import verify
from orders import submission
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.models import Attempt, Confirmation, ConfirmationRule, NotAllowed, Order, State
from orders.models.attempt import SETTLED, Stage
from orders.models.hold import hold_of
from orders.outcomes import settlement, sweeper
from orders.plan import plan
from orders.sending import classification, preflight, task_queue
from orders.sending.claims import Claim
from orders.sending.results import Result
from tests.conftest import OPTIONS, OrderFactory, fresh, rows_for, use_a_new_last_sent_file
from tests.orders.consistency import Books
from tests.orders.simulated_worker import Worker
from vendors.http import post_order
from vendors.models import SendingSwitch, Vendor
from vendors.practice.ledger import Ledger
from vendors.practice.server import Practice

TIMED = (Order, Attempt, Vendor, SendingSwitch)
NAMES = [
    "Ana",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gus",
    "Hana",
    "Ivo",
    "Jan",
    "Kim",
    "Lea",
    "Max",
    "Nia",
    "Otto",
]
SLOW = "timeout-after"  # a practice value that takes as long as the patience of the settings
LONG = timedelta(hours=2)
numbers = itertools.count()
happened: Counter[str] = Counter()  # over all examples, so that they can't all be about nothing


class Installation(RuleBasedStateMachine):
    """Every example begins with the fixtures' people and accounts, no orders and empty books."""

    def __init__(self, factory: OrderFactory, practice: Practice, folder: Path) -> None:
        super().__init__()
        self.factory, self.practice = factory, practice
        self.transaction = transaction.atomic()
        self.transaction._from_testcase = (
            True  # as the fixtures' own: a durable block inside counts as outermost
        )
        self.transaction.__enter__()
        use_a_new_last_sent_file()
        practice.ledger.close()
        practice.ledger = Ledger(folder / f"books-{next(numbers)}.sqlite3")
        self.books = Books(practice)
        self.orders: list[int] = []
        self.seen: dict[int, str] = {}  # the digest that somebody's open page shows
        self.words: list[tuple[tuple[str, str], str]] = []
        self.workers: list[Worker] = []
        self.is_slow = False
        self.steps = 0

    def teardown(self) -> None:
        try:
            self._drain()
            self._count()
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def _drain(self) -> None:
        """All queued tasks are lost and all workers gone; the sweep alone sees that no confirmed
        order is.
        """
        self.workers.clear()
        self._work_off_the_queue(0)
        unsettled = Order.objects.filter(state__in=[State.CONFIRMED, State.SENDING])
        for _ in range(20):
            if not unsettled.exists():
                break
            self._open_sending()
            self._pass_time(LONG)
            self._sweep(timedelta(0))
            self._work_off_the_queue(1)
            self._check_books()
        assert not unsettled.exists(), [
            f"{order}: {order.state} {hold_of(order)} {order.reason}" for order in unsettled
        ]
        assert verify().is_unbroken

    def _count(self) -> None:
        happened["examples"] += 1
        happened["orders"] += len(self.orders)
        happened["steps"] += self.steps
        happened["charges"] += sum(self.books.charges.values())
        happened["wrong verdicts"] += self.books.wrong_verdicts
        happened["refusals"] += Attempt.objects.filter(stage=Stage.REFUSED).count()
        happened["unknown outcomes"] += Attempt.objects.filter(
            stage__in=[Stage.UNKNOWN, *SETTLED]
        ).count()
        happened["bought twice by two confirmations"] += sum(
            sum(self.books.charges[attempt.pk] for attempt in order.attempts.all()) > 1
            for order in Order.objects.all()
        )
        for state, count in (
            Order.objects.values_list("state").annotate(models.Count("pk")).order_by()
        ):
            happened[f"in the end {state}"] += count

    def _check_books(self) -> None:
        self.books.read()
        self.books.check()

    # people and operators

    def _open_sending(self) -> None:
        SendingSwitch.current().release()
        for vendor in Vendor.objects.exclude(stopped_at=None):
            vendor.resume()
        Vendor.objects.update(day_limit=None, balance_floor=None, balance=None)
        for vendor in Vendor.objects.all():
            vendor.let_funds_go_on()
            vendor.mark_limits_changed()

    def _ask_for_two(self, vendor: Vendor) -> None:
        with audited():
            ConfirmationRule.objects.get_or_create(vendor=vendor, confirmers=2)

    def _user(self, name: str) -> User:
        user: User = getattr(self.factory.people, name)
        return user

    def _one(self, n: int, *states: str, **where: Any) -> Order:
        """One of the orders in these states; where there is none, one of all, which the rule then
        can't work on.
        """
        found = (
            Order.objects.filter(**({"state__in": states} if states else where))
            .order_by("pk")
            .distinct()
        )
        pks = list(found.values_list("pk", flat=True)) or self.orders
        return Order.objects.select_related("vendor", "client", "contact").get(pk=pks[n % len(pks)])

    def _due(self, n: int) -> Order:
        """A confirmed order for a worker, by preference one that it may take up: sending is opened
        for it.
        """
        self._open_sending()
        pks = list(Order.objects.due(timezone.now()).order_by("pk").values_list("pk", flat=True))
        return fresh(Order(pk=pks[n % len(pks)])) if pks else self._one(n, State.CONFIRMED)

    @contextmanager
    def _refusable(self) -> Iterator[None]:
        try:
            yield
        except NotAllowed:
            happened["moves that were not allowed"] += 1

    def _go_far(self, pk: int, drafter: str, confirmer: str, far: int) -> None:
        """As far as it is allowed: sent for confirmation, confirmed, by a second person too,
        submitted.
        """
        with self._refusable():
            if far >= 1 and fresh(Order(pk=pk)).state == State.DRAFT:
                drafts.send_for_confirmation(pk, by=self._user(drafter))
            if far >= 2:
                self._confirm(pk, confirmer)
                if fresh(Order(pk=pk)).state == State.REVIEW:
                    self._confirm(pk, "confirmer" if confirmer != "confirmer" else "both")
            if far >= 3:
                self._work_off(lambda: submission.submit(pk))

    def _settle(self, order: Order, by: str, verdict: str) -> None:
        again = order.attempts.filter(stage__in=SETTLED).exists()
        left_out = [order.contents[0].name] if verdict == settlement.PARTLY else []
        with self._refusable():
            settlement.settle(
                order.pk, by=self._user(by), verdict=verdict, reason="Looked.", left_out=left_out
            )
            happened["revised verdicts" if again else "verdicts"] += 1

    def _draft(self, what: tuple[str, str], word: str, by: str) -> int:
        draft = self._contents(what, word)
        self.words.append((what, word))
        self.orders.append(drafts.create(draft, by=self._user(by)).pk)
        return self.orders[-1]

    def _contents(self, what: tuple[str, str], word: str) -> Draft:
        """The first line decides what happens and may meet another order's; the last makes the
        request like no other.

        So every request that arrives can be told to belong to one order.
        """
        number = next(numbers)
        own = f"{NAMES[number % 15]} {NAMES[number // 15 % 15]}"
        first = rows_for(what[0], word=word).splitlines()[:-1]
        last = (
            f"{word}-{number}.net, {own}"
            if what[0] == "scaledmail"
            else f"{word}.com, {own}, m{number}"
        )
        vendor = Vendor.objects.get(api=what[0])
        return self.factory.contents(
            vendor, what[1], rows="\n".join([*first, last]), options=OPTIONS[what]
        )

    def _confirm(self, pk: int, by: str, *, opened_before: bool = False, minutes: int = 0) -> None:
        order = fresh(Order(pk=pk))
        current = plan(order)
        digest = self.seen.get(pk, current.digest) if opened_before else current.digest
        planned_for = timezone.now() + timedelta(minutes=minutes) if minutes else None
        submission.confirm(pk, by=self._user(by), digest=digest, planned_for=planned_for)
        assert digest == current.digest, "confirmed something else than was shown"
        secrets = order.vendor.secrets.open() | Sealed(order.sealed).open()
        prepared = current.request.prepare(current.host, secrets)
        self.books.bodies[pk, digest] = prepared.body_sha256
        order = fresh(order)
        if order.state == State.REVIEW:
            happened["first confirmations of two"] += 1
            return
        assert order.snapshot["request"] == current.request.as_dict()
        happened["confirmations"] += 1
        happened["second confirmations"] += len(self._confirmers(pk)) == 2

    def _confirmers(self, pk: int) -> set[int]:
        """Who confirmed what the order asks for now, and never edited it."""
        order = Order.objects.get(pk=pk)
        found = Confirmation.objects.filter(order=pk, digest=order.digest).values_list(
            "user_id", flat=True
        )
        return set(found) - set(order.editors.values_list("user_id", flat=True))

    def _assert_enough_confirmed(self, pks: Collection[int]) -> None:
        two = set(ConfirmationRule.objects.values_list("vendor_id", flat=True))
        for pk, vendor in Order.objects.filter(pk__in=pks).values_list("pk", "vendor_id"):
            assert len(self._confirmers(pk)) >= (2 if vendor in two else 1), (
                "too few persons have confirmed it"
            )

    def _work_off(self, *tasks: Callable[[], object]) -> None:
        """Let workers run tasks; nothing but confirmed orders that nothing holds may be sent by
        them.
        """
        held = SendingSwitch.current().stopped_at
        now = timezone.now() + timedelta(minutes=1)
        free = models.Q(hold_until=None) | models.Q(hold_until__lt=now)
        may: Collection[int] = set()
        if not held:
            due = Order.objects.filter(free, state=State.CONFIRMED, vendor__stopped_at=None)
            may = set(due.values_list("pk", flat=True))
        on_the_way = self.books.on_the_way()
        may |= on_the_way
        for task in tasks:
            task()
        sent = self.books.read()
        assert sent <= may, "something was sent that was held or not confirmed"
        self._assert_enough_confirmed(sent - on_the_way)

    def _work_off_the_queue(self, times: int) -> None:
        tasks = [row.task for row in OrmQ.objects.order_by("pk")]
        OrmQ.objects.all().delete()
        self._work_off(
            *[partial(import_string(task["func"]), *task["args"]) for task in tasks] * times
        )

    def _sweep(self, ahead: timedelta) -> None:
        before = self.books.last_arrival
        happened["expired"] += sweeper.run(timezone.now() + ahead)["expired"]
        assert not Order.objects.overdue(timezone.now() + min(ahead, timedelta(0))).exists(), (
            "it outlived its time"
        )
        self.books.read()
        assert self.books.last_arrival == before, "the sweep sent something"

    # the clock and the workers, step by step

    def _pass_time(self, by: timedelta) -> None:
        with audited():  # no change from outside: the clock went on
            for model in TIMED:
                names = [
                    f.attname
                    for f in model._meta.concrete_fields
                    if isinstance(f, models.DateTimeField)
                ]
                model._default_manager.update(**{name: models.F(name) - by for name in names})
        for worker in self.workers:
            started = worker.claim.started - by.total_seconds()
            worker.claim = replace(worker.claim, started=started)
            worker.attempt.claimed_at -= by
            worker.attempt.counted_at -= by

    def _claim(self, pk: int, steps: int, *, look: bool = True) -> Worker | None:
        claimed = submission.claim(pk)
        if claimed is Result.READ_FIRST and look and preflight.read(pk) is None:
            claimed = submission.claim(pk)
        if not isinstance(claimed, Claim):
            return None
        todo = [self._recheck, self._mark, self._post, self._record]
        worker = Worker(claimed, todo)
        self.workers.append(worker)
        self._go_on(worker, steps)
        return worker

    def _go_on(self, worker: Worker, steps: int) -> None:
        for _ in range(steps):
            step = worker.todo.pop(0)
            if not step(worker) or not worker.todo:
                self.workers.remove(worker)
                task_queue.enqueue_next(worker.attempt.order.vendor_id)
                return

    def _die(self, worker: Worker | None) -> None:
        if worker in self.workers:
            self.workers.remove(worker)
            happened["worker deaths"] += 1
            happened[f"deaths with {len(worker.todo)} steps left"] += 1

    def _freeze_through_a_verdict(
        self, pk: int, steps: int, *, slept: bool, by: str, verdict: str, far: int
    ) -> None:
        worker = self._claim(pk, steps)
        if worker not in self.workers:
            return
        if slept:
            self._pass_time(timedelta(minutes=6))
        self._sweep(timedelta(0) if slept else timedelta(minutes=6))
        order = fresh(Order(pk=pk))
        if order.state == State.UNKNOWN:
            self._settle(order, by, verdict)
        self._go_far(pk, by, by, far)
        self._go_on(worker, 4)

    def _recheck(self, worker: Worker) -> bool:
        worker.plan = submission.recheck(worker.attempt)
        if worker.plan:
            self._assert_enough_confirmed([worker.attempt.order_id])
        return worker.plan is not None

    def _mark(self, worker: Worker) -> bool:
        assert worker.plan
        order = worker.attempt.order
        secrets = order.vendor.secrets.open() | Sealed(order.sealed).open()
        worker.request = worker.plan.request.prepare(worker.plan.host, secrets)
        return submission.mark(worker.claim, worker.request)

    def _post(self, worker: Worker) -> bool:
        assert worker.request
        worker.outcome = post_order(worker.request)
        self.books.read(posting=worker.attempt)
        return True

    def _record(self, worker: Worker) -> bool:
        assert worker.outcome
        verdict = classification.verdict_over(worker.attempt.order, worker.outcome)
        word = submission.record_outcome(worker.attempt, worker.outcome, verdict)
        happened["late answers"] += word == "late"
        return True
