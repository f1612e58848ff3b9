"""What every vendor API keeps to, whichever vendor it is."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from django import forms

from tests.vendors.orders import (
    PRICES,
    PRODUCTS,
    StubContact,
    StubOrder,
    case,
)
from vendors.apis import REGISTRY
from vendors.apis.base import Api
from vendors.apis.forms import OptionsForm
from vendors.http import Request, Secret

APIS = sorted(REGISTRY)
ITEMS = {
    f"{prefix}.{number}": f"Item {number}"
    for prefix in ("domain", "mailbox", "package")
    for number in (1, 9)
}
TYPED = {
    ("coldmailreseller", "domains"): {
        "confirm": "False",
        "service_provider": "GOOGLE",
        "auto_renew": "on",
    },
    ("coldmailreseller", "mailboxes"): {"confirm": "True", "subscription_id": " sub-1 "},
    ("scaledmail", "package"): {
        "price_id": "9",
        "provider": "other",
        "quantity": "2",
        "hosting_password": " a b c ",
    },
    ("woodpecker", "mailboxes"): {"provider": "9"},
    ("smartsenders", "domains"): {"vendor_id": "9"},
}


def secrets_in(value: Any) -> list[Secret]:
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, dict):
        return [found for item in value.values() for found in secrets_in(item)]
    return (
        [found for item in value for found in secrets_in(item)]
        if isinstance(value, list | tuple)
        else []
    )


def all_secrets(request: Request) -> list[Secret]:
    return secrets_in([dict(request.headers), [list(pair) for pair in request.query], request.body])


# members


def test_four_vendors_are_registered_under_their_own_names() -> None:
    assert APIS == ["coldmailreseller", "scaledmail", "smartsenders", "woodpecker"]
    assert all(api.name == name for name, api in REGISTRY.items())


def test_every_product_has_a_sound_order_in_these_tests() -> None:
    assert (
        sorted((api.name, product) for api in REGISTRY.values() for product in api.products)
        == PRODUCTS
    )


@pytest.mark.parametrize("name", APIS)
def test_every_member_is_there(name: str) -> None:
    api = REGISTRY[name]
    for member in ("label", "host", "dashboard_url", "docs_url", "balance_note"):
        assert getattr(api, member), member
    for url in (api.host, api.dashboard_url, api.docs_url):
        assert url.startswith("https://")
        assert not url.endswith("/") or url == api.docs_url
    assert set(api.secrets) == {"api_key"} == set(api.secret_help)
    assert api.price_items
    for member in (
        "check",
        "cost",
        "order_request",
        "refusal",
        "success",
        "is_throttled",
        "look_for",
        "test",
    ):
        assert getattr(type(api), member) is not getattr(Api, member), member
    assert api.can_tell_progress == (type(api).progress is not Api.progress)
    assert api.can_fetch_prices == (type(api).prices is not Api.prices)
    assert api.can_tell_availability == (type(api).availability is not Api.availability)
    assert api.can_suggest == (type(api).suggest is not Api.suggest)
    assert api.can_list_domains == (type(api).owned_domains is not Api.owned_domains)


def test_a_flag_without_its_method_stays_off() -> None:
    class Boastful(Api):
        can_suggest = True

    assert not Boastful.can_suggest


@pytest.mark.parametrize("key", PRODUCTS)
def test_every_product_says_what_it_is(key: tuple[str, str]) -> None:
    product = REGISTRY[key[0]].products[key[1]]
    assert product.label
    assert product.help.endswith(".")
    assert issubclass(product.OptionsForm, OptionsForm)


@pytest.mark.parametrize("name", APIS)
def test_what_an_account_needs_is_explained(name: str) -> None:
    for field in REGISTRY[name].AccountForm().fields.values():
        assert field.label
        assert field.help_text


# forms


@pytest.mark.parametrize("key", PRODUCTS)
def test_options_clean_to_plain_json(key: tuple[str, str]) -> None:
    form = REGISTRY[key[0]].products[key[1]].OptionsForm(TYPED[key])
    form.offer(ITEMS)
    assert form.is_valid(), form.errors
    assert json.loads(json.dumps(form.cleaned_data)) == form.cleaned_data
    for value in form.cleaned_data.values():
        assert value is None or isinstance(value, str | bool | int)


def test_options_keep_their_types() -> None:
    def cleaned(key: tuple[str, str]) -> dict[str, Any]:
        form = REGISTRY[key[0]].products[key[1]].OptionsForm(TYPED[key])
        form.offer(ITEMS)
        assert form.is_valid()
        return form.cleaned_data

    assert cleaned(("coldmailreseller", "domains"))["confirm"] is False
    assert cleaned(("coldmailreseller", "mailboxes"))["confirm"] is True
    assert cleaned(("smartsenders", "domains"))["vendor_id"] == 9
    assert cleaned(("scaledmail", "package"))["quantity"] == 2
    assert cleaned(("scaledmail", "package"))["hosting_password"] == " a b c "


@pytest.mark.parametrize("key", PRODUCTS)
def test_stored_options_show_again_as_they_were_chosen(key: tuple[str, str]) -> None:
    """A draft opened again must not fall back to another choice than the stored one."""
    options = REGISTRY[key[0]].products[key[1]].OptionsForm
    first = options(TYPED[key])
    first.offer(ITEMS)
    assert first.is_valid()
    again = options(initial=first.cleaned_data)
    again.offer(ITEMS)
    for name, field in again.fields.items():
        if isinstance(field, forms.ChoiceField):
            html = str(again[name])
            assert f'value="{first.cleaned_data[name]}" selected' in html


@pytest.mark.parametrize("key", PRODUCTS)
def test_price_choices_name_choice_fields_and_price_items(key: tuple[str, str]) -> None:
    api = REGISTRY[key[0]]
    form = api.products[key[1]].OptionsForm()
    for name, prefix in form.price_choices.items():
        assert isinstance(form.fields[name], forms.ChoiceField)
        assert any(item.startswith(prefix) for item in api.price_items)


@pytest.mark.parametrize("name", APIS)
def test_secret_options_are_fields_that_never_show_their_value(name: str) -> None:
    api = REGISTRY[name]
    fields = {
        field: form
        for product in api.products.values()
        for field, form in product.OptionsForm().fields.items()
    }
    for secret in api.secret_options:
        widget = fields[secret].widget
        assert isinstance(widget, forms.PasswordInput)
        assert not widget.render_value
        assert not fields[secret].required
    passwords = {
        field for field, form in fields.items() if isinstance(form.widget, forms.PasswordInput)
    }
    assert passwords == api.secret_options


# requests


@pytest.mark.parametrize("key", PRODUCTS)
def test_a_sound_order_has_no_problem_and_a_known_price(key: tuple[str, str]) -> None:
    api, order = case(key)
    assert api.check(order, PRICES) == []
    sheet = api.cost(order, PRICES)
    assert sheet.lines
    assert not sheet.missing


JUNK = [None, "", 0, -1, True, 3.5, [], {}, "x", "²", "9" * 5000]


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize("junk", JUNK, ids=[str(index) for index in range(len(JUNK))])
def test_a_half_filled_draft_never_breaks_anything(key: tuple[str, str], junk: Any) -> None:
    api, sound = case(key)
    names = [*api.products[key[1]].OptionsForm().fields, "unheard_of"]
    account = dict.fromkeys(api.AccountForm().fields, junk)
    for order in (
        StubOrder(product=key[1]),
        StubOrder(product=""),
        StubOrder(product=key[1], options=dict.fromkeys(names, junk), settings=account),
        sound.but(
            options=dict.fromkeys(names, junk), settings=account, contact=StubContact(first_name="")
        ),
        dataclasses.replace(sound, options={}, settings={}, contact=None),
    ):
        request = api.order_request(order)
        json.dumps(request.as_dict())
        api.check(order, {})
        json.dumps(api.cost(order, PRICES).as_dict())


@pytest.mark.parametrize("key", PRODUCTS)
def test_an_empty_draft_cannot_pass_the_check(key: tuple[str, str]) -> None:
    assert any(
        problem.level == "stop" for problem in REGISTRY[key[0]].check(StubOrder(product=key[1]), {})
    )


@pytest.mark.parametrize("key", PRODUCTS)
def test_the_request_holds_placeholders_for_secrets_only(key: tuple[str, str]) -> None:
    api, order = case(key)
    if api.secret_options:
        filled = {
            "provider": "other",
            "hosting_provider": "Porkbun",
            "sequencer_provider": "Instantly",
        }
        order = order.but(options=filled, secret_names=api.secret_options)
    request = api.order_request(order)
    names = [secret.name for secret in all_secrets(request)]
    assert sorted(names) == sorted({"api_key", *api.secret_options})
    assert request.path.startswith("/")
    assert "?" not in request.path
    values = {name: f"value-of-{name}" for name in names}
    shown = json.dumps(request.as_dict(), ensure_ascii=False)
    prepared = request.prepare(api.host, values)
    sent = (prepared.body or b"").decode() + json.dumps(prepared.headers) + prepared.url
    for name, value in values.items():
        assert value not in shown
        assert Secret(name) in shown
        assert value in sent
        assert Secret(name) not in sent


@pytest.mark.parametrize("key", PRODUCTS)
def test_the_same_order_makes_the_same_request(key: tuple[str, str]) -> None:
    api, order = case(key)
    first, second = api.order_request(order), api.order_request(dataclasses.replace(order))
    assert json.dumps(first.as_dict()) == json.dumps(second.as_dict())


def test_a_name_that_looks_like_a_placeholder_is_sent_as_typed() -> None:
    api, order = case(("woodpecker", "mailboxes"))
    [first, *rest] = order.contents
    boxes = tuple(
        dataclasses.replace(box, first_name=str(Secret("api_key"))) for box in first.mailboxes
    )
    request = api.order_request(
        order.but(contents=(dataclasses.replace(first, mailboxes=boxes), *rest))
    )
    prepared = request.prepare(api.host, {"api_key": "the real key"})
    assert b"the real key" not in (prepared.body or b"")
