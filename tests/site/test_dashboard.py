"""The page Today: held orders with their switch, and late answers of a vendor."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from orders.models import Order
from orders.models.attempt import Stage
from tests.conftest import OrderFactory
from vendors.models import SendingSwitch


def today(person: User, page: str = "/") -> str:
    browser = Browser()
    browser.force_login(person)
    return " ".join(browser.get(page).content.decode().split())


def test_what_waits_behind_a_stopped_account_is_counted(factory: OrderFactory) -> None:
    for word in ("one", "two"):
        factory.confirmed(word=word)
    planned = factory.confirmed(word="planned")
    Order.objects.filter(pk=planned.pk).update(hold_until=timezone.now() + timedelta(days=1))
    assert "<h2>Held</h2>" not in today(factory.people.confirmer)
    planned.vendor.stop(reason="Card expired")
    said = today(factory.people.confirmer)
    assert "2 confirmed orders wait to be sent." in said
    assert "Woodpecker</a> is stopped since" in said
    assert "2 orders wait." in said


def test_while_all_sending_is_held_every_page_says_so(factory: OrderFactory) -> None:
    factory.confirmed()
    SendingSwitch.current().hold(reason="Prices <look> wrong", by="operator")
    for page in ("/", "/orders/order/", "/vendors/vendor/", "/password_change/"):
        said = today(factory.people.auditor, page)
        assert "All sending is held.</b> Nothing goes to any vendor" in said
        assert "operator said: Prices &lt;look&gt; wrong" in said
    assert "1 confirmed order waits to be sent." in today(factory.people.auditor)
    SendingSwitch.current().release()
    assert "All sending is held" not in today(factory.people.auditor)


@pytest.mark.parametrize("stage", [Stage.PLACED, Stage.NOT_PLACED])
def test_news_of_a_settled_order_waits_for_a_confirmer_in_any_state(
    factory: OrderFactory, stage: Stage
) -> None:
    order = factory.sent()
    late = "Refused by the vendor."
    order.attempts.update(
        stage=stage, news_at=timezone.now() - timedelta(minutes=5), late_answer=late
    )
    said = today(factory.people.confirmer)
    assert "News from the vendor" in said
    assert f'aria-label="Read {order}"' in said
    assert "answer came later: Refused by the vendor." in said
    assert "News from the vendor" not in today(factory.people.drafter)
