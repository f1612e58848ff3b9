"""A person's verdict on an unknown outcome: the first one, two at once, and later news."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.history.verify import verify
from orders import submission
from orders.drafting import drafts
from orders.models import NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.outcomes import delivery, settlement, sweeper
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.settling import (
    BOUGHT,
    NOT_PLACED,
    PARTLY,
    PLACED,
    TWO_DOMAINS,
    answer,
    open_news,
)
from tests.orders.outcomes.test_delivery import states
from tests.orders.pages import browser, messages_of, url
from tests.orders.test_submission import charges, in_threads
from vendors.practice.server import Practice

# First verdicts


@pytest.mark.parametrize(
    ("verdict", "state", "stage", "assets"),
    [
        (PLACED, State.ACCEPTED, Stage.PLACED, {"ordered"}),
        (PARTLY, State.ACCEPTED, Stage.PLACED, {"ordered", "refused"}),
        (NOT_PLACED, State.REVIEW, Stage.NOT_PLACED, {"planned"}),
    ],
)
def test_a_verdict_moves_the_order_and_sends_nothing(
    factory: OrderFactory,
    practice: Practice,
    verdict: str,
    state: str,
    stage: str,
    assets: set[str],
) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    arrived = len(practice.ledger.requests())
    OrmQ.objects.all().delete()
    left_out = ["other.com", "sam@other.com"] if verdict == PARTLY else ()
    factory.settle(order, verdict, left_out=left_out)
    assert (fresh(order).state, order.attempts.get().stage) == (state, stage)
    assert set(states(order).values()) == assets
    assert not OrmQ.objects.exists()
    assert submission.submit(order.pk) == "nothing to do"
    assert len(practice.ledger.requests()) == arrived
    event = Event.objects.get(action=settlement.ACTIONS[verdict])
    assert (event.who, event.reason.startswith("Looked there."), event.attempt) == (
        "confirmer", True, order.attempts.get().pk,
    )  # fmt: skip
    assert verify().is_unbroken


@pytest.mark.parametrize("made", ["draft", "reviewed", "confirmed", "refused", "accepted"])
def test_an_outcome_that_is_not_open_takes_no_verdict(factory: OrderFactory, made: str) -> None:
    order = {
        "draft": factory.draft,
        "reviewed": factory.reviewed,
        "confirmed": factory.confirmed,
        "refused": lambda: factory.sent(word="no-funds"),
        "accepted": factory.sent,
    }[made]()
    before = fresh(order).state
    with pytest.raises(NotAllowed, match="is not open"):
        factory.settle(order, PLACED)
    assert fresh(order).state == before


def test_an_order_that_is_being_sent_takes_no_verdict(factory: OrderFactory) -> None:
    order = factory.claimed().order
    with pytest.raises(NotAllowed, match="It reads: Being sent"):
        factory.settle(order, NOT_PLACED)
    assert fresh(order).state == State.SENDING


# A part of it


def test_a_part_goes_on_to_partly_delivered_and_a_copy_orders_the_rest(
    factory: OrderFactory, practice: Practice
) -> None:
    rows = "cut-after.com, Ann Lee, ann\ncut-after.com, Bo Lee, bo\nother.com, Sam Ito, sam"
    order = factory.sent(rows=rows)
    factory.settle(order, PARTLY, left_out=["Bo@cut-after.com", "sam@other.com"])
    assert states(order) == {
        "ann@cut-after.com": "ordered",
        "bo@cut-after.com": "refused",
        "sam@other.com": "refused",
    }
    assert "Left out" in fresh(order).reason
    assert delivery.ask(order.pk) == "delivered"
    assert fresh(order).state == State.PARTLY
    assert states(order) == {
        "ann@cut-after.com": "ready",
        "bo@cut-after.com": "refused",
        "sam@other.com": "refused",
    }
    whole = drafts.copy(fresh(order), by=factory.people.drafter)
    with pytest.raises(NotAllowed, match="can't be sent for confirmation"):
        drafts.send_for_confirmation(whole.pk, by=factory.people.drafter)  # ann's is there already
    copy = drafts.rest_of(fresh(order), by=factory.people.drafter)
    drafts.send_for_confirmation(copy.pk, by=factory.people.drafter)
    factory.confirm(copy)
    assert fresh(copy).state == State.CONFIRMED
    assert set(states(copy).values()) == {"ordered"}


def test_a_domain_that_was_left_out_takes_its_mailboxes_with_it(factory: OrderFactory) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    factory.settle(order, PARTLY, left_out=["cut-before.com"])
    assert states(order) == {
        "cut-before.com": "refused",
        "ann@cut-before.com": "refused",
        "bo@cut-before.com": "refused",
        "other.com": "ordered",
        "sam@other.com": "ordered",
    }


def test_the_page_leaves_out_what_is_not_ticked(factory: OrderFactory) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    said = {"verdict": PARTLY, "there": ["ann@cut-before.com"], "reason": "Counted them."}
    browser(factory.people.confirmer).post(url(order, "check"), said)
    assert states(order) == {
        "cut-before.com": "ordered",
        "ann@cut-before.com": "ordered",
        "bo@cut-before.com": "refused",
        "other.com": "refused",
        "sam@other.com": "refused",
    }


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ([], "Tick what the vendor has"),
        (["ann@cut-before.com", "bo@cut-before.com", "sam@other.com"], "You ticked everything"),
        (["eve@elsewhere.com"], "Select a valid choice"),
    ],
)
def test_a_part_that_is_none_or_all_is_asked_again(
    factory: OrderFactory, there: list[str], says: str
) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    said = {"verdict": PARTLY, "there": there, "reason": "Counted them."}
    response = browser(factory.people.confirmer).post(url(order, "check"), said)
    assert response.status_code == 400
    assert says in response.content.decode()
    assert fresh(order).state == State.UNKNOWN


# Two people at once


def test_of_two_confirmers_who_saw_the_same_doubt_one_is_told(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    pages = [browser(factory.people.confirmer), browser(factory.people.both)]
    seen = {page.get(url(order, "check")).context["attempt"].verdict_seen for page in pages}
    assert seen == {"unknown"}
    for page, verdict in zip(pages, [PLACED, NOT_PLACED], strict=True):
        said = {"verdict": verdict, "reason": "Looked there.", "seen": "unknown"}
        response = page.post(url(order, "check"), said, follow=True)
    assert "was settled by somebody else a moment ago" in messages_of(response)
    assert (fresh(order).state, order.attempts.get().settled_by_name) == (
        State.ACCEPTED,
        "confirmer",
    )


def test_the_page_names_the_verdict_it_shows(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, PLACED)
    attempt = order.attempts.get()
    page = browser(factory.people.both).get(url(order, "check")).content.decode()
    assert f'name="seen" value="{attempt.verdict_seen}"' in page.replace("&#x27;", "'")
    said = {"verdict": NOT_PLACED, "reason": "Not there.", "seen": attempt.verdict_seen}
    browser(factory.people.both).post(url(order, "check"), said)
    assert fresh(order).state == State.REVIEW


def test_two_verdicts_at_the_same_moment_leave_one(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(word="cut-after")
    turn = iter([PLACED, NOT_PLACED, PARTLY, NOT_PLACED])

    def settle() -> Order:
        verdict = next(turn)
        left_out = ["dana@cut-after.com"] if verdict == PARTLY else ()
        return factory.settle(order, verdict, left_out=left_out, seen="unknown")

    results = in_threads(4, settle)
    assert sum(isinstance(result, Order) for result in results) == 1, results
    assert sum(isinstance(result, NotAllowed) for result in results) == 3, results
    attempt = order.attempts.get()
    assert (
        fresh(order).state
        == {Stage.PLACED: State.ACCEPTED, Stage.NOT_PLACED: State.REVIEW}[Stage(attempt.stage)]
    )
    assert verify().is_unbroken


def test_a_late_answer_and_a_verdict_at_the_same_moment(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(word="timeout-after")
    attempt = order.attempts.get()
    turn = iter(
        [
            lambda: factory.settle(order, NOT_PLACED, seen="unknown"),
            lambda: answer(attempt, status=202),
        ]
    )

    def do() -> Any:
        return next(turn)()

    results = in_threads(2, do)
    attempt.refresh_from_db()
    assert (fresh(order).state, attempt.stage, bool(attempt.late_answer), open_news(order)) in [
        (State.ACCEPTED, Stage.ACCEPTED, False, []),
        (State.REVIEW, Stage.NOT_PLACED, True, [1]),
    ], results
    assert charges(practice, order) == 1
    assert verify().is_unbroken


# Later news


def test_later_news_waits_for_a_confirmer_until_it_is_read_and_changes_nothing(
    factory: OrderFactory,
) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, NOT_PLACED)
    answer(order.attempts.get(), status=202)
    assert open_news(order) == [1]
    assert fresh(order) in Order.objects.waiting_for(factory.people.confirmer)
    confirmer = browser(factory.people.confirmer)
    assert "now says something else" in confirmer.get(url(order, "check")).content.decode()
    assert confirmer.post(url(order, "news"), {"reason": " "}).status_code == 400
    assert open_news(order) == [1]
    confirmer.post(url(order, "news"), {"reason": "That answer was for a test."})
    assert open_news(order) == []
    assert (fresh(order).state, order.attempts.get().stage) == (State.REVIEW, Stage.NOT_PLACED)
    assert Event.objects.get(action="attempt.news_read").reason == "That answer was for a test."


def test_another_verdict_ends_the_news(factory: OrderFactory) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, NOT_PLACED)
    answer(order.attempts.get(), status=202)
    factory.settle(order, PLACED)
    assert open_news(order) == []


@pytest.mark.parametrize("name", ["drafter", "operator", "auditor"])
@pytest.mark.parametrize("door", ["check", "news"])
def test_only_who_settles_comes_to_the_desk(factory: OrderFactory, name: str, door: str) -> None:
    order = factory.sent(word="cut-after")
    said = {"verdict": PLACED, "reason": "Mine."}
    assert browser(getattr(factory.people, name)).post(url(order, door), said).status_code == 403
    assert fresh(order).state == State.UNKNOWN


def test_the_sweep_never_settles(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    sweeper.run(order.state_since + timedelta(days=30))
    assert fresh(order).state == State.UNKNOWN
