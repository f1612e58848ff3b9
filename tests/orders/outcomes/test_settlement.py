"""The factory: a person's verdict over an unknown outcome, in every state, revised only by another
one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.history.verify import verify
from orders import submission
from orders.drafting import drafts
from orders.models import Attempt, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.outcomes import delivery, settlement, sweeper
from orders.sending import classification, preflight
from orders.sending.results import Result
from tests.conftest import OrderFactory, claim, fresh, mark
from tests.orders.outcomes.test_delivery import states
from tests.orders.pages import browser, messages_of, url
from tests.orders.test_submission import charges, in_threads
from vendors.apis.values import Progress
from vendors.http import Reply
from vendors.practice.server import Practice

PLACED, PARTLY, NOT_PLACED = settlement.PLACED, settlement.PARTLY, settlement.NOT_PLACED
BOUGHT = ("coldmailreseller", "domains")
TWO_DOMAINS = "cut-before.com, Ann Lee, ann\ncut-before.com, Bo Lee, bo\nother.com, Sam Ito, sam"


def open_news(order: Order) -> list[int]:
    return list(order.attempts.filter(news_at__isnull=False).values_list("number", flat=True))


def claimed_and_marked(order: Order) -> Attempt:
    """The order taken up for another request, its vendor's list read as for a real one."""
    if submission.claim(order.pk) is Result.READ_FIRST:
        assert preflight.LISTING.read(order) is None
        attempt = claim(order.pk)
    assert attempt is not None
    assert mark(attempt)
    return attempt


def answer(attempt: Attempt, *, status: int, body: bytes = b"") -> str:
    """What the worker writes when this answer comes."""
    reply = Reply(status=status, headers={}, body=body, seconds=1)
    return submission.record_outcome(
        attempt, reply, classification.verdict_over(attempt.order, reply)
    )


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


# Revised

FIRST = {PLACED: State.ACCEPTED, PARTLY: State.ACCEPTED, NOT_PLACED: State.REVIEW}


@pytest.mark.parametrize("then", [PLACED, PARTLY, NOT_PLACED])
@pytest.mark.parametrize("first", [PLACED, PARTLY, NOT_PLACED])
def test_any_verdict_may_become_any_other_while_nothing_happened_since(
    factory: OrderFactory, first: str, then: str
) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    out = {PARTLY: ["other.com"]}
    factory.settle(
        order, first, left_out=out.get(first, ()), reference="A-1" if first != NOT_PLACED else ""
    )
    factory.settle(order, then, left_out=out.get(then, ()), reason="Looked again.")
    attempt = order.attempts.get()
    assert fresh(order).state == FIRST[then]
    assert fresh(order).reference == ""
    assert (attempt.settled_reason, attempt.is_settled) == ("Looked again.", True)
    wanted = {PLACED: {"ordered"}, PARTLY: {"ordered", "refused"}, NOT_PLACED: {"planned"}}
    assert set(states(order).values()) == wanted[then]
    kinds = set(settlement.ACTIONS.values())
    assert Event.objects.filter(action__in=kinds, subject_id=str(order.pk)).count() == 2
    assert verify().is_unbroken


def test_placed_stays_once_a_part_was_delivered(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, PLACED)
    delivery.note(order.pk, Progress(mailboxes={"dana@cut-after.com": "ready"}))
    with pytest.raises(NotAllowed, match="A part of it was delivered since"):
        factory.settle(order, NOT_PLACED)
    assert fresh(order).state == State.ACCEPTED
    page = browser(factory.people.confirmer).get(url(order, "check")).content.decode()
    assert "A part of it was delivered since" in page
    assert "Change the verdict" not in page


def test_placed_stays_once_the_order_is_delivered(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, PLACED)
    assert delivery.ask(order.pk) == "delivered"
    with pytest.raises(NotAllowed, match="was delivered since"):
        factory.settle(order, NOT_PLACED)
    assert fresh(order).state == State.DELIVERED


def test_not_placed_stays_once_the_order_was_confirmed_again(factory: OrderFactory) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, NOT_PLACED)
    factory.confirm(order)
    with pytest.raises(NotAllowed, match="confirmed again since"):
        factory.settle(order, PLACED)
    assert fresh(order).state == State.CONFIRMED


def test_not_placed_stays_once_the_order_is_a_draft_again(factory: OrderFactory) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, NOT_PLACED)
    fresh(order).send_back(by=factory.people.confirmer, reason="Other names.")
    with pytest.raises(NotAllowed, match="no longer what was sent"):
        factory.settle(order, PLACED)
    assert fresh(order).state == State.DRAFT


def test_a_cancelled_order_that_was_placed_after_all_is_accepted(factory: OrderFactory) -> None:
    order = factory.sent(*BOUGHT, rows=TWO_DOMAINS)
    factory.settle(order, NOT_PLACED)
    fresh(order).cancel(by=factory.people.confirmer, reason="Not wanted any more.")
    assert set(states(order).values()) == {"planned"}
    factory.settle(order, PLACED, reference="A-1")
    assert (fresh(order).state, fresh(order).reference) == (State.ACCEPTED, "A-1")
    assert set(states(order).values()) == {"ordered"}


def test_an_order_cancelled_before_it_was_sent_takes_no_verdict(factory: OrderFactory) -> None:
    order = factory.confirmed()
    fresh(order).cancel(by=factory.people.confirmer, reason="No.")
    with pytest.raises(NotAllowed, match="is not open"):
        factory.settle(order, PLACED)


def test_a_refusal_after_not_placed_leaves_the_first_request_open_to_another_verdict(
    factory: OrderFactory, practice: Practice
) -> None:
    """The vendor may refuse because it has the first request: without this, only buying twice would
    be left.
    """
    order = factory.sent(word="cut-after")
    factory.settle(order, NOT_PLACED)
    factory.confirm(order)
    Order.objects.filter(pk=order.pk).update(
        known_listed=["dana@cut-after.com", "sam@cut-after.com"]
    )
    attempt = claimed_and_marked(order)
    answer(
        attempt,
        status=422,
        body=b'{"type":"t","message":"Already ordered","code":"invalid_fields","fields":[]}',
    )
    assert fresh(order).state == State.REVIEW
    assert "An earlier request of this order may be the cause" in fresh(order).reason
    page = browser(factory.people.confirmer).get(url(order, "check"))
    assert page.context["attempt"].number == 1
    factory.settle(order, PLACED)
    assert fresh(order).state == State.ACCEPTED
    assert list(order.attempts.order_by("number").values_list("stage", flat=True)) == [
        "placed",
        "refused",
    ]
    assert charges(practice, order) == 1


def test_a_name_that_another_order_took_since_stops_the_verdict(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-before")
    factory.settle(order, NOT_PLACED)
    fresh(order).cancel(by=factory.people.confirmer, reason="Drafted anew.")
    other = factory.confirmed(word="cut-before")
    with pytest.raises(NotAllowed, match="was confirmed on another order since"):
        factory.settle(order, PLACED)
    assert (fresh(order).state, fresh(other).state) == (State.CANCELLED, State.CONFIRMED)
    assert order.attempts.get().stage == Stage.NOT_PLACED
    assert set(states(other).values()) == {"ordered"}


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
