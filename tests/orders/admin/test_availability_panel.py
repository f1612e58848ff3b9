"""The panel, the page with every answer, and the step before an order is sent for confirmation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from orders import tasks
from orders.availability import lookup
from orders.drafting import drafts
from orders.models import Asking, Availability, Order, State
from tests.conftest import OrderFactory, fresh
from tests.orders.availability.test_lookup import HELD, NEW, ask, draft, many, told
from tests.orders.pages import add_url, browser, messages_of, typed, url
from vendors.models import Vendor
from vendors.practice.server import Practice


@pytest.fixture
def drafter(factory: OrderFactory) -> Browser:
    return browser(factory.people.drafter)


def page(user: User | Browser, order: Order, name: str = "change") -> str:
    opened = user if isinstance(user, Browser) else browser(user)
    response = opened.get(url(order, name))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def post(drafter: Browser, order: Order, page: str, /, **typed: Any) -> Any:
    return drafter.post(url(order, page), typed, follow=True)


# Asking


def test_the_button_on_the_draft_saves_what_is_typed_and_asks(
    factory: OrderFactory, drafter: Browser
) -> None:
    form = typed(*NEW, rows="acme.com, Dana Reyes, dana\ntaken-acme.com, Sam Ito, sam")
    response = drafter.post(
        add_url(factory.accounts["smartsenders"], "domains"), form | {"ask": "1"}, follow=True
    )
    order = Order.objects.get()
    assert told(order) == {"acme.com": "free", "taken-acme.com": "taken"}
    assert response.redirect_chain[-1][0] == url(order, "edit")
    text = " ".join(response.content.decode().split())
    assert "answered about 2 domains" in text
    assert "1 free (asked just now)" in text
    assert "1 taken (asked just now)" in text
    assert "taken-acme.com (line 2)" in text


def test_a_draft_that_cannot_be_asked_for_is_saved_and_says_why(
    factory: OrderFactory, drafter: Browser
) -> None:
    form = typed(*NEW, rows="")
    response = drafter.post(
        add_url(factory.accounts["smartsenders"], "domains"), form | {"ask": "1"}, follow=True
    )
    assert (
        "The draft is saved. Smartlead SmartSenders was not asked. There is no domain on it yet."
        in messages_of(response)
    )


def test_before_anything_is_asked_the_panel_says_so(factory: OrderFactory) -> None:
    order = draft(factory, "acme.com")
    text = page(factory.people.drafter, order)
    assert (
        "Smartlead SmartSenders was not asked yet. Asking costs nothing and reserves nothing."
        in text
    )
    assert "1 not asked" in text  # in the checks


def test_a_vendor_that_cannot_tell_has_no_panel(factory: OrderFactory, drafter: Browser) -> None:
    order = factory.draft("coldmailreseller", "domains")
    assert 'id="availability"' not in page(drafter, order)
    assert 'id="availability"' not in page(drafter, order, "edit")
    assert "is not asked about the names" in messages_of(
        drafter.get(url(order, "availability"), follow=True)
    )


def test_every_answer_is_listed_with_its_age(factory: OrderFactory, drafter: Browser) -> None:
    order = factory.draft(*HELD, word="premium")
    response = post(drafter, order, "availability")
    text = " ".join(response.content.decode().split())
    assert "answered about 4 domains" in text
    assert "$2,400.00" in text
    assert "just now" in text
    Availability.objects.update(asked_at=timezone.now() - timedelta(hours=3))
    assert "too old to go by" in page(drafter, order, "availability")


def test_many_names_show_how_far_the_vendor_was_asked(
    factory: OrderFactory, drafter: Browser, settings: Any
) -> None:
    settings.QUEUE_TIMEOUT = 0
    order = draft(factory, *many(40))
    assert "is being asked about 40 domains" in messages_of(post(drafter, order, "availability"))
    assert "0 of 40 asked" in page(drafter, order)
    tasks.ask_names(Asking.objects.get().pk)
    for name in ("change", "edit", "availability"):
        text = page(drafter, order, name)
        assert "1 of 40 asked" in text
        assert f'data-live="{url(order, "availability")}' in text
    settings.QUEUE_TIMEOUT = 600
    tasks.ask_names(Asking.objects.get().pk)
    text = page(drafter, order, "availability")
    assert "data-live" not in text
    assert "40 free" in text


def test_the_live_panel_of_the_draft_keeps_its_own_button(
    factory: OrderFactory, drafter: Browser
) -> None:
    order = draft(factory, "acme.com")
    followed = drafter.get(url(order, "availability") + "?on=draft").content.decode()
    assert 'form="draft" name="ask"' in followed


def test_what_went_wrong_is_said_with_the_vendors_words(
    factory: OrderFactory, drafter: Browser, practice: Practice
) -> None:
    order = draft(factory, "acme.com")
    practice.stop()
    said = messages_of(post(drafter, order, "availability"))
    assert "Smartlead SmartSenders could not be asked about all of them." in said
    assert "Nothing was bought." in said
    assert "could not be asked about all of them" in page(drafter, order)


def test_without_the_option_that_goes_with_the_question_nobody_is_asked(
    factory: OrderFactory, drafter: Browser
) -> None:
    order = factory.draft(*NEW, options={})
    assert "Choose the supplier first" in page(drafter, order)
    assert "Choose the supplier first" in messages_of(post(drafter, order, "availability"))
    assert not Asking.objects.exists()


# Who may


def test_drafters_ask_for_their_own_drafts_and_confirmers_in_review(factory: OrderFactory) -> None:
    own, others = draft(factory, "acme.com"), draft(factory, "other.com", by=factory.people.both)
    assert browser(factory.people.drafter).post(url(others, "availability")).status_code == 403
    assert browser(factory.people.confirmer).post(url(own, "availability")).status_code == 403
    assert not Asking.objects.exists()
    drafts.send_for_confirmation(own.pk, by=factory.people.drafter)
    assert browser(factory.people.confirmer).post(url(own, "availability")).status_code == 302
    assert browser(factory.people.auditor).post(url(own, "availability")).status_code == 403
    assert told(own) == {"acme.com": "free"}
    assert "Your role does not include this." in page(factory.people.auditor, own)


# Before sending for confirmation


def test_sending_asks_first_and_goes_on_where_all_is_well(
    factory: OrderFactory, drafter: Browser
) -> None:
    order = draft(factory, "acme.com")
    response = post(drafter, order, "send")
    assert fresh(order).state == State.REVIEW
    assert told(order) == {"acme.com": "free"}
    assert "Smartlead SmartSenders about the domains: 1 free (asked just now)" in " ".join(
        response.content.decode().split()
    )


def test_sending_stops_at_a_name_that_is_taken(factory: OrderFactory, drafter: Browser) -> None:
    order = draft(factory, "acme.com", "taken-acme.com")
    said = messages_of(post(drafter, order, "send"))
    assert "taken-acme.com is taken" in said
    assert fresh(order).state == State.DRAFT


def test_many_names_that_were_not_asked_for_get_a_page_of_their_own(
    factory: OrderFactory, drafter: Browser
) -> None:
    Vendor.objects.update(order_limit=None)
    order = draft(factory, *many(40))
    response = post(drafter, order, "send")
    text = " ".join(response.content.decode().split())
    assert "40 domains were not asked about lately" in text
    assert "Send without asking" in text
    assert fresh(order).state == State.DRAFT
    post(drafter, order, "availability", sending="1")
    tasks.ask_names(Asking.objects.get().pk)
    response = drafter.get(url(order, "availability") + "?sending=1")
    assert "was asked about every domain" in response.content.decode()
    post(drafter, order, "send")
    assert fresh(order).state == State.REVIEW


def test_sending_without_asking_is_a_choice_that_the_confirmer_sees(
    factory: OrderFactory, drafter: Browser, practice: Practice
) -> None:
    order = draft(factory, "acme.com")
    practice.stop()
    response = post(drafter, order, "send")
    assert "could not be asked" in messages_of(response)
    assert "Send without asking" in response.content.decode()
    assert fresh(order).state == State.DRAFT
    post(drafter, order, "send", unasked="1")
    assert fresh(order).state == State.REVIEW
    assert "1 not asked" in page(factory.people.confirmer, order, "confirm")


def test_an_order_that_something_else_stops_is_not_asked_for(
    factory: OrderFactory, drafter: Browser
) -> None:
    order = draft(factory, "acme.com")
    order.mailboxes.all().delete()
    post(drafter, order, "send")
    assert (fresh(order).state, told(order)) == (State.DRAFT, {})


def test_names_that_are_held_already_are_not_asked_for_by_themselves(
    factory: OrderFactory, drafter: Browser
) -> None:
    order = factory.draft()
    post(drafter, order, "send")
    assert (fresh(order).state, told(order)) == (State.REVIEW, {})


# Other names


def test_other_names_are_offered_and_one_is_put_on_the_draft(
    factory: OrderFactory, drafter: Browser
) -> None:
    order = draft(factory, "acme.com", "taken-acme.com")
    ask(factory, order)
    assert "Suggest others for taken-acme.com" in page(drafter, order, "availability")
    offers = post(drafter, order, "suggest", name="taken-acme.com").content.decode()
    assert 'value="getacme.com"' in offers
    response = post(
        drafter, order, "take", old="taken-acme.com", new="getacme.com", version=order.version
    )
    assert "getacme.com stands in place of taken-acme.com" in messages_of(response)
    assert sorted(order.domains.values_list("name", flat=True)) == ["acme.com", "getacme.com"]


def test_a_draft_that_changed_meanwhile_keeps_its_names(
    factory: OrderFactory, drafter: Browser
) -> None:
    order = draft(factory, "taken-acme.com")
    said = messages_of(
        post(drafter, order, "take", old="taken-acme.com", new="getacme.com", version="7")
    )
    assert "Nothing was changed. This draft was saved in another tab" in said
    assert "Choose a name first" in messages_of(post(drafter, order, "take", old="taken-acme.com"))
    assert order.domains.get().name == "taken-acme.com"


def test_only_the_drafter_is_offered_other_names(factory: OrderFactory, drafter: Browser) -> None:
    order = draft(factory, "taken-acme.com")
    lookup.begin(order.pk, by=factory.people.drafter)
    assert "Suggest others" not in page(factory.people.confirmer, order, "availability")
    assert (
        browser(factory.people.both)
        .post(url(order, "suggest"), {"name": "taken-acme.com"})
        .status_code
        == 403
    )
    assert "not on this draft any more" in messages_of(
        post(drafter, order, "suggest", name="gone.com")
    )


def test_a_vendor_that_suggests_nothing_says_so(
    factory: OrderFactory, drafter: Browser, practice: Practice
) -> None:
    order = draft(factory, "taken-acme.com")
    practice.stop()
    assert "suggested nothing" in messages_of(
        post(drafter, order, "suggest", name="taken-acme.com")
    )


@pytest.mark.parametrize("count", [5, 300])
def test_the_page_of_names_asks_the_database_the_same_for_few_and_many(
    factory: OrderFactory, drafter: Browser, count: int, django_assert_max_num_queries: Any
) -> None:
    order = draft(factory, *many(count))
    with django_assert_max_num_queries(16):
        drafter.get(url(order, "availability"))
