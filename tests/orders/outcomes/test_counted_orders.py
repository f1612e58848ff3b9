"""Orders at ColdMailReseller, which tells of a domain's mailboxes by their number alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import Attempt, Domain, Order, State
from orders.outcomes import delivery
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.orders.outcomes.practising import BOUGHT, act, paid_paths
from vendors.apis.values import Progress
from vendors.practice.server import Practice

ON_DOMAIN = ("coldmailreseller", "mailboxes")
THREE = "\n".join(
    f"{name}, {person}" for name in ("acme.com", "bolt.com", "cove.com") for person in
    ("Ann Lee, ann", "Sam Ito, sam")
)  # fmt: skip


def states(order: Order) -> dict[str, str]:
    domains = dict(order.domains.values_list("name", "state"))
    return domains | dict(order.mailboxes.values_list("address", "state"))


def known_by(order: Order) -> set[tuple[str, str]]:
    fields = ("known_by", "known_by_name")
    return {*order.domains.values_list(*fields), *order.mailboxes.values_list(*fields)}


def test_three_domains_are_delivered_by_themselves_and_known_by_count(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(*BOUGHT, rows=THREE)
    assert delivery.ask(order.pk) == "delivered"
    assert fresh(order).state == State.DELIVERED
    assert (set(states(order).values()), known_by(order)) == ({"ready"}, {("count", "")})
    domain = Domain.objects.get(name="bolt.com")
    assert (domain.mailboxes_told, domain.vendor_ids) == (
        2,
        {"subscriptionId": f"{order.reference}-bolt.com"},
    )
    assert domain.mailboxes_told_at
    assert paid_paths(practice) == ["/api/v1/integration/orders/json"]
    assert verify().is_unbroken


def test_one_mailbox_too_few_keeps_its_domain_ordered(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(*BOUGHT, rows=THREE.replace("bolt", "few-mailboxes"))
    assert delivery.ask(order.pk) == "told"
    assert fresh(order).state == State.ACCEPTED
    assert {name for name, state in states(order).items() if state == "ordered"} == {
        "few-mailboxes.com",
        "ann@few-mailboxes.com",
        "sam@few-mailboxes.com",
    }
    assert Domain.objects.get(name="few-mailboxes.com").mailboxes_told == 1
    act(practice, act="deliver", domain="few-mailboxes.com")
    assert delivery.ask(order.pk) == "delivered"
    assert len(paid_paths(practice)) == 1


def test_another_users_subscription_changes_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(*BOUGHT, rows=THREE.replace("bolt", "other-user"))
    delivery.ask(order.pk)
    assert fresh(order).state == State.ACCEPTED
    other = Domain.objects.get(name="other-user.com")
    assert (other.state, other.mailboxes_told, other.vendor_ids, other.known_by) == (
        "ordered", None, {}, ""
    )  # fmt: skip


def test_a_domain_that_was_left_out_is_not_waited_for(factory: OrderFactory) -> None:
    order = factory.sent(*BOUGHT, rows=THREE.replace("bolt", "partial"))
    assert delivery.ask(order.pk) == "delivered"
    assert fresh(order).state == State.PARTLY
    assert states(order)["partial.com"] == "refused"


def test_a_domain_without_mailboxes_is_known_by_name(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(*BOUGHT, rows="acme.com\nbolt.com, Ann Lee, ann")
    assert delivery.ask(order.pk) == "delivered"
    acme, bolt = Domain.objects.order_by("name")
    assert (acme.known_by, bolt.known_by) == ("name", "count")
    assert set(acme.vendor_ids) == {"domainId"}
    assert len(paid_paths(practice)) == 1, "asking for a price of renewal is no paid request"


def test_a_cancelled_subscription_is_said_and_changes_no_state(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(*BOUGHT)
    act(practice, act="cancel", domain="acme.com")
    assert delivery.ask(order.pk) == "told"
    assert (fresh(order).state, set(states(order).values())) == (State.ACCEPTED, {"ordered"})
    said = Domain.objects.get(name="acme.com").against
    assert "reads CANCELLED, in a form that is not documented" in said
    event = Event.objects.get(action="order.progress")
    assert event.changes == {"acme.com against": ["", said]}
    assert delivery.ask(order.pk) == "no news"


@pytest.mark.parametrize("mode", ["fail", "rubbish"])
def test_a_read_of_another_form_changes_nothing(
    factory: OrderFactory, practice: Practice, mode: str
) -> None:
    order = factory.sent(*BOUGHT)
    act(practice, act="reads", vendor="coldmailreseller", mode=mode)
    before = list(Domain.objects.values())
    assert delivery.ask(order.pk) == "no answer"
    assert list(Domain.objects.values()) == before
    assert not Event.objects.filter(action="order.progress").exists()
    act(practice, act="reads", vendor="coldmailreseller", mode="ok")
    assert delivery.ask(order.pk) == "delivered"


def test_a_domain_that_was_not_asked_about_is_not_stamped_as_looked_at(
    factory: OrderFactory,
) -> None:
    order = factory.sent(*BOUGHT, rows=THREE)
    delivery.note(order.pk, Progress(counts={"acme.com": 1}))
    assert Domain.objects.get(name="acme.com").mailboxes_told == 1
    assert not Domain.objects.exclude(looked_at=None).exists()


# Mailboxes onto a domain of the account


def delivered(factory: OrderFactory) -> Domain:
    assert delivery.ask(factory.sent(*BOUGHT).pk) == "delivered"
    return Domain.objects.get(name="acme.com")


def onto(factory: OrderFactory, domain: Domain, username: str) -> Order:
    options = OPTIONS[ON_DOMAIN] | {"subscription_id": domain.vendor_ids["subscriptionId"]}
    return factory.sent(*ON_DOMAIN, rows=f"acme.com, New Hand, {username}", options=options)


def test_mailboxes_that_join_a_subscription_are_there_once_it_has_grown(
    factory: OrderFactory, practice: Practice
) -> None:
    domain = delivered(factory)
    order = onto(factory, domain, "new")
    assert order.counts_before == {"acme.com": 2}
    assert delivery.ask(order.pk) == "delivered"
    assert (order.mailboxes.get().known_by, Domain.objects.get().mailboxes_told) == ("count", 3)


def test_a_count_that_is_older_than_two_days_is_of_no_use(factory: OrderFactory) -> None:
    domain = delivered(factory)
    old = timezone.now() - timedelta(days=2, minutes=1)
    Domain.objects.update(mailboxes_told_at=old, looked_at=timezone.now())
    order = onto(factory, domain, "new")
    assert order.counts_before == {}
    assert delivery.ask(order.pk) == "told"
    assert fresh(order).state == State.ACCEPTED
    assert states(order) == {"new@acme.com": "ordered"}


def test_two_orders_for_one_subscription_are_not_told_apart_by_its_count(
    factory: OrderFactory,
) -> None:
    domain = delivered(factory)
    first, second = onto(factory, domain, "new"), onto(factory, domain, "more")
    assert (first.counts_before, second.counts_before) == ({}, {})
    for order in (first, second):
        delivery.ask(order.pk)
        assert fresh(order).state == State.ACCEPTED
    assert Attempt.objects.get(order=first).counts_before == {"acme.com": 2}
