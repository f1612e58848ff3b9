"""What Woodpecker documents to refuse in an order of mailboxes."""

from __future__ import annotations

from typing import Any

from tests.vendors.orders import domain
from tests.vendors.refusals import OTHER_PAGE, WOODPECKER, Refusal, answers, box, by_nature
from vendors.verdicts import NotSent, Unknown

ISSUE = "Email domain must exist in order domains or active firm domains"
FIELD = {"field": "mailboxes[0].email", "issue": ISSUE, "value": "richard@missing.com"}


def title(status: int, words: str) -> tuple[int, dict[str, Any]]:
    return status, {
        "title": words,
        "status": status,
        "details": "error details",
        "timestamp": "2026-05-06T12:00:00Z",
    }


def business(code: str, *fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
    body = {
        "type": "validation_error",
        "message": "Invalid field(s)",
        "code": code,
        "request_id": None,
    }
    return 422, {**body, "fields": list(fields) or None}


def shown(status: int, words: str) -> str:
    """The sample of an error, as the page prints it."""
    return f'"title": "{words}",\n"status": {status},\n"details": "error details"'


WOODPECKER_REFUSALS = [
    Refusal(
        key=WOODPECKER, says="mailboxes is required", broken={"contents": ()}, field="rows", status=422,
        quotes=("mailboxes | array | Yes | Mailboxes to order for existing active domains",),
        words="mailboxes must contain at least 1",
    ),
    Refusal(
        key=WOODPECKER, says="first_name is required", broken=box(first_name=""), field="first_name", row=11,
        status=422, quotes=("first_name | string | Yes | Mailbox owner's first name.",),
        words="mailboxes[0].first_name is not allowed to be empty",
    ),
    Refusal(
        key=WOODPECKER, says="last_name is required", broken=box(last_name=" "), field="last_name", row=11, status=422,
        quotes=("last_name | string | Yes | Mailbox owner's last name.",),
        words="mailboxes[0].last_name is not allowed to be empty",
    ),
    Refusal(
        key=WOODPECKER, says="email is required", broken=box(username=""), field="address", row=11, status=422,
        quotes=("email | string | Yes | Mailbox email address to order",),
        words="mailboxes[0].email must be a valid email",
    ),
    Refusal(
        key=WOODPECKER, says="A domain without mailboxes has nothing to send", field="domain", row=2, status=422,
        quotes=("Order mailboxes for domains you already purchased in Woodpecker.",),
        broken={"contents": (domain("beta.org", row=2),)}, words="mailboxes must contain at least 1",
    ),
    Refusal(
        key=WOODPECKER, says=ISSUE, quotes=(ISSUE,), reply=business("invalid_fields", FIELD), field="address", row=11,
        ours="does not take ada@alpha.com",
        hint="; MailOps warns where it knows the domain at another account, or not ready",
    ),
    Refusal(
        key=WOODPECKER, says="invalid_fields (422)", reply=business("invalid_fields"),
        quotes=(
            "- 422",
            "Returned when the request body is valid JSON but contains invalid or missing fields, or when business "
            "validation fails before the order can be accepted.",
            '"type": "validation_error",\n"message": "Invalid field(s)",\n"code": "invalid_fields"',
            "Fields that failed validation. Present for field-level validation errors",
            "Rejected value, or null for a missing required field",
        ),
    ),
    Refusal(
        key=WOODPECKER, says="insufficient_funds (422)", reply=business("insufficient_funds"), ours="prepaid funds",
        quotes=(
            "Mailbox purchases are paid from your prepaid funds, so you need enough balance before placing an order.",
            "If code is insufficient_funds, add prepaid funds in Woodpecker before retrying the order.",
        ),
    ),
    *(
        Refusal(
            key=WOODPECKER, says=f"{code} (422)", reply=business(code), ours=ours,
            quotes=(
                "Error code. Possible business error values include domain_owner_required, insufficient_funds, "
                "and payment_failed",
            ),
        )
        for code, ours in (("domain_owner_required", "owner details"), ("payment_failed", "payment"))
    ),
    Refusal(
        key=WOODPECKER, says="Invalid request or malformed request syntax (400)", reply=title(400, "Bad Request"),
        quotes=("- 400", "Invalid request or malformed request syntax", shown(400, "Bad Request")),
    ),
    Refusal(
        key=WOODPECKER, says="Authentication failed (401)", reply=title(401, "Unauthorized"), ours="key",
        quotes=("- 401", "Authentication failed. Please review the authentication guide", shown(401, "Unauthorized")),
    ),
    Refusal(
        key=WOODPECKER, says="Unexpected server error (500)", reply=title(500, "Internal Server Error"),
        verdict=Unknown, quotes=("- 500", "Unexpected server error", shown(500, "Internal Server Error")),
    ),
    Refusal(
        key=WOODPECKER, says="Service unavailable or communication error (503)",
        reply=title(503, "Service Unavailable"), verdict=Unknown,
        quotes=("- 503", "Service unavailable or communication error", shown(503, "Service Unavailable")),
    ),
    *answers(
        WOODPECKER, OTHER_PAGE,
        ("More than six requests wait: the rest is dropped", *title(429, "Too Many Requests"), NotSent),
        ("E_TOO_MANY_REQUESTS, in an older part of the API", 400, {"error": "E_TOO_MANY_REQUESTS"}, Unknown),
    ),
    *by_nature(WOODPECKER),
]  # fmt: skip
