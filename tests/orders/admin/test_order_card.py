"""The card in words: on the pages of one order and of several, in files, and in what changed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.admin import order_card
from orders.drafting import drafts
from orders.models import Client, Order
from orders.plan import digest_of, plan
from orders.review import plan_diff, shown_plans, usual_options
from tests.conftest import OPTIONS, PRODUCTS, OrderFactory, fresh
from tests.orders.audit.packs import pack, unpacked
from tests.orders.pages import browser, url
from vendors.models import Contact, Price

CMR, PACKAGE = ("coldmailreseller", "domains"), ("scaledmail", "package")
SMART = ("smartsenders", "domains")


def shown(factory: OrderFactory, order: Order, name: str = "change") -> str:
    response = browser(factory.people.confirmer).get(url(order, name))
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize("name", ["change", "confirm"])
@pytest.mark.parametrize("key", PRODUCTS)
def test_the_card_stands_above_the_cost_with_every_detail_of_the_plan(
    factory: OrderFactory, key: tuple[str, str], name: str
) -> None:
    order = factory.reviewed(*key)
    page = shown(factory, order, name)
    card, cost = page.index("What you are confirming"), page.index('id="cost"')
    assert card < cost
    for one in plan(fresh(order)).details:
        assert f"<dt>{one.label}</dt>" in page[card:cost] or one.group == "account", one
        assert one.words.split("?")[0].replace("'", "&#x27;")[:100] in page[card:cost], one


def test_the_contact_stands_there_with_all_that_is_sent(factory: OrderFactory) -> None:
    order = factory.reviewed(*SMART)
    page = shown(factory, order)
    assert order.contact
    for words in ("Reyes", "dana@acmelabs.com", "1 Main Street", "78701", "5125550100"):
        assert words in page


def test_a_long_option_is_folded_and_stands_there_whole(factory: OrderFactory) -> None:
    route = f"https://accounts.google.com/{'a' * 200}"
    order = factory.reviewed(*CMR, options=OPTIONS[CMR] | {"google_oauth_route": route})
    page = shown(factory, order)
    card = page[page.index("What you are confirming") : page.index('id="cost"')]
    assert f"<summary>{route[:110]}…</summary>{route}</details>" in card


def test_once_confirmed_the_card_keeps_the_words_that_were_confirmed(
    factory: OrderFactory,
) -> None:
    order = factory.confirmed(*PACKAGE)
    before = Price.objects.get(vendor=order.vendor, item="package.price_practice_google_4")
    Price.objects.filter(pk=before.pk).update(label="Renamed since")
    page = shown(factory, order)
    assert "What was ordered" in page and before.label in page and "Renamed since" not in page


def test_words_are_kept_beside_the_plan_and_change_no_digest(factory: OrderFactory) -> None:
    order = factory.reviewed(*PACKAGE)
    earlier = plan(fresh(order))
    Price.objects.filter(vendor=order.vendor).update(label="Outlook, 25 mailboxes")
    now = plan(fresh(order))
    assert now.digest == earlier.digest == digest_of(now.as_dict())
    assert now.snapshot()["labels"] != earlier.snapshot()["labels"]
    assert "Packages (Outlook, 25 mailboxes)" in shown(factory, order)


def test_several_orders_have_a_short_form_each(factory: OrderFactory) -> None:
    factory.reviewed(*CMR, word="one")
    factory.reviewed(*CMR, word="two", options=OPTIONS[CMR] | {"confirm": False})
    vendor = factory.accounts["coldmailreseller"]
    page = browser(factory.people.confirmer).get(f"/orders/order/together/?vendor={vendor.pk}")
    text = page.content.decode()
    assert text.count("<dt>Mailboxes from</dt> <dd>Google</dd>") == 2
    assert "<dt>When it arrives</dt> <dd>Create only, processed later at the vendor</dd>" in text
    assert "<dt>When it arrives</dt> <dd>Process at once</dd>" in text


def exported(factory: OrderFactory) -> list[dict[str, str]]:
    answer: Any = browser(factory.people.operator).post("/orders/order/export/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_list_as_csv_has_a_column_for_each_option(factory: OrderFactory) -> None:
    factory.reviewed(*PACKAGE)
    factory.draft(*SMART)
    factory.confirmed(*CMR)
    confirmed, smart, package = exported(factory)
    assert package["Package"] == Price.objects.get(item="package.price_practice_google_4").label
    assert (package["Coupon"], package["Mailboxes from"]) == ("None", "")
    assert smart["Supplier"] and smart["Domains forward to"] == "northwind.com"
    assert "dana@acmelabs.com" in smart["Registrant contact"]
    assert confirmed["When it arrives"] == "Process at once"
    assert confirmed["Other options"] == "Billing cycle: Each month"


def test_the_csv_asks_no_query_for_each_order(factory: OrderFactory) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            exported(factory)
        return len(captured)

    factory.draft(*CMR, word="first")
    one = queries()
    for word in ("second", "third", "fourth"):
        factory.draft(*CMR, word=word)
    assert queries() == one


def test_evidence_has_it_on_its_page_and_in_a_table(factory: OrderFactory) -> None:
    order = factory.confirmed(*PACKAGE)
    files = unpacked(pack(order))
    page, label = (
        files["index.html"].decode(),
        Price.objects.get(vendor=order.vendor, item="package.price_practice_google_4").label,
    )
    assert "<dt>Domains bought at</dt><dd>ScaledMail" in page
    assert f"Packages ({label})" in page
    rows = list(csv.DictReader(io.StringIO(files["in_words.csv"].decode("utf-8-sig"))))
    assert {"Order": str(order), "What": "Package", "In words": label, "Remark": ""} in rows
    assert {one.full_label for one in plan(fresh(order)).details} == {row["What"] for row in rows}


def edited(factory: OrderFactory, order: Order, **changed: Any) -> Order:
    fresh(order).send_back(by=factory.people.confirmer, reason="Look again.")
    draft = drafts.draft_of(fresh(order), drafts.rows_of(fresh(order)))
    drafts.save(
        order.pk, replace(draft, **changed), by=factory.people.drafter, version=fresh(order).version
    )
    return drafts.send_for_confirmation(order.pk, by=factory.people.drafter)


def test_a_refusal_names_an_option_by_the_words_of_the_card(factory: OrderFactory) -> None:
    order = factory.reviewed(*CMR)
    old = plan(fresh(order))
    shown_plans.remember(old)
    edited(factory, order, options=OPTIONS[CMR] | {"confirm": False, "auto_renew": True})
    said = shown_plans.changes_since(old.digest, plan(fresh(order)))
    assert (
        "When it arrives: “Process at once” became “Create only, processed later at the vendor”."
        in said
    )
    assert "Renew the mailboxes automatically: “No” became “Yes”." in said
    # The request's own names of the two are not said a second time.
    assert not [words for words in said if "became no" in words or "became yes" in words]


def test_a_coupon_is_named_once(factory: OrderFactory) -> None:
    order = factory.reviewed(*PACKAGE)
    old = plan(fresh(order))
    order = edited(factory, order, options=OPTIONS[PACKAGE] | {"coupon": "SPRING"})
    said = plan_diff.differences(old.snapshot(), plan(fresh(order)).snapshot())
    assert "Coupon: “None” became “SPRING”." in said
    assert "Coupon: empty before, now “SPRING”." not in said


def test_a_change_that_no_detail_explains_is_still_said(factory: OrderFactory) -> None:
    order = factory.reviewed(*CMR)
    now = plan(fresh(order)).snapshot()
    body = now["request"]["body"]
    other = now | {"request": now["request"] | {"body": body | {"confirm": False}}}
    assert plan_diff.differences(now, other) == ["Bought when it arrives: yes became no."]


# What is not the usual


def test_what_differs_from_the_clients_last_orders_says_so(factory: OrderFactory) -> None:
    for word in ("one", "two", "three"):
        factory.confirmed(*CMR, word=word)
    order = factory.reviewed(*CMR, word="odd", options=OPTIONS[CMR] | {"auto_renew": True})
    odd = usual_options.usual(fresh(order), plan(fresh(order)).details)
    assert odd == {
        "Renew the mailboxes automatically": (
            "Not the usual: 3 of this client's last 3 orders here had “No”."
        )
    }
    assert '<div class="unusual">' in shown(factory, order)


def test_one_earlier_order_makes_no_usual(factory: OrderFactory) -> None:
    factory.confirmed(*CMR, word="one")
    order = factory.reviewed(*CMR, word="odd", options=OPTIONS[CMR] | {"auto_renew": True})
    assert usual_options.usual(fresh(order), plan(fresh(order)).details) == {}


def test_what_differs_from_the_clients_defaults_says_so(factory: OrderFactory) -> None:
    order = factory.reviewed(*SMART)
    assert usual_options.usual(fresh(order), plan(fresh(order)).details) == {}
    other = Contact.objects.get()
    other.pk, other.name = None, "Somebody else"
    other.save()
    Client.objects.update(forward_to="elsewhere.com", contact=other)
    odd = usual_options.usual(fresh(order), plan(fresh(order)).details)
    assert odd["Domains forward to"] == "Not the client's usual, elsewhere.com."
    assert odd["Registrant contact"] == "Not the client's usual, Somebody else."


def test_the_short_form_has_the_contact_in_one_line(factory: OrderFactory) -> None:
    pairs = dict(order_card.short(plan(factory.reviewed(*SMART)).details))
    assert pairs["Registrant contact"].startswith("Dana, Reyes, Acme Labs, dana@acmelabs.com")
    assert "Kind" not in pairs
