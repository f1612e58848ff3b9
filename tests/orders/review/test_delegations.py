"""The right to confirm, passed on for some days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError
from django.utils import timezone

from mailops.auth import roles
from mailops.history.models import Event
from orders import submission
from orders.models import Confirmation, ConfirmationRule, Delegation, NotAllowed, Order, State
from orders.review import delegations
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, url
from tests.orders.review.confirming import digest_of, passed_on, refusals, sql

pytestmark = pytest.mark.usefixtures("quiet")


def test_a_delegate_confirms_in_the_others_name_and_the_history_says_so(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.operator)
    assert order in Order.objects.waiting_for(User.objects.get(username="operator"))
    browser(factory.people.operator).post(url(order, "confirm"), {"digest": digest_of(order)})
    assert fresh(order).state == State.CONFIRMED
    assert Event.objects.get(action="order.confirmed").reason == "For confirmer (delegated)."
    assert str(Confirmation.objects.get()) == "operator for confirmer (delegated)"


def over(delegation: Delegation, factory: OrderFactory) -> None:
    past = timezone.now() - timedelta(days=9)
    Delegation.objects.update(starts_at=past, ends_at=past + timedelta(days=1))


ENDS: dict[str, Callable[[Delegation, OrderFactory], object]] = {
    "it is over": over,
    "it was ended": lambda delegation, factory: delegations.end(
        delegation.pk, by=factory.people.confirmer
    ),
    "it has not begun": lambda delegation, factory: Delegation.objects.update(
        starts_at=timezone.now() + timedelta(days=1)
    ),
    "the giver lost the role": lambda delegation, factory: factory.people.confirmer.groups.clear(),
    "the receiver is an auditor now": lambda delegation, factory: (
        factory.people.operator.groups.set(Group.objects.filter(name=roles.AUDITOR))
    ),
}


@pytest.mark.parametrize("why", ENDS)
def test_a_delegation_that_ended_meanwhile_confirms_nothing(
    factory: OrderFactory, why: str
) -> None:
    order = factory.reviewed()
    delegation = passed_on(factory.people.confirmer, factory.people.operator)
    operator = browser(factory.people.operator)
    assert operator.get(url(order, "confirm")).status_code == 200
    ENDS[why](delegation, factory)
    assert operator.post(url(order, "confirm"), {"digest": digest_of(order)}).status_code == 403
    with pytest.raises(NotAllowed, match="no right to confirm"):
        submission.confirm(order.pk, by=factory.people.operator, digest=digest_of(order))


def test_a_right_passed_to_the_editor_confirms_nothing(factory: OrderFactory) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.drafter)
    with pytest.raises(NotAllowed, match="You edited this order"):
        submission.confirm(
            order.pk, by=User.objects.get(username="drafter"), digest=digest_of(order)
        )
    assert len(refusals()) == 1


def test_the_editors_own_right_in_another_hand_confirms_nothing(factory: OrderFactory) -> None:
    order = factory.reviewed(by=factory.people.both)
    passed_on(factory.people.both, factory.people.operator)
    with pytest.raises(NotAllowed, match="no right to confirm"):
        factory.confirm(order, by=User.objects.get(username="operator"))


def test_one_right_does_not_count_twice(factory: OrderFactory, two: ConfirmationRule) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.operator)
    factory.confirm(order)
    with pytest.raises(NotAllowed, match="a second person has to"):
        factory.confirm(order, by=User.objects.get(username="operator"))


def test_of_two_rights_the_one_counts_whose_giver_has_not_confirmed(
    factory: OrderFactory, two: ConfirmationRule
) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.operator)
    passed_on(factory.people.boss, factory.people.operator)
    factory.confirm(order)
    factory.confirm(order, by=User.objects.get(username="operator"))
    assert fresh(order).state == State.CONFIRMED
    assert Event.objects.get(action="order.confirmed").reason == "For boss (delegated)."
    assert str(Confirmation.objects.get(for_name="boss")) == "operator for boss (delegated)"


def test_the_database_refuses_one_right_twice(factory: OrderFactory, two: ConfirmationRule) -> None:
    order = factory.reviewed()
    factory.confirm(order)
    one = Confirmation.objects.get()
    with pytest.raises(IntegrityError, match="another person"):
        sql("INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_user_id, for_name, at)"
            " VALUES (%s, %s, %s, %s, 'operator', %s, 'confirmer', '2026-01-01')",
            order.pk, one.round, one.digest, factory.people.operator.pk, factory.people.confirmer.pk)  # fmt: skip


@pytest.mark.parametrize(
    ("by", "to", "says"),
    [
        ("confirmer", "auditor", "only looks"),
        ("confirmer", "confirmer", "somebody else"),
        ("drafter", "operator", "by your own role"),
        ("operator", "drafter", "by your own role"),  # it has the right, passed on by the confirmer
    ],
)
def test_what_can_not_be_passed_on(factory: OrderFactory, by: str, to: str, says: str) -> None:
    passed_on(factory.people.confirmer, factory.people.operator)
    with pytest.raises(NotAllowed, match=says):
        passed_on(getattr(factory.people, by), getattr(factory.people, to))


def test_passing_on_and_ending_on_the_pages(factory: OrderFactory) -> None:
    confirmer = browser(factory.people.confirmer)
    day = timezone.now() + timedelta(days=2)
    typed = {"to_user": factory.people.operator.pk, "starts_at_0": "2026-01-01", "starts_at_1": "10:00",
             "ends_at_0": f"{day:%Y-%m-%d}", "ends_at_1": "10:00", "reason": "On leave"}  # fmt: skip
    confirmer.post("/orders/delegation/add/", typed)
    made = Delegation.objects.get()
    assert (made.from_name, made.to_name, made.stands) == ("confirmer", "operator", "In force")
    assert "End it now" in confirmer.get(f"/orders/delegation/{made.pk}/change/").content.decode()
    assert browser(factory.people.operator).get("/orders/delegation/add/").status_code == 403
    confirmer.post(f"/orders/delegation/{made.pk}/end/")
    assert Delegation.objects.get().stands == "Ended early by confirmer"
    actions = Event.objects.filter(action__startswith="delegation.").order_by("number")
    assert list(actions.values_list("action", "who")) == [
        ("delegation.made", "confirmer"),
        ("delegation.ended", "confirmer"),
    ]
