"""Names that are owned, on another order, refused before or never bought; repeated orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mailops.history.models import Event
from orders.drafting import drafts
from orders.drafting.intake import read
from orders.models import Client, Domain, Mailbox, NeverBuy, NotAllowed, Order
from orders.validation import order_checks
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.orders.validation.drafted import BOUGHT, draft, messages, owned, said
from vendors.models import Vendor


def refused(factory: OrderFactory, *problems: dict[str, Any]) -> Order:
    order = factory.draft(*BOUGHT, rows="acme.com, Ann Lee, ann\nother.com, Bo Lee, bo")
    Order.objects.filter(pk=order.pk).update(state="refused", digest="d", problems=list(problems))
    order.domains.update(state="refused")
    order.mailboxes.update(state="refused")
    return order


# Names that are on another order


def test_a_name_that_is_owned_stops_the_order_and_names_the_order(factory: OrderFactory) -> None:
    other = owned(factory, "acme.com")
    problems = said(draft(factory, "acme.com"), "stop")
    assert {problem.field for problem in problems} == {"domain", "address"}
    assert {problem.order_id for problem in problems} == {other.pk}


def test_a_name_in_another_draft_only_warns(factory: OrderFactory) -> None:
    other = factory.draft(*BOUGHT, by=factory.people.both)
    order = factory.draft(*BOUGHT)
    assert messages(order)[0] == f"acme.com is also in both's draft {other}."
    assert messages(order, "stop") == []


def test_a_name_that_the_vendor_refused_needs_a_reason(factory: OrderFactory) -> None:
    other = refused(
        factory,
        {"message": "acme.com is taken.", "field": "domain", "row": 1, "vendor_says": "taken"},
    )
    order = draft(factory, "acme.com", "other.com")
    (problem,) = said(order, "stop")
    assert (
        problem.message == f"acme.com was on {other}, and the vendor refused it: acme.com is taken."
    )
    assert problem.wants_reason
    assert problem.order_id == other.pk
    Order.objects.filter(pk=order.pk).update(why_again="The vendor released it.")
    assert messages(order, "stop") == []
    assert messages(order) == [problem.message]


def test_a_name_in_a_refusal_without_a_line_is_found_by_the_name(factory: OrderFactory) -> None:
    refused(
        factory, {"message": "Sorry.", "vendor_says": "The domain ACME.com is taken", "row": None}
    )
    assert len(said(draft(factory, "acme.com", "other.com"), "stop")) == 1


@pytest.mark.parametrize(
    "word", ["There is not enough money.", "xacme.com is taken.", "acme.com.au is taken."]
)
def test_an_order_refused_for_something_else_leaves_its_names_free(
    factory: OrderFactory, word: str
) -> None:
    refused(factory, {"message": word, "field": "", "row": None})
    assert messages(draft(factory, "acme.com", "other.com"), "stop") == []


def test_what_a_vendor_left_out_needs_a_reason(factory: OrderFactory) -> None:
    other = owned(factory, "acme.com", "other.com")
    Domain.objects.filter(order=other, name="acme.com").update(state="refused")
    Mailbox.objects.filter(order=other, domain__name="acme.com").update(state="refused")
    problems = said(draft(factory, "acme.com"), "stop")
    assert [problem.message for problem in problems] == [
        f"acme.com was on {other}, and the vendor left it out.",
        f"dana@acme.com was on {other}, and the vendor left it out.",
    ]


def test_what_is_gone_again_warns(factory: OrderFactory) -> None:
    other = owned(factory, "acme.com")
    Domain.objects.filter(order=other).update(state="gone")
    Mailbox.objects.filter(order=other).update(state="gone")
    order = draft(factory, "acme.com")
    assert messages(order, "stop") == []
    assert messages(order)[0] == f"acme.com was on {other}, and is gone since."


# Orders that are nearly the same


def near_same(order: Order) -> list[str]:
    return [problem.message for problem in said(order) if problem.field == "repeat"]


FIVE = ["alpha.com", "bravo.com", "delta.com", "hotel.com", "oscar.com"]


@pytest.mark.parametrize(
    ("names", "is_near"),
    [
        ([name.replace(".com", ".net") for name in FIVE], True),
        ([*FIVE[:4], "tango.com"], True),
        ([*FIVE[:3], "tango.com", "zulu.com"], False),
        ([name.replace(".com", ".net") for name in FIVE[:4]], False),
    ],
)
def test_an_order_nearly_the_same_wants_a_reason(
    factory: OrderFactory, names: list[str], is_near: bool
) -> None:
    other = owned(factory, *FIVE)
    Order.objects.filter(pk=other.pk).update(created_at=timezone.now() - timedelta(days=3))
    order = draft(factory, *names)
    found = near_same(order)
    assert bool(found) is is_near
    if is_near:
        assert (
            "was drafted 3 days ago for the same client, and reads"
            f" “{fresh(other).get_state_display()}”" in found[0]
        )


@pytest.mark.parametrize(
    "changed", [{"created_at": timezone.now() - timedelta(days=31)}, {"state": "cancelled"}]
)
def test_an_old_or_cancelled_order_is_no_repeat(
    factory: OrderFactory, changed: dict[str, Any]
) -> None:
    other = owned(factory, "alpha.com", "bravo.com")
    Order.objects.filter(pk=other.pk).update(**({"created_at": timezone.now()} | changed))
    assert near_same(draft(factory, "alpha.net", "bravo.net")) == []


def test_another_clients_order_is_no_repeat(unguarded: None, factory: OrderFactory) -> None:
    other = owned(factory, "alpha.com", "bravo.com")
    elsewhere = Client.objects.exclude(name="Northwind")[0]
    Order.objects.filter(pk=other.pk).update(created_at=timezone.now(), client=elsewhere)
    assert near_same(draft(factory, "alpha.net", "bravo.net")) == []


def test_a_repeat_is_handed_on_only_with_a_reason_that_the_confirmer_reads(
    factory: OrderFactory,
) -> None:
    other = owned(factory, "alpha.com", "bravo.com")
    Order.objects.filter(pk=other.pk).update(created_at=timezone.now())
    Vendor.objects.update(order_limit=None)
    order = draft(factory, "alpha.net", "bravo.net")
    with pytest.raises(NotAllowed, match="Say on the draft why it is ordered again"):
        drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    reading = read(drafts.write(fresh(order)), order.product_spec)
    with_reason = drafts.Draft(
        vendor=order.vendor, product=order.product, client=order.client, contact=order.contact,
        forward_to=order.forward_to, options=OPTIONS[BOUGHT], rows=reading.rows, why_again="A second region.",
    )  # fmt: skip
    drafts.save(order.pk, with_reason, by=factory.people.drafter, version=fresh(order).version)
    assert Event.objects.filter(action="order.edited").first().changes["why_again"] == [
        "",
        "A second region.",
    ]  # type: ignore[union-attr]
    drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    browser = Browser()
    browser.force_login(factory.people.confirmer)
    page = browser.get(reverse("admin:orders_order_confirm", args=[order.pk])).content.decode()
    assert "A second region." in page
    assert reverse("admin:orders_order_change", args=[other.pk]) in page


def test_the_reason_is_asked_for_on_the_draft_page_only_when_it_is_wanted(
    factory: OrderFactory,
) -> None:
    browser = Browser()
    browser.force_login(factory.people.drafter)

    def page(order: Order) -> str:
        return browser.get(reverse("admin:orders_order_edit", args=[order.pk])).content.decode()

    assert "Why order this again" not in page(draft(factory, "fine.com"))
    refused(factory, {"message": "acme.com is taken.", "field": "domain", "row": 1})
    assert "Why order this again" in page(draft(factory, "acme.com"))


# Names that are never bought


def test_any_clients_main_domain_stops_the_order(factory: OrderFactory) -> None:
    Client.objects.create(name="Fabrikam", main_domain="www.fabrikam.com")
    (message,) = messages(draft(factory, "fabrikam.com"), "stop")
    assert message == "fabrikam.com is the main domain of Fabrikam, another client."


@pytest.mark.parametrize(
    ("pattern", "name", "is_banned"),
    [
        ("acme.com", "acme.com", True),
        ("acme.com", "acme.community", False),
        ("acme.com", "xacme.com", False),
        ("*.acme.com", "acme.com", True),
        ("*.acme.com", "xacme.com", False),
        ("*.zip", "anything.zip", True),
        ("meta", "meta.com", True),
        ("meta", "try-meta-now.com", True),
        ("meta", "metalworks.com", False),
        ("*meta*", "metalworks.com", True),
        ("*meta*", "mail.com", False),
    ],
)
def test_the_never_buy_list_knows_names_and_words(
    db: None, pattern: str, name: str, is_banned: bool
) -> None:
    rule = NeverBuy(pattern=pattern, reason="No.")
    rule.full_clean()
    rule.save()
    NeverBuy.objects.create(pattern="elsewhere.org", reason="No.")
    assert NeverBuy.objects.matching([name, "fine.com"]) == ({name: rule} if is_banned else {})


def test_a_name_of_the_list_stops_the_order_and_says_whose_line_it_is(
    factory: OrderFactory,
) -> None:
    browser = Browser()
    browser.force_login(factory.people.operator)
    browser.post(
        reverse("admin:orders_neverbuy_add"), {"pattern": "acme", "reason": "A lawyer's letter"}
    )
    (message,) = messages(draft(factory, "acme-reach.com"), "stop")
    wanted = (
        "acme-reach.com is never bought: “acme” is on the never-buy list by operator. A lawyer's"
        " letter."
    )
    assert message == wanted
    assert Event.objects.filter(action="neverbuy.added").count() == 1


# Many lines


def queries(order: Order) -> int:
    order = fresh(order)
    with CaptureQueriesContext(connection) as asked:
        order_checks.contents(order)
    return len(asked)


def test_a_thousand_lines_ask_as_often_as_five(factory: OrderFactory) -> None:
    owned(factory, "acme-reach.com", "other.com")
    few = draft(factory, "acme-raech.com", "other.com", *(f"small{n}.com" for n in range(3)))
    many = draft(factory, "acme-raech.com", "other.com", *(f"large{n}.com" for n in range(998)))
    assert queries(many) == queries(few) <= 18


def test_of_many_problems_alike_the_page_shows_the_first_and_names_the_lines_of_the_rest(
    factory: OrderFactory,
) -> None:
    names = [f"taken{n}.com" for n in range(150)]
    owned(factory, *names)
    order = draft(factory, *names)
    browser = Browser()
    browser.force_login(factory.people.drafter)
    page = browser.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert page.count("Stops the order: ") == 1 + 2 * (
        10 + 1
    )  # the limit, the domains, their addresses
    assert page.count("The same in 140 more lines: 11, 12, 13, ") == 2
