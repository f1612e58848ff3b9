"""Woodpecker, practised: mailboxes on domains of the account.

Not documented and chosen here: the answer of `/rest/v1/me`, and the statuses 404, 405 and 429. No
order number is documented, and none is made.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from vendors.practice import availability_answers
from vendors.practice.faults import is_cancelled, is_ready, is_shown, missing
from vendors.practice.ledger import Charge
from vendors.practice.schema import Flaw, address, array, domain_name, record, text
from vendors.practice.wire_types import Answer, Call, Purchase, Route, Twin, json_answer

MAILBOX = record({"first_name": text, "last_name": text, "email": address})
ORDER = record({"mailboxes": array(MAILBOX, unique=lambda mailbox: mailbox["email"])})
QUESTION = record({"domains": array(domain_name, unique=str)})
PROVIDER = "GOOGLE"
PROVIDERS = [
    {"name": "MAILDOSO", "currency": "EUR", "email_account_price": 4.0},
    {"name": "MAILFORGE", "currency": "USD", "email_account_price": 4.0},
    {"name": "GOOGLE", "currency": "EUR", "email_account_price": 6.0},
    {"name": "MICROSOFT", "currency": "EUR", "email_account_price": 6.0},
]


def key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    return headers.get("x-api-key", "")


def error(status: int, words: str) -> Answer:
    title = HTTPStatus(status).phrase
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json_answer(
        status, {"title": title, "status": status, "details": words, "timestamp": stamp}
    )


def unprocessable(message: str, code: str, fields: list[dict[str, str | None]] | None) -> Answer:
    body = {"type": "validation_error", "message": message, "code": code}
    return json_answer(422, {**body, "request_id": str(uuid.uuid4()), "fields": fields})


def invalid(flaws: Sequence[Flaw]) -> Answer:
    fields = [
        {
            "field": flaw.field,
            "issue": flaw.issue,
            "value": flaw.value if isinstance(flaw.value, str) else None,
        }
        for flaw in flaws
    ]
    return unprocessable("Invalid field(s)", "invalid_fields", fields)


def refuse_field(purchase: Purchase, domain: str) -> Answer:
    # The documented text for an address whose domain the account does not have.
    issue = "Email domain must exist in order domains or active firm domains"
    return invalid(
        [
            Flaw(f"mailboxes[{index}].email", issue, email)
            for index, email in enumerate(purchase.mailboxes)
            if email.endswith(f"@{domain}")
        ]
    )


def refuse_payment(purchase: Purchase) -> Answer:
    return unprocessable("Insufficient funds", "insufficient_funds", None)


def order_mailboxes(call: Call) -> Purchase:
    mailboxes = [
        {**mailbox, "email": mailbox["email"].lower()} for mailbox in call.json["mailboxes"]
    ]
    emails = [mailbox["email"] for mailbox in mailboxes]
    # The order does not say a provider: every mailbox here is Google's, as the lists say.
    own = next(row for row in PROVIDERS if row["name"] == PROVIDER)
    return Purchase(
        request="mailboxes",
        domains=list(dict.fromkeys(email.rpartition("@")[2] for email in emails)),
        mailboxes=emails,
        details={"mailboxes": mailboxes},
        # The documented success: no body, and so no order number.
        answer=Answer(status=202),
        amount=Decimal(str(own["email_account_price"])) * len(emails),
        currency=str(own["currency"]),
    )


def me(call: Call) -> Answer:
    return json_answer(200, {"id": 1, "name": "Practice account"})


def providers(call: Call) -> Answer:
    return json_answer(200, {"providers": PROVIDERS})


def domain_mailboxes(call: Call) -> Answer:
    return json_answer(
        200, {"mailboxes": list(mailboxes_of(call, call.args["domain"].lower()).values())}
    )


def mailboxes_of(call: Call, domain: str) -> dict[str, dict[str, Any]]:
    """The domain's mailboxes by address. A mailbox that was ordered twice is listed once."""
    found: dict[str, dict[str, Any]] = {}
    for charge in call.charges(domain=domain):
        if not is_listed(call, charge, domain):
            continue
        status = "PAID" if is_ready(call, charge, domain) else "ORDERED"
        own = [box for box in charge.details["mailboxes"] if box["email"].endswith(f"@{domain}")]
        for mailbox in own[: len(own) - missing(call, charge, domain)]:
            found[mailbox["email"]] = {**mailbox, "provider": PROVIDER, "status": status}
    return found


def is_listed(call: Call, charge: Charge, domain: str) -> bool:
    return is_shown(call, charge, domain) and not is_cancelled(call, charge, domain)


def availability(call: Call) -> Answer:
    # An account that starts empty could order nothing, so every domain counts as the account's own.
    # So a name is taken, unless the name itself asks for another answer.
    provider = call.query["provider"]
    if provider not in {row["name"] for row in PROVIDERS}:
        return error(400, f"Unknown provider: {provider}")
    asked = call.json["domains"]
    if wrong := availability_answers.trouble(error, asked):
        return wrong
    states = {
        domain: availability_answers.state_of(call, domain, usually=availability_answers.TAKEN)
        for domain in asked
    }
    rows = [
        availability_row(domain, state)
        for domain, state in states.items()
        if state != availability_answers.UNKNOWN
    ]
    return json_answer(200, {"provider": provider, "domains": rows})


def availability_row(domain: str, state: str) -> dict[str, Any]:
    price = availability_answers.price_of(state)
    amount = {"amount": price, "currency": "USD"} if price else None
    return {
        "domain": domain.lower(),
        "available": state != availability_answers.TAKEN,
        "price": amount,
    }


def domains(call: Call) -> Answer:
    # The first order with a domain decides when the domain was created.
    created: dict[str, datetime] = {}
    for charge in call.charges():
        for domain in charge.domains:
            if is_listed(call, charge, domain):
                created.setdefault(domain, datetime.fromisoformat(charge.at))
    return json_answer(
        200, {"domains": [domain_row(call, domain, at) for domain, at in created.items()]}
    )


def domain_row(call: Call, domain: str, created: datetime) -> dict[str, Any]:
    return {
        "domain": domain,
        "mailboxes_count": len(mailboxes_of(call, domain)),
        "provider": PROVIDER,
        "is_custom_domain": False,
        "is_ready": True,
        "expires": f"{created + timedelta(days=365):%Y-%m-%dT%H:%M:%S}",
        "created": f"{created:%Y-%m-%dT%H:%M:%S}",
    }


TWIN = Twin(
    name="woodpecker",
    key=key,
    error=error,
    invalid=invalid,
    refuse_field=refuse_field,
    refuse_payment=refuse_payment,
    routes=(
        Route(
            method="POST",
            path="/rest/v2/domains/mailboxes/order",
            handle=order_mailboxes,
            check=ORDER,
        ),
        Route(method="GET", path="/rest/v1/me", handle=me),
        Route(method="GET", path="/rest/v2/domains/providers", handle=providers),
        Route(
            method="POST",
            path="/rest/v2/domains/availability",
            handle=availability,
            asks=QUESTION,
            required={"provider": "provider is required"},
        ),
        Route(method="GET", path="/rest/v2/domains", handle=domains),
        Route(method="GET", path="/rest/v2/domains/{domain}/mailboxes", handle=domain_mailboxes),
    ),
)
