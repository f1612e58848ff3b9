"""Rules about confirmations: what asks for more holds at once, what asks for less waits for a
second person.
"""

from __future__ import annotations

from typing import Any

import pytest

from mailops.history.models import Event
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from orders.models import ConfirmationRule
from tests.conftest import OrderFactory
from tests.orders.pages import browser

pytestmark = pytest.mark.django_db
ADD = "/orders/confirmationrule/add/"


def rule(confirmers: int, **more: Any) -> dict[str, Any]:
    return {"confirmers": confirmers, "why": "We are few in summer.", **more}


def page(made: ConfirmationRule, name: str = "change") -> str:
    return f"/orders/confirmationrule/{made.pk}/{name}/"


def test_a_new_rule_that_asks_for_somebody_holds_at_once(factory: OrderFactory) -> None:
    assert browser(factory.people.operator).post(ADD, rule(2, why="")).status_code == 302
    assert ConfirmationRule.objects.get().confirmers == 2
    assert not Proposal.objects.exists()


def test_a_new_rule_that_asks_for_nobody_asks_for_one_until_it_is_approved(
    factory: OrderFactory,
) -> None:
    operator, vendor = browser(factory.people.operator), factory.accounts["woodpecker"]
    assert operator.post(ADD, rule(0, why="", vendor=vendor.pk)).status_code == 200
    assert not ConfirmationRule.objects.exists()
    assert operator.post(ADD, rule(0, vendor=vendor.pk)).status_code == 302
    made = ConfirmationRule.objects.get()
    assert (made.confirmers, made.vendor) == (1, vendor)
    workflow.approve(Proposal.objects.get().pk, by=factory.people.confirmer)
    made.refresh_from_db()
    assert made.confirmers == 0


def test_fewer_persons_and_other_orders_wait_and_more_persons_do_not(factory: OrderFactory) -> None:
    operator, made = browser(factory.people.operator), ConfirmationRule.objects.create(confirmers=1)
    operator.post(page(made), rule(2))
    made.refresh_from_db()
    assert made.confirmers == 2
    client = factory.draft().client
    operator.post(page(made), rule(1, client=client.pk))
    made.refresh_from_db()
    assert (made.confirmers, made.client) == (2, None)
    workflow.approve(Proposal.objects.get().pk, by=factory.people.confirmer)
    made.refresh_from_db()
    assert (made.confirmers, made.client) == (1, client)


def test_a_proposal_says_in_words_what_it_changes(factory: OrderFactory) -> None:
    made = ConfirmationRule.objects.create(confirmers=2)
    browser(factory.people.operator).post(page(made), rule(1))
    text = (
        browser(factory.people.confirmer)
        .get(f"/proposals/proposal/{Proposal.objects.get().pk}/change/")
        .content.decode()
    )
    assert "Two persons who did not edit it" in text
    assert "One person who did not edit it" in text


def test_a_rule_that_asks_for_somebody_is_not_deleted(factory: OrderFactory) -> None:
    asks, asks_nobody = (ConfirmationRule.objects.create(confirmers=count) for count in (1, 0))
    operator = browser(factory.people.operator)
    assert operator.post(page(asks, "delete"), {"post": "yes"}).status_code == 403
    assert operator.post(page(asks_nobody, "delete"), {"post": "yes"}).status_code == 302
    assert list(ConfirmationRule.objects.all()) == [asks]


def test_a_rule_goes_by_its_account_and_not_by_the_accounts_name(factory: OrderFactory) -> None:
    """Accounts get other names at once; a rule that lost its account would speak of every order."""
    first, second = factory.accounts["woodpecker"], factory.accounts["scaledmail"]
    made = ConfirmationRule.objects.create(confirmers=0, vendor=first)
    operator = browser(factory.people.operator)
    operator.post(page(made), rule(0, vendor=second.pk))
    made.refresh_from_db()
    assert made.vendor == first
    second.name = "Another name"
    second.save()
    workflow.approve(Proposal.objects.get().pk, by=factory.people.confirmer)
    made.refresh_from_db()
    assert made.vendor == second
    assert Event.objects.filter(action="confirmationrule.changed").latest("number").changes == {
        "vendor": [str(first), str(second)]
    }
