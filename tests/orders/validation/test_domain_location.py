"""What is said of a mailbox order whose domains are somewhere else, or not ready."""

from __future__ import annotations

from orders.models import Domain
from orders.models.inventory import Asset
from orders.plan import plan
from tests.conftest import OrderFactory, fresh


def warned(factory: OrderFactory, *, rows: str | None = None) -> list[tuple[str, int | None, str]]:
    order = factory.draft("woodpecker", "mailboxes", rows=rows)
    current = plan(fresh(order))
    assert current.blocking == ()
    return [(problem.field, problem.row, problem.message) for problem in current.warnings]


def test_a_domain_at_another_account_is_pointed_out_on_its_line(factory: OrderFactory) -> None:
    factory.sent("smartsenders", "domains")
    rows = "other.com, Lee Wong, lee\nacme.com, Eve Lane, eve"
    words = (
        "acme.com is at SmartSenders, as far as MailOps knows. Woodpecker takes only domains it"
        " holds."
    )
    assert warned(factory, rows=rows) == [("domain", 2, words)]


def test_a_domain_that_is_not_ready_yet_is_pointed_out(factory: OrderFactory) -> None:
    woodpecker = factory.accounts["woodpecker"]
    Domain.objects.create(name="acme.com", vendor=woodpecker, state=Asset.ORDERED)
    assert [message[:33] for _, _, message in warned(factory)] == [
        "acme.com was ordered and is not r"
    ]


def test_a_domain_that_is_here_or_that_nobody_knows_is_not(factory: OrderFactory) -> None:
    Domain.objects.create(name="acme.com", vendor=factory.accounts["woodpecker"], state=Asset.READY)
    assert warned(factory, rows="acme.com, Dana Reyes, dana\nnew.com, Sam Ito, sam") == []


def test_an_empty_order_says_so_once(factory: OrderFactory) -> None:
    order = factory.draft("woodpecker", "mailboxes", rows="")
    said = [problem.message for problem in plan(fresh(order)).blocking if problem.field == "rows"]
    assert said == ["There is nothing on this order yet."]
