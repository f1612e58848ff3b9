"""Mailboxes that ScaledMail makes out of one name: listed, never taken away, read until whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import Domain, Mailbox, Order, State
from orders.outcomes import delivery
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.orders.outcomes.practising import act, paid_paths
from vendors.apis.values import MailboxLine, Progress
from vendors.practice.server import Practice

PACKAGE = ("scaledmail", "package")
OUTLOOK = OPTIONS[PACKAGE] | {"price_id": "price_practice_outlook_1"}


def outlook(factory: OrderFactory, name: str = "acme.net") -> Order:
    return factory.sent(*PACKAGE, rows=f"{name}, Dana Reyes", options=OUTLOOK)


def made(name: str = "acme.net") -> list[Mailbox]:
    return list(Mailbox.objects.filter(domain__name=name))


def is_due(order: Order) -> bool:
    later = timezone.now() + timedelta(days=2)
    return Order.objects.due_for_progress(later).filter(pk=order.pk).exists()


def box(username: str, **more: Any) -> MailboxLine:
    return MailboxLine(username=username, domain="acme.net", **more)


def test_a_package_of_one_name_lists_25_mailboxes(
    factory: OrderFactory, practice: Practice
) -> None:
    order = outlook(factory)
    assert delivery.ask(order.pk) == "delivered"
    boxes = made()
    assert len(boxes) == 25
    assert {(b.state, b.came_by, b.order, b.known_by) for b in boxes} == {
        ("ready", "made", None, "name")
    }
    assert boxes[0].address == "d.reyes@acme.net"
    assert all(b.ready_at and b.name == "Dana Reyes" for b in boxes)
    domain = Domain.objects.get(name="acme.net")
    assert (domain.mailboxes_told, domain.mailboxes_listed) == (25, 25)
    assert (fresh(order).mailboxes.count(), len(fresh(order).contents[0].mailboxes)) == (0, 0)
    assert not is_due(order)
    assert delivery.ask(order.pk) == "nothing to ask"
    assert len(paid_paths(practice)) == 1
    assert verify().is_unbroken


def test_a_list_that_is_not_whole_says_both_numbers_and_mends_itself(
    factory: OrderFactory, practice: Practice
) -> None:
    order = outlook(factory, "few-mailboxes.net")
    assert delivery.ask(order.pk) == "delivered"
    domain = Domain.objects.get(name="few-mailboxes.net")
    assert (domain.mailboxes_listed, domain.mailboxes_told) == (24, 25)
    assert len(made("few-mailboxes.net")) == 24
    assert is_due(order)
    assert delivery.ask(order.pk) == "no news"
    act(practice, act="deliver", domain="few-mailboxes.net")
    assert delivery.ask(order.pk) == "told"
    domain.refresh_from_db()
    assert (domain.mailboxes_listed, domain.mailboxes_told) == (25, 25)
    assert len(made("few-mailboxes.net")) == 25
    assert not is_due(order)
    assert fresh(order).state == State.DELIVERED
    newest = Event.objects.filter(action="order.progress").order_by("-number").first()
    assert newest
    assert newest.changes["few-mailboxes.net mailboxes_listed"] == [24, 25]
    assert len(newest.changes["few-mailboxes.net mailboxes"][1]) == 1


def test_a_domain_that_a_person_called_there_is_listed_afterwards(factory: OrderFactory) -> None:
    order = outlook(factory)
    Domain.objects.update(state="ready", ready_at=timezone.now())
    Order.objects.filter(pk=order.pk).update(state=State.DELIVERED)
    assert is_due(order)
    assert delivery.ask(order.pk) == "told"
    assert len(made()) == 25


def test_what_is_not_listed_any_more_stays(factory: OrderFactory) -> None:
    order = outlook(factory)
    delivery.ask(order.pk)
    Domain.objects.update(mailboxes_told=26)
    delivery.note(order.pk, Progress(made={"acme.net": (box("new"),)}, counts={"acme.net": 1}))
    assert len(made()) == 26
    assert Domain.objects.get().mailboxes_listed == 1


def test_an_address_that_is_live_elsewhere_is_left_out_and_the_rest_is_kept(
    factory: OrderFactory,
) -> None:
    order = outlook(factory)
    held = Domain.objects.create(name="other.net", vendor=factory.accounts["woodpecker"])
    Mailbox.objects.create(
        domain=held, username="a", address="a@acme.net", came_by="made", state="ready"
    )
    Domain.objects.filter(name="acme.net").update(state="ready")
    delivery.note(order.pk, Progress(made={"acme.net": (box("a"), box("b"))}))
    assert [str(mailbox) for mailbox in made()] == ["b@acme.net"]


def test_one_that_a_person_called_gone_is_not_added_again(factory: OrderFactory) -> None:
    order = outlook(factory)
    delivery.ask(order.pk)
    one = made()[0]
    Mailbox.objects.filter(pk=one.pk).update(state="gone")
    Domain.objects.update(mailboxes_told=30)
    delivery.ask(order.pk)
    assert Mailbox.objects.filter(address=one.address).get().state == "gone"


def test_a_domain_with_ordered_mailboxes_gets_no_others(factory: OrderFactory) -> None:
    order = factory.sent(*PACKAGE, rows="acme.net, Ann Lee, ann\nacme.net, Sam Ito, sam",
                         options=OPTIONS[PACKAGE] | {"price_id": "price_practice_google_1"})  # fmt: skip
    delivery.note(order.pk, Progress(domains={"acme.net": "ready"}, made={"acme.net": (box("x"),)}))
    assert {mailbox.came_by for mailbox in made()} == {"order"}


def test_a_domain_on_its_way_gets_none_yet(factory: OrderFactory) -> None:
    order = outlook(factory)
    delivery.note(order.pk, Progress(made={"acme.net": (box("x"),)}))
    assert made() == []


def test_a_cancelled_order_waits_for_a_person(factory: OrderFactory, practice: Practice) -> None:
    order = outlook(factory)
    act(practice, act="cancel", domain="acme.net")
    assert delivery.ask(order.pk) == "told"
    domain = Domain.objects.get(name="acme.net")
    assert (fresh(order).state, domain.state, made()) == (State.ACCEPTED, "ordered", [])
    assert domain.against.startswith("Order rec")


def test_the_rest_of_an_order_has_a_domain_that_left_with_its_mailboxes(
    factory: OrderFactory,
) -> None:
    from orders.drafting import drafts

    order = outlook(factory)
    delivery.ask(order.pk)
    Domain.objects.update(state="refused")
    assert [line.name for line in drafts.rest_of(fresh(order), by=factory.people.drafter).contents] == [
        "acme.net"
    ]  # fmt: skip
