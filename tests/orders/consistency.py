"""Three books that must agree: what the practice vendors charged, what was attempted, what the
history says.

`Books.check` is the promises, told once more and without the code that keeps them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mailops.history.models import Event
from orders.models import Attempt, Order, State
from orders.models.attempt import BOUGHT_NOTHING, Stage
from orders.models.state import PURCHASED
from vendors.practice.ledger import CHARGED, CREATED, Arrival
from vendors.practice.server import Practice

MAY_BE_THERE = {Stage.SENDING, Stage.UNKNOWN, Stage.ACCEPTED, Stage.PLACED}
ENDED = {"", Stage.NOT_SENT, Stage.NOT_PLACED, Stage.REFUSED}
FITS: dict[
    str, set[str]
] = {  # an order's state -> the stages that its newest attempt may have, "" for no attempt
    State.DRAFT: ENDED,
    State.REVIEW: ENDED,
    State.CANCELLED: ENDED,
    State.CONFIRMED: ENDED,
    State.SENDING: {Stage.CLAIMED, Stage.SENDING},
    State.UNKNOWN: {Stage.UNKNOWN},
    State.REFUSED: {Stage.REFUSED},
    State.ACCEPTED: {Stage.ACCEPTED, Stage.PLACED},
    State.PARTLY: {Stage.ACCEPTED, Stage.PLACED},
    State.DELIVERED: {Stage.ACCEPTED, Stage.PLACED},
}
SAID: dict[str, Stage] = {
    "order.settled_as_placed": Stage.PLACED,
    "order.settled_as_partly_placed": Stage.PLACED,
    "order.settled_as_not_placed": Stage.NOT_PLACED,
}
PROVEN_UNSENT = {"order.not_sent", "order.put_back", "order.released"}


@dataclass
class Story:
    """One order as its events tell it."""

    state: str = State.DRAFT
    editors: set[str] = field(default_factory=set)
    confirmations: int = 0
    may_send: bool = False  # a person confirmed, and nothing that may have arrived was sent since


class Books:
    """`bodies` holds what people confirmed: the digest of the plan -> the digest of the bytes it
    stands for.
    """

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.bodies: dict[tuple[int, str], str] = {}
        self.arrivals: Counter[int] = Counter()  # by attempt
        self.charges: Counter[int] = Counter()
        self.stories: dict[str, Story] = {}
        self.verdicts: dict[int, Stage] = {}  # of people, by attempt
        self.first_event = last.number if (last := Event.objects.first()) else 0
        self.last_event, self.last_arrival = self.first_event, 0

    # reading

    def read(self, *, posting: Attempt | None = None) -> set[int]:
        """Read the vendors' books on; the orders of which something arrived since.

        `posting`: who just sent.
        """
        arrived = sorted(self.practice.ledger.requests(), key=lambda row: row.id)
        new = [row for row in arrived if row.id > self.last_arrival]
        orders = set()
        for row in new:
            attempt = self._sender_of(row, posting)
            self.arrivals[attempt.pk] += 1
            self.charges[attempt.pk] += row.outcome in (CHARGED, CREATED)
            self.last_arrival = row.id
            orders.add(attempt.order_id)
        if new:
            books = [*self.practice.ledger.charges(), *self.practice.ledger.created()]
            paid = [row.body_sha256 for row in arrived if row.outcome in (CHARGED, CREATED)]
            assert Counter(charge.body_sha256 for charge in books) == Counter(paid)
        return orders

    def _sender_of(self, row: Arrival, posting: Attempt | None) -> Attempt:
        marked = [
            attempt
            for attempt in Attempt.objects.filter(
                body_sha256=row.body_sha256, sent_at__isnull=False
            ).order_by("-pk")
            if (attempt.order_id, attempt.digest) in self.bodies
        ]
        assert marked, f"a paid request arrived that no attempt stands for: {row}"
        if posting is not None:
            assert posting.pk in [attempt.pk for attempt in marked], f"not what was marked: {row}"
            return posting
        return next((attempt for attempt in marked if not self.arrivals[attempt.pk]), marked[0])

    def on_the_way(self) -> set[int]:
        """Orders of which a request may yet arrive: marked, and not arrived so far."""
        marked = Attempt.objects.filter(sent_at__isnull=False)
        return {attempt.order_id for attempt in marked if not self.arrivals[attempt.pk]}

    def _read_history(self) -> None:
        events = Event.objects.filter(
            number__gt=self.last_event, subject_type="orders.order"
        ).order_by("number")
        for event in events:
            self.last_event = event.number
            self._follow(self.stories.setdefault(event.subject_id, Story()), event)

    def _follow(self, story: Story, event: Event) -> None:
        before, after = event.changes.get("state", [story.state, story.state])
        assert before == story.state, f"{event}: a move to {before} was not written down"
        if event.action in ("order.drafted", "order.edited"):
            story.editors.add(event.who)
        if event.action == "order.confirmed":
            assert event.who not in story.editors, f"{event}: {event.who} edited it"
            story.confirmations += 1
            story.may_send = True
        elif event.action == "attempt.about_to_send":
            assert story.may_send, f"{event}: a paid request without a fresh confirmation"
            story.may_send = False
        elif after == State.CONFIRMED != before:
            assert event.action in PROVEN_UNSENT, f"{event}: confirmed by nobody"
            assert not self.charges[event.attempt or 0], f"{event}: it was sent and charged"
            story.may_send = True
        elif after not in (State.CONFIRMED, State.SENDING):
            story.may_send = False
        if event.action in SAID:
            assert event.who and event.reason and event.attempt, f"{event}: a verdict of nobody"
            self.verdicts[event.attempt] = SAID[event.action]
        story.state = after

    # the promises

    def check(self) -> None:
        self._read_history()
        attempts: dict[int, list[Attempt]] = {}
        for attempt in Attempt.objects.order_by("number"):
            attempts.setdefault(attempt.order_id, []).append(attempt)
            self._check_attempt(attempt)
        for order in Order.objects.all():
            self._check_order(order, attempts.get(order.pk, []))

    def _check_attempt(self, attempt: Attempt) -> None:
        about = f"{attempt} ({attempt.stage})"
        verdict = self.verdicts.get(attempt.pk)
        assert verdict is None or attempt.stage == verdict, f"{about}: the verdict was {verdict}"
        assert verdict or attempt.stage not in (
            Stage.PLACED,
            Stage.NOT_PLACED,
        ), f"{about}: nobody said so"
        if attempt.sent_at:
            confirmed = self.bodies.get((attempt.order_id, attempt.digest))
            assert attempt.body_sha256 == confirmed, f"{about}: not the bytes that were confirmed"
        assert self.arrivals[attempt.pk] <= (attempt.sent_at is not None), (
            f"{about}: arrived twice, or unmarked"
        )
        if self.charges[attempt.pk]:
            # the one exception is a person who said “not placed”, and was wrong
            assert attempt.stage in MAY_BE_THERE or verdict == Stage.NOT_PLACED, (
                f"{about}: it was charged"
            )

    def _check_order(self, order: Order, attempts: list[Attempt]) -> None:
        about = f"{order} ({order.state}: {order.reason})"
        story = self.stories[str(order.pk)]
        assert order.state == story.state, f"{about}: the history says {story.state}"
        newest = attempts[-1] if attempts else None
        # a verdict passes over later attempts that bought nothing
        deciding = next(
            (attempt for attempt in reversed(attempts) if attempt.stage not in BOUGHT_NOTHING),
            newest,
        )
        fitting = {attempt.stage if attempt else "" for attempt in (newest, deciding)}
        assert fitting & set(FITS[order.state]), f"{about}: its newest attempt is {newest}"
        charges = sum(self.charges[attempt.pk] for attempt in attempts)
        marked = sum(attempt.sent_at is not None for attempt in attempts)
        arrived = sum(self.arrivals[attempt.pk] for attempt in attempts)
        assert charges <= story.confirmations, f"{about}: bought {charges} times"
        assert charges <= arrived <= marked <= len(attempts), (
            f"{about}: {charges} {arrived} {marked}"
        )
        if newest and self.charges[newest.pk] and self.verdicts.get(newest.pk) != Stage.NOT_PLACED:
            assert order.state in {*PURCHASED, State.SENDING, State.UNKNOWN}, (
                f"{about}: the vendor has it"
            )
        if (
            order.state == State.REFUSED
        ):  # of an order that was sent before, the vendor may be refusing the second
            assert Stage.NOT_PLACED not in [attempt.stage for attempt in attempts], (
                f"{about}: a person has to look"
            )
        if order.state in (State.UNKNOWN, State.REFUSED):
            assert order.reason, f"{about}: without a word why"

    @property
    def wrong_verdicts(self) -> int:
        """How often a person called “not placed” what the vendor charged, before or after."""
        return sum(
            self.charges[pk] > 0
            for pk, verdict in self.verdicts.items()
            if verdict == Stage.NOT_PLACED
        )
