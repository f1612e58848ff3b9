"""What is said of a draft's names: owned, on another order, refused before, nearly the same,
misspelt.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from mailops.history.models import Event
from orders.drafting import drafts
from orders.drafting.intake import read
from orders.models import Client, Domain, Mailbox, NeverBuy, NotAllowed, Order
from orders.outcomes.settlement import PARTLY
from orders.validation import lookalikes, order_checks, typos
from tests.conftest import OPTIONS, OrderFactory, fresh
from vendors.models import Vendor
from vendors.verdicts import Problem

BOUGHT = ("coldmailreseller", "domains")


def said(order: Order, level: str = "warn") -> list[Problem]:
    return [problem for problem in order_checks.contents(fresh(order)) if problem.level == level]


def messages(order: Order, level: str = "warn") -> list[str]:
    return [problem.message for problem in said(order, level)]


def lines(*names: str) -> str:
    return "\n".join(f"{name}, Dana Reyes, dana" for name in names)


def draft(factory: OrderFactory, *names: str) -> Order:
    return factory.draft(*BOUGHT, rows=lines(*names))


def owned(factory: OrderFactory, *names: str, client: str = "Northwind") -> Order:
    order = draft(factory, *names)
    order.domains.update(state="ready", client=Client.objects.get(name=client))
    order.mailboxes.update(state="ready")
    Order.objects.filter(pk=order.pk).update(
        state="delivered", digest="d", created_at=timezone.now() - timedelta(days=90)
    )
    return order


def refused(factory: OrderFactory, *problems: dict[str, Any]) -> Order:
    order = factory.draft(*BOUGHT, rows="acme.com, Ann Lee, ann\nother.com, Bo Lee, bo")
    Order.objects.filter(pk=order.pk).update(state="refused", digest="d", problems=list(problems))
    order.domains.update(state="refused")
    order.mailboxes.update(state="refused")
    return order


# The duplicate radar


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


# The typo guard


def test_a_name_one_letter_from_the_clients_own_domain_warns(factory: OrderFactory) -> None:
    order = draft(factory, "nortwhind.com", "northwind.co", "getnorthwind.com")
    assert [message for message in messages(order) if "main domain" in message] == [
        "nortwhind.com is one letter away from northwind.com, the main domain of Northwind.",
        "northwind.co is one letter away from northwind.com, the main domain of Northwind.",
    ]


def test_a_name_one_letter_from_an_earlier_domain_says_whose_it_is(factory: OrderFactory) -> None:
    elsewhere = Client.objects.exclude(name="Northwind")[0]
    other = owned(factory, "acme-reach.com", client=elsewhere.name)
    order = draft(factory, "acme-raech.com", "acme-reach.net")
    assert messages(order) == [
        f"acme-raech.com is one letter away from acme-reach.com ({other}), which {elsewhere} has."
    ]
    assert said(order)[0].order_id == other.pk


def test_a_mailbox_on_a_misspelt_domain_warns_and_on_the_right_one_does_not(
    factory: OrderFactory,
) -> None:
    owned(factory, "acme-reach.com", "acme-rich.com")
    assert messages(factory.draft(rows="acme-reach.com, Sam Ito, sam")) == []
    (message,) = messages(factory.draft(rows="acme-raech.com, Sam Ito, sam"))
    assert message.startswith("acme-raech.com is one letter away from acme-reach.com")


@pytest.mark.parametrize(
    ("names", "odd"),
    [
        (["acme-reach.com", "acme-raech.com", "acme-mail.com"], ["acme-raech.com"]),
        (["tryacme.com", "getacme.com"], []),
        (["acme1.com", "acme2.com", "acme.com"], []),
        (["acme-b.net", "acme-c.net", "acme-d.net", "acme-e.net"], []),
        (["acme-reach.com", "acmereach.com"], []),
        (["acme.com", "acme.co"], []),
    ],
)
def test_within_an_order_only_the_odd_one_warns(names: list[str], odd: list[str]) -> None:
    rows = {name: number for number, name in enumerate(names, 1)}
    assert [problem.message.partition(" ")[0] for problem in typos.within(rows)] == odd


def test_many_warnings_alike_are_counted() -> None:
    words = [f"{a}{b}word" for a in "abcdefg" for b in "hijkl"][:30]
    names = [
        name
        for i, word in enumerate(words)
        for name in (f"{word}{'xyzw'[i % 4] * 9}.com", f"{word}{'xyzw'[i % 4] * 8}.com")
    ]
    found = typos.within({name: number for number, name in enumerate(names, 1)})
    assert len(found) <= typos.SHOWN + 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("acme.com.com", "acme.com.com has its ending twice."),
        ("acme.co.uk.co.uk", "acme.co.uk.co.uk has its ending twice."),
        ("northwindcom.com", "northwindcom.com has its ending twice."),
        ("wwwacme.com", "wwwacme.com begins with www."),
        ("nоrthwind.com".encode("idna").decode(), "xn--nrthwind-nbh.com is written nоrthwind.com"),
        ("n0rthwind.com", "n0rthwind.com reads like northwind.com"),
        ("northvvind.com", "northvvind.com reads like northwind.com"),
    ],
)
def test_a_name_that_reads_like_another_warns(name: str, message: str) -> None:
    (problem,) = lookalikes.problems_of({name: 4}, "northwind.com")
    assert problem.message.startswith(message)
    assert problem.row == 4


@pytest.mark.parametrize(
    "name", ["telecom.com", "acme.co.uk", "xn--bcher-kva.de", "swww.com", "acme.com"]
)
def test_an_ordinary_name_does_not_warn(name: str) -> None:
    assert lookalikes.problems_of({name: 1}, "northwind.com") == []


# The same answers as a plain nested loop, in few queries

LABELS = st.text("ab-1", min_size=1, max_size=7)
NAMES = st.lists(
    st.builds("{}.{}".format, LABELS, st.sampled_from(["com", "co.uk"])), unique=True, max_size=12
)


def plain(one: str, other: str) -> bool:
    """One edit apart, as the textbook has it."""
    here, there = one.partition("."), other.partition(".")
    a, b = here[0], there[0]
    edits = {a[:i] + a[i + 1 :] for i in range(len(a))}
    edits |= {a[:i] + c + a[i:] for i in range(len(a) + 1) for c in set(b)}
    edits |= {a[:i] + c + a[i + 1 :] for i in range(len(a)) for c in set(b)}
    edits |= {a[:i] + a[i + 1] + a[i] + a[i + 2 :] for i in range(len(a) - 1)}
    return a != b and here[2] == there[2] and b in edits


def nested(names: Iterable[str], others: Iterable[str]) -> dict[str, set[str]]:
    found = {name: {other for other in others if plain(name, other)} for name in names}
    return {name: near for name, near in found.items() if near}


def as_sets(pairs: typos.Pairs) -> dict[str, set[str]]:
    return {name: set(near) for name, near in pairs.items()}


@given(NAMES, NAMES)
def test_near_names_are_those_that_a_nested_loop_finds(names: list[str], others: list[str]) -> None:
    assert as_sets(typos.pairs(names, others)) == nested(names, others)


class EarlierDomains(TestCase):
    """Each example in a transaction of its own."""

    @given(NAMES, NAMES)
    def test_near_names_in_the_database_are_those_that_a_nested_loop_finds(
        self, names: list[str], others: list[str]
    ) -> None:
        vendor = Vendor.objects.create(name="V", api="woodpecker")
        Domain.objects.bulk_create(Domain(name=name, vendor=vendor) for name in others)
        client = Client.objects.create(name="C")
        order = Order.objects.create(
            vendor=vendor, product="mailboxes", client=client, drafted_by_name="d"
        )
        assert as_sets(typos.earlier(names, order)) == nested(names, others)


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


# The rest of a partly delivered order


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
