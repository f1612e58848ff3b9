"""A refusal and a success count only in words that are understood."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.test_answers_table import ORDERS, read
from vendors.apis.wording import is_plain_refusal, is_plain_success
from vendors.http import json_bytes
from vendors.verdicts import Accepted, NotSent, Refused, Unknown

SHAPES: dict[str, tuple[int, Any]] = {
    "coldmailreseller": (400, lambda words: {"status": 400, "message": words, "data": None}),
    "scaledmail": (400, lambda words: {"error": words}),
    "smartsenders": (
        400,
        lambda words: {"status": "error", "message": words, "context": "order"},
    ),
    "woodpecker": (
        400,
        lambda words: {
            "title": "Bad request",
            "status": 400,
            "details": words,
            "timestamp": "2026-05-06T12:00:00Z",
        },
    ),
}
UNDERSTOOD = [
    "quantity is required", "Invalid domain", "Insufficient balance, top up your wallet",
    "Please provide a userId", "Domain not found", "Unauthorized", "Too many domains",
    "You can't order more than 50 mailboxes.", "The card was declined. Payment failed.",
]  # fmt: skip
MAY_HAVE_TAKEN_MONEY = [
    "Das Konto wurde belastet", "Pieniądze zostały pobrane", "Le compte est débité", "余额已扣除",
    "Оплата прошла", "El importe se ha cargado en su cuenta", "Gateway timeout at the registrar",
    "We said thanks, enjoy your domains", "Your account was deb\u200bited; invalid name",
    "You were &#98;illed, invalid name", "OrderSucceededSetupFailed", "Unable to go on",
    "Too many requests, maybe it ran", "Invalid name. The sum left your wallet.",
    "Something unexpected", "Temporary failure, try again",
]  # fmt: skip


@pytest.mark.parametrize("words", UNDERSTOOD)
def test_a_refusal_in_plain_english_is_understood(words: str) -> None:
    assert is_plain_refusal({"message": words})


@pytest.mark.parametrize("words", MAY_HAVE_TAKEN_MONEY)
@pytest.mark.parametrize("api", SHAPES)
def test_a_refusal_in_other_words_is_unknown(api: str, words: str) -> None:
    status, body = SHAPES[api]
    assert isinstance(read(api, status, json_bytes(body(words))), Unknown)


@pytest.mark.parametrize("api", SHAPES)
def test_the_orders_own_names_are_no_foreign_words(api: str) -> None:
    status, body = SHAPES[api]
    name = ORDERS[api].contents[0].name
    assert isinstance(read(api, status, json_bytes(body(f"{name} is invalid"))), Refused)


@pytest.mark.parametrize("name", ["Location", "X-Order-Id", "x-payment-reference"])
@pytest.mark.parametrize("api", SHAPES)
def test_a_header_that_names_an_order_makes_a_refusal_unknown(api: str, name: str) -> None:
    status, body = SHAPES[api]
    raw = json_bytes(body("Invalid domain"))
    assert isinstance(read(api, status, raw, {name: "/orders/7"}), Unknown)
    assert isinstance(read(api, status, raw, {"X-Request-Id": "7", name: ""}), Refused)


def test_a_header_that_names_an_order_makes_a_429_unknown() -> None:
    raw = json_bytes({"message": "Too many requests"})
    assert isinstance(read("scaledmail", 429, raw), NotSent)
    assert isinstance(read("scaledmail", 429, raw, {"Location": "/orders/7"}), Unknown)


@pytest.mark.parametrize(
    "words", ["Bestellung fehlgeschlagen", "余额不足", "Dry run", "Daily quota", "Nichts bestellt"]
)
def test_a_success_with_words_that_do_not_say_so_is_unknown(words: str) -> None:
    assert not is_plain_success({"message": words})
    data = {"orderId": "RJK7NR2W194HAGHGTX75D391P3NB"}
    raw = json_bytes({"status": 200, "message": words, "data": data})
    assert isinstance(read("coldmailreseller", 200, raw), Unknown)
    raw = json_bytes({"success": True, "message": words})
    assert isinstance(read("scaledmail", 200, raw), Unknown)


@pytest.mark.parametrize("words", ["Order created", "Thank you, your order was placed", "OK", ""])
def test_a_success_that_says_so_is_accepted(words: str) -> None:
    assert is_plain_success({"message": words})
    if words:
        raw = json_bytes({"success": True, "message": words})
        assert isinstance(read("scaledmail", 200, raw), Accepted)


@pytest.mark.parametrize("number", ["<b>1</b>", "A\u202e1", "1 2", "1" * 121, "nummer eins"])
def test_a_number_of_other_signs_is_none(number: str) -> None:
    body = {"status": 200, "message": "Order created", "data": {"orderId": number}}
    assert isinstance(read("coldmailreseller", 200, json_bytes(body)), Unknown)
