"""Smartlead SmartSenders, practised: domains with mailboxes, in both documented forms of the body.

Not documented for this host and chosen here: the answer about an unknown order, and the statuses
404, 405, 429 and 503.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from vendors.practice import availability_answers
from vendors.practice.faults import is_cancelled, is_ready, is_shown
from vendors.practice.schema import (
    Check,
    Flaw,
    address,
    also,
    any_text,
    array,
    count,
    domain_name,
    one_of,
    record,
    text,
)
from vendors.practice.wire_types import Answer, Call, Purchase, Route, Twin, json_answer

# The suppliers behind SmartSenders, by their numbers.
VENDORS = {1: "zapmailGoogle", 9: "inboxkitGoogle"}
PRICING = {"domain_price": "13.00", "mailbox_price": "4.50", "currency": "USD"}
DETAIL = record(
    {"mailbox": address, "first_name": text, "last_name": text},
    {"profile_pic": any_text, "parent_account_id": count},
)
CONTACT: dict[str, Check] = dict.fromkeys(
    [
        "email",
        "firstName",
        "lastName",
        "country",
        "city",
        "addressLineOne",
        "postalCode",
        "state",
        "phoneCc",
        "phone",
        "languagePreference",
    ],
    text,
)
OPTIONAL_CONTACT: dict[str, Check] = {"addressLineTwo": any_text, "addressLineThree": any_text}


def is_detailed(order: Mapping[str, Any]) -> bool:
    # Runs before the check of the form, so the order may hold anything.
    return any(
        "mailbox_details" in domain for domain in order["domains"] if isinstance(domain, dict)
    )


def own_mailboxes(value: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    name = "mailbox_details" if "mailbox_details" in value else "mailboxes"
    for index, email in enumerate(emails_of(value)):
        if email.rpartition("@")[2] != value["domain_name"].lower():
            yield Flaw(
                f"{path}.{name}[{index}]", f"must be a mailbox of {value['domain_name']}", email
            )


def order_form(
    *, mailboxes: tuple[str, Check], required: Mapping[str, Check], optional: Mapping[str, Check]
) -> Check:
    domain = also(record({"domain_name": domain_name, mailboxes[0]: mailboxes[1]}), own_mailboxes)
    return record(
        {
            "vendor_id": one_of(*VENDORS),
            "domains": array(domain, unique=lambda item: str(item["domain_name"])),
            "forwarding_domain": domain_name,
            **required,
        },
        optional,
    )


BY_ADDRESS = order_form(
    mailboxes=("mailboxes", array(address, unique=str)),
    required={},
    optional={
        "user_details": record(
            {}, {"name": text, **CONTACT, "company": any_text, **OPTIONAL_CONTACT}
        )
    },
)
BY_DETAILS = order_form(
    mailboxes=("mailbox_details", array(DETAIL, unique=lambda detail: str(detail["mailbox"]))),
    required={"user_details": record({**CONTACT, "company": any_text}, OPTIONAL_CONTACT)},
    optional={},
)


def order_check(value: Any, path: str) -> Iterator[Flaw]:
    # An order that mixes both forms fails, because its form does not allow the other form's field.
    has_list = isinstance(value, dict) and isinstance(value.get("domains"), list)
    yield from (BY_DETAILS if has_list and is_detailed(value) else BY_ADDRESS)(value, path)


def key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    return query.get("api_key", "")


def error(status: int, words: str) -> Answer:
    if status == 401:
        return json_answer(401, {"message": "Invalid API Key"})
    if status == 429:
        return json_answer(
            429, {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": words, "retry_after": 2}}
        )
    return json_answer(
        status, {"status": "error", "message": words, "context": "Error creating domain"}
    )


def invalid(flaws: Sequence[Flaw]) -> Answer:
    return error(400, f'"{flaws[0].field}" {flaws[0].issue}')


def refuse_field(purchase: Purchase, domain: str) -> Answer:
    index = purchase.domains.index(domain)
    return invalid(
        [Flaw(f"domains[{index}].domain_name", "must contain a valid domain name", domain)]
    )


def refuse_payment(purchase: Purchase) -> Answer:
    return error(400, "No valid payment method on the account")


def emails_of(domain: Mapping[str, Any]) -> list[str]:
    if "mailbox_details" in domain:
        return [detail["mailbox"].lower() for detail in domain["mailbox_details"]]
    return [email.lower() for email in domain["mailboxes"]]


def place_order(call: Call) -> Purchase:
    order = call.json
    reference = str(secrets.randbelow(9 * 10**11) + 10**11)
    detailed = is_detailed(order)
    mailboxes = [email for domain in order["domains"] for email in emails_of(domain)]
    each = {name: Decimal(PRICING[name]) for name in ("domain_price", "mailbox_price")}
    return Purchase(
        request="domains and mailboxes",
        reference=reference,
        domains=[domain["domain_name"].lower() for domain in order["domains"]],
        mailboxes=mailboxes,
        amount=each["domain_price"] * len(order["domains"])
        + each["mailbox_price"] * len(mailboxes),
        currency=PRICING["currency"],
        details={"vendor_id": order["vendor_id"], "forwarding_domain": order["forwarding_domain"]},
        # Each form is answered as its own source shows: only the detailed one with an order number.
        answer=json_answer(
            200,
            {"status": "success", "order_id": reference} if detailed else {"ok": True, "data": []},
        ),
    )


def get_vendors(call: Call) -> Answer:
    shared = {
        "delivery_time": 7.18,
        "order_delivery_rate": 96.59,
        "total_orders": 88,
        "total_vendor_orders_contribution_percent": 40.74,
        "delivered_orders": 85,
        "undelivered_orders": 3,
        "pricing": PRICING,
    }
    rows = [
        {"id": number, "vendor_name": name, "priority": place, **shared}
        for place, (number, name) in enumerate(VENDORS.items(), start=1)
    ]
    return json_answer(
        200, {"success": True, "message": "Vendors fetched successfully", "data": rows}
    )


def get_domain_list(call: Call) -> Answer:
    # A bare array, unlike the other answers. A domain is listed from its order on.
    rows = [
        {
            "id": charge.id * 1000 + index,
            "domain_name": domain,
            "vendor_id": charge.details["vendor_id"],
            "created_at": charge.at,
            "updated_at": charge.at,
            "forwarding_domain": charge.details["forwarding_domain"],
            "is_active": is_ready(call, charge, domain),
            "order_id": charge.reference,
        }
        for charge in call.charges()
        for index, domain in enumerate(charge.domains)
        if is_shown(call, charge, domain) and not is_cancelled(call, charge, domain)
    ]
    return json_answer(200, rows)


def search_domain(call: Call) -> Answer:
    # A bare object without a price. The vendor shows names that cost more than 15 dollars as taken.
    asked = call.query["domain_name"]
    if wrong := availability_answers.trouble(error, [asked]):
        return wrong
    if call.query["vendor_id"] not in map(str, VENDORS):
        return json_answer(
            400,
            {"status": "error", "message": "Vendor not found", "context": "Error searching domain"},
        )
    state = availability_answers.state_of(call, asked, usually=availability_answers.FREE)
    if state == availability_answers.UNKNOWN:
        # The documentation's page with placeholders shows this answer.
        return json_answer(200, {"ok": True, "data": []})
    suggestions = [{"domain": name} for name in availability_answers.like(asked)]
    return json_answer(
        200,
        {
            "domain": asked.lower(),
            "available": state == availability_answers.FREE,
            "suggestions": suggestions,
        },
    )


def order_details(call: Call) -> Answer:
    wanted = call.query["order_id"]
    charge = next((charge for charge in call.charges() if charge.reference == wanted), None)
    if charge is None:
        return json_answer(
            400,
            {"status": "error", "message": "Order not found", "context": "Error fetching order"},
        )
    is_done = all(is_ready(call, charge, domain) for domain in charge.domains)
    state = "Completed" if is_done else "Payment Pending"
    words = (
        "Your order is complete."
        if is_done
        else "Your payment is being processed. Please check your card details."
    )
    data = {"order_id": wanted, "status": state, "message": words}
    return json_answer(
        200, {"status": "success", "message": "Order details fetched successfully", "data": data}
    )


API_KEY = frozenset({"api_key"})
PATH = "/api/v1/smart-senders"
TWIN = Twin(
    name="smartsenders",
    key=key,
    error=error,
    invalid=invalid,
    refuse_field=refuse_field,
    refuse_payment=refuse_payment,
    routes=(
        Route(
            method="POST",
            path=f"{PATH}/place-order",
            handle=place_order,
            check=order_check,
            optional=API_KEY,
        ),
        Route(method="GET", path=f"{PATH}/get-vendors", handle=get_vendors, optional=API_KEY),
        Route(
            method="GET", path=f"{PATH}/get-domain-list", handle=get_domain_list, optional=API_KEY
        ),
        Route(
            method="GET",
            path=f"{PATH}/search-domain",
            handle=search_domain,
            required={
                "domain_name": '"domain_name" is required',
                "vendor_id": '"vendor_id" is required',
            },
            optional=API_KEY,
        ),
        Route(
            method="GET",
            path=f"{PATH}/order-details",
            handle=order_details,
            required={"order_id": '"order_id" is required'},
            optional=API_KEY,
        ),
    ),
)
