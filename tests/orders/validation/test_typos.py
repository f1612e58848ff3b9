"""Names that are spelt almost like another one, or read like another one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from orders.models import Client, Domain, Order
from orders.validation import lookalikes, typos
from tests.conftest import OrderFactory
from tests.orders.validation.drafted import draft, messages, owned, said
from vendors.models import Vendor


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
    assert len(found) <= typos.MOST_WARNINGS + 1


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
