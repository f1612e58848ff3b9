"""Looking at the vendor: before a paid request where only a list can tell, and after an answer was
lost.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.history.verify import verify
from orders import submission, tasks
from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import evidence_lookup, settlement, sweeper
from orders.sending import preflight
from orders.sending.results import Result
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.orders.pages import browser, url
from tests.orders.test_submission import charges
from vendors import rate_limit, vendor_reader
from vendors.apis import REGISTRY
from vendors.http import Request
from vendors.models import Vendor
from vendors.practice.ledger import account_of
from vendors.practice.server import Practice

LOOKING = [(api, product) for api, product in sorted(OPTIONS) if REGISTRY[api].needs_listing_before]
BLIND = ("coldmailreseller", "domains")


def listed_at_the_vendor(practice: Practice, order: Order, *names: str) -> None:
    """The vendor lists these mailboxes since before: somebody ordered them there."""
    domains = sorted({name.rpartition("@")[2] for name in names})
    practice.ledger.record_charge(
        vendor="woodpecker",
        account=account_of(order.vendor.secrets.open()["api_key"]),
        request="mailboxes",
        reference="by hand",
        domains=domains,
        mailboxes=list(names),
        details={
            "mailboxes": [{"first_name": "A", "last_name": "B", "email": name} for name in names]
        },
        body_sha256="",
        status="charged",
        fault="",
        amount=Decimal(6 * len(names)),
        currency="EUR",
    )


def paid(practice: Practice) -> int:
    return len(practice.ledger.requests())


# Before the paid request


@pytest.mark.parametrize(("api", "product"), LOOKING)
def test_what_was_listed_before_is_on_the_attempt(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    order = factory.confirmed(api, product)
    assert submission.submit(order.pk) == Stage.ACCEPTED
    attempt = order.attempts.get()
    assert attempt.before == []
    assert attempt.before_at is not None and attempt.sent_at is not None
    assert attempt.before_at <= attempt.claimed_at <= attempt.sent_at


def test_a_vendor_with_order_numbers_is_not_looked_at_first(factory: OrderFactory) -> None:
    order = factory.sent(*BLIND)
    assert order.state == State.ACCEPTED
    assert order.attempts.get().before_at is None


def test_names_listed_already_go_back_to_a_confirmer_once(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    listed_at_the_vendor(practice, order, "dana@acme.com")
    assert submission.submit(order.pk) == "listed already"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "Woodpecker lists dana@acme.com already" in order.reason
    assert not order.attempts.exists()
    assert not order.mailboxes.exclude(state="planned").exists()
    assert paid(practice) == 0
    factory.confirm(order)
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert order.attempts.get().before == ["dana@acme.com"]
    assert paid(practice) == 1
    assert verify().is_unbroken


def test_more_names_than_the_confirmer_was_told_of_go_back_again(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    listed_at_the_vendor(practice, order, "dana@acme.com")
    submission.submit(order.pk)
    factory.confirm(order)
    listed_at_the_vendor(practice, order, "sam@acme.com")
    assert submission.submit(order.pk) == "listed already"
    assert "lists sam@acme.com already" in fresh(order).reason
    assert paid(practice) == 0


def test_other_mailboxes_on_the_same_domain_hold_nothing_up(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    listed_at_the_vendor(practice, order, "eve@acme.com")
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert order.attempts.get().before == []


def test_a_first_request_that_was_placed_after_all_is_not_bought_again(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, settlement.NOT_PLACED)
    factory.confirm(order)
    assert submission.submit(order.pk) == "listed already"
    assert fresh(order).state == State.REVIEW
    factory.settle(order, settlement.PLACED, reason="MailOps saw it there.")
    assert fresh(order).state == State.ACCEPTED
    assert charges(practice, order) == 1


def test_a_list_that_cannot_be_read_sends_nothing_and_ends_with_a_person(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    order = factory.confirmed()
    practice.stop()
    for number in range(1, settings.NOT_SENT_TRIES):
        assert submission.submit(order.pk) == "could not look"
        waiting = fresh(order)
        assert (waiting.state, waiting.tries) == (State.CONFIRMED, number)
        assert waiting.next_try_at > timezone.now()
        assert "list has to be read before sending" in hold_of(waiting).says
        assert submission.submit(order.pk) == "nothing to do"  # not before its pause is over
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
    submission.submit(order.pk)
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "Nothing was bought" in order.reason
    assert not order.attempts.exists()
    assert Event.objects.filter(action="order.could_not_look").count() == settings.NOT_SENT_TRIES


def test_a_key_that_cannot_be_opened_ends_with_a_person(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    order = factory.confirmed()
    settings.SEAL_KEYS = [Fernet.generate_key().decode()]
    for _ in range(settings.NOT_SENT_TRIES):
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        submission.submit(order.pk)
    assert fresh(order).state == State.REVIEW
    assert paid(practice) == 0


def test_a_list_that_takes_longer_than_the_queue_allows_is_given_up(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    settings.QUEUE_TIMEOUT = 0
    order = factory.confirmed()
    assert submission.submit(order.pk) == "could not look"
    assert "answers too slowly" in fresh(order).reason
    assert fresh(order).tries == 1


def test_after_a_long_look_the_order_gets_a_task_of_its_own(
    factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    settings.VENDOR_DEADLINE_SECONDS = settings.QUEUE_TIMEOUT
    order = factory.confirmed()
    OrmQ.objects.all().delete()
    assert submission.submit(order.pk) == "looked, queued again"
    assert paid(practice) == 0
    assert OrmQ.objects.get().task["args"] == (order.pk,)
    assert submission.submit(order.pk) == Stage.ACCEPTED  # what was seen is still fresh
    assert order.attempts.get().before_at is not None


@pytest.mark.parametrize("age", [timedelta(hours=1), -timedelta(hours=1)])
def test_a_look_of_long_ago_or_of_a_wrong_clock_is_taken_again(
    factory: OrderFactory, practice: Practice, age: timedelta
) -> None:
    order = factory.confirmed()
    assert preflight.LISTING.read(order) is None
    long_ago = timezone.now() - age
    Order.objects.filter(pk=order.pk).update(looked_at=long_ago)
    listed_at_the_vendor(practice, order, "dana@acme.com")
    assert submission.claim(order.pk) is Result.READ_FIRST
    assert submission.submit(order.pk) == "listed already"
    assert fresh(order).looked_at != long_ago


def test_a_fresh_confirmation_looks_anew(factory: OrderFactory, practice: Practice) -> None:
    order = factory.confirmed()
    assert preflight.LISTING.read(order) is None
    fresh(order).cancel(by=factory.people.confirmer, reason="No.")
    other = factory.reviewed(word="other")
    Order.objects.filter(pk=other.pk).update(looked_at=timezone.now())
    factory.confirm(other)
    assert fresh(other).looked_at is None


def test_an_order_cancelled_while_somebody_looked_stays_cancelled(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    fresh(order).cancel(by=factory.people.confirmer, reason="No.")
    assert preflight.LISTING.read(order) is Result.NOTHING_TO_DO
    assert fresh(order).state == State.CANCELLED


def test_an_order_whose_account_is_busy_is_not_looked_for(
    factory: OrderFactory, practice: Practice
) -> None:
    factory.claimed()
    waiting = factory.confirmed(word="second")
    assert submission.submit(waiting.pk) == "nothing to do"
    assert (fresh(waiting).looked_at, fresh(waiting).queued_at) == (None, None)


# After a lost answer


def test_what_was_there_before_is_no_evidence(factory: OrderFactory, practice: Practice) -> None:
    order = factory.confirmed(word="timeout-before")
    names = ["dana@timeout-before.com", "sam@timeout-before.com"]
    listed_at_the_vendor(practice, order, *names)
    submission.submit(order.pk)
    factory.confirm(order)
    assert submission.submit(order.pk) == Stage.UNKNOWN
    attempt = order.attempts.get()
    assert attempt.before == names
    found = evidence_lookup.look(attempt, by=factory.people.confirmer)
    assert [item.points_to for item in found] == ["", ""]
    assert "listed before this order was sent, so that says nothing about it" in found[0].text
    page = browser(factory.people.confirmer).get(url(order, "check")).content.decode()
    assert f"listed {', '.join(names)} already" in page


def test_what_came_afterwards_speaks_for_it(factory: OrderFactory, practice: Practice) -> None:
    order = factory.sent(word="cut-after")
    found = evidence_lookup.look(order.attempts.get())
    assert [item.points_to for item in found] == ["placed"]
    page = browser(factory.people.confirmer).get(url(order, "check")).content.decode()
    assert "So what it lists now came afterwards" in page


def test_a_part_that_was_there_and_a_part_that_came_speak_for_it(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed(word="cut-after")
    listed_at_the_vendor(practice, order, "dana@cut-after.com")
    submission.submit(order.pk)
    factory.confirm(order)
    submission.submit(order.pk)
    found = evidence_lookup.look(order.attempts.get())
    assert [item.points_to for item in found] == ["placed", ""]
    assert "lists 1 of the order's 2" in found[0].text


def test_the_page_looks_again_and_says_when(factory: OrderFactory, practice: Practice) -> None:
    order = factory.sent(word="cut-after")
    confirmer = browser(factory.people.confirmer)
    assert "Nobody has looked yet" in confirmer.get(url(order, "check")).content.decode()
    confirmer.post(url(order, "check"), {"look": "1"})
    assert order.attempts.get().evidence_at is not None
    assert "Look again" in confirmer.get(url(order, "check")).content.decode()
    assert Event.objects.get(action="attempt.evidence").who == "confirmer"
    assert fresh(order).state == State.UNKNOWN


def test_a_vendor_that_cannot_be_asked_is_said_and_settles_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(word="cut-after")
    practice.stop()
    found = evidence_lookup.look(order.attempts.get())
    assert "could not be" in found[0].text
    assert all(item.points_to == "" for item in found)
    assert fresh(order).state == State.UNKNOWN


# By itself


def unknown_since(factory: OrderFactory, ago: timedelta) -> Attempt:
    """An order whose answer was lost so long ago."""
    attempt = factory.sent(word="cut-after").attempts.get()
    Attempt.objects.filter(pk=attempt.pk).update(sent_at=timezone.now() - ago)
    attempt.refresh_from_db()
    return attempt


def test_the_pause_between_looks_doubles(factory: OrderFactory) -> None:
    attempt = unknown_since(factory, timedelta(0))
    sent, at, looks = attempt.sent_at, attempt.sent_at, []
    assert sent
    while at < sent + timedelta(hours=3):
        if evidence_lookup.due(at):
            looks.append((at - sent).total_seconds())
            Attempt.objects.filter(pk=attempt.pk).update(evidence_at=at)
        at += timedelta(seconds=10)
    assert looks == [60 * 2**power for power in range(8)]


def test_looking_by_itself_ends_after_some_days(factory: OrderFactory) -> None:
    attempt = unknown_since(factory, timedelta(0))
    assert attempt.sent_at
    assert evidence_lookup.due(
        attempt.sent_at + evidence_lookup.LOOKED_FOR - timedelta(minutes=1)
    ) == [attempt]
    assert (
        evidence_lookup.due(attempt.sent_at + evidence_lookup.LOOKED_FOR + timedelta(minutes=1))
        == []
    )


def test_the_sweep_queues_a_look_that_is_due(factory: OrderFactory) -> None:
    attempt = unknown_since(factory, timedelta(minutes=2))
    OrmQ.objects.all().delete()
    assert sweeper.run()["asked"] == 1
    (row,) = OrmQ.objects.all()
    assert (row.key, row.task["func"]) == ("questions", "orders.tasks.ask_account")
    assert tasks.ask_account(*row.task["args"]) == "all asked"
    attempt.refresh_from_db()
    assert attempt.evidence_at is not None
    assert sweeper.run()["asked"] == 0


@pytest.mark.parametrize("state", ["accepted", "placed", "refused"])
def test_nobody_looks_for_what_is_known(factory: OrderFactory, state: str) -> None:
    order = factory.sent(
        word={"accepted": "acme", "placed": "cut-after", "refused": "no-funds"}[state]
    )
    if state == "placed":
        factory.settle(order, settlement.PLACED)
    assert evidence_lookup.due(timezone.now() + timedelta(hours=1)) == []


def test_the_same_finding_is_written_down_once(factory: OrderFactory) -> None:
    attempt = unknown_since(factory, timedelta(minutes=2))
    first = evidence_lookup.look(attempt)
    seen_at = Attempt.objects.get(pk=attempt.pk).evidence_at
    assert evidence_lookup.look(Attempt.objects.get(pk=attempt.pk)) == first
    assert Event.objects.filter(action="attempt.evidence").count() == 1
    again_at = Attempt.objects.get(pk=attempt.pk).evidence_at
    assert seen_at and again_at and again_at >= seen_at


def test_evidence_after_not_placed_is_news_and_leaves_the_verdict(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(word="timeout-before")
    factory.settle(order, settlement.NOT_PLACED)
    attempt = order.attempts.get()
    evidence_lookup.look(attempt)
    assert Attempt.objects.get(pk=attempt.pk).news_at is None  # nothing there, which is no news
    listed_at_the_vendor(practice, order, "dana@timeout-before.com", "sam@timeout-before.com")
    evidence_lookup.look(attempt)
    attempt.refresh_from_db()
    assert attempt.news_at is not None
    assert (attempt.stage, fresh(order).state) == (Stage.NOT_PLACED, State.REVIEW)
    assert fresh(order) in Order.objects.waiting_for(factory.people.confirmer)
    settlement.read_news(order.pk, by=factory.people.confirmer, reason="Ordered by hand.")
    evidence_lookup.look(Attempt.objects.get(pk=attempt.pk))
    assert Attempt.objects.get(pk=attempt.pk).news_at is None  # the same again is no news
    assert (Attempt.objects.get(pk=attempt.pk).stage, fresh(order).state) == (
        Stage.NOT_PLACED,
        State.REVIEW,
    )


def test_looking_asks_in_the_accounts_turn(factory: OrderFactory, practice: Practice) -> None:
    attempt = unknown_since(factory, timedelta(minutes=2))
    order = attempt.order
    Vendor.objects.filter(pk=order.vendor_id).update(
        next_turn_at=timezone.now() + timedelta(minutes=10)
    )
    found = evidence_lookup.look(attempt)
    assert any("can't be asked so often" in item.text for item in found)
    with pytest.raises(rate_limit.Busy):
        vendor_reader.reader(fresh(order).vendor)(Request(method="GET", path="/rest/v1/me"))
