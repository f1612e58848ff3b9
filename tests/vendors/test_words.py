"""Every name in a vendor's request has words, which the diff of two plans shows to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms

from tests.vendors.orders import PRODUCTS, StubContact, StubOrder, case, domain, mailbox
from vendors.apis import REGISTRY
from vendors.http import Request

FULL_CONTENTS = (
    domain(
        "alpha.com",
        mailbox("ada@alpha.com", picture="https://example.com/1.png"),
        years=2,
        forward_to="example.com",
        picture="https://example.com/2.png",
    ),
    domain("beta.org", first_name="Ada", last_name="Example"),
)


def choices(form: forms.Form) -> Iterator[tuple[str, Any]]:
    for name, field in form.fields.items():
        if isinstance(field, forms.ChoiceField):
            yield from ((name, value) for value, _ in field.choices if value != "")


def filled(field: forms.Field) -> Any:
    if isinstance(field, forms.BooleanField):
        return True
    return 1 if isinstance(field, forms.IntegerField) else "x"


def full_orders(key: tuple[str, str]) -> Iterator[StubOrder]:
    """The product's order with each option filled, each left empty and each choice made."""
    api, sound = case(key)
    options, account = api.products[key[1]].OptionsForm(), api.AccountForm()
    everything = {name: filled(field) for name, field in options.fields.items()} | sound.options
    full = sound.but(
        options=everything,
        settings={name: filled(field) for name, field in account.fields.items()} | sound.settings,
        contact=StubContact(),
        forward_to="example.com",
        contents=FULL_CONTENTS,
    )
    yield full
    yield from (full.but(options={name: ""}) for name in options.fields)
    yield from (full.but(options={name: value}) for name, value in choices(options))
    yield from (
        full.but(settings={**full.settings, name: value}) for name, value in choices(account)
    )


def names_in(request: Request, lists: frozenset[str]) -> set[tuple[str, str]]:
    """Each name in the request with the name that it stands under."""

    def walk(value: Any, under: str, *, is_row: bool = False) -> Iterator[tuple[str, str]]:
        if isinstance(value, list):
            for row in value:
                yield from walk(row, under, is_row=True)
        elif isinstance(value, dict) and under in lists and not is_row:  # rows keyed by domain
            yield from walk(list(value.values()), under)
        elif isinstance(value, dict):
            for name, inner in value.items():
                yield under, name
                yield from walk(inner, name)

    return {*walk(request.body, "body"), *(("query", name) for name, _ in request.query)}


def all_names(api: str) -> set[tuple[str, str]]:
    lists = frozenset(REGISTRY[api].row_words)
    return {
        name
        for key in PRODUCTS
        if key[0] == api
        for order in full_orders(key)
        for name in names_in(REGISTRY[api].order_request(order), lists)
    }


@pytest.mark.parametrize("api", sorted(REGISTRY))
def test_every_name_in_a_request_has_words(api: str) -> None:
    known = REGISTRY[api].words.keys() | REGISTRY[api].row_words.keys()
    without = {name for under, name in all_names(api) if not {name, f"{under}.{name}"} & known}
    assert not without


@pytest.mark.parametrize("api", sorted(REGISTRY))
def test_every_word_belongs_to_a_name_in_a_request(api: str) -> None:
    adapter, found = REGISTRY[api], all_names(api)
    names = {name for _, name in found} | {f"{under}.{name}" for under, name in found}
    assert {*adapter.words, *adapter.row_words, *adapter.row_keys} <= names


@pytest.mark.parametrize("member", ["words", "row_words"])
def test_no_two_vendors_have_other_words_for_one_name(member: str) -> None:
    words: dict[str, str] = {}
    for api in REGISTRY.values():
        for name, word in getattr(api, member).items():
            assert words.setdefault(name, word) == word, (api.name, name)
