"""The pages on which people say what became of an order's lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mailops.history.models import Event
from orders.models import Departure, Order, Refund, State
from orders.outcomes import never_came
from tests.conftest import Clock, OrderFactory, fresh
from tests.orders.outcomes.test_delivery import states
from tests.orders.pages import browser, messages_of, url
from tests.orders.test_submission import charges
from vendors.models import Vendor
from vendors.practice.server import Practice

FIRST, SECOND = "dana@never-delivered.com", "sam@never-delivered.com"
PEOPLE = ("drafter", "confirmer", "operator", "auditor")
MAY = {
    "ask": (True, True, True, False),
    "arrived": (True, True, False, False),
    "expected": (True, True, False, False),
    "not_coming": (False, True, True, False),
    "after_all": (False, True, True, False),
}


def waiting(factory: OrderFactory, **kwargs: Any) -> Order:
    return factory.sent(word="never-delivered", **kwargs)


def page_of(factory: OrderFactory, order: Order, who: str = "confirmer") -> str:
    text = browser(getattr(factory.people, who)).get(url(order)).content.decode()
    return " ".join(text.split())


@pytest.mark.parametrize("page", MAY)
def test_each_role_gets_what_the_permission_table_says(factory: OrderFactory, page: str) -> None:
    order = waiting(factory)
    never_came.say_not_coming(order.pk, by=factory.people.confirmer, reason="Gone.", names=[FIRST])
    for who, may in zip(PEOPLE, MAY[page], strict=True):
        person = browser(getattr(factory.people, who))
        if page == "ask":
            assert person.post(url(order, page)).status_code == (302 if may else 403), who
        else:
            assert person.get(url(order, page)).status_code == (200 if may else 403), who
            assert person.post(url(order, page)).status_code == (400 if may else 403), who


@pytest.mark.parametrize("page", ["not_coming", "after_all"])
def test_an_editor_gets_403_where_the_two_person_rule_holds(
    factory: OrderFactory, page: str
) -> None:
    order = waiting(factory, by=factory.people.both)
    for who in ("both", "boss"):
        if who == "boss":
            order.editors.create(user=factory.people.boss, name="boss")
        person = browser(getattr(factory.people, who))
        typed = {"which": "all", "reason": "I say so."}
        assert person.get(url(order, page)).status_code == 403
        assert person.post(url(order, page), typed).status_code == 403
    assert "You edited this order" in page_of(factory, order, "both")
    Vendor.objects.filter(pk=order.vendor_id).update(two_person_rule=False)
    assert browser(factory.people.both).get(url(order, "not_coming")).status_code == 200


# Check now


def test_check_now_makes_reads_only_and_once_a_minute(
    factory: OrderFactory, practice: Practice, clock: Clock
) -> None:
    order = waiting(factory)
    paid = len(practice.ledger.requests())
    person = browser(factory.people.drafter)
    said = messages_of(person.post(url(order, "ask"), follow=True))
    assert said == "Woodpecker answered: nothing is new."
    assert fresh(order).answered_at
    assert "less than a minute ago" in messages_of(person.post(url(order, "ask"), follow=True))
    clock.forward(seconds=61)
    assert "nothing is new" in messages_of(person.post(url(order, "ask"), follow=True))
    assert len(practice.ledger.requests()) == paid
    assert charges(practice, order) == 1
    assert fresh(order).state == State.ACCEPTED
    asked = Event.objects.filter(action="order.checked")
    assert [event.who for event in asked] == ["drafter"] * 2


def test_what_the_vendor_answers_to_check_now_is_mailops_word(factory: OrderFactory) -> None:
    order = factory.sent(word="acme")
    person = browser(factory.people.operator)
    said = messages_of(person.post(url(order, "ask"), follow=True))
    assert "nothing is left to come" in said
    assert fresh(order).state == State.DELIVERED
    assert Event.objects.get(action="order.delivered").who == ""


def test_a_vendor_that_does_not_answer_changes_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = waiting(factory)
    practice.stop()
    said = messages_of(browser(factory.people.drafter).post(url(order, "ask"), follow=True))
    assert "could not be asked" in said
    assert fresh(order).state == State.ACCEPTED
    assert fresh(order).answered_at is None


def test_a_vendor_that_can_not_be_asked_is_not_asked(factory: OrderFactory) -> None:
    order = factory.sent(word="no-funds")
    said = messages_of(browser(factory.people.drafter).post(url(order, "ask"), follow=True))
    assert "so this can't be done with it" in said


# It is there


def test_it_is_there_needs_words_of_what_was_seen(factory: OrderFactory) -> None:
    order = waiting(factory)
    person = browser(factory.people.drafter)
    assert person.post(url(order, "arrived"), {"which": "all"}).status_code == 400
    assert states(order) == {FIRST: "ordered", SECOND: "ordered"}
    typed = {"which": "partly", "names": [FIRST], "reason": "In the dashboard."}
    assert person.post(url(order, "arrived"), typed).status_code == 302
    assert states(order) == {FIRST: "ready", SECOND: "ordered"}
    event = Event.objects.get(action="order.arrived")
    assert (event.who, event.reason) == ("drafter", "In the dashboard.")
    assert event.changes[FIRST] == ["ordered", "ready"]
    assert "drafter saw it there." in page_of(factory, order)
    person.post(url(order, "arrived"), {"reason": "The other one too."})  # one line: no choice
    assert fresh(order).state == State.DELIVERED


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"reason": "x"}, "which"),
        ({"which": "partly", "reason": "x"}, "names"),
        ({"which": "partly", "names": ["else@never-delivered.com"], "reason": "x"}, "names"),
        ({"which": "all", "names": [FIRST], "reason": "x"}, "which"),
        ({"which": "most", "reason": "x"}, "which"),
        ({"which": "all", "reason": " "}, "reason"),
    ],
)
def test_a_half_filled_form_is_shown_again_and_changes_nothing(
    factory: OrderFactory, typed: dict[str, Any], field: str
) -> None:
    order = waiting(factory)
    response = browser(factory.people.confirmer).post(url(order, "not_coming"), typed)
    assert response.status_code == 400
    assert response.context["form"].errors[field]
    assert states(order) == {FIRST: "ordered", SECOND: "ordered"}


# Expected on


@pytest.mark.parametrize("days", [-1, 31])
def test_a_day_in_the_past_or_far_ahead_is_refused(factory: OrderFactory, days: int) -> None:
    order = waiting(factory)
    day = timezone.localdate() + timedelta(days=days)
    typed = {"on": day.isoformat(), "reason": "They say so."}
    response = browser(factory.people.drafter).post(url(order, "expected"), typed)
    assert response.status_code == 400
    assert fresh(order).expected_on is None


def test_an_expected_day_is_shown_and_may_be_said_again(factory: OrderFactory) -> None:
    order = waiting(factory)
    person = browser(factory.people.drafter)
    for days in (3, 30):
        day = timezone.localdate() + timedelta(days=days)
        person.post(url(order, "expected"), {"on": day.isoformat(), "reason": "They say so."})
        assert fresh(order).expected_on == day
        assert f"Expected on {day:%-d %b}" in page_of(factory, order)
    assert Event.objects.filter(action="order.expected", who="drafter").count() == 2


# It is not coming, and it is there after all


def test_giving_up_says_first_that_it_may_still_arrive(factory: OrderFactory) -> None:
    order = waiting(factory)
    person = browser(factory.people.confirmer)
    page = person.get(url(order, "not_coming")).content.decode()
    assert "It may still arrive and be charged. MailOps keeps looking for it" in page
    typed = {"which": "all", "reason": "Support.", "amount": "5.00", "currency": "EUR"}
    said = messages_of(person.post(url(order, "not_coming"), typed, follow=True))
    assert "2 mailboxes of" in said
    assert "Not delivered" in said
    assert Refund.objects.get().amount == 5
    assert "Money back: €5.00, asked for on" in page_of(factory, order)
    assert f"It never came, said confirmer on {timezone.localdate():%-d %b}: Support." in page_of(
        factory, order
    )


@pytest.mark.parametrize("amount", ["0", "-1", "x", "1000000", "1.001"])
def test_an_impossible_sum_is_refused_and_nothing_is_lost(
    factory: OrderFactory, amount: str
) -> None:
    order = waiting(factory)
    typed = {"which": "all", "reason": "Support.", "amount": amount, "currency": "EUR"}
    response = browser(factory.people.confirmer).post(url(order, "not_coming"), typed)
    assert response.status_code == 400
    assert response.context["form"].errors["amount"]
    assert 'value="' + amount in response.content.decode()
    assert not Departure.objects.exists()


def test_it_is_there_after_all_ends_the_order_once_more(factory: OrderFactory) -> None:
    order = waiting(factory)
    never_came.say_not_coming(order.pk, by=factory.people.confirmer, reason="Gone.")
    assert "It is there after all" in page_of(factory, order)
    typed = {"which": "partly", "names": [SECOND], "reason": "Seen."}
    said = messages_of(
        browser(factory.people.operator).post(url(order, "after_all"), typed, follow=True)
    )
    assert "Partly delivered" in said
    assert fresh(order).state == State.PARTLY


def test_where_nothing_was_given_up_nothing_comes_back(factory: OrderFactory) -> None:
    order = waiting(factory)
    said = messages_of(browser(factory.people.confirmer).get(url(order, "after_all"), follow=True))
    assert said == f"Nothing of {order} was given up."


# The card


def test_the_card_says_when_the_vendor_was_asked_and_when_it_is_asked_next(
    factory: OrderFactory, clock: Clock
) -> None:
    order = waiting(factory)
    assert "has not answered a question about it yet" in page_of(factory, order)
    browser(factory.people.drafter).post(url(order, "ask"))
    clock.forward(minutes=4)
    assert "Asked 4 minutes ago: 0 of 2 are ready." in page_of(factory, order)
    again = timezone.now() + timedelta(minutes=10)
    Vendor.objects.filter(pk=order.vendor_id).update(
        reads_failed=2,
        read_at=timezone.now(),
        read_said="it did not answer",
        quiet_until=again,
    )
    page = page_of(factory, order)
    assert "Woodpecker could not be asked since" in page
    assert "it did not answer." in page
    assert f"Next question about {timezone.localtime(again):%H:%M}" in page


def test_the_card_says_that_nobody_can_ask_and_what_is_known_by_count(
    factory: OrderFactory,
) -> None:
    order = factory.sent("coldmailreseller", "domains")
    order.domains.update(
        state="ready", known_by="count", mailboxes_told=1, against="CANCELLED since 3 Dec"
    )
    page = page_of(factory, order)
    assert "Known by count, not by name." in page
    assert "1 of 2 by the vendor&#x27;s count." in page
    assert "ColdMailReseller says: CANCELLED since 3 Dec." in page
    if not order.vendor.adapter.can_tell_progress:
        assert "Nobody can ask ColdMailReseller about this line." in page


def test_the_card_is_there_for_what_a_vendor_has_and_for_nothing_else(
    factory: OrderFactory,
) -> None:
    assert "Where it stands" in page_of(factory, waiting(factory))
    assert "Where it stands" not in page_of(factory, factory.sent(word="no-funds"))
    assert "Where it stands" not in page_of(factory, factory.reviewed(word="other"))


def test_a_line_that_changes_makes_the_open_page_reload_and_time_alone_does_not(
    factory: OrderFactory, clock: Clock
) -> None:
    order = waiting(factory)
    person = browser(factory.people.drafter)
    first = person.get(url(order)).context["version"]
    clock.forward(minutes=5)
    assert person.get(url(order)).context["version"] == first
    order.mailboxes.filter(address=FIRST).update(known_by_name="x", state="ready")
    assert person.get(url(order)).context["version"] != first
