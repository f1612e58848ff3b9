"""How many persons an order needs: the rules, in the code and in the database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mailops.history.models import Event
from orders import submission
from orders.models import Client, ConfirmationRule, Order, State
from orders.plan import plan
from orders.review import confirming_rights
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, url

pytestmark = pytest.mark.usefixtures("quiet")


EUR = {"from_amount": Decimal(12), "currency": "EUR"}  # what the order costs
RULES: list[tuple[list[dict[str, Any]], int, str]] = [
    ([], 1, "One person"),
    ([{"confirmers": 0}], 0, "Nobody else has to confirm this: the drafter may."),
    ([{"confirmers": 0}, {"confirmers": 1, **EUR}], 1, "One person"),
    ([{"confirmers": 2, **EUR}], 2, "from €12.00 on"),
    ([{"confirmers": 2, "from_amount": Decimal("12.01"), "currency": "EUR"}], 1, "One person"),
    (
        [{"confirmers": 2, "from_amount": Decimal(900), "currency": "USD"}],
        2,
        "so the stricter answer counts",
    ),
    (
        [{"confirmers": 2, "vendor": "woodpecker", "client": "Northwind"}],
        2,
        "at Woodpecker for Northwind",
    ),
    ([{"confirmers": 2, "vendor": "scaledmail"}], 1, "One person"),
    ([{"confirmers": 0, "client": "Acme Labs"}], 1, "One person"),
    ([{"confirmers": 2, "first_contact": True}], 1, "One person"),  # it has no contact
]


def make_rules(factory: OrderFactory, rules: list[dict[str, Any]]) -> None:
    for about in rules:
        places = {"vendor": factory.accounts.get(about.get("vendor", ""))}
        if "client" in about:
            places["client"] = Client.objects.get(name=about["client"])
        ConfirmationRule.objects.create(**(about | places))


@pytest.mark.parametrize(("rules", "count", "says"), RULES)
def test_the_highest_of_the_rules_counts_in_the_code_and_in_the_database(
    factory: OrderFactory, rules: list[dict[str, Any]], count: int, says: str
) -> None:
    make_rules(factory, rules)
    order = factory.reviewed()
    needed = confirming_rights.needed(order, plan(order).cost.due_now)
    assert (needed.count, says in needed.says) == (count, True)
    waiting = Order.objects.to_confirm_by(factory.people.confirmer).get(pk=order.pk)
    assert waiting.needs == count  # type: ignore[attr-defined]  # annotated: the same, told by the database


def test_amounts_in_two_currencies_ask_for_the_stricter_answer(factory: OrderFactory) -> None:
    order = factory.reviewed()
    ConfirmationRule.objects.create(confirmers=2, from_amount=Decimal(900), currency="EUR")
    due = {"due_now": {"EUR": "12.00", "USD": "1.00"}}
    Order.objects.filter(pk=order.pk).update(cost=due)
    assert confirming_rights.needed(fresh(order)).count == 2
    assert Order.objects.to_confirm_by(factory.people.confirmer).get().needs == 2  # type: ignore[attr-defined]


def test_the_first_use_of_a_contact_asks_for_two_and_the_next_does_not(
    factory: OrderFactory,
) -> None:
    ConfirmationRule.objects.create(confirmers=2, first_contact=True)
    order = factory.reviewed("smartsenders", "domains")
    factory.confirm(order)
    assert fresh(order).state == State.REVIEW
    factory.confirm(order, by=factory.people.boss)
    submission.submit(order.pk)
    assert fresh(order).state in (State.ACCEPTED, State.DELIVERED)
    following = factory.confirmed("smartsenders", "domains", word="following")
    assert following.state == State.CONFIRMED


def test_where_nobody_else_is_needed_the_drafter_confirms_and_the_history_says_so(
    factory: OrderFactory,
) -> None:
    ConfirmationRule.objects.create(confirmers=0, note="Small and practised")
    order = factory.reviewed(by=factory.people.both)
    assert order in Order.objects.waiting_for(factory.people.both)
    page = browser(factory.people.both).get(url(order, "confirm")).content.decode()
    assert "Nobody else has to confirm this: the drafter may." in page
    factory.confirm(order, by=factory.people.both)
    assert "Nobody else has to confirm this" in Event.objects.get(action="order.confirmed").reason
    assert submission.submit(order.pk) == "accepted"


def test_an_operator_writes_a_rule_on_a_page_and_it_is_recorded(factory: OrderFactory) -> None:
    typed = {"confirmers": "2", "from_amount": "500", "currency": "EUR"}
    operator = browser(factory.people.operator)
    assert (
        b"belong together"
        in operator.post("/orders/confirmationrule/add/", typed | {"currency": ""}).content
    )
    operator.post("/orders/confirmationrule/add/", typed)
    assert str(ConfirmationRule.objects.get()) == "Two persons, from €500.00 on"
    assert Event.objects.get(action="confirmationrule.added").who == "operator"
