"""ScaledMail, practised: packages of mailboxes on domains of the account.

Not documented and chosen here: the error texts of an order (their shape and cases are documented),
that every organization shows the whole account, and that an order which was cancelled in the
dashboard reads Cancelled and keeps its domains in the list.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from vendors.practice import availability_answers
from vendors.practice.faults import is_cancelled, is_ready, is_shown, missing
from vendors.practice.ledger import Charge
from vendors.practice.scaledmail_addresses import planned
from vendors.practice.scaledmail_price_list import ORDER_TYPES, PACKAGES, Package
from vendors.practice.schema import (
    Check,
    Flaw,
    also,
    array,
    count,
    domain_name,
    local_part,
    record,
    text,
)
from vendors.practice.wire_types import JSON, Answer, Call, Purchase, Route, Twin, json_answer

LOGIN: dict[str, Check] = {"provider": text, "username": text, "password": text}
ALIASES = array(
    record({"first_name": text, "last_name": text, "alias": local_part}, {"profile_picture": text}),
    unique=lambda alias: str(alias["alias"]),
)


def names_or_aliases(value: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    # With names alone, the vendor makes the addresses itself.
    named = ["first_name" in value, "last_name" in value]
    if "aliases" in value and any(named):
        yield Flaw(f"{path}.aliases", "can't be combined with first_name and last_name")
    elif "aliases" not in value and not all(named):
        yield Flaw(f"{path}.aliases", "or first_name and last_name is required")


DOMAIN = also(
    record(
        {"domain": domain_name},
        {
            "redirect": text,
            "profile_picture": text,
            "first_name": text,
            "last_name": text,
            "aliases": ALIASES,
        },
    ),
    names_or_aliases,
)
ORDER = record(
    {"domains": array(DOMAIN, unique=lambda item: str(item["domain"]))},
    {
        "quantity": count,
        "hosting": record(LOGIN, {"link": text}),
        "sequencer": record(LOGIN, {"link": text, "workspace": text, "tag": text}),
    },
)

SEARCH = record({"domains": array(domain_name, unique=str)})
SUGGEST = record({"domain": text}, {"tlds": array(text)})
AT_ONCE, LIMIT = 10, 50
ENDINGS = (".com", ".io", ".net", ".co", ".org")


def key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def error(status: int, words: str) -> Answer:
    if status == 401:
        return json_answer(401, {"message": "Unauthorized"})
    if status == 429:
        return json_answer(
            429, {"message": words, "retryAfter": 2, "limit": "5 requests per second"}
        )
    return json_answer(status, {"error": words})


def invalid(flaws: Sequence[Flaw]) -> Answer:
    return error(400, f"{flaws[0].field} {flaws[0].issue}")


def refuse_field(purchase: Purchase, domain: str) -> Answer:
    return error(400, f"Domain {domain} is used or unavailable")


def refuse_payment(purchase: Purchase) -> Answer:
    return error(400, "No payment method connected")


def fail_charge() -> Answer:
    return error(400, "The subscription was created but could not be charged")


# Paid requests


def create_order(call: Call) -> Answer | Purchase:
    package = PACKAGES.get(call.args["price_id"])
    if package is None:
        return error(404, "Package not found")
    if refusal := misfit(call, package):
        return error(400, refusal)
    domains = [planned(item, package) for item in call.json["domains"]]
    letters = string.ascii_letters + string.digits
    # The documented success is an empty object: the reference is found by reading the orders.
    return Purchase(
        request="package",
        reference="rec" + "".join(secrets.choice(letters) for _ in range(14)),
        domains=[item["domain"] for item in domains],
        mailboxes=[
            f"{box['alias']}@{item['domain']}" for item in domains for box in item["mailbox"]
        ],
        details={
            "price_id": package.id,
            "quantity": call.json.get("quantity", 1),
            "organization_id": call.query["organization_id"],
            "provider": call.query["provider"],
            "domains": domains,
        },
        answer=json_answer(200, {}),
        amount=Decimal(package.price * call.json.get("quantity", 1)),
    )


def misfit(call: Call, package: Package) -> str:
    """Why the order does not fit its package, its provider or the account. Empty where it fits."""
    order, provider = call.json, call.query["provider"]
    if provider not in ("scaledmail", "other"):
        return "provider must be scaledmail or other"
    if ("hosting" in order) != (provider == "other"):
        return "hosting is required when provider is other, and only then"
    needed = package.domains * order.get("quantity", 1)
    if len(order["domains"]) != needed:
        return f"This package requires exactly {needed} domains, {len(order['domains'])} given"
    for item in order["domains"]:
        if call.charges(domain=item["domain"]):
            return f"Domain {item['domain']} is used or unavailable"
    return ""


# Reads


def organizations(call: Call) -> Answer:
    return json_answer(
        200, {"organizations": [{"id": "recPracticeOrg1", "name": "Practice organization"}]}
    )


def packages(call: Call) -> Answer:
    return json_answer(
        200,
        {"total": len(PACKAGES), "packages": [package.as_dict() for package in PACKAGES.values()]},
    )


def orders(call: Call) -> Answer:
    payments = [payment(call, charge) for charge in reversed(call.charges())]
    return json_answer(200, {"total": len(payments), "payments": payments})


def payment(call: Call, charge: Charge) -> dict[str, Any]:
    package = PACKAGES[charge.details["price_id"]]
    return {
        "id": charge.reference,
        "amount": package.price * charge.details["quantity"],
        "created_at": charge.at,
        "status": order_status(call, charge),
        "description": package.name,
    }


def order_status(call: Call, charge: Charge) -> str:
    # The subscription can be cancelled as a whole alone.
    gone = all(is_cancelled(call, charge, name) for name in charge.domains)
    return "Cancelled" if gone else "Active"


def is_listed(call: Call, charge: Charge, domain: str) -> bool:
    if not is_shown(call, charge, domain):
        return False
    return order_status(call, charge) == "Cancelled" or not is_cancelled(call, charge, domain)


def order(call: Call) -> Answer:
    charge = next(
        (charge for charge in call.charges() if charge.reference == call.args["order_id"]), None
    )
    if charge is None:
        return error(404, "Order not found")
    shown = [
        (place, name) for place, name in enumerate(charge.domains) if is_listed(call, charge, name)
    ]
    package = {
        "type": PACKAGES[charge.details["price_id"]].kind.title(),
        "id": f"recPackage{charge.id}",
        "note": "",
        "payment_id": charge.reference,
        "created_at": charge.at,
        "total_domains": len(charge.domains),
        "status": order_status(call, charge),
        "domains": [
            {"id": f"recDomain{charge.id}x{place}", "name": name, "status": ""}
            for place, name in shown
        ],
    }
    body = {
        **payment(call, charge),
        "tag": "",
        "invoices": [],
        "total_domains": len(charge.domains),
    }
    return json_answer(200, {**body, "packages": [package], "addons": [], "current_items": []})


def domains(call: Call) -> Answer:
    rows = domain_rows(call)
    return json_answer(200, {"total": len(rows), "domains": rows})


def domain_rows(call: Call) -> list[dict[str, Any]]:
    return [
        domain_row(call, charge, place, item)
        for charge in call.charges()
        for place, item in enumerate(charge.details["domains"])
        if is_listed(call, charge, item["domain"])
    ]


def domain_row(call: Call, charge: Charge, place: int, item: Mapping[str, Any]) -> dict[str, Any]:
    kind = PACKAGES[charge.details["price_id"]].kind
    # The order's reference stands under `payment_id`; `order_id` names one package of the order.
    return {
        "id": f"recDomain{charge.id}x{place}",
        "domain": item["domain"],
        "status": "Active" if is_ready(call, charge, item["domain"]) else "In Progress",
        "order_type": ORDER_TYPES[kind],
        "order_id": f"recPackage{charge.id}",
        "payment_id": charge.reference,
        "tag": "",
        "redirect": item["redirect"],
        "domain_provider": charge.details["provider"],
        "domain_masking": False,
        "user_id": "recPracticeUser1",
        "total_mailboxes": len(item["mailbox"]),
        "mailbox": listed_mailboxes(call, charge, item),
    }


def listed_mailboxes(
    call: Call, charge: Charge, item: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    boxes: list[Mapping[str, Any]] = item["mailbox"]
    return boxes[: len(boxes) - missing(call, charge, item["domain"])]


def mailboxes(call: Call) -> Answer:
    # The passwords come for `password=true` alone, which this practice vendor does not take.
    rows = [
        {
            **box,
            "email": f"{box['alias']}@{row['domain']}",
            "status": row["status"],
            **{key: row[key] for key in ("order_type", "order_id", "payment_id", "tag")},
            "domain_id": row["id"],
        }
        for row in domain_rows(call)
        if row["id"] == call.args["domain_id"]
        for box in row["mailbox"]
    ]
    return json_answer(200, {"total": len(rows), "mailboxes": rows or None})


def search_domains(call: Call) -> Answer:
    # The account counts as owner of every domain, so that it can order mailboxes on any. So a name
    # is taken, unless the name itself asks for another answer.
    asked = call.json["domains"]
    if len(asked) > AT_ONCE:
        return error(400, f"At most {AT_ONCE} domains a search")
    if wrong := availability_answers.trouble(error, asked):
        return wrong
    states = {
        domain: availability_answers.state_of(call, domain, usually=availability_answers.TAKEN)
        for domain in asked
    }
    return json_answer(
        200,
        [
            offer(name, state)
            for name, state in states.items()
            if state != availability_answers.UNKNOWN
        ],
    )


def offer(domain: str, state: str) -> dict[str, Any]:
    price = availability_answers.price_of(state)
    number = float(price) if price else None
    status = "taken" if state == availability_answers.TAKEN else "available"
    return {"domain": domain.lower(), "status": status, "price": number, "renewPrice": number}


def suggest_domains(call: Call) -> Answer:
    asked = call.json["domain"]
    if wrong := availability_answers.trouble(error, [asked]):
        return wrong
    # A word that is no number becomes 0, which the next line refuses.
    given = [call.query.get(name, default) for name, default in (("page", "1"), ("limit", "20"))]
    page, limit = (int(word) if word.isdecimal() else 0 for word in given)
    if page < 1 or not 1 <= limit <= LIMIT:
        return error(400, "Invalid page or limit")
    found = availability_answers.like(asked, endings=call.json.get("tlds", ENDINGS))
    rows = [
        offer(name, availability_answers.state_of(call, name, usually=availability_answers.FREE))
        for name in found
    ]
    # The last row always shows how the vendor marks a name that it could not check.
    rows[-1] = {**rows[-1], "status": "error", "price": None, "renewPrice": None}
    shown = rows[(page - 1) * limit : page * limit]
    about = {
        "total": len(rows),
        "page": page,
        "limit": limit,
        "total_pages": -(-len(rows) // limit),
    }
    return json_answer(200, about | {"domains": shown})


ORGANIZATION = {"organization_id": "organization_id is required"}
TWIN = Twin(
    name="scaledmail",
    key=key,
    error=error,
    invalid=invalid,
    refuse_field=refuse_field,
    refuse_payment=refuse_payment,
    fail_charge=fail_charge,
    routes=(
        Route(
            method="POST",
            path="/api/v1/create-order/{price_id}",
            handle=create_order,
            check=ORDER,
            content_types=JSON | {"text/plain"},
            required={**ORGANIZATION, "provider": "provider is required"},
            optional=frozenset({"coupon"}),
        ),
        Route(
            method="POST",
            path="/api/v1/search-domains",
            handle=search_domains,
            asks=SEARCH,
            content_types=JSON | {"text/plain"},
            required=ORGANIZATION,
        ),
        Route(
            method="POST",
            path="/api/v1/suggest-domains",
            handle=suggest_domains,
            asks=SUGGEST,
            required=ORGANIZATION,
            optional=frozenset({"page", "limit"}),
        ),
        Route(method="GET", path="/api/v1/organizations", handle=organizations),
        Route(
            method="GET", path="/api/v1/packages", handle=packages, optional=frozenset(ORGANIZATION)
        ),
        Route(method="GET", path="/api/v1/orders", handle=orders, required=ORGANIZATION),
        Route(method="GET", path="/api/v1/orders/{order_id}", handle=order, required=ORGANIZATION),
        Route(method="GET", path="/api/v1/domains", handle=domains, required=ORGANIZATION),
        Route(
            method="GET",
            path="/api/v1/mailboxes/{domain_id}",
            handle=mailboxes,
            required=ORGANIZATION,
        ),
    ),
)
