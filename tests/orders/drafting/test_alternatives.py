"""The same order at the other accounts: what each could do, what not, what it would cost, and the
copy there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailops.history.models import Event
from orders.drafting import alternatives, drafts
from orders.drafting.alternatives import Alternative, compare
from orders.models import Domain, Mailbox, Order, State
from orders.models.inventory import Asset
from orders.plan import plan
from tests.conftest import PRODUCTS, OrderFactory, fresh
from tests.orders.pages import browser, messages_of, url
from vendors.models import LIVE, Price, Vendor

PICTURE = "https://example.com/dana.png"


def at(order: Order, api: str, product: str) -> list[Alternative]:
    return [
        there
        for there in compare(fresh(order))
        if (there.vendor.api, there.product) == (api, product)
    ]


@pytest.fixture
def bought(factory: OrderFactory) -> Order:
    """New domains with mailboxes at ColdMailReseller."""
    return factory.draft("coldmailreseller", "domains")


# What is compared


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_every_other_product_is_named_and_never_the_orders_own(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.draft(api, product)
    found = {(there.vendor.api, there.product) for there in compare(order)}
    assert found == set(PRODUCTS) - {(api, product)}


def test_comparing_writes_nothing(factory: OrderFactory, bought: Order) -> None:
    before = (
        Order.objects.count(),
        Domain.objects.count(),
        Mailbox.objects.count(),
        Event.objects.count(),
    )
    with CaptureQueriesContext(connection) as asked:
        compare(fresh(bought))
    assert all(query["sql"].startswith("SELECT") for query in asked)
    assert (
        Order.objects.count(),
        Domain.objects.count(),
        Mailbox.objects.count(),
        Event.objects.count(),
    ) == before


def test_practice_is_not_compared_with_live(factory: OrderFactory, bought: Order) -> None:
    Vendor.objects.filter(api="woodpecker").update(mode=LIVE)
    assert at(bought, "woodpecker", "mailboxes") == []


def test_a_second_account_at_the_same_vendor_takes_the_orders_own_options(
    factory: OrderFactory, bought: Order
) -> None:
    second = Vendor.objects.get(api="coldmailreseller")
    prices = list(second.prices.all())
    second.pk, second.name = None, "Second"
    second.save()
    Price.objects.bulk_create(
        Price(
            vendor=second, item=p.item, amount=p.amount * 2, unit=p.unit, source="x", as_of=p.as_of
        )
        for p in prices
    )
    [there] = [
        found for found in at(bought, "coldmailreseller", "domains") if found.vendor == second
    ]
    assert (there.can, there.to_fill) == (True, ())
    assert there.options.items() >= bought.options.items()
    assert str(there.cost.due_now) == "$38.00"  # twice $19.00


# What it would cost


def test_the_cost_is_that_of_a_draft_there(factory: OrderFactory, bought: Order) -> None:
    found = at(bought, "smartsenders", "domains")
    assert [there.choice for there in found] == ["zapmailGoogle domain", "inboxkitGoogle domain"]
    for there in found:
        copied = alternatives.copy_to(fresh(bought), there, by=factory.people.drafter)
        assert plan(fresh(copied)).cost.as_dict() == there.cost.as_dict()
        assert plan(fresh(copied)).blocking == ()


def test_the_cheapest_packages_that_fit_come_first_and_the_rest_is_counted(
    factory: OrderFactory,
) -> None:
    order = factory.draft(
        "coldmailreseller",
        "domains",
        rows="\n".join(f"a{n}.com, Dana Reyes, dana" for n in range(4)),
    )
    found = at(order, "scaledmail", "package")
    assert [(there.options["price_id"], there.options["quantity"]) for there in found] == [
        ("price_practice_google_1", 4),
        ("price_practice_google_4", None),
    ]
    assert all(str(there.cost.due_now) == "$28.00" for there in found)
    assert [there.more for there in found] == [0, 3]


def test_where_no_package_fits_the_nearest_is_shown_with_what_is_wrong(
    factory: OrderFactory,
) -> None:
    Price.objects.filter(vendor__api="scaledmail").exclude(
        item="package.price_practice_google_4"
    ).delete()
    order = factory.draft(
        "coldmailreseller",
        "domains",
        rows="\n".join(f"a{n}.com, Dana Reyes, dana" for n in range(7)),
    )
    [there] = at(order, "scaledmail", "package")
    assert not there.can
    assert there.cannot == ("The vendor wants exactly 8 domains for this order, and it has 7.",)


def test_suppliers_in_two_currencies_are_both_shown(factory: OrderFactory) -> None:
    order = factory.draft("coldmailreseller", "mailboxes")
    found = at(order, "woodpecker", "mailboxes")
    assert {currency for there in found for currency in there.cost.due_now} == {"EUR", "USD"}


def test_a_missing_price_is_named_and_counts_for_nothing(factory: OrderFactory) -> None:
    Price.objects.filter(vendor__api="coldmailreseller", item="domain.com").delete()
    order = factory.draft("smartsenders", "domains")
    [there] = at(order, "coldmailreseller", "domains")
    assert [line.item for line in there.cost.missing] == ["domain.com"]
    assert str(there.cost.due_now) == "$6.00"


def test_an_account_without_prices_says_what_is_to_fill_in(
    factory: OrderFactory, bought: Order
) -> None:
    Price.objects.filter(vendor__api="smartsenders").delete()
    [there] = at(bought, "smartsenders", "domains")
    assert (there.cost.lines, there.to_fill) == ((), ("Supplier",))


def test_a_period_that_is_not_stated_makes_the_first_year_at_least(
    factory: OrderFactory, bought: Order
) -> None:
    assert {there.cost.first_year for there in at(bought, "smartsenders", "domains")} == {
        "at least $22.00"
    }


# What it can't do


def test_an_account_that_does_not_buy_domains_says_so(factory: OrderFactory, bought: Order) -> None:
    for there in at(bought, "woodpecker", "mailboxes") + at(
        bought, "coldmailreseller", "mailboxes"
    ):
        assert (
            "It does not buy domains: this domain would have to be held there already."
            in there.cannot
        )


def test_domains_that_are_held_are_not_bought_again(factory: OrderFactory) -> None:
    order = factory.draft("woodpecker", "mailboxes")
    [there] = at(order, "coldmailreseller", "domains")
    assert "It is for new domains, and this domain is held already." in there.cannot


def test_mailboxes_go_only_on_domains_that_the_account_holds(factory: OrderFactory) -> None:
    order = factory.draft("woodpecker", "mailboxes")
    assert (
        "as far as MailOps knows this domain is not"
        in at(order, "coldmailreseller", "mailboxes")[0].cannot[0]
    )
    held = {
        "name": "acme.com",
        "vendor": factory.accounts["coldmailreseller"],
        "state": Asset.READY,
    }
    Domain.objects.create(**held)
    [there] = at(order, "coldmailreseller", "mailboxes")
    assert (there.can, there.to_fill) == (True, ("Subscription ID",))


def test_names_alone_are_no_addresses_at_a_vendor_that_makes_none(factory: OrderFactory) -> None:
    order = factory.draft("scaledmail", "package")
    for there in at(order, "smartsenders", "domains"):
        assert there.cannot == (
            "It makes no addresses from a name alone, and 4 domains have nothing else here.",
        )


def test_pictures_and_years_that_would_be_lost_are_named_once(factory: OrderFactory) -> None:
    rows = f"acme.com, Dana Reyes, dana, {PICTURE}, , 2\nacme.com, Sam Ito, sam, {PICTURE}"
    order = factory.draft("coldmailreseller", "domains", rows=rows)
    for there in at(order, "smartsenders", "domains"):
        assert "No choice of years: 1 domain here is for several." in there.loses
    for there in at(order, "woodpecker", "mailboxes"):
        assert "No pictures: these 2 pictures would be left out." in there.loses


def test_the_same_trouble_on_many_rows_is_one_sentence(factory: OrderFactory) -> None:
    rows = "\n".join(f"acme{n}.com, , box{n}" for n in range(30))
    order = factory.draft("coldmailreseller", "domains", rows=rows)
    [there, *_] = at(order, "smartsenders", "domains")
    assert len(there.cannot) == 2  # no first name, no last name
    assert all(reason.endswith("And 29 more like it.") for reason in there.cannot)


def test_a_stopped_account_says_so(factory: OrderFactory, bought: Order) -> None:
    factory.accounts["smartsenders"].stop(reason="looking")
    assert (
        "Sending to SmartSenders is stopped at the moment."
        in at(bought, "smartsenders", "domains")[0].loses
    )


def test_an_account_without_its_settings_can_take_nothing(
    factory: OrderFactory, bought: Order
) -> None:
    Vendor.objects.filter(api="scaledmail").update(settings={})
    assert (
        "The vendor account has no organization ID."
        in at(bought, "scaledmail", "package")[0].cannot
    )


def test_a_package_that_names_no_domains_says_to_look_where_they_come_from(
    factory: OrderFactory, bought: Order
) -> None:
    assert "no line for the domains" in " ".join(at(bought, "scaledmail", "package")[0].loses)


# Many rows


def test_comparing_asks_the_same_for_ten_rows_and_for_five_thousand(factory: OrderFactory) -> None:
    def asked(count: int, word: str) -> int:
        rows = "\n".join(f"{word}{n % 500}.com, Dana Reyes, dana{n}" for n in range(count))
        order = fresh(factory.draft("coldmailreseller", "domains", rows=rows))
        with CaptureQueriesContext(connection) as said:
            compare(order)
        return len(said)

    assert asked(10, "few") == asked(5000, "many") <= 6


# The page


def test_the_page_is_one_click_from_the_draft_and_from_the_order(
    factory: OrderFactory, bought: Order
) -> None:
    link = f'href="{url(bought, "elsewhere")}"'
    drafter = browser(factory.people.drafter)
    assert link in drafter.get(url(bought, "edit")).content.decode()
    assert link in drafter.get(url(bought)).content.decode()
    sent = factory.sent(word="other")
    assert "elsewhere" not in drafter.get(url(sent)).content.decode()
    assert drafter.get(url(sent, "elsewhere"))["Location"] == url(sent)


def test_the_order_names_a_few_that_could_take_it(factory: OrderFactory, bought: Order) -> None:
    page = browser(factory.people.drafter).get(url(bought)).content.decode()
    assert "zapmailGoogle domain" in page
    assert "at least $22.00 in 12 months" in page
    other = browser(factory.people.drafter).get(url(factory.draft(word="other"))).content.decode()
    assert "None of your other accounts could take this order as it is." in other


def test_an_order_too_long_to_compare_in_passing_keeps_the_link(
    factory: OrderFactory, bought: Order
) -> None:
    rows = "\n".join(f"many{n}.com, Dana Reyes, dana" for n in range(alternatives.MOST_DOMAINS + 1))
    order = factory.draft("coldmailreseller", "domains", rows=rows)
    assert alternatives.at_a_glance(order) is None
    assert (
        "Compare the accounts" in browser(factory.people.drafter).get(url(order)).content.decode()
    )


def test_only_somebody_who_may_draft_gets_the_button(factory: OrderFactory, bought: Order) -> None:
    button = "Copy into a draft there"
    assert button in browser(factory.people.drafter).get(url(bought, "elsewhere")).content.decode()
    assert (
        button
        not in browser(factory.people.confirmer).get(url(bought, "elsewhere")).content.decode()
    )


def test_the_button_makes_a_draft_there_with_the_same_contents(factory: OrderFactory) -> None:
    order = factory.draft(
        "coldmailreseller", "domains", rows=f"acme.com, Dana Reyes, dana, {PICTURE}, , 2"
    )
    there = at(order, "smartsenders", "domains")[0]
    response = browser(factory.people.drafter).post(
        url(order, "elsewhere"), {"there": there.key}, follow=True
    )
    copied = Order.objects.latest("pk")
    assert (copied.vendor.api, copied.product, copied.copy_of, copied.state) == (
        "smartsenders", "domains", order, State.DRAFT,
    )  # fmt: skip
    [row] = drafts.rows_of(copied)
    assert (row.address, row.first_name, row.years) == ("dana@acme.com", "Dana", 1)
    assert copied.contact == order.client.contact
    assert "is a draft at SmartSenders with the same contents" in messages_of(response)
    assert fresh(order).state == State.DRAFT


@pytest.mark.parametrize("there", ["", "x", "1:domains:", "999:mailboxes:GOOGLE"])
def test_a_choice_that_is_not_offered_changes_nothing(
    factory: OrderFactory, bought: Order, there: str
) -> None:
    before = Order.objects.count()
    response = browser(factory.people.drafter).post(
        url(bought, "elsewhere"), {"there": there}, follow=True
    )
    assert "can't be copied there any more" in messages_of(response)
    assert Order.objects.count() == before


def test_an_account_that_cannot_take_it_gets_no_copy(factory: OrderFactory, bought: Order) -> None:
    there = at(bought, "woodpecker", "mailboxes")[0]
    before = Order.objects.count()
    browser(factory.people.drafter).post(url(bought, "elsewhere"), {"there": there.key})
    assert Order.objects.count() == before


def test_an_order_that_has_gone_on_is_not_copied(factory: OrderFactory) -> None:
    order = factory.reviewed("coldmailreseller", "domains")
    key = at(order, "smartsenders", "domains")[0].key
    factory.confirm(order)
    before = Order.objects.count()
    response = browser(factory.people.drafter).post(
        url(order, "elsewhere"), {"there": key}, follow=True
    )
    assert "can't be copied there any more" in messages_of(response)
    assert Order.objects.count() == before


def test_the_page_names_missing_prices_with_their_item(
    factory: OrderFactory, bought: Order
) -> None:
    Price.objects.filter(vendor__api="smartsenders", item__startswith="mailbox").delete()
    page = browser(factory.people.drafter).get(url(bought, "elsewhere")).content.decode()
    assert "<code>mailbox.9</code>" in page


def test_amounts_keep_their_own_currency(factory: OrderFactory, bought: Order) -> None:
    def amounts(order: Any) -> set[Decimal]:
        return {amount for there in compare(order) for amount in there.cost.due_now.values()}

    before = amounts(fresh(bought))
    assert before == amounts(fresh(bought))
    page = browser(factory.people.drafter).get(url(bought, "elsewhere")).content.decode()
    assert "€12.00" in page
    assert "Amounts in different currencies are not comparable as they stand." in page
