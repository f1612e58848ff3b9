"""What becomes of an accepted order: asked for until all is there, never made up."""

from __future__ import annotations

from typing import Any

import pytest

from mailops.history.models import Event
from mailops.history.verify import verify
from orders.models import Domain, NotAllowed, Order, State
from orders.outcomes import arrivals, delivery
from tests.conftest import PRODUCTS, OrderFactory, fresh
from vendors.apis import REGISTRY
from vendors.apis.values import Progress
from vendors.practice.server import Practice

# Mailboxes that join a subscription are known by its growth alone: test_counted_orders.py.
JOINING = ("coldmailreseller", "mailboxes")
TELLING = [key for key in PRODUCTS if REGISTRY[key[0]].can_tell_progress and key != JOINING]
BOUGHT = ("coldmailreseller", "domains")


def states(order: Order) -> dict[str, str]:
    domains = dict(order.domains.values_list("name", "state"))
    return domains | dict(order.mailboxes.values_list("address", "state"))


def told(order: Order) -> list[Event]:
    return list(
        Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk), action="order.progress")
    )  # fmt: skip


@pytest.mark.parametrize(("api", "product"), TELLING)
def test_an_order_that_the_vendor_delivered_is_delivered(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.sent(api, product)
    assert delivery.ask(order.pk) == "delivered"
    assert fresh(order).state == State.DELIVERED
    assert set(states(order).values()) == {"ready"}
    assert not order.mailboxes.filter(ready_at=None).exists()
    assert not order.domains.filter(ready_at=None).exists()
    assert verify().is_unbroken


@pytest.mark.parametrize(("api", "product"), TELLING)
def test_what_is_still_in_work_stays_on_its_way(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.sent(api, product, word="never-delivered")
    delivery.ask(order.pk)
    assert delivery.ask(order.pk) == "no news"
    assert fresh(order).state == State.ACCEPTED
    assert "ordered" in states(order).values()
    assert "ready" not in {s for name, s in states(order).items() if "never-delivered" in name}


def test_only_news_is_written_down_and_once(factory: OrderFactory) -> None:
    rows = "fine.com, Ann Lee, ann\nnever-delivered.com, Sam Ito, sam"
    order = factory.sent(rows=rows)
    assert delivery.ask(order.pk) == "told"
    (event,) = told(order)
    assert event.changes == {"ann@fine.com": ["ordered", "ready"], "fine.com": ["planned", "ready"]}
    assert delivery.ask(order.pk) == "no news"
    assert len(told(order)) == 1


def test_a_vendor_that_cannot_be_asked_changes_nothing(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent()
    practice.stop()
    assert delivery.ask(order.pk) == "no answer"
    assert (fresh(order).state, set(states(order).values())) == (State.ACCEPTED, {"ordered"})
    assert told(order) == []


def test_a_key_that_cannot_be_opened_changes_nothing(factory: OrderFactory, settings: Any) -> None:
    from cryptography.fernet import Fernet

    order = factory.sent()
    settings.SEAL_KEYS = [Fernet.generate_key().decode()]
    assert delivery.ask(order.pk) == "no answer"
    assert fresh(order).state == State.ACCEPTED


def test_a_vendor_that_tells_nothing_is_not_asked(
    factory: OrderFactory, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = factory.sent(*BOUGHT)
    monkeypatch.setattr(type(order.vendor.adapter), "can_tell_progress", False)
    practice.stop()
    assert delivery.ask(order.pk) == "nothing to ask"


@pytest.mark.parametrize("word", ["no-funds", "cut-after"])
def test_only_an_accepted_order_is_asked_about(factory: OrderFactory, word: str) -> None:
    order = factory.sent(word=word)
    before = fresh(order).state
    assert delivery.ask(order.pk) == "nothing to ask"
    assert fresh(order).state == before


def test_an_order_that_ended_while_the_vendor_answered_is_left_alone(factory: OrderFactory) -> None:
    order = factory.sent()
    arrivals.say_there(order.pk, by=factory.people.confirmer, seen="All there.")
    late = Progress(mailboxes={"dana@acme.com": "refused"})
    assert delivery.note(order.pk, late) == "settled already"
    assert states(order)["dana@acme.com"] == "ready"


def test_names_in_capitals_are_the_same_names(unguarded: None, factory: OrderFactory) -> None:
    order = factory.sent()
    order.mailboxes.filter(username="dana").update(address="Dana@Acme.com")
    delivery.note(order.pk, Progress(mailboxes={"dana@acme.com": "ready"}))
    assert states(order)["Dana@Acme.com"] == "ready"


def test_what_the_vendor_does_not_name_is_not_touched(factory: OrderFactory) -> None:
    order = factory.sent()
    assert delivery.note(order.pk, Progress(mailboxes={"other@else.com": "ready"})) == "no news"
    assert set(states(order).values()) == {"ordered"}


@pytest.mark.parametrize("word", ["planned", "gone", "delighted", ""])
def test_a_word_that_means_nothing_to_us_changes_nothing(factory: OrderFactory, word: str) -> None:
    order = factory.sent()
    delivery.note(order.pk, Progress(mailboxes={"dana@acme.com": word}))
    assert states(order)["dana@acme.com"] == "ordered"


def test_ready_never_becomes_anything_less(factory: OrderFactory) -> None:
    order = factory.sent()
    delivery.note(order.pk, Progress(mailboxes={"dana@acme.com": "ready"}))
    delivery.note(order.pk, Progress(mailboxes={"dana@acme.com": "ordered"}))
    delivery.note(order.pk, Progress(mailboxes={"dana@acme.com": "refused"}))
    assert states(order)["dana@acme.com"] == "ready"


def test_part_ready_and_part_refused_is_partly_delivered(factory: OrderFactory) -> None:
    order = factory.sent()
    delivery.note(
        order.pk, Progress(mailboxes={"dana@acme.com": "ready", "sam@acme.com": "refused"})
    )
    assert fresh(order).state == State.PARTLY


def test_a_reference_told_later_is_kept_but_never_replaced(factory: OrderFactory) -> None:
    order = factory.sent()
    assert order.reference == ""
    delivery.note(order.pk, Progress(reference="W-1"))
    delivery.note(order.pk, Progress(reference="W-2"))
    assert fresh(order).reference == "W-1"
    assert [event.changes for event in told(order)] == [{"reference": ["", "W-1"]}]


# Domains that were only said to be held


def test_a_held_domain_is_known_to_be_there_once_a_mailbox_on_it_is_ready(
    factory: OrderFactory,
) -> None:
    order = factory.sent()
    domain = Domain.objects.get(name="acme.com")
    assert (domain.state, domain.order) == ("planned", None)
    delivery.ask(order.pk)
    domain.refresh_from_db()
    assert (domain.state, domain.ready_at is not None) == ("ready", True)


def test_a_held_domain_that_is_live_at_another_account_does_not_stop_the_order(
    factory: OrderFactory,
) -> None:
    order = factory.sent()
    Domain.objects.create(
        name="acme.com", vendor=factory.accounts["coldmailreseller"], state="ready"
    )
    assert delivery.ask(order.pk) == "delivered"
    assert Domain.objects.get(name="acme.com", vendor=order.vendor).state == "planned"


# A person says so


def test_a_person_marks_what_the_vendor_does_not_tell(factory: OrderFactory) -> None:
    order = factory.sent(*BOUGHT)
    arrivals.say_there(order.pk, by=factory.people.confirmer, seen="Seen in the dashboard.")
    assert fresh(order).state == State.DELIVERED
    assert set(states(order).values()) == {"ready"}
    event = Event.objects.get(action="order.delivered")
    assert (event.who, event.reason) == ("confirmer", "Seen in the dashboard.")


def test_what_the_vendor_left_out_stays_left_out(factory: OrderFactory) -> None:
    order = factory.sent(*BOUGHT, rows="partial.com, Ann Lee, ann\nwhole.com, Sam Ito, sam")
    arrivals.say_there(order.pk, by=factory.people.confirmer, seen="Seen.")
    assert fresh(order).state == State.PARTLY
    assert states(order) == {
        "partial.com": "refused", "ann@partial.com": "refused", "whole.com": "ready", "sam@whole.com": "ready",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["no-funds", "cut-after", "busy"])
def test_only_an_accepted_order_is_marked_as_set_up(factory: OrderFactory, word: str) -> None:
    order = factory.sent(word=word)
    before = fresh(order).state, states(order)
    with pytest.raises(NotAllowed):
        arrivals.say_there(order.pk, by=factory.people.confirmer, seen="Looks fine.")
    assert (fresh(order).state, states(order)) == before
