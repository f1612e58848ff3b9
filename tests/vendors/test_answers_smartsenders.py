"""What SmartSenders answers to a paid request, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import problem_in, read
from vendors.verdicts import Accepted, Unknown


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ({"ok": True, "data": []}, ""),
        ({"success": True, "data": {"order_id": "SS-1"}}, "SS-1"),
        ({"status": "success", "order_id": "895641"}, "895641"),
        ({"status": "success", "order_id": 895641}, "895641"),
        ({"ok": True, "data": None, "message": "Thanks"}, ""),
    ],
)
def test_smartsenders_accepts_by_any_of_its_flags(body: dict[str, Any], reference: str) -> None:
    found = read("smartsenders", 200, body)
    assert isinstance(found, Accepted)
    assert found.reference == reference


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": []},
        {"ok": "true"},
        {"ok": 1},
        {"ok": False, "data": []},
        {"success": False, "error": {"message": "no"}},
        {"status": "error", "message": "Error creating domain"},
        {"ok": True, "status": "error"},
        {"ok": True, "error": "no"},
        {"ok": True, "order_id": True},
        {"ok": True, "order_id": "null"},
        {"ok": True, "error": None},
        {"ok": True, "data": [{"status": "failed"}]},
        {"ok": True, "data": {"order_id": "1", "status": "Payment Pending"}},
        {"ok": True, "order_id": "1", "data": {"order_id": "2"}},
        {"status": "Payment Pending"},
        {"message": "Order placed"},
    ],
)
def test_smartsenders_200_without_a_clear_success_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("smartsenders", 200, body), Unknown)


def test_smartsenders_error_under_200_is_shown_in_the_vendors_words() -> None:
    found = read("smartsenders", 200, {"status": "error", "message": "Error creating domain"})
    assert isinstance(found, Unknown)
    assert "Error creating domain" in found.why


@pytest.mark.parametrize("status", [201, 202])
def test_smartsenders_accepts_its_whole_success_with_any_2xx(status: int) -> None:
    assert isinstance(read("smartsenders", status, {"ok": True, "data": []}), Accepted)


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "error": {"code": "UNAUTHORIZED", "message": "Invalid API Key"}},
        {"error": "Invalid API Key"},
    ],
)
def test_smartsenders_answer_in_the_form_of_other_hosts_is_unknown(body: dict[str, Any]) -> None:
    found = read("smartsenders", 401, body)
    assert isinstance(found, Unknown)
    assert "Invalid API Key" in found.why


def test_smartsenders_does_not_know_the_key() -> None:
    found = problem_in(read("smartsenders", 401, {"message": "Invalid API Key"}))
    assert found.message.startswith("The vendor did not accept the key.")
    assert found.vendor_says == "Invalid API Key"


def joi(message: str) -> dict[str, str]:
    return {"status": "error", "message": message, "context": "Error creating domain"}


@pytest.mark.parametrize(
    ("message", "column", "row"),
    [
        ('"domains[0].domain_name" must contain a valid domain name', "domain", 1),
        ('"domains[1].domain_name" must contain a valid domain name', "domain", 2),
        ('"domains[0].mailboxes[1]" must be a valid email', "address", 12),
        ('"domains[1].mailbox_details[0].first_name" is not allowed to be empty', "address", 13),
        ('"domains[1].mailboxes[9]" must be a valid email', "domain", 2),
        ('"domains[7].domain_name" must contain a valid domain name', "", None),
        ('"vendor_id" must be a number', "", None),
        ("cy@beta.org is taken", "address", 13),
    ],
)
def test_smartsenders_message_is_tied_to_its_line(
    message: str, column: str, row: int | None
) -> None:
    found = problem_in(read("smartsenders", 400, joi(message)))
    assert (found.field, found.row, found.vendor_says) == (column, row, message)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("strings", '"domains[0].mailbox_details" is required'),
        ("strings", '"domains[0].mailboxes" is not allowed'),
        ("strings", '"user_details.email" is required'),
        ("objects", '"domains[0].mailboxes" is required'),
        ("objects", '"domains[0].mailbox_details" is not allowed'),
    ],
)
def test_smartsenders_refusal_that_names_the_other_form_says_to_switch(
    form: str, message: str
) -> None:
    found = problem_in(read("smartsenders", 400, joi(message), settings={"body_form": form}))
    assert "switch" in found.fix


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("objects", '"domains[0].mailbox_details" is required'),
        ("strings", '"domains[0].mailboxes" is required'),
        ("strings", '"user_details.name" is required'),
    ],
)
def test_smartsenders_refusal_about_its_own_form_does_not_say_to_switch(
    form: str, message: str
) -> None:
    assert (
        "switch"
        not in problem_in(read("smartsenders", 400, joi(message), settings={"body_form": form})).fix
    )


@pytest.mark.parametrize(
    "body",
    [
        {"ok": True, "message": "no"},
        {"status": "success", "message": "no"},
        {"message": "no", "order_id": "1"},
    ],
)
def test_smartsenders_refusal_with_a_success_in_it_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("smartsenders", 400, body), Unknown)
