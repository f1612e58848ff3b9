"""A client's defaults: filled in once, left empty where a person empties them, whole where a
vendor takes the whole.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from orders.drafting import alternatives, drafts
from orders.drafting.alternatives import compare
from orders.drafting.intake import read
from orders.models import Client, Order
from tests.conftest import OrderFactory, fresh, rows_for
from tests.orders.pages import add_url, browser, typed, url
from vendors.apis import REGISTRY

CMR, SMART = ("coldmailreseller", "domains"), ("smartsenders", "domains")
PAGE = "https://www.Acme.com/Offer?a=1,2#top"
WHOLE = "https://www.acme.com/Offer?a=1,2#top"


def product(api: str, name: str) -> Any:
    return REGISTRY[api].products[name]


def posted(factory: OrderFactory, api: str, name: str, **changed: Any) -> Any:
    data = typed(api, name, **changed)
    return browser(factory.people.drafter).post(add_url(factory.accounts[api], name), data)


def saved(factory: OrderFactory, key: tuple[str, str] = CMR, **changed: Any) -> Order:
    response = posted(factory, *key, save="1", **changed)
    assert response.status_code == 302, response.context["form"].errors
    return Order.objects.latest("pk")


def form_of(factory: OrderFactory, order: Order) -> Any:
    return browser(factory.people.drafter).get(url(order, "edit")).context["form"]


# Emptied


def test_the_default_is_filled_in_and_says_where_it_comes_from(factory: OrderFactory) -> None:
    response = posted(factory, *CMR, read="1")
    form, client = response.context["form"], Client.objects.get(name="Northwind")
    assert form["forward_to"].value() == client.forward_to
    assert form["defaults_of"].value() == str(client.pk)
    assert "From the defaults of Northwind." in response.content.decode()


@pytest.mark.parametrize(("key", "name"), [(CMR, "forward_to"), (SMART, "contact")])
def test_a_default_that_is_emptied_does_not_come_back(
    factory: OrderFactory, key: tuple[str, str], name: str
) -> None:
    order = saved(factory, key)
    assert getattr(order, name)
    form = form_of(factory, order)
    entries = {field: form[field].value() or "" for field in form.fields} | {name: ""}
    response = browser(factory.people.drafter).post(
        url(order, "edit"), typed(*key, **entries, save="1")
    )
    assert response.status_code == 302
    assert not getattr(fresh(order), name)
    assert not form_of(factory, order)[name].value()


def test_it_can_be_emptied_before_the_first_save_too(factory: OrderFactory) -> None:
    client = Client.objects.get(name="Northwind")
    order = saved(factory, forward_to="", defaults_of=client.pk)
    assert order.forward_to == ""


def test_a_script_that_keeps_entries_fills_nothing_in(factory: OrderFactory) -> None:
    assert posted(factory, *CMR, keep="1", tab="a" * 64).status_code == 200
    assert saved(factory).forward_to == "northwind.com"


def test_the_default_of_the_client_before_goes_with_that_client(factory: OrderFactory) -> None:
    before, now = Client.objects.get(name="Acme Labs"), Client.objects.get(name="Northwind")
    order = saved(factory, forward_to=before.forward_to, defaults_of=before.pk, client=now.pk)
    assert order.forward_to == now.forward_to
    typed_in = saved(
        factory, forward_to="typed.com", defaults_of=before.pk, client=now.pk,
        rows=rows_for("coldmailreseller", word="other"),
    )  # fmt: skip
    assert typed_in.forward_to == "typed.com"


def test_a_copy_at_another_vendor_keeps_what_was_emptied(factory: OrderFactory) -> None:
    client = Client.objects.get(name="Northwind")
    order = saved(factory, forward_to="", defaults_of=client.pk)
    [found, *_] = [one for one in compare(fresh(order)) if one.vendor.api == "scaledmail"]
    copied = alternatives.copy_to(fresh(order), found, by=factory.people.drafter)
    assert copied.forward_to == ""
    held = factory.draft()  # at Woodpecker, which asks for no forwarding
    [found, *_] = [one for one in compare(fresh(held)) if one.vendor.api == "scaledmail"]
    copied = alternatives.copy_to(fresh(held), found, by=factory.people.drafter)
    assert copied.forward_to == copied.client.forward_to


# Whole


def test_the_whole_destination_is_kept_and_sent(factory: OrderFactory) -> None:
    rows = f'acme.com, Dana Reyes, dana, , "{PAGE}/line"\nacme-b.com, Sam Ito, sam'
    order = fresh(saved(factory, forward_to=PAGE, rows=rows))
    assert order.forward_to == WHOLE
    body = order.vendor.adapter.order_request(order).body
    assert [row["forwardTo"] for row in body["domains"]] == [f"{WHOLE}/line", WHOLE]
    again = read(drafts.write(order), order.product_spec)
    assert [row.forward_to for row in again.rows] == [f"{WHOLE}/line", ""]


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("acme.com", "acme.com"),
        ("ACME.com.", "acme.com"),
        ("HTTPS://Acme.com", "https://acme.com"),
        ("acme.com/Offer", "acme.com/Offer"),
        ("http://café.com:8080/a", "http://xn--caf-dma.com:8080/a"),
        ("https://acme.com/?utm=" + "x" * 1900, "https://acme.com/?utm=" + "x" * 1900),
    ],
)
def test_a_destination_is_read(cell: str, kept: str) -> None:
    [row] = read(f'tryacme.com, Dana Reyes, dana, , "{cell}"', product(*CMR)).rows
    assert row.forward_to == kept


@pytest.mark.parametrize(
    "cell",
    ["ftp://acme.com/a", "javascript:alert(1)", "dana@acme.com", "https://acme", "=1+1",
     "https://acme.com/a b", "https://u:p@acme.com/", "https://acme.com/" + "x" * 2000, "https:///a"],
)  # fmt: skip
def test_what_is_no_destination_is_refused_with_a_sentence(cell: str) -> None:
    reading = read(f'tryacme.com, Dana Reyes, dana, , "{cell}"', product(*CMR))
    assert not reading.rows
    assert reading.bad[0].message and reading.bad[0].fix


def test_two_columns_that_name_other_pages_disagree() -> None:
    heading = "domain, name, address, forward to, redirect\n"
    line = "tryacme.com, Dana Reyes, dana, acme.com/a, acme.com/b"
    assert "not the same" in read(heading + line, product(*CMR)).bad[0].message
    line = "tryacme.com, Dana Reyes, dana, https://acme.com/a/, acme.com/a"
    assert not read(heading + line, product(*CMR)).bad


# A vendor that takes only a domain says so


def test_the_field_refuses_a_page_and_names_the_domain(factory: OrderFactory) -> None:
    response = posted(factory, *SMART, forward_to=PAGE, save="1")
    assert response.status_code == 400
    text = response.content.decode()
    assert "This vendor forwards to a domain only, not to a page on it. Write www.acme.com." in text
    assert response.context["form"]["forward_to"].value() == PAGE
    assert "a domain only. This vendor takes no page on it." in text
    assert saved(factory, SMART, forward_to="https://acme.com/").forward_to == "acme.com"


def test_a_line_says_what_is_left_out() -> None:
    reading = read(f'tryacme.com, Dana Reyes, dana, , "{PAGE}"', product(*SMART))
    [row], [doubt] = reading.rows, reading.doubts
    assert row.forward_to == "www.acme.com"
    assert "forwards to a domain only, so “/Offer?a=1,2#top” is left out" in doubt.message
    assert doubt.fix == "It forwards to www.acme.com."


def test_a_default_that_is_a_page_is_shortened_and_said(factory: OrderFactory) -> None:
    Client.objects.update(forward_to="https://acme.com/offer")
    response = posted(factory, *SMART, read="1")
    assert response.context["form"]["forward_to"].value() == "acme.com"
    said = "The default is https://acme.com/offer, and this vendor takes only a domain."
    assert said in response.content.decode()
    assert saved(factory).forward_to == "https://acme.com/offer"


@pytest.mark.parametrize(
    ("text", "is_good"),
    [("acme.com", True), ("https://acme.com/a?b#c", True), ("acme.com:80/x", True),
     ("somewhere", False), ("ftp://acme.com", False), ("https://acme.com/a b", False),
     ("javascript:alert(1)", False)],
)  # fmt: skip
def test_a_clients_default_is_a_domain_or_a_page(db: None, text: str, is_good: bool) -> None:
    client = Client(name="New", forward_to=text)
    if is_good:
        client.full_clean()
    else:
        with pytest.raises(ValidationError):
            client.full_clean()


def test_the_name_of_a_client_can_bring_no_markup_into_the_field(factory: OrderFactory) -> None:
    Client.objects.filter(name="Northwind").update(name="<b>Northwind")
    client = Client.objects.get(name="<b>Northwind")
    page = browser(factory.people.drafter).get(
        f"{add_url(factory.accounts['coldmailreseller'], 'domains')}&client={client.pk}"
    )
    assert "From the defaults of &lt;b&gt;Northwind." in page.content.decode()
