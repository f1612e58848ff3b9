"""From a sending volume to mailboxes and domains: the arithmetic in words, the cost at each
account.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as some

from orders.drafting.capacity import (
    Capacity,
    Needed,
    Offer,
    offers,
    placeholders,
    product_notes,
    work_out,
)
from tests.conftest import OrderFactory
from tests.orders.pages import browser
from vendors.apis.values import MailboxLine
from vendors.cost import MONTH, UNSTATED, YEAR
from vendors.models import Price, Vendor

PAGE = "/orders/order/volume/"


def steps(**volume: int) -> list[tuple[str, str, int]]:
    return [(step.label, step.sum, step.result) for step in work_out(Capacity(**volume)).steps]


# The arithmetic


def test_a_thousand_a_day_are_thirty_four_mailboxes_on_twelve_domains() -> None:
    assert steps(emails=1000) == [
        (
            "Mailboxes that send",
            "1,000 e-mails a day ÷ 30 from each mailbox = 33.33, rounded up",
            34,
        ),
        ("Domains", "34 mailboxes ÷ 3 on each domain = 11.33, rounded up", 12),
    ]
    needed = work_out(Capacity(emails=1000))
    assert needed.spread == "10 domains with 3 mailboxes, 2 with 2"


def test_a_months_e_mails_are_shared_out_over_its_working_days() -> None:
    assert steps(emails=22_001, working_days=22)[0] == (
        "E-mails a day", "22,001 e-mails a month ÷ 22 working days = 1,000.05, rounded up", 1001,
    )  # fmt: skip


def test_reserves_are_added_each_rounded_up() -> None:
    assert steps(emails=1000, warming=10, spare=20)[1:] == [
        ("Still warming up", "10% of 34 = 3.40, rounded up", 4),
        ("In reserve", "20% of 34 = 6.80, rounded up", 7),
        ("Mailboxes in all", "34 + 4 + 7", 45),
        ("Domains", "45 mailboxes ÷ 3 on each domain", 15),
    ]


def test_what_is_whole_is_not_rounded_and_a_trifle_over_is_said() -> None:
    assert steps(emails=60)[0][1] == "60 e-mails a day ÷ 30 from each mailbox"
    assert "= just over 5,000, rounded up" in steps(emails=10_000_001, per_mailbox=2000)[0][1]


@given(
    emails=some.integers(1, 10**7), per_mailbox=some.integers(1, 2000), per_domain=some.integers(1, 100),
    warming=some.integers(0, 300), spare=some.integers(0, 300), working_days=some.none() | some.integers(1, 31),
)  # fmt: skip
def test_the_mailboxes_always_suffice_and_no_domain_holds_more_than_asked(**volume: Any) -> None:
    wanted = Capacity(**volume)
    needed = work_out(wanted)
    assert needed.mailboxes * wanted.per_mailbox * (wanted.working_days or 1) >= wanted.emails
    assert (
        (needed.domains - 1) * wanted.per_domain
        < needed.mailboxes
        <= needed.domains * wanted.per_domain
    )
    if needed.domains < 1000:
        assert sum(needed.each) == needed.mailboxes
        assert max(needed.each) <= wanted.per_domain
        assert max(needed.each) - min(needed.each) <= 1


def test_placeholders_are_as_many_as_needed() -> None:
    lines = placeholders(work_out(Capacity(emails=1000)), ending="co.uk")
    boxes = [box for line in lines for box in line.mailboxes]
    assert (len(lines), len(boxes), len({box.address for box in boxes})) == (12, 34, 34)
    assert isinstance(boxes[0], MailboxLine)
    assert lines[0].name == "domain-1.co.uk"


# The cost


def price(amount: str, unit: str, currency: str = "USD", **more: Any) -> Any:
    known = {
        "renewal_amount": None,
        "domains": None,
        "label": "",
        "source": "typed",
        "as_of": datetime.now(UTC),
    }
    return SimpleNamespace(amount=Decimal(amount), unit=unit, currency=currency, **(known | more))


def offered(api: str, prices: dict[str, Any], needed: Needed | None = None) -> list[Offer]:
    vendor = Vendor(name="There", api=api)
    return list(offers(vendor, prices, needed or work_out(Capacity(emails=1000)), ending="com"))


def test_domains_and_mailboxes_are_priced_for_the_first_month_and_twelve() -> None:
    prices = {"domain.com": price("10.00", YEAR), "mailbox": price("3.00", MONTH)}
    bought, held = offered("coldmailreseller", prices)
    assert (str(bought.first_month), str(bought.a_year)) == ("$222.00", "$1,344.00")
    assert (str(held.first_month), str(held.a_year)) == ("$102.00", "$1,224.00")
    assert bought.note == "34 mailboxes on 12 domains"
    assert list(product_notes(held.what, work_out(Capacity(emails=1000)))) == [
        "For the mailboxes alone: the 12 domains have to be there already."
    ]


def test_later_months_cost_what_their_renewal_costs() -> None:
    bought, _ = offered(
        "coldmailreseller", {"mailbox": price("3.00", MONTH, renewal_amount=Decimal("5.00"))}
    )
    assert str(bought.a_year) == "$1,972.00"  # 34 × 3 and then 11 × 34 × 5


def test_a_missing_price_is_named() -> None:
    bought, _ = offered("coldmailreseller", {"mailbox": price("3.00", MONTH)})
    assert [(line.label, line.item) for line in bought.missing] == [
        ("Domains .com, 1 year", "domain.com")
    ]


def test_each_supplier_has_its_own_row_and_an_unstated_period_makes_no_year() -> None:
    prices = {
        "domain.9": price("13.00", UNSTATED, label="nine domain"), "mailbox.9": price("4.50", UNSTATED),
        "domain.4": price("12.00", YEAR, "EUR", label="four domain"), "mailbox.4": price("4.00", MONTH),
    }  # fmt: skip
    nine, four = offered("smartsenders", prices)
    assert (nine.kind, str(nine.first_month), nine.is_open_ended) == (
        "nine domain",
        "$309.00",
        True,
    )
    assert (four.kind, str(four.first_month), four.is_open_ended) == (
        "four domain",
        "€144.00 + $136.00",
        False,
    )
    assert str(four.a_year) == "€144.00 + $1,632.00"


def test_packages_are_counted_by_the_domains_they_hold() -> None:
    prices = {
        "package.a": price("199.00", MONTH, label="Mixed", domains=5),
        "package.b": price("80.00", MONTH),
    }
    five, unknown = offered("scaledmail", prices)
    assert (str(five.first_month), five.domains) == ("$597.00", 15)
    assert (
        five.note
        == "3 packages of 5 domains, 3 more than needed: the vendor takes only the exact number."
    )
    assert str(unknown.first_month) == "$80.00"
    assert "is not known" in unknown.note


def test_an_account_without_prices_says_who_can_mend_that() -> None:
    (offer,) = offered("woodpecker", {})
    assert offer.note == "The account's price list is empty. An Operator can fetch it or type it."
    assert not offer.first_month


# The page


def page(response: Any) -> str:
    return response.content.decode().replace("&#x27;", "'")


def test_the_page_asks_first_and_shows_its_rules_of_thumb(factory: OrderFactory) -> None:
    response = browser(factory.people.drafter).get(PAGE)
    assert response.status_code == 200
    assert "A rule of thumb, no vendor's word." in page(response)
    assert "What that costs" not in page(response)


def test_the_page_shows_the_sums_and_leads_on_to_each_draft(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    response = drafter.get(PAGE, {"emails": "1000"})
    assert "34 mailboxes on 12 domains" in page(response)
    assert "33.33, rounded up" in page(response)
    assert {group["vendor"].api for group in response.context["groups"]} == set(factory.accounts)
    for row in (row for group in response.context["groups"] for row in group["rows"]):
        draft = drafter.get(row["draft_url"])
        assert f"{row['offer'].domains} domains with 34 mailboxes" in page(draft), row["draft_url"]


@pytest.mark.parametrize("text", ["1,000", "1 000", "1\u00a0000", " 1000 "])
def test_a_thousand_may_be_written_in_the_usual_ways(factory: OrderFactory, text: str) -> None:
    response = browser(factory.people.drafter).get(PAGE, {"emails": text, "spare": "20 %"})
    assert str(response.context["needed"]) == "41 mailboxes on 14 domains"
    assert response.context["form"]["emails"].value() == text


def test_who_may_not_draft_sees_the_sums_alone(factory: OrderFactory) -> None:
    response = browser(factory.people.auditor).get(PAGE, {"emails": "1000"})
    assert "34 mailboxes on 12 domains" in page(response)
    assert "Draft this" not in page(response)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("emails", "", "Write a whole number from 1 to 10,000,000."),
        ("emails", "many", "Write a whole number"),
        ("emails", "1.000", "Write a whole number"),
        ("emails", "0", "Write 1 or more."),
        ("emails", "9" * 400, "Write 10,000,000 or less."),
        ("emails", "9999999", "That needs 400,000 mailboxes."),
        ("period", "year", "not one of the available choices"),
        ("working_days", "32", "Write 31 or less."),
        ("per_mailbox", "0", "Write 1 or more."),
        ("per_domain", "1.5", "Write a whole number"),
        ("warming", "-1", "Write 0 or more."),
        ("spare", "x", "Write a whole number"),
        ("ending", "con", "“con” is no ending of a domain."),
        ("ending", "a b", "is no ending of a domain."),
        ("ending", "\0", "Null characters are not allowed."),
    ],
)
def test_bad_input_is_said_at_its_field_and_kept(
    factory: OrderFactory, field: str, text: str, said: str
) -> None:
    typed = {"emails": "1000", "period": "day", "per_mailbox": "25"} | {field: text}
    response = browser(factory.people.drafter).get(PAGE, typed)
    assert response.status_code == 400
    form = response.context["form"]
    assert said in " ".join(form.errors[field])
    assert said in page(response)
    assert all(form[name].value() == value for name, value in typed.items())


def test_the_page_asks_as_much_for_many_prices_and_mailboxes_as_for_few(
    factory: OrderFactory,
) -> None:
    drafter = browser(factory.people.drafter)

    def asked(emails: int) -> int:
        drafter.get(PAGE, {"emails": emails})
        with CaptureQueriesContext(connection) as queries:
            drafter.get(PAGE, {"emails": emails})
        return len(queries)

    few = asked(10)
    vendor = factory.accounts["woodpecker"]
    for n in range(30):
        Price.objects.create(
            vendor=vendor, item=f"mailbox.P{n}", amount=4, unit=MONTH, as_of=datetime.now(UTC)
        )
    assert asked(100_000) == few


def test_the_choice_of_what_to_order_leads_here(factory: OrderFactory) -> None:
    assert f'href="{PAGE}"' in page(browser(factory.people.drafter).get("/orders/order/add/"))
