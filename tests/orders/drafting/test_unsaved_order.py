"""The order before it is saved: what it would be, in memory, for its cost and its problems."""

from __future__ import annotations

import pytest

from orders.drafting import drafts
from orders.models import Order
from orders.plan import plan
from tests.conftest import OPTIONS, PRODUCTS, OrderFactory, fresh, rows_for


def contents(factory: OrderFactory, api: str, product: str, rows: str) -> drafts.Draft:
    return factory.contents(
        factory.accounts[api], product, rows=rows, options=OPTIONS[api, product]
    )


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_the_order_beforehand_is_the_order_once_it_is_saved(
    factory: OrderFactory, api: str, product: str
) -> None:
    draft = contents(factory, api, product, rows_for(api))
    before = drafts.proposed(draft)
    planned = plan(before)
    assert not Order.objects.exists()
    order = drafts.create(draft, by=factory.people.drafter)
    assert before.contents == order.contents == fresh(order).contents
    assert planned.as_dict() == plan(fresh(order)).as_dict()
    assert planned.problems == plan(fresh(order)).problems
    assert fresh(order).cost == order.cost


def test_an_edit_beforehand_is_the_edit_once_it_is_saved(factory: OrderFactory) -> None:
    order = factory.draft(
        "coldmailreseller",
        "domains",
        rows="acme.com, Dana Reyes, dana, , elsewhere.com, 2\nbare.com",
    )
    lines = (
        "other.com, Sam Ito, sam, , elsewhere.com, 3\nacme.com, Dana Reyes, dana\nother.com, Lee"
        " Wong, lee"
    )
    draft = contents(factory, "coldmailreseller", "domains", lines)
    before = drafts.proposed(draft, fresh(order))
    drafts.save(order.pk, draft, by=factory.people.drafter, version=1)
    assert before.contents == fresh(order).contents
    assert plan(before).problems == plan(fresh(order)).problems


def test_what_is_taken_is_found_before_anything_is_saved(factory: OrderFactory) -> None:
    factory.confirmed(rows="acme.com, Dana Reyes, dana")
    found = plan(
        drafts.proposed(contents(factory, "woodpecker", "mailboxes", "acme.com, Dana Reyes, dana"))
    )
    assert [problem.field for problem in found.blocking] == ["address"]


def test_lines_for_a_domain_of_another_order_have_their_own_numbers(factory: OrderFactory) -> None:
    factory.sent(
        "coldmailreseller",
        "domains",
        rows="first.com, Dana Reyes, dana\nacme.com, Dana Reyes, dana",
    )
    more = factory.draft("coldmailreseller", "mailboxes", rows="acme.com, Lee Wong, lee")
    assert [line.row for line in fresh(more).contents] == [None]


def test_the_largest_order_is_written_with_few_questions(
    factory: OrderFactory, django_assert_max_num_queries: object
) -> None:
    rows = "\n".join(f"acme{n}.com, Dana Reyes, dana" for n in range(5000))
    draft = contents(factory, "woodpecker", "mailboxes", rows)
    order = drafts.create(draft, by=factory.people.drafter)
    assert (order.mailboxes.count(), len(fresh(order).contents)) == (5000, 5000)
