"""A new draft with what a partly delivered order left out."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from orders.drafting import drafts
from orders.models import NotAllowed, Order
from orders.outcomes.settlement import PARTLY
from tests.conftest import OrderFactory, fresh
from tests.orders.validation.drafted import BOUGHT, owned, said


def test_the_rest_of_an_order_is_what_was_left_out_and_says_so(factory: OrderFactory) -> None:
    order = factory.sent(
        rows="cut-after.com, Ann Lee, ann\ncut-after.com, Bo Lee, bo\nother.com, Sam Ito, sam"
    )
    factory.settle(order, PARTLY, left_out=["bo@cut-after.com", "sam@other.com"])
    browser = Browser()
    browser.force_login(factory.people.drafter)
    page = browser.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "Copy the rest into a new draft" in page
    browser.post(reverse("admin:orders_order_copy", args=[order.pk]))
    rest = Order.objects.latest("pk")
    assert drafts.write(fresh(rest)) == "cut-after.com, Bo Lee, bo\nother.com, Sam Ito, sam"
    assert rest.copy_of == order
    assert str(order) in rest.why_again
    assert [problem.message for problem in said(rest) if problem.field != "repeat"] == [
        f"bo@cut-after.com was on {order}, and the vendor left it out.",
        f"sam@other.com was on {order}, and the vendor left it out.",
    ]
    drafts.send_for_confirmation(rest.pk, by=factory.people.drafter)


def test_an_order_that_was_delivered_has_no_rest(factory: OrderFactory) -> None:
    order = owned(factory, "acme.com")
    assert not drafts.has_rest(fresh(order))
    with pytest.raises(NotAllowed, match="Nothing of"):
        drafts.rest_of(fresh(order), by=factory.people.drafter)


def test_a_domain_without_mailboxes_that_was_left_out_is_in_the_rest(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT, rows="acme.com, Ann Lee, ann\nbare.com")
    Order.objects.filter(pk=order.pk).update(state="partly", digest="d")
    order.domains.update(state="ready")
    order.mailboxes.update(state="ready")
    order.domains.filter(name="bare.com").update(state="refused")
    assert drafts.write(drafts.rest_of(fresh(order), by=factory.people.drafter)) == "bare.com"
