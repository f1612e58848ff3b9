"""The order's page shows the mailboxes that the vendor made, below their domain."""

from __future__ import annotations

from typing import Any

from orders.outcomes import delivery
from tests.conftest import OPTIONS, OrderFactory
from tests.orders.outcomes.practising import act
from tests.orders.pages import browser, url
from vendors.practice.server import Practice

PACKAGE = ("scaledmail", "package")
OUTLOOK = OPTIONS[PACKAGE] | {"price_id": "price_practice_outlook_2"}
ROWS = "{0}, Dana Reyes\nbolt.net, Sam Ito"


def page(factory: OrderFactory, order: Any) -> Any:
    return browser(factory.people.auditor).get(url(order))


def test_made_mailboxes_stand_below_their_domain(factory: OrderFactory) -> None:
    order = factory.sent(*PACKAGE, rows=ROWS.format("acme.net"), options=OUTLOOK)
    before = page(factory, order)
    assert [row["domain"] for row in before.context["contents"]] == ["acme.net", "bolt.net"]
    delivery.ask(order.pk)
    contents = page(factory, order).context["contents"]
    assert contents.paginator.count == 2 + 50
    first = list(contents)[:27]
    assert [(row["domain"], bool(row.get("is_made"))) for row in first] == [
        ("acme.net", False), *[("", True)] * 25, ("bolt.net", False)
    ]  # fmt: skip
    assert first[1]["address"] == "d.reyes@acme.net"
    html = page(factory, order).content.decode()
    assert "25 mailboxes listed" in html
    assert "Made by ScaledMail" in html
    assert "ito.sam@bolt.net" in html


def test_a_list_that_is_not_whole_says_both_numbers_and_their_source(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(*PACKAGE, rows=ROWS.format("few-mailboxes.net"), options=OUTLOOK)
    delivery.ask(order.pk)
    says = "24 of 25 mailboxes listed. ScaledMail says, in a form it does not document."
    assert says in page(factory, order).content.decode()
    act(practice, act="deliver", domain="few-mailboxes.net")
    delivery.ask(order.pk)
    assert says not in page(factory, order).content.decode()


def test_ordered_mailboxes_are_shown_as_before(factory: OrderFactory) -> None:
    order = factory.sent()
    delivery.ask(order.pk)
    html = page(factory, order).content.decode()
    assert "dana@acme.com" in html
    assert "Made by" not in html
    assert "listed" not in html
