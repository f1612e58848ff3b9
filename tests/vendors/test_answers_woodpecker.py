"""What Woodpecker answers to a paid request, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import problem_in, read
from vendors.verdicts import Accepted, Refused, Unknown


@pytest.mark.parametrize("body", [b"", b" \r\n", b"\xef\xbb\xbf", {}])
def test_woodpecker_accepts_with_202(body: Any) -> None:
    assert read("woodpecker", 202, body) == Accepted()


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no"},
        {"errors": []},
        {"request_id": "1"},
        [],
        {"title": "Bad Request", "status": 400, "details": "no"},
        {"type": "validation_error", "message": "no", "code": "invalid_fields", "fields": []},
    ],
)
def test_woodpecker_202_with_an_error_in_it_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("woodpecker", 202, body), Unknown)


@pytest.mark.parametrize("status", [200, 201, 203])
def test_woodpecker_documents_202_only(status: int) -> None:
    assert isinstance(read("woodpecker", status, b""), Unknown)
    assert isinstance(read("woodpecker", status, {}), Unknown)


def woodpecker_error(status: int, **more: Any) -> dict[str, Any]:
    return {
        "title": "Title",
        "status": status,
        "details": "error details",
        "timestamp": "2026-05-06T12:00:00Z",
        **more,
    }


def test_woodpecker_refuses_a_malformed_request() -> None:
    assert problem_in(read("woodpecker", 400, woodpecker_error(400))).vendor_says == "error details"


@pytest.mark.parametrize("status", [401, 403])
def test_woodpecker_does_not_know_the_key(status: int) -> None:
    found = problem_in(read("woodpecker", status, woodpecker_error(status)))
    assert found.message.startswith("The vendor did not accept the key.")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, woodpecker_error(500)),
        (400, {"title": "Title", "status": 400}),
        (400, {"details": "x", "status": 400}),
        (400, woodpecker_error(400, details={"a": 1})),
        (400, {"message": "no"}),
        (422, woodpecker_error(422)),
        (422, {"message": "no", "code": "invalid_fields"}),
        (422, {"type": "validation_error", "message": "no", "code": None}),
        (422, {"type": "validation_error", "message": "no", "code": "x", "fields": {"a": 1}}),
    ],
)
def test_woodpecker_refusal_of_another_shape_is_unknown(status: int, body: dict[str, Any]) -> None:
    assert isinstance(read("woodpecker", status, body), Unknown)


def invalid(
    *fields: Any, code: str = "invalid_fields", message: str = "Invalid field(s)"
) -> dict[str, Any]:
    return {
        "type": "validation_error",
        "message": message,
        "code": code,
        "request_id": "dc4faa0f-78bf-54e9-9d5d-ce9538f2eec5",
        "fields": list(fields) or None,
    }


def field(
    name: Any, issue: Any = "Email domain must exist in order domains or active firm domains"
) -> dict[str, Any]:
    return {"field": name, "issue": issue, "value": "richard@missing.com"}


@pytest.mark.parametrize(
    ("name", "column", "row"),
    [
        ("mailboxes[0].email", "address", 11),
        ("mailboxes[1].first_name", "first_name", 12),
        ("mailboxes[2].last_name", "last_name", 13),
        ("mailboxes[2]", "", 13),
        ("mailboxes[2].colour", "", 13),
        ("mailboxes[3].email", "", None),
        ("mailboxes[" + "9" * 6000 + "].email", "", None),
        ("mailboxes", "", None),
    ],
)
def test_woodpecker_field_is_tied_to_its_mailbox(name: Any, column: str, row: int | None) -> None:
    found = problem_in(read("woodpecker", 422, invalid(field(name))))
    assert (found.field, found.row) == (column, row)
    assert found.vendor_says == "Email domain must exist in order domains or active firm domains"


def test_woodpecker_each_field_becomes_a_problem() -> None:
    found = read(
        "woodpecker",
        422,
        invalid(field("mailboxes[0].email"), field("mailboxes[2].email", "Taken")),
    )
    assert isinstance(found, Refused)
    assert [(problem.row, problem.vendor_says[:5]) for problem in found.problems] == [
        (11, "Email"),
        (13, "Taken"),
    ]


def test_woodpecker_422_without_a_field_shows_the_message() -> None:
    found = problem_in(read("woodpecker", 422, invalid(message="Not allowed")))
    assert found.vendor_says == "Not allowed"


@pytest.mark.parametrize(
    "body",
    [
        invalid(code="new_rule"),
        invalid("x"),
        invalid(field(None)),
        invalid(field("mailboxes[0].email", None)),
        invalid() | {"fields": {}},
        invalid() | {"order": "7"},
    ],
)
def test_woodpecker_422_of_another_form_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("woodpecker", 422, body), Unknown)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("insufficient_funds", "Add prepaid funds"),
        ("payment_failed", "Billing"),
        ("domain_owner_required", "domain owner"),
    ],
)
def test_woodpecker_business_refusal_says_what_to_do(code: str, words: str) -> None:
    found = problem_in(
        read("woodpecker", 422, invalid(code=code, message="Not allowed for your account"))
    )
    assert words in found.fix
    assert found.vendor_says == "Not allowed for your account"
