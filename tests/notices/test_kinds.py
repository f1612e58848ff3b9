"""Every kind of notice, caused by real events: its recipients and its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import transaction

from mailops.history import record
from mailops.notices.kinds import NOTICE_KINDS
from mailops.notices.models import Notice
from orders.models import State
from orders.outcomes import arrivals
from tests.conftest import OrderFactory, fresh
from tests.notices.conftest import sent_subjects, text_to
from tests.notices.test_delivery import later
from tests.orders.outcomes.creating import (
    CMR,
    CREATE_ONLY,
    created_order,
    leave,
    record_processed,
)
from vendors.models import SendingSwitch

Tick = Callable[[], None]


def happened(
    action: str, subject: Any, *, by: User | None = None, reason: str = "", **changes: Any
) -> None:
    with transaction.atomic():
        record(action, subject, by=by, reason=reason, changes=changes)


def test_the_past_is_never_sent(factory: OrderFactory, tick: Tick) -> None:
    tick()
    assert Notice.objects.count() == 0
    assert mail.outbox == []


def test_confirmers_hear_of_an_order_that_waits_and_those_who_wrote_it_do_not(
    factory: OrderFactory, tick: Tick
) -> None:
    order = factory.reviewed(by=factory.people.both)
    tick()
    assert sent_subjects() == {"confirmer": f"{order} waits for confirmation"}
    text = text_to(factory.people.confirmer)
    assert f"both sent {order} for confirmation." in text
    assert "Nothing is bought before somebody confirms it." in text
    assert (
        f"https://mailops.example.com/orders/order/{order.pk}/change/\nOpening it needs a sign-in."
        in text
    )
    assert "It costs €12.00 now." in text


def test_an_order_that_is_confirmed_before_the_message_goes_out_is_not_told(
    factory: OrderFactory, tick: Tick
) -> None:
    factory.confirmed()
    tick()
    assert sent_subjects("waiting") == {}
    assert {notice.why for notice in Notice.objects.filter(kind="waiting")} == {
        "Somebody took care of it before."
    }


def test_the_drafter_hears_that_an_order_was_sent_back_or_cancelled(
    factory: OrderFactory, tick: Tick
) -> None:
    first, second = factory.reviewed(word="one"), factory.reviewed(word="two")
    with transaction.atomic():
        first.send_back(by=factory.people.confirmer, reason="Wrong client.")
        second.cancel(by=factory.people.confirmer, reason="Not needed.")
    tick()
    assert sent_subjects("back") == {"drafter": f"{second} was cancelled"}
    assert [message.subject for message in mail.outbox if message.to == ["drafter@example.com"]] == [
        f"MailOps: {first} was sent back to you", f"MailOps: {second} was cancelled",
    ]  # fmt: skip
    assert "Reason: Wrong client." in mail.outbox[0].body


def test_whoever_cancels_their_own_order_is_not_told(factory: OrderFactory, tick: Tick) -> None:
    with transaction.atomic():
        factory.reviewed().cancel(by=factory.people.drafter, reason="Mine.")
    tick()
    assert sent_subjects("back") == {}


def test_an_unknown_outcome_goes_to_everybody_who_may_settle_it(
    factory: OrderFactory, tick: Tick
) -> None:
    order = factory.sent(word="cut-after")
    assert order.state == State.UNKNOWN
    tick()
    assert sent_subjects("unknown").keys() == {"confirmer", "both", "boss"}
    assert "may have charged" in text_to(factory.people.confirmer)


def test_the_drafter_hears_of_a_refusal(factory: OrderFactory, tick: Tick) -> None:
    order = factory.sent(word="bad-key")
    assert order.state == State.REFUSED
    tick()
    assert sent_subjects("refused") == {"drafter": f"{order} was refused, nothing was bought"}
    assert sent_subjects("stopped").keys() == {"operator", "boss"}  # and the account stopped itself


def test_a_delivery_waits_for_the_digest(factory: OrderFactory, tick: Tick) -> None:
    order = factory.sent()
    arrivals.say_there(order.pk, by=factory.people.confirmer, seen="Seen.")
    assert fresh(order).state == State.DELIVERED
    tick()
    assert sent_subjects("delivered") == {}
    waits = Notice.objects.get(kind="delivered")
    assert (waits.user, waits.timing) == (factory.people.drafter, "digest")


def test_operators_hear_of_a_limit_and_of_stopped_sending(
    factory: OrderFactory, tick: Tick
) -> None:
    order, vendor = factory.reviewed(), factory.accounts["woodpecker"]
    happened("order.held", order, reason="Held. Nothing is left of the limit.")
    happened("vendor.stopped", vendor, reason="The vendor does not accept the key.")
    happened("sending.held", SendingSwitch.current(), by=factory.people.operator, reason="Audit.")
    tick()
    assert sent_subjects("limit") == {"operator": f"{order} is held by a limit or the balance"}
    assert sent_subjects("stopped") == {
        "operator": f"Sending to {vendor} is stopped", "boss": "All sending is held",
    }  # fmt: skip


def test_auditors_and_superusers_hear_of_a_broken_history_and_of_changes_from_outside(
    factory: OrderFactory, tick: Tick
) -> None:
    order = factory.draft()
    happened(
        "history.found_broken", order, reason="Record 7: its contents were altered.", bad=[None, 7]
    )
    happened("outside.changed", order)
    tick()
    assert sent_subjects("broken").keys() == sent_subjects("outside").keys() == {"auditor", "boss"}
    assert "No page and no rule saw it." in text_to(factory.people.auditor)


def test_only_who_is_mentioned_and_may_see_orders_is_told_of_a_comment(
    factory: OrderFactory, tick: Tick
) -> None:
    order = factory.draft()
    User.objects.create_user("stranger", email="stranger@example.com", is_staff=True)
    names = ["confirmer", "stranger", "nobody-by-this-name", "drafter"]
    happened(
        "order.commented", order, by=factory.people.drafter, comment=[None, "@confirmer look"], mentions=[None, names]
    )  # fmt: skip
    tick()
    assert sent_subjects() == {"confirmer": f"drafter mentioned you on {order}"}
    assert "drafter wrote: @confirmer look" in text_to(factory.people.confirmer)


def test_a_proposal_goes_to_who_may_approve_and_not_to_who_made_it(
    factory: OrderFactory, tick: Tick
) -> None:
    other = User.objects.create_superuser("second", email="second@example.com")
    happened(
        "proposal.made",
        factory.accounts["woodpecker"],
        by=factory.people.boss,
        what="order limit $2,000 to $9,000",
    )
    tick()
    says = "A proposal waits: order limit $2,000 to $9,000"
    assert sent_subjects() == dict.fromkeys(["confirmer", "both", "operator", other.username], says)


@pytest.mark.parametrize(
    ("action", "name", "subject"),
    [
        ("order.confirmation_given", "both", "waits for a second confirmation"),
        ("order.review_expired", "drafter", "was not confirmed in time"),
        ("attempt.late_answer", "both", "The vendor answered late about"),
    ],
)
def test_what_other_parts_record_is_told_too(
    factory: OrderFactory, tick: Tick, action: str, name: str, subject: str
) -> None:
    order = factory.reviewed()
    happened(action, order, by=factory.people.confirmer)
    tick()
    assert [(who, said) for who, said in sent_subjects().items() if who == name and subject in said]


def test_most_of_what_happens_is_told_to_nobody(factory: OrderFactory, tick: Tick) -> None:
    happened("order.edited", factory.draft(), by=factory.people.both)
    tick()
    assert Notice.objects.count() == 0


def test_every_kind_has_words_for_people() -> None:
    for kind in NOTICE_KINDS.values():
        assert kind.label and kind.help.endswith(".")


def test_who_may_process_hears_of_a_created_order_and_who_wrote_it_does_not(
    factory: OrderFactory, tick: Tick
) -> None:
    order = created_order(factory, by=factory.people.both)
    tick()
    subject = f"{order} waits to be processed at the vendor"
    assert sent_subjects("created") == {"confirmer": subject, "boss": subject}
    assert "Nothing is bought yet." in text_to(factory.people.confirmer)
    later(hours=5)
    tick()
    assert sent_subjects("reminder").keys() == {"confirmer", "boss"}
    still = f"Still open: {order} waits to be processed at the vendor for 5 hours"
    assert still in sent_subjects("reminder").values()
    record_processed(factory, order, at=fresh(order).attempts.get().sent_at)
    later(hours=48)
    tick()
    assert len(sent_subjects("reminder")) == 2  # nothing more once it is processed


def test_the_drafter_hears_that_a_created_order_was_left(factory: OrderFactory, tick: Tick) -> None:
    order = created_order(factory)
    leave(factory, order)
    tick()
    assert sent_subjects("back") == {"drafter": f"{order} was left unprocessed"}
    text = text_to(factory.people.drafter)
    assert "It still stands at the vendor" in text
    assert "It was not sent" not in text


def test_an_order_that_is_due_later_is_told_with_the_sum_of_then(
    factory: OrderFactory, tick: Tick
) -> None:
    factory.reviewed(*CMR, options=CREATE_ONLY, word="later")
    tick()
    assert "It costs $19.00 when it is processed." in text_to(factory.people.confirmer)
