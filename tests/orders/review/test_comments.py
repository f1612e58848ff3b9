"""Comments: part of the history, plain text, @names are told on Today until they have the order
before them.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User

from mailops.history.models import Event
from orders.models import Mention, Order
from orders.review import comments, confirming_rights
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, url


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")


def say(person: User, order: Order, text: str, **more: Any) -> Any:
    return browser(person).post(url(order, "comment"), {"comment": text, **more}, follow=True)


def test_a_comment_is_an_event_and_stands_on_both_pages(factory: OrderFactory) -> None:
    order = factory.reviewed()
    say(factory.people.operator, order, "Is <b>May</b> right, @drafter?")
    event = Event.objects.get(action="order.commented")
    assert event.changes == {
        "comment": [None, "Is <b>May</b> right, @drafter?"],
        "mentions": [None, ["drafter"]],
    }
    assert (event.who, event.subject) == ("operator", str(order))
    for page in ("change", "confirm"):
        shown = browser(factory.people.confirmer).get(url(order, page)).content.decode()
        assert "Is &lt;b&gt;May&lt;/b&gt; right, @drafter?" in shown


def test_links_in_a_comment_stay_plain_text(factory: OrderFactory) -> None:
    order = factory.draft()
    say(factory.people.drafter, order, "See https://evil.example/x")
    assert (
        'href="https://evil.example'
        not in browser(factory.people.drafter).get(url(order)).content.decode()
    )


def test_whoever_is_named_reads_it_on_today_until_they_open_the_order(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed()
    say(factory.people.confirmer, order, "@Operator. @auditor: please look, write to dana@acme.com")
    for name in ("operator", "auditor"):
        reader = browser(getattr(factory.people, name))
        assert "You were mentioned" in reader.get("/").content.decode()
        reader.get(url(order))
        assert "You were mentioned" not in reader.get("/").content.decode()
    assert "You were mentioned" not in browser(factory.people.drafter).get("/").content.decode()
    assert Mention.objects.count() == 2


def test_naming_oneself_tells_nobody(factory: OrderFactory) -> None:
    say(factory.people.drafter, factory.draft(), "I am @drafter")
    assert not Mention.objects.exists()


@pytest.mark.parametrize("name", ["@nobody-here", "@drafter2", "@outsider", "@gone"])
def test_a_name_that_is_nobodys_is_said_and_nothing_is_lost(
    factory: OrderFactory, name: str
) -> None:
    User.objects.create_user("outsider", is_staff=True)  # without a role: can't open an order
    User.objects.create_superuser("gone", is_active=False)
    order = factory.draft()
    response = say(factory.people.drafter, order, f"Hello {name}, and @confirmer")
    assert response.status_code == 400
    assert f"Nobody who can open this order is called {name}." in response.content.decode()
    assert response.context["form"]["comment"].value() == f"Hello {name}, and @confirmer"
    assert (
        not Event.objects.filter(action="order.commented").exists() and not Mention.objects.exists()
    )


@pytest.mark.parametrize("text", ["", "   ", "x" * (comments.LONGEST_COMMENT + 1), "a\0b"])
def test_what_is_no_comment_is_refused_and_kept(factory: OrderFactory, text: str) -> None:
    response = say(factory.people.drafter, factory.draft(), text)
    assert response.status_code == 400
    assert response.context["form"]["comment"].value() == text


def test_a_comment_makes_nobody_an_editor_and_changes_nothing_of_the_order(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed()
    version, since = order.version, order.state_since
    say(factory.people.confirmer, order, "Fine.")
    now = fresh(order)
    assert (
        now.version,
        now.state_since,
        confirming_rights.was_edited_by(now, factory.people.confirmer),
    ) == (
        version,
        since,
        False,
    )
    assert factory.confirm(order).confirmed_by == factory.people.confirmer


def test_an_auditor_says_nothing(factory: OrderFactory) -> None:
    order = factory.draft()
    assert say(factory.people.auditor, order, "Hm.").status_code == 403
    assert "Write a comment" not in browser(factory.people.auditor).get(url(order)).content.decode()


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_comment_leads_nowhere_else(factory: OrderFactory, to: str) -> None:
    order = factory.draft()
    response = browser(factory.people.drafter).post(
        url(order, "comment"), {"comment": "Hi.", "next": to}
    )
    assert response["Location"] == f"{url(order)}#comments"
