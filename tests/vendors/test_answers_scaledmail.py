"""What ScaledMail answers to a paid request, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import problem_in, read
from vendors.verdicts import Accepted, Unknown


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ({}, ""),
        ({"success": True}, ""),
        ({"success": True, "message": "Order placed"}, ""),
        ({"id": "rec1"}, "rec1"),
        ({"order_id": "rec2", "message": "Order placed"}, "rec2"),
        ({"payment_id": "rec3"}, "rec3"),
        ({"id": 7, "payment_id": "rec3"}, "7"),
    ],
)
def test_scaledmail_accepts_with_or_without_a_number(body: dict[str, Any], reference: str) -> None:
    found = read("scaledmail", 200, body)
    assert isinstance(found, Accepted)
    assert found.reference == reference


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no"},
        {"error": {"message": "no"}},
        {"message": "Unauthorized"},
        {"message": {}},
        {"success": False},
        {"success": "no"},
        {"status": "error"},
        {"id": None, "error": None},
        {"id": "undefined"},
        {"id": ""},
        {"id": 0},
        {"id": "rec1", "status": "active"},
        {"id": "rec1", "message": "Subscription created but the payment failed"},
        {"id": "rec1", "error": "charge failed"},
    ],
)
def test_scaledmail_success_that_speaks_of_an_error_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("scaledmail", 200, body), Unknown)


@pytest.mark.parametrize("status", [201, 202])
def test_scaledmail_accepts_its_whole_success_with_any_2xx(status: int) -> None:
    assert read("scaledmail", status, {}) == Accepted(details={"vendor_says": ""})


@pytest.mark.parametrize("status", [206, 207])
def test_scaledmail_answer_about_a_part_is_unknown(status: int) -> None:
    assert isinstance(read("scaledmail", status, {}), Unknown)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    "body", [{"error": "quantity is required"}, {"message": "quantity is required"}]
)
def test_scaledmail_refuses_with_error_or_message(status: int, body: dict[str, str]) -> None:
    assert problem_in(read("scaledmail", status, body)).vendor_says == "quantity is required"


def test_scaledmail_error_and_message_at_once_are_not_documented_for_an_order() -> None:
    body = {"error": "Too low", "message": "Order more", "requested": {}}
    found = read("scaledmail", 400, body)
    assert isinstance(found, Unknown)
    assert "Too low" in found.why


def test_scaledmail_names_the_domain() -> None:
    found = problem_in(read("scaledmail", 400, {"error": "beta.org is unavailable"}))
    assert (found.field, found.row) == ("domain", 2)


def test_scaledmail_does_not_know_the_key() -> None:
    assert problem_in(read("scaledmail", 401, {"message": "Unauthorized"})).message.startswith(
        "The vendor did not accept the key."
    )


@pytest.mark.parametrize("key", ["error", "message"])
@pytest.mark.parametrize(
    "words",
    [
        "Subscription created but could not be charged",
        "The charge failed",
        "Payment failed",
        "Your card was declined",
        "The invoice is not paid",
    ],
)
def test_scaledmail_refusal_about_money_is_unknown(key: str, words: str) -> None:
    """Such a 400 has been seen for an order whose subscription existed afterwards."""
    found = read("scaledmail", 400, {key: words})
    assert isinstance(found, Unknown)
    assert words in found.why


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no", "id": "rec1"},
        {"error": "no", "payment_id": "rec1"},
        {"error": "no", "success": True},
        {"error": {"message": "no"}},
        {"error": "no", "message": ["no"]},
        {"detail": "no"},
    ],
)
def test_scaledmail_refusal_of_another_shape_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("scaledmail", 400, body), Unknown)
