"""Decisions on pages: only the plan that was shown, never one's own order, never without reason."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import OrmQ

from orders.models import Order, State
from orders.outcomes import sweeper
from orders.plan import plan
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, messages_of, url
from vendors.models import Price, Vendor


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")  # every refusal is a warning there


def confirm(person: User, order: Order, digest: str, **kwargs: Any) -> Any:
    return browser(person).post(url(order, "confirm"), {"digest": digest}, **kwargs)


def test_the_button_confirms_what_the_page_showed(factory: OrderFactory) -> None:
    order = factory.reviewed()
    confirmer = browser(factory.people.confirmer)
    page = confirmer.get(url(order, "confirm"))
    assert "Confirm and buy for €12.00" in page.content.decode()
    confirmer.post(url(order, "confirm"), {"digest": page.context["plan"].digest})
    assert fresh(order).state == State.CONFIRMED
    assert OrmQ.objects.count() == 1


def test_a_stale_page_is_refused_with_what_changed(factory: OrderFactory) -> None:
    order = factory.reviewed()
    page = browser(factory.people.confirmer).get(url(order, "confirm"))
    Price.objects.filter(vendor=order.vendor, item="mailbox.GOOGLE").update(amount="7.50")
    response = confirm(factory.people.confirmer, order, page.context["plan"].digest)
    assert response.status_code == 409
    assert "the price changed from 6.00 to 7.50" in response.content.decode()
    assert "Confirm and buy for €15.00" in response.content.decode()
    assert fresh(order).state == State.REVIEW
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("digest", ["", "0" * 64, "x" * 100_000, "\0"])
def test_a_digest_of_nothing_confirms_nothing(factory: OrderFactory, digest: str) -> None:
    order = factory.reviewed()
    assert confirm(factory.people.confirmer, order, digest).status_code == 409
    assert fresh(order).state == State.REVIEW


def test_a_second_click_says_that_it_is_ordered_once(factory: OrderFactory) -> None:
    order = factory.reviewed()
    digest = plan(fresh(order)).digest
    confirm(factory.people.confirmer, order, digest)
    response = confirm(factory.people.confirmer, order, digest, follow=True)
    assert "It is ordered once" in messages_of(response)
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("name", ["both", "boss"])
def test_nobody_confirms_their_own_order_by_any_door(factory: OrderFactory, name: str) -> None:
    person = getattr(factory.people, name)
    order = factory.reviewed(by=person)
    shown = browser(person).get(url(order, "confirm"), follow=True)
    assert "somebody else has to confirm it" in messages_of(shown)
    response = confirm(person, order, plan(fresh(order)).digest, follow=True)
    assert "somebody else has to confirm it" in messages_of(response)
    assert fresh(order).state == State.REVIEW
    assert not OrmQ.objects.exists()
    own_page = browser(person).get(url(order)).content.decode()
    assert f'href="{url(order, "confirm")}"' not in own_page


def test_an_order_that_a_check_stops_has_no_button(factory: OrderFactory) -> None:
    order = factory.reviewed()
    Price.objects.filter(vendor=order.vendor).delete()
    page = browser(factory.people.confirmer).get(url(order, "confirm"))
    assert "Confirm and buy" not in page.content.decode()
    response = confirm(factory.people.confirmer, order, page.context["plan"].digest, follow=True)
    assert "The price of “Mailboxes, GOOGLE” is missing." in messages_of(response)
    assert fresh(order).state == State.REVIEW


@pytest.mark.parametrize("door", ["back", "cancel"])
@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001, "a\0b"])
def test_sending_back_and_cancelling_need_a_reason(
    factory: OrderFactory, door: str, reason: str
) -> None:
    order = factory.reviewed()
    response = browser(factory.people.confirmer).post(url(order, door), {"reason": reason})
    assert response.status_code == 400
    assert response.context["form"]["reason"].value() == reason
    assert response.context["form"].errors["reason"]
    assert fresh(order).state == State.REVIEW


@pytest.mark.parametrize(("door", "state"), [("back", State.DRAFT), ("cancel", State.CANCELLED)])
def test_with_a_reason_it_happens_and_the_reason_is_read(
    factory: OrderFactory, door: str, state: str
) -> None:
    order = factory.reviewed()
    browser(factory.people.confirmer).post(url(order, door), {"reason": "Wrong <b>month</b>"})
    assert (fresh(order).state, fresh(order).reason) == (state, "Wrong <b>month</b>")
    assert (
        "Wrong &lt;b&gt;month&lt;/b&gt;"
        in browser(factory.people.drafter).get(url(order)).content.decode()
    )


@pytest.mark.parametrize("door", ["back", "cancel"])
def test_a_drafter_does_not_decide_over_somebody_elses_order(
    factory: OrderFactory, door: str
) -> None:
    order = factory.reviewed(by=factory.people.both)
    response = browser(factory.people.drafter).post(url(order, door), {"reason": "mine is better"})
    assert response.status_code == 403
    assert fresh(order).state == State.REVIEW


@pytest.mark.parametrize(
    "door", ["back", "cancel", "arrived", "expected", "not_coming", "after_all"]
)
def test_what_can_not_be_done_any_more_is_said(factory: OrderFactory, door: str) -> None:
    order = factory.sent(word="no-funds")
    response = browser(factory.people.boss).post(url(order, door), {"reason": "late"}, follow=True)
    assert "so this can't be done with it" in messages_of(response)
    assert fresh(order).state == State.REFUSED


@pytest.mark.parametrize(
    "said",
    [
        {"reason": "Seen."},
        {"verdict": "placed"},
        {"verdict": "perhaps", "reason": "Seen."},
        {"verdict": "placed", "reason": " "},
        {"verdict": "placed", "reason": "Seen.", "reference": "x" * 121},
    ],
)
def test_an_unknown_outcome_needs_a_verdict_and_a_reason(
    factory: OrderFactory, said: dict[str, str]
) -> None:
    order = factory.sent(word="cut-after")
    response = browser(factory.people.confirmer).post(url(order, "check"), said)
    assert response.status_code == 400
    assert fresh(order).state == State.UNKNOWN
    for name, value in said.items():
        assert response.context["form"][name].value() == value


@pytest.mark.parametrize(
    ("verdict", "state"), [("placed", State.ACCEPTED), ("not_placed", State.REVIEW)]
)
def test_a_verdict_settles_the_outcome_and_only_another_verdict_changes_it(
    factory: OrderFactory, verdict: str, state: str
) -> None:
    order = factory.sent(word="cut-after")
    confirmer = browser(factory.people.confirmer)
    confirmer.post(url(order, "check"), {"verdict": verdict, "reason": "Looked there."})
    assert fresh(order).state == state
    page = confirmer.get(url(order, "check")).content.decode()
    assert "Looked there." in page and "Change the verdict" in page
    other, then = (
        ("not_placed", State.REVIEW) if verdict == "placed" else ("placed", State.ACCEPTED)
    )
    confirmer.post(url(order, "check"), {"verdict": other, "reason": "Looked again."})
    assert fresh(order).state == then


def test_a_held_order_says_until_when(factory: OrderFactory) -> None:
    Vendor.objects.filter(api="woodpecker").update(hold_minutes=30)
    order = factory.reviewed()
    confirm(factory.people.confirmer, order, plan(fresh(order)).digest)
    assert "Held until" in browser(factory.people.auditor).get(url(order)).content.decode()
    assert sweeper.run(timezone.now() + timedelta(minutes=31))["rung"] == 1
