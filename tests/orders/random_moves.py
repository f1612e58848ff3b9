"""Everything that can happen to orders, one rule each: people, verdicts, switches, sweeps, workers
that stop.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db import models
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from mailops.history import audited
from orders import submission
from orders.drafting import drafts
from orders.models import Order, State
from orders.models.attempt import SETTLED
from orders.outcomes import arrivals, delivery, evidence_lookup, settlement
from orders.plan import plan
from orders.review import shown_plans
from orders.spending import limits
from tests.conftest import fresh
from tests.orders.simulation import SLOW, Installation, numbers
from vendors.models import Price, SendingSwitch, Vendor

PRODUCTS = [("woodpecker", "mailboxes"), ("smartsenders", "domains"), ("coldmailreseller", "domains"),
            ("scaledmail", "package")]  # fmt: skip
PEOPLE = ["drafter", "confirmer", "both", "boss"]
VALUES = [
    "fine", "fine", "fine", "fine", "error-after", "error-after", "error-after", "cut-after", "cut-after", "rubbish",
    "truncated", "cut-before", "error-before", "unavailable", "redirect", "busy", "busy", "refused-field",
    "refused-field", "no-funds", "bad-key", "partial", "never-delivered", "charge-failed", SLOW,
]  # fmt: skip
which = st.integers(0, 8)
person = st.sampled_from(PEOPLE)
product = st.sampled_from(PRODUCTS)
value = st.sampled_from(VALUES)
minutes = st.sampled_from([0, 5, 0, 300])
some_steps = st.sampled_from([2, 3, 1, 2, 3, 0])
seconds = st.sampled_from([3, 60, 400, 4000, 700_000])  # the last: confirmations expire
verdict = st.sampled_from(
    [settlement.PLACED, settlement.PARTLY, settlement.NOT_PLACED, settlement.NOT_PLACED]
)


class Lifecycle(Installation):
    """What happens, in any order. Each rule is something that people, operators, workers or clocks
    do.

    What is drawn never depends on how the orders stand, as that depends on this machine's own
    clock: a rule that finds nothing to do does nothing.
    """

    # people

    @initialize(
        products=st.lists(product, min_size=5, max_size=5),
        values=st.permutations(VALUES),
        died=st.integers(0, 3),
        frozen=some_steps,
        slept=st.booleans(),
        verdict=verdict,
        minutes=minutes,
    )
    def begin(
        self,
        products: list[tuple[str, str]],
        values: list[str],
        died: int,
        frozen: int,
        slept: bool,
        verdict: str,
        minutes: int,
    ) -> None:
        """One order each: submitted, its worker died, its worker freezes, freezes through a
        verdict, sent later.

        One vendor's orders need two persons from the start.
        """
        self._ask_for_two(Vendor.objects.get(api="smartsenders"))
        for what, value, far in zip(products, values, (3, 2, 2, 2, 1), strict=False):
            self.order(what, value, "drafter", "confirmer", far)
        self._open_sending()
        self._freeze_through_a_verdict(
            self.orders[3], frozen, slept=slept, by="confirmer", verdict=verdict, far=0
        )
        self._die(self._claim(self.orders[1], died))
        self._claim(self.orders[2], frozen)
        with self._refusable():
            self._confirm(self.orders[4], "confirmer", minutes=minutes)
            self._work_off(lambda: submission.submit(self.orders[4]))

    @precondition(lambda self: len(self.orders) < 9)
    @rule(
        what=product,
        value=value,
        drafter=person,
        confirmer=person,
        far=st.sampled_from([0, 1, 2, 2, 3, 3]),
    )
    def order(
        self, what: tuple[str, str], value: str, drafter: str, confirmer: str, far: int
    ) -> None:
        """A draft and, as far as it goes, sent for confirmation, confirmed, submitted."""
        if value == SLOW and self.is_slow:  # one in an example is enough
            value = "cut-after"
        self.is_slow |= value == SLOW
        self._draft(what, f"{value}-{len(self.words)}", drafter)
        self._go_far(self.orders[-1], drafter, confirmer, far)

    @precondition(lambda self: len(self.orders) < 9)
    @rule(n=which, drafter=person, confirmer=person, far=st.integers(0, 3))
    def order_the_same_names(self, n: int, drafter: str, confirmer: str, far: int) -> None:
        self._draft(*self.words[n % len(self.words)], drafter)
        self._go_far(self.orders[-1], drafter, confirmer, far)

    @rule(n=which, by=person, confirmer=person, stale=st.booleans(), far=st.integers(0, 2))
    def edit(self, n: int, by: str, confirmer: str, stale: bool, far: int) -> None:
        order = self._one(n, State.DRAFT)
        draft = self._contents(*self.words[self.orders.index(order.pk)])
        with self._refusable():
            drafts.save(order.pk, draft, by=self._user(by), version=order.version - stale)
        self._go_far(order.pk, by, confirmer, far)

    @rule(n=which)
    def open_the_confirmation_page(self, n: int) -> None:
        order = self._one(n, State.REVIEW)
        current = plan(order)
        shown_plans.remember(current)
        self.seen[order.pk] = current.digest

    @rule(
        n=which,
        by=person,
        opened_before=st.booleans(),
        meanwhile=st.sampled_from(["", "", "price", "key"]),
        minutes=minutes,
    )
    def confirm(self, n: int, by: str, opened_before: bool, meanwhile: str, minutes: int) -> None:
        order = self._one(n, State.REVIEW)
        if meanwhile:
            self.seen[order.pk] = plan(order).digest
            self._change(order.vendor, meanwhile)
        with self._refusable():
            self._confirm(
                order.pk, by, opened_before=opened_before or bool(meanwhile), minutes=minutes
            )

    @rule(n=which, by=person, cancel=st.sampled_from([False, False, False, True]))
    def take_back(self, n: int, by: str, cancel: bool) -> None:
        with self._refusable(), audited():
            order = Order.objects.locked(self._one(n, State.CONFIRMED, State.REVIEW).pk)
            if cancel:
                order.cancel(by=self._user(by), reason="Not needed.")
            else:
                order.send_back(by=self._user(by), reason="Look again.")

    @rule(
        n=which,
        by=person,
        verdicts=st.lists(verdict, min_size=1, max_size=3),
        far=st.sampled_from([0, 2, 3]),
    )
    def settle(self, n: int, by: str, verdicts: list[str], far: int) -> None:
        """Whatever the person says, right or wrong, and thinks better of."""
        order = self._one(n, State.UNKNOWN)
        for verdict in verdicts if order.state == State.UNKNOWN else []:
            self._settle(fresh(order), by, verdict)
        self._go_far(order.pk, by, by, far)

    @rule(n=which, by=person, verdict=verdict)
    def settle_once_more(self, n: int, by: str, verdict: str) -> None:
        self._settle(self._one(n, attempts__stage__in=SETTLED), by, verdict)

    @rule(
        n=which,
        by=person,
        how=st.sampled_from(["asked", "asked", "seen there", "looked for", "news read"]),
    )
    def hear_of_it(self, n: int, by: str, how: str) -> None:
        user = self._user(by)
        with self._refusable():
            if how == "asked":
                delivery.ask(self._one(n, State.ACCEPTED).pk)
            elif how == "seen there":
                arrivals.say_there(self._one(n, State.ACCEPTED).pk, by=user, seen="Seen there.")
            elif how == "news read":
                settlement.read_news(
                    self._one(n, attempts__news_at__isnull=False).pk, by=user, reason="Still right."
                )
            elif attempt := self._one(n, attempts__sent_at__isnull=False).attempts.first():
                evidence_lookup.look(attempt, by=user)

    # operators

    @rule(
        n=which,
        change=st.sampled_from(
            ["price", "key", "stop", "hold all", "limit", "balance", "tolerance", "two"]
        ),
        ring_then=st.booleans(),
    )
    def operate(self, n: int, change: str, ring_then: bool) -> None:
        """Something changes under a confirmed order, perhaps just before a worker takes it up."""
        order = self._one(n, State.CONFIRMED)
        self._change(order.vendor, change)
        before = self.books.last_arrival
        if ring_then:
            self._work_off(lambda: submission.submit(order.pk))
        assert self.books.last_arrival == before or change not in (
            "limit",
            "balance",
        ), "there was no room for it"

    def _change(self, vendor: Vendor, what: str) -> None:
        if what == "price":
            Price.objects.filter(vendor=vendor).update(amount=models.F("amount") + 1)
        elif what == "key":
            sealed = vendor.secrets.put({"api_key": f"practice-key-{next(numbers)}-of-many"})
            Vendor.objects.filter(pk=vendor.pk).update(sealed=str(sealed))
        elif what == "limit":
            vendor.day_limit = Decimal(0)
            (use,) = limits.uses(vendor, at=timezone.now(), sent_only=True)
            Vendor.objects.filter(pk=vendor.pk).update(day_limit=use.used + 1)
        elif what == "balance":
            vendor.note_balance(Decimal(1), currency=vendor.limit_currency, by="operator")
            Vendor.objects.filter(pk=vendor.pk).update(balance_floor=0)
        elif what == "tolerance":
            Vendor.objects.filter(pk=vendor.pk).update(drift_per_order=20, drift_cumulative=60)
        elif what == "two":
            self._ask_for_two(vendor)
        elif what == "stop":
            vendor.stop(reason="Let us see first.")
        else:
            SendingSwitch.current().hold(reason="Let us see first.", by="operator")

    # the queue, the sweep, the clock

    @rule(n=which, times=st.integers(1, 3))
    def enqueue(self, n: int, times: int) -> None:
        pk = self._one(n, State.CONFIRMED).pk
        self._work_off(*[lambda: submission.submit(pk)] * times)

    @rule(times=st.sampled_from([0, 1, 1, 2]))
    def work_off_the_queue(self, times: int) -> None:
        """Once, twice because it was delivered twice, or never because it was lost."""
        self._work_off_the_queue(times)

    @rule(ahead=st.sampled_from([-3600, 0, 0, 100, 400, 4000]))
    def sweep(self, ahead: int) -> None:
        """Also by a machine whose clock is wrong."""
        self._sweep(timedelta(seconds=ahead))

    @rule(by=seconds, open_then=st.booleans())
    def pass_time(self, by: int, open_then: bool) -> None:
        self._pass_time(timedelta(seconds=by))
        if open_then:
            self._open_sending()

    # workers, step by step

    @rule(
        n=which,
        look=st.sampled_from([True, True, True, False]),
        steps=some_steps,
        dies=st.sampled_from([True, True, False]),
    )
    def claim(self, n: int, look: bool, steps: int, dies: bool) -> None:
        """A worker takes an order up, takes some steps, and there it dies, or freezes until it goes
        on.
        """
        worker = self._claim(self._due(n).pk, steps, look=look)
        if dies:
            self._die(worker)

    @rule(
        n=which,
        steps=some_steps,
        slept=st.booleans(),
        by=person,
        verdict=verdict,
        far=st.sampled_from([0, 2, 3]),
    )
    def freeze_through_a_verdict(
        self, n: int, steps: int, slept: bool, by: str, verdict: str, far: int
    ) -> None:
        """A worker's lease ends, as it slept or as another machine's clock is wrong; a person
        decides, somebody may confirm again; then the worker goes on.
        """
        self._freeze_through_a_verdict(
            self._due(n).pk, steps, slept=slept, by=by, verdict=verdict, far=far
        )

    @rule(n=which, steps=st.integers(1, 4))
    def go_on(self, n: int, steps: int) -> None:
        if self.workers:
            self._go_on(self.workers[n % len(self.workers)], steps)

    # the promises

    @invariant()
    def the_books_agree(self) -> None:
        self.steps += 1
        self._check_books()
