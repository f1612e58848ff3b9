"""The table of states: in the code, in the documents and in the database it is the same one."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from mailops.history.models import Event
from orders import submission
from orders.admin.detail import STEP_OF, WORDS
from orders.admin.order_pages import CHIPS
from orders.models import NEXT, Attempt, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.models.state import ACTS_NEXT
from orders.outcomes import settlement, sweeper
from orders.sending import classification
from orders.templatetags.order_tags import next_actor
from tests.conftest import OrderFactory, fresh, mark
from vendors.http import NoConnection, Reply

SLOW = b'{"title":"Too Many Requests","status":429,"details":"Slow down","timestamp":"2026-05-06T12:00:00Z"}'

PAGE = Path(__file__).resolve().parents[3] / "docs" / "order-lifecycle.md"
ENDED = {State.REFUSED, State.DELIVERED}


def documented() -> dict[str, list[str]]:
    """The document's rows by state: shown as, who acts next, may move to."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (.+) \|$", PAGE.read_text(), re.M)
    return {state: rest for state, *rest in rows}


def test_the_document_names_every_state_in_the_words_of_the_pages() -> None:
    assert {state: row[0] for state, row in documented().items()} == dict(State.choices)


def test_the_document_names_every_allowed_move_and_no_other() -> None:
    moves = {state: set(re.findall(r"`(\w+)`", row[2])) for state, row in documented().items()}
    assert moves == {str(state): {str(to) for to in allowed} for state, allowed in NEXT.items()}


def test_the_document_says_who_acts_next() -> None:
    assert {state: row[1] for state, row in documented().items()} == {
        str(s): who for s, who in ACTS_NEXT.items()
    }


def test_every_state_has_its_move_its_person_its_chip_and_its_step() -> None:
    assert set(NEXT) == set(ACTS_NEXT) == set(CHIPS) == set(STEP_OF) == set(State)


def test_every_state_can_be_reached_and_only_ended_orders_go_nowhere() -> None:
    reached = {State.DRAFT}
    for _ in State:
        reached |= {State(to) for state in reached for to in NEXT[state]}
    assert reached == set(State)
    assert {state for state in State if not NEXT[state]} == ENDED


@pytest.mark.parametrize(
    ("state", "to"), [(state, to) for state in State for to in State if to not in NEXT[state]]
)
def test_a_move_outside_the_table_raises_and_writes_nothing(
    unguarded: None, factory: OrderFactory, state: State, to: State
) -> None:
    order = factory.draft()
    Order.objects.filter(pk=order.pk).update(state=state, digest="d")
    before = Event.objects.count()
    with pytest.raises(NotAllowed, match="so this can't be done with it"):
        fresh(order).transition(to, action="test")
    assert fresh(order).state == state
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    ("state", "to"), [(state, to) for state in State for to in sorted(NEXT[state])]
)
def test_a_move_of_the_table_writes_state_time_and_event(
    unguarded: None, factory: OrderFactory, state: State, to: str
) -> None:
    order = factory.draft()
    since = timezone.now()
    Order.objects.filter(pk=order.pk).update(state=state, digest="d")
    with transaction.atomic():
        fresh(order).transition(to, action="test.moved", reason="because", by=factory.people.boss)
    moved = fresh(order)
    assert (moved.state, moved.reason) == (to, "because")
    assert moved.state_since >= since
    event = Event.objects.get(action="test.moved")
    assert (event.changes, event.reason, event.who) == ({"state": [state, to]}, "because", "boss")


def test_a_move_that_somebody_else_made_first_raises(factory: OrderFactory) -> None:
    order = factory.reviewed()
    mine, theirs = fresh(order), fresh(order)
    theirs.send_back(by=factory.people.confirmer, reason="no")
    with pytest.raises(NotAllowed, match="changed by somebody else a moment ago"):
        mine.cancel(by=factory.people.confirmer, reason="also no")


def test_a_move_of_a_draft_that_was_saved_meanwhile_raises(factory: OrderFactory) -> None:
    order = factory.draft()
    mine = fresh(order)
    Order.objects.filter(pk=order.pk).update(version=2)
    with pytest.raises(NotAllowed, match="changed by somebody else"):
        mine.cancel(by=factory.people.drafter, reason="no")


@pytest.mark.parametrize("state", sorted(set(State) - {State.DRAFT, State.REVIEW, State.CANCELLED}))
def test_the_database_refuses_an_order_past_review_without_a_digest(
    factory: OrderFactory, state: str
) -> None:
    order = factory.draft()
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(state=state)


