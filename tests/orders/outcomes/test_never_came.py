"""Lines that never come, as a person says, and lines that come after all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from mailops.history.models import Event
from mailops.history.verify import verify
from mailops.notices import tasks
from mailops.notices.models import Notice
from orders.drafting import drafts
from orders.models import ConfirmationRule, Departure, Domain, NotAllowed, Order, Refund, State
from orders.outcomes import arrivals, delivery, never_came
from orders.spending import refund_sums
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.test_delivery import BOUGHT, states
from tests.orders.outcomes.test_overdue_orders import everybody_has_an_address
from tests.orders.test_submission import charges, in_threads
from vendors.apis.values import Progress
from vendors.practice.server import Practice

FIRST, SECOND = "dana@never-delivered.com", "sam@never-delivered.com"


def waiting(factory: OrderFactory, **kwargs: Any) -> Order:
    """An accepted order of which nothing comes."""
    order = factory.sent(word="never-delivered", **kwargs)
    assert order.state == State.ACCEPTED
    return order


def give_up(factory: OrderFactory, order: Order, *names: str, **kwargs: Any) -> Order:
    found, _lines = never_came.say_not_coming(
        order.pk,
        by=factory.people.confirmer,
        reason="Their support says so.",
        names=names or None,
        **kwargs,
    )
    return found


def take_back(factory: OrderFactory, order: Order, *names: str, by: User | None = None) -> Order:
    found, _lines = never_came.say_there_after_all(
        order.pk, by=by or factory.people.operator, seen="In the dashboard.", names=names or None
    )
    return found


def actions(order: Order) -> list[tuple[str, str]]:
    found = Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk))
    return list(found.order_by("number").values_list("action", "who"))


def test_one_of_two_lines_leaves_it_accepted_and_both_make_it_not_delivered(
    factory: OrderFactory, practice: Practice
) -> None:
    order = waiting(factory)
    give_up(factory, order, FIRST)
    assert fresh(order).state == State.ACCEPTED
    assert states(order) == {FIRST: "gone", SECOND: "ordered"}
    give_up(factory, order, SECOND)
    assert fresh(order).state == State.UNDELIVERED
    assert fresh(order).reason == "Their support says so."
    assert charges(practice, order) == 1
    assert actions(order)[-3:] == [
        ("order.not_coming", "confirmer"),
        ("order.not_coming", "confirmer"),
        ("order.undelivered", "confirmer"),
    ]
    assert {one.reason for one in Departure.objects.all()} == {"never_came"}
    assert Departure.objects.count() == 2
    assert verify().is_unbroken


def test_a_domain_takes_its_mailboxes_along_in_one_departure(factory: OrderFactory) -> None:
    order = waiting(factory, api="coldmailreseller", product="domains")
    give_up(factory, order, "never-delivered.com")
    assert set(states(order).values()) == {"gone"}
    assert fresh(order).state == State.UNDELIVERED
    departure = Departure.objects.get()
    assert departure.domains.count() == 1
    assert departure.mailboxes.count() == 2
    assert (departure.by_name, departure.note) == ("confirmer", "Their support says so.")


def test_a_part_that_is_there_makes_it_partly_delivered(factory: OrderFactory) -> None:
    order = waiting(factory)
    arrivals.say_there(order.pk, by=factory.people.drafter, seen="One is there.", names=[FIRST])
    assert fresh(order).state == State.ACCEPTED
    give_up(factory, order)
    assert fresh(order).state == State.PARTLY
    assert states(order) == {FIRST: "ready", SECOND: "gone"}


def test_a_domain_on_which_a_mailbox_is_there_can_not_be_missing(factory: OrderFactory) -> None:
    order = waiting(factory, api="coldmailreseller", product="domains")
    delivery.note(order.pk, Progress(mailboxes={FIRST: "ready"}))
    with pytest.raises(NotAllowed, match="is there, so its domain"):
        give_up(factory, order, "never-delivered.com")
    assert not Departure.objects.exists()


@pytest.mark.parametrize("word", ["no-funds", "cut-after", "busy"])
def test_only_lines_of_an_accepted_order_are_given_up(factory: OrderFactory, word: str) -> None:
    order = factory.sent(word=word)
    before = states(order)
    with pytest.raises(NotAllowed):
        give_up(factory, order)
    assert states(order) == before


def test_a_line_that_came_meanwhile_is_not_given_up(factory: OrderFactory) -> None:
    order = waiting(factory)
    delivery.note(order.pk, Progress(mailboxes={FIRST: "ready"}))
    with pytest.raises(NotAllowed, match="changed since the page was shown"):
        give_up(factory, order, FIRST, SECOND)
    assert states(order) == {FIRST: "ready", SECOND: "ordered"}


def test_two_clicks_at_once_make_one_departure(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    order = waiting(factory)
    results = in_threads(4, lambda: give_up(factory, order, amount=Decimal(1), currency="EUR"))
    assert sum(isinstance(result, Order) for result in results) == 1
    assert all(isinstance(result, Order | NotAllowed) for result in results)
    assert Departure.objects.count() == 1
    assert Refund.objects.count() == 1
    assert fresh(order).state == State.UNDELIVERED


# Money back


def test_the_money_asked_back_is_noted_and_no_more_than_the_order_counts(
    factory: OrderFactory,
) -> None:
    order = waiting(factory)
    most = refund_sums.most_to_ask(order)
    assert most == fresh(order).due_now
    ((currency, counts),) = most.items()
    with pytest.raises(NotAllowed, match="nobody asked back yet"):
        give_up(factory, order, FIRST, amount=counts + 1, currency=currency)
    assert states(order) == {FIRST: "ordered", SECOND: "ordered"}
    assert not Departure.objects.exists()
    give_up(factory, order, FIRST, amount=Decimal(2), currency=currency)
    refund = Refund.objects.get()
    assert (refund.state, refund.amount, refund.order) == ("asked", Decimal(2), order)
    assert refund.departure == Departure.objects.get()
    assert ("refund.asked", "confirmer") in actions(order)
    assert refund_sums.most_to_ask(order) == {currency: counts - 2}


# It is there after all


@pytest.mark.parametrize(
    ("names", "state"), [([FIRST], State.PARTLY), ([FIRST, SECOND], State.DELIVERED)]
)
def test_a_line_that_came_after_all_ends_the_order_once_more(
    factory: OrderFactory, names: list[str], state: str
) -> None:
    order = waiting(factory)
    give_up(factory, order)
    take_back(factory, order, *names)
    assert fresh(order).state == state
    assert {states(order)[name] for name in names} == {"ready"}
    assert actions(order)[-1][1] == "operator"
    box = order.mailboxes.get(address=FIRST)
    assert (box.known_by, box.known_by_name, box.departure) == ("person", "operator", None)
    assert box.ready_at
    assert Departure.objects.count() == 1  # what was said stays


def test_the_last_line_that_comes_after_all_makes_a_part_the_whole(factory: OrderFactory) -> None:
    order = waiting(factory)
    give_up(factory, order)
    take_back(factory, order, FIRST)
    take_back(factory, order, SECOND)
    assert fresh(order).state == State.DELIVERED


def test_a_line_comes_back_while_the_order_is_still_accepted(factory: OrderFactory) -> None:
    order = waiting(factory)
    give_up(factory, order, FIRST)
    take_back(factory, order)
    assert fresh(order).state == State.ACCEPTED
    assert states(order) == {FIRST: "ready", SECOND: "ordered"}


def test_it_is_refused_once_somebody_else_holds_the_name(factory: OrderFactory) -> None:
    order = waiting(factory, api="coldmailreseller", product="domains")
    give_up(factory, order)
    again = drafts.copy(fresh(order), by=factory.people.drafter)
    Order.objects.filter(pk=again.pk).update(why_again="They lost it.")
    again = drafts.send_for_confirmation(again.pk, by=factory.people.drafter)
    again = factory.confirm(again)
    with pytest.raises(NotAllowed, match=f"held by {again} for Northwind since"):
        take_back(factory, order)
    assert fresh(order).state == State.UNDELIVERED
    assert set(states(order).values()) == {"gone"}


def test_what_the_vendor_refused_does_not_come_back_by_this(factory: OrderFactory) -> None:
    order = waiting(factory)
    delivery.note(order.pk, Progress(mailboxes={FIRST: "refused", SECOND: "refused"}))
    assert fresh(order).state == State.UNDELIVERED
    assert "Nothing of it came" in fresh(order).reason
    with pytest.raises(NotAllowed):
        take_back(factory, order)


# Who may


def test_an_editor_says_it_only_where_the_two_person_rule_is_off(factory: OrderFactory) -> None:
    order = waiting(factory, by=factory.people.both)
    with pytest.raises(NotAllowed, match="somebody else has to say this"):
        never_came.say_not_coming(order.pk, by=factory.people.both, reason="I say so.")
    ConfirmationRule.objects.create(confirmers=0)
    never_came.say_not_coming(order.pk, by=factory.people.both, reason="I say so.")
    assert fresh(order).state == State.UNDELIVERED


# Afterwards


def test_the_drafter_hears_that_nothing_came_and_copies_what_is_missing(
    factory: OrderFactory,
) -> None:
    everybody_has_an_address()
    order = waiting(factory)
    give_up(factory, order)
    tasks.tick()
    notice = Notice.objects.get(kind="refused")
    assert (notice.user, notice.subject) == (
        factory.people.drafter,
        f"{order} was not delivered",
    )
    rest = drafts.rest_of(fresh(order), by=factory.people.drafter)
    assert {box.address for box in rest.mailboxes.all()} == {FIRST, SECOND}


def test_a_mailbox_that_a_person_saw_proves_its_held_domain(factory: OrderFactory) -> None:
    order = waiting(factory)
    assert Domain.objects.get().state == "planned"
    arrivals.say_there(order.pk, by=factory.people.drafter, seen="All there.")
    domain = Domain.objects.get()
    assert (domain.state, domain.known_by_name) == ("ready", "drafter")
    assert fresh(order).state == State.DELIVERED


def test_a_mailbox_that_is_there_brings_its_domain(factory: OrderFactory) -> None:
    order = waiting(factory, api=BOUGHT[0], product=BOUGHT[1])
    arrivals.say_there(order.pk, by=factory.people.drafter, seen="One.", names=[FIRST])
    assert states(order) == {"never-delivered.com": "ready", FIRST: "ready", SECOND: "ordered"}
