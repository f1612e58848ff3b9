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
    "API key is invalid or was revoked", "Domain owner required", "Bad request",
    "Insufficient prepaid funds. Add funds before retrying the order.",
    "subscriptionId or domainId is required, and not both",
]  # fmt: skip
MAY_HAVE_TAKEN_MONEY = [
    "Das Konto wurde belastet", "Pieniądze zostały pobrane", "Le compte est débité", "余额已扣除",
    "Оплата прошла", "El importe se ha cargado en su cuenta", "Gateway timeout at the registrar",
    "We said thanks, enjoy your domains", "Your account was deb\u200bited; invalid name",
    "You were &#98;illed, invalid name", "OrderSucceededSetupFailed", "Unable to go on",
    "Too many requests, maybe it ran", "Invalid name. The sum left your wallet.",
    "Something unexpected", "Temporary failure, try again",
    # found by a stranger: failures that don't say when they came, and orders in other words
    "Request failed with status code 502", "Cannot read properties of undefined (reading 'id')",
    "Failed to send confirmation email", 'Cast to ObjectId failed for value "undefined"',
    "Lock wait limit exceeded", "No response from provider", "Error", "Failed", "Conflict",
    "Mailbox setup failed", "Not all mailboxes could be made", "Do not retry: we have your order",
    "Only 1 of 2 mailboxes is missing", "1 of 2 mailboxes is invalid", "No errors",
    "You now own it, but the mailbox is invalid", "Insufficient balance, order on hold",
    "Insufficient funds for the second mailbox", "Payment failed after mailboxes went live",
    "Please complete the checkout", "Order not found", "2 credits used, 0 failed",
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
    "words",
    ["Too many requests, we have your order", "Another order of yours is running", "You sent this twice",
     "Please wait, mailboxes are made", "Limit of 1 order per minute reached by this order", "Gedulde dich"],
)  # fmt: skip
def test_a_429_in_other_words_is_unknown(words: str) -> None:
    assert isinstance(read("scaledmail", 429, json_bytes({"message": words})), Unknown)


@pytest.mark.parametrize("words", ["Too many requests.", "Slow down", "Try again in 5 seconds"])
def test_a_429_that_says_so_is_not_sent(words: str) -> None:
    assert isinstance(read("scaledmail", 429, json_bytes({"message": words})), NotSent)


@pytest.mark.parametrize("issue", ["Buzón creado", "Mailbox live", "Internal problem", "ok"])
def test_the_issue_of_a_field_is_read_like_a_message(issue: str) -> None:
    fields = [{"field": "mailboxes[0].email", "issue": issue, "value": None}]
    body = {
        "type": "validation_error",
        "message": "Invalid field(s)",
        "code": "invalid_fields",
        "request_id": None,
        "fields": fields,
    }
    assert isinstance(read("woodpecker", 422, json_bytes(body)), Unknown)
    fields[0]["issue"] = "must be a valid email"
    assert isinstance(read("woodpecker", 422, json_bytes(body)), Refused)


@pytest.mark.parametrize("context", ["Bestellung ausgeführt", "order sent to supplier", "Timeout"])
def test_the_context_of_a_message_is_read_too(context: str) -> None:
    body = {"status": "error", "message": "Bad request", "context": context}
    assert isinstance(read("smartsenders", 400, json_bytes(body)), Unknown)
    assert isinstance(read("smartsenders", 400, json_bytes(body | {"context": "order"})), Refused)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amzn-waf-action": "challenge"}, {"cf-mitigated": "challenge"}, {"Content-Type": "text/html"},
        {"X-Error": "card_declined"}, {"Retry-After": "30"}, {"Location": "/maintenance"},
    ],
)  # fmt: skip
def test_a_success_behind_a_firewall_or_a_detour_is_unknown(headers: dict[str, str]) -> None:
    assert isinstance(read("woodpecker", 202, b"", headers), Unknown)
    assert isinstance(read("woodpecker", 202, b"", {"cf-ray": "7"}), Accepted)


@pytest.mark.parametrize(
    "words", ["Order created as draft", "Order received, rolled back", "Accepted 0 of 2", "Dry run ok", "success=false"]
)  # fmt: skip
def test_one_word_of_success_in_a_sentence_is_not_enough(words: str) -> None:
    assert not is_plain_success({"message": words})


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