def test_the_database_knows_the_stages_of_an_attempt(factory: OrderFactory) -> None:
    order = factory.sent()
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.filter(order=order).update(stage="lost")


# Who acts next


def test_the_drafter_is_named_where_it_is_their_turn(factory: OrderFactory) -> None:
    assert next_actor(factory.draft(), None) == "drafter"
    assert next_actor(factory.sent(word="no-funds"), None) == "drafter"


def test_where_an_order_waits_behind_a_switch_an_operator_acts_next(factory: OrderFactory) -> None:
    order = factory.confirmed()
    assert next_actor(order, hold_of(fresh(order))) == "MailOps"
    order.vendor.stop(reason="card expired")
    hold = hold_of(fresh(order))
    assert next_actor(order, hold) == "An operator"
    assert re.fullmatch(
        r"Sending to Woodpecker is stopped since \d\d:\d\d: card expired\.", hold.says
    )


@pytest.mark.parametrize("state", State)
def test_an_order_waits_for_the_people_that_the_table_names(
    unguarded: None, factory: OrderFactory, state: State
) -> None:
    order = factory.draft()
    Order.objects.filter(pk=order.pk).update(state=state, digest="d")
    people = factory.people
    waits_for = {
        name
        for name in ("drafter", "confirmer", "operator", "auditor")
        if Order.objects.waiting_for(getattr(people, name)).filter(pk=order.pk).exists()
    }
    told = {"The drafter": {"drafter"}, "A confirmer": {"confirmer"}}
    assert waits_for == told.get(ACTS_NEXT[state], set())


def test_a_copied_order_waits_for_nobody_any_more(factory: OrderFactory) -> None:
    from orders.drafting import drafts

    order = factory.sent(word="no-funds")
    assert order in Order.objects.waiting_for(factory.people.drafter)
    drafts.copy(order, by=factory.people.drafter)
    assert order not in Order.objects.waiting_for(factory.people.drafter)


# Answers that come after the lease


def overdue(factory: OrderFactory) -> tuple[Order, Attempt]:
    """An order that its worker marked and then left alone until the sweep gave it up."""
    attempt = factory.claimed()
    order = attempt.order
    assert submission.recheck(attempt) is not None
    assert mark(attempt)
    sweeper.run(timezone.now() + timedelta(hours=1))
    assert fresh(order).state == State.UNKNOWN
    return fresh(order), attempt


def answer(order: Order, attempt: Attempt, outcome: Any) -> Order:
    submission.record_outcome(attempt, outcome, classification.verdict_over(order, outcome))
    return fresh(order)


@pytest.mark.parametrize(
    ("outcome", "state", "stage"),
    [
        (Reply(status=202, headers={}, body=b"", seconds=1), State.ACCEPTED, Stage.ACCEPTED),
        (Reply(status=500, headers={}, body=b"", seconds=1), State.UNKNOWN, Stage.UNKNOWN),
        (NoConnection("refused"), State.REVIEW, Stage.NOT_SENT),
        (Reply(status=429, headers={}, body=b"", seconds=1), State.UNKNOWN, Stage.UNKNOWN),
        (Reply(status=429, headers={}, body=SLOW, seconds=1), State.REVIEW, Stage.NOT_SENT),
    ],
)
def test_an_answer_after_the_lease_counts_while_nobody_has_settled(
    factory: OrderFactory, outcome: Any, state: str, stage: str
) -> None:
    order = answer(*overdue(factory), outcome)
    assert (order.state, order.attempts.get().stage) == (state, stage)
    if state == State.UNKNOWN:
        assert settlement.attempt_of(order)  # a person can still settle it


def test_an_attempt_that_proves_unsent_after_the_lease_needs_a_fresh_confirmation(
    factory: OrderFactory,
) -> None:
    order = answer(*overdue(factory), NoConnection("the port was closed"))
    assert "Nothing was bought" in order.reason
    assert order.confirmed_by is None
    assert not order.mailboxes.exclude(state="planned").exists()
    assert factory.confirm(order).state == State.CONFIRMED


# The words of the history


def test_every_step_of_an_orders_life_has_its_words(factory: OrderFactory) -> None:
    for word in ("acme", "no-funds", "cut-after", "busy"):
        order = factory.sent(word=word)
        of_it = Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk))
        told = set(of_it.values_list("action", flat=True))
        assert told <= set(WORDS), told - set(WORDS)
