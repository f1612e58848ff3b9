"""ColdMailReseller, practised: domains with mailboxes, and mailboxes on domains of the account.

Not documented and chosen here: an empty wallet answers 422; `confirm` is required on both orders;
a subscription is listed from the delivery on, never before; one that was cancelled in the dashboard
stays listed as CANCELLED; the renewal price leaves out domains that the account has not; what a
domain costs, as the vendor has no page of prices. They are those that the demo types.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from vendors.practice.faults import fault_of, is_cancelled, is_ready, missing
from vendors.practice.ledger import CHARGED, CREATED, Charge
from vendors.practice.schema import (
    Check,
    Flaw,
    also,
    any_text,
    array,
    count,
    domain_name,
    local_part,
    mapping,
    one_of,
    record,
    text,
    web_address,
    yes_no,
)
from vendors.practice.wire_types import Answer, Call, Purchase, Route, Twin, json_answer

MAILBOXES = mapping(
    domain_name,
    array(
        record(
            {"username": local_part, "firstName": text, "lastName": text},
            {"profilePicture": web_address},
        ),
        unique=lambda mailbox: str(mailbox["username"]),
    ),
)
GOOGLE = record({}, {"googleOauthRoute": any_text, "clientId": any_text, "appName": any_text})
ORDERED = (
    "Order created and queued for processing, make sure to have enough balance in your wallet!"
)
PRICE_PER_MAILBOX = 3
DOMAIN_PRICES = {"com": 13, "net": 14}  # a year, by ending
OTHER_DOMAIN_PRICE = 15


def route_to_export(value: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    # GOOGLE is the documented default.
    if value.get("serviceProvider", "GOOGLE") == "MICROSOFT":
        if not value.get("microsoftOauthRoute"):
            yield Flaw("microsoftOauthRoute", "is required for MICROSOFT")
    elif "google" not in value:
        yield Flaw("google", "is required for GOOGLE")


def known_domains(value: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    ordered = {item["domain"].lower() for item in value["domains"]}
    for name in value.get("mailboxes", {}):
        if name.lower() not in ordered:
            yield Flaw(f"mailboxes.{name}", "is not one of the domains of this order", name)


def one_target(value: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    # Mailboxes are added to a subscription, or a domain gets a new one, which needs autoRenew.
    if ("subscriptionId" in value) == ("domainId" in value):
        yield Flaw("subscriptionId", "or domainId is required, and not both")
    elif "domainId" in value and "autoRenew" not in value:
        yield Flaw("autoRenew", "is required with domainId")


def some_mailbox(value: Mapping[str, Any], path: str) -> Iterator[Flaw]:
    if not value["mailboxes"]:
        yield Flaw("mailboxes", "must name a domain")


DOMAIN = record({"domain": domain_name, "years": count}, {"forwardTo": text})
DOMAIN_ORDER: Check = also(
    record(
        {
            "domains": array(DOMAIN, unique=lambda item: str(item["domain"])),
            "billingCycle": one_of("MONTHLY"),
            # Without it, the documentation leaves open whether money is spent.
            "confirm": yes_no,
        },
        {
            "mailboxes": MAILBOXES,
            "serviceProvider": one_of("GOOGLE", "MICROSOFT"),
            "microsoftOauthRoute": any_text,
            "google": GOOGLE,
            "autoRenew": yes_no,
        },
    ),
    route_to_export,
    known_domains,
)
RENEWAL_QUESTION = record({"userId": text, "domains": array(domain_name, unique=str)})
MAILBOX_ORDER: Check = also(
    record(
        {"mailboxes": MAILBOXES, "confirm": yes_no},
        {"subscriptionId": text, "domainId": text, "autoRenew": yes_no, "google": GOOGLE},
    ),
    one_target,
    some_mailbox,
)


def key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    return headers.get("cmr-x-api-key", "")


def error(status: int, words: str) -> Answer:
    return json_answer(status, {"status": status, "message": words, "data": None})


def invalid(flaws: Sequence[Flaw]) -> Answer:
    return error(400, f"{flaws[0].field} {flaws[0].issue}")


def refuse_field(purchase: Purchase, domain: str) -> Answer:
    email = next((email for email in purchase.mailboxes if email.endswith(f"@{domain}")), "")
    if email:
        return error(422, f"Mailbox {email} is not valid: the username is not allowed on {domain}")
    return error(422, f"Domain {domain} is not valid: it holds a restricted phrase")


def refuse_payment(purchase: Purchase) -> Answer | None:
    # An order that is only created needs no money yet.
    return error(422, "Insufficient balance in your wallet") if purchase.status == CHARGED else None


def accepted(order_id: str, unavailable: Sequence[str] = ()) -> Answer:
    data: dict[str, Any] = {"orderId": order_id}
    if unavailable:
        data["unavailableDomains"] = list(unavailable)
    return json_answer(200, {"status": 200, "message": ORDERED, "data": data})


def new_id(length: int = 28) -> str:
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(length))


def emails_of(mailboxes: Mapping[str, Any]) -> list[str]:
    return [
        f"{item['username']}@{name}".lower() for name, items in mailboxes.items() for item in items
    ]


def price_of(years: Mapping[str, int], mailboxes: Sequence[str]) -> Decimal:
    """The sum for domains with the years they are bought for, and for mailboxes for a month."""
    domains = sum(
        DOMAIN_PRICES.get(name.partition(".")[2], OTHER_DOMAIN_PRICE) * count
        for name, count in years.items()
    )
    return Decimal(domains + PRICE_PER_MAILBOX * len(mailboxes))


def purchase_of(call: Call, *, request: str, domains: list[str], subscription_id: str) -> Purchase:
    """The order for the ledger. `subscription_id` is empty where each domain gets a new one."""
    order, reference = call.json, new_id()
    mailboxes = order.get("mailboxes", {})
    years = {item["domain"].lower(): item["years"] for item in order.get("domains", ())}
    return Purchase(
        request=request,
        reference=reference,
        domains=domains,
        mailboxes=emails_of(mailboxes),
        details={
            "user_id": call.query["userId"],
            "subscription_id": subscription_id,
            "provider": order.get("serviceProvider", "GOOGLE"),
            "auto_renew": order.get("autoRenew", False),
            "mailboxes": {name.lower(): len(items) for name, items in mailboxes.items()},
            "years": years,
        },
        answer=accepted(reference),
        amount=price_of(years, emails_of(mailboxes)),
        status=CHARGED if order["confirm"] else CREATED,
    )


def order_domains(call: Call) -> Purchase:
    names = [item["domain"].lower() for item in call.json["domains"]]
    return purchase_of(call, request="domains and mailboxes", domains=names, subscription_id="")


def order_mailboxes(call: Call) -> Purchase:
    names = [name.lower() for name in call.json["mailboxes"]]
    return purchase_of(
        call,
        request="mailboxes",
        domains=names,
        subscription_id=call.json.get("subscriptionId", ""),
    )


def without(purchase: Purchase, gone: Sequence[str]) -> Purchase:
    # The vendor documents unavailable domains for domain orders only. A mailbox order never ends.
    if purchase.request == "mailboxes":
        return purchase
    left = [name for name in purchase.domains if name not in gone]
    mailboxes = [email for email in purchase.mailboxes if email.rpartition("@")[2] not in gone]
    years = {name: purchase.details["years"][name] for name in left}
    return replace(
        purchase,
        domains=left,
        mailboxes=mailboxes,
        amount=price_of(years, mailboxes),
        answer=accepted(purchase.reference, gone),
        status=purchase.status if left else CREATED,
    )


def subscriptions(call: Call) -> Answer:
    pages = {
        name: call.query.get(name, default) for name, default in (("page", "1"), ("limit", "50"))
    }
    if not all(re.fullmatch("[1-9][0-9]{0,5}", value) for value in pages.values()):
        return error(400, "page and limit must be whole numbers")
    page, limit = int(pages["page"]), int(pages["limit"])
    found = [row for row in subscription_rows(call) if is_wanted(row, call.query)]
    pagination = {
        "totalSearchedCount": len(found),
        "currentPage": page,
        # The vendor's own sample names a next page after the last one.
        "nextPage": page + 1,
        "totalPages": max(1, -(-len(found) // limit)),
    }
    data = {"subscriptions": found[(page - 1) * limit : page * limit], "pagination": pagination}
    return json_answer(
        200, {"status": 200, "message": "Subscriptions fetched successfully", "data": data}
    )


def is_wanted(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    return query.get("domain", "").lower() in ("", row["domain"]) and query.get("status", "") in (
        "",
        row["subscriptionStatus"],
    )


def subscription_rows(call: Call) -> list[dict[str, Any]]:
    """The subscriptions of all users of the key, oldest first."""
    rows: dict[str, dict[str, Any]] = {}
    for charge in call.charges():
        for name, quantity in charge.details["mailboxes"].items():
            if name not in charge.domains or not is_ready(call, charge, name):
                continue
            # Several orders can add mailboxes to one subscription, which is one row.
            joined = charge.details["subscription_id"]
            if charge.request == "mailboxes" and not joined:
                # "order-mailboxes-json": with domainId, the previous subscription is cancelled.
                for row in rows.values():
                    if row["domain"] == name:
                        row["subscriptionStatus"] = "CANCELLED"
            number = joined or f"{charge.reference}-{name}"
            row = rows.setdefault(number, subscription_row(charge, name, number))
            row["totalMailboxQuantity"] += quantity - missing(call, charge, name)
            if is_cancelled(call, charge, name):
                row["subscriptionStatus"] = "CANCELLED"
    return list(rows.values())


def subscription_row(charge: Charge, name: str, number: str) -> dict[str, Any]:
    start, user = datetime.fromisoformat(charge.at), charge.details["user_id"]
    return {
        "subscriptionId": number,
        "subscriptionStatus": "ACTIVE",
        "totalMailboxQuantity": 0,
        "billingCycle": "MONTHLY",
        "pricePerMailbox": PRICE_PER_MAILBOX,
        "periodStart": start.isoformat(),
        "periodEnd": (start + timedelta(days=30)).isoformat(),
        "serviceProvider": charge.details["provider"],
        "autoRenew": charge.details["auto_renew"],
        "userId": f"other-than-{user}" if fault_of(name) == "other-user" else user,
        "domain": name,
    }


def renewal_price(call: Call) -> Answer:
    asked = {name.lower() for name in call.json["domains"]}
    rows = [
        renewal_row(charge, name, place)
        for charge in call.charges()
        for place, name in enumerate(charge.domains)
        if name in asked
        and name in charge.details.get("years", {})
        and charge.details["user_id"] == call.json["userId"]
        and is_ready(call, charge, name)
        and not is_cancelled(call, charge, name)
    ]
    return json_answer(
        200, {"status": 200, "message": "Renewal pricing fetched successfully", "data": rows}
    )


def renewal_row(charge: Charge, name: str, place: int) -> dict[str, Any]:
    years, bought = charge.details["years"][name], datetime.fromisoformat(charge.at)
    price = DOMAIN_PRICES.get(name.partition(".")[2], OTHER_DOMAIN_PRICE)
    return {
        "domainName": name,
        "domainId": f"DOM{charge.id}X{place}",
        "years": years,
        "renewalPrice": f"{price}.00",
        "expireOn": (bought + timedelta(days=365 * years)).isoformat(),
        "autoRenew": False,
    }


USER = {"userId": "Please provide a userId."}
PATH = "/api/v1/integration"
TWIN = Twin(
    name="coldmailreseller",
    key=key,
    error=error,
    invalid=invalid,
    refuse_field=refuse_field,
    refuse_payment=refuse_payment,
    without=without,
    routes=(
        Route(
            method="POST",
            path=f"{PATH}/orders/json",
            handle=order_domains,
            check=DOMAIN_ORDER,
            required=USER,
        ),
        Route(
            method="POST",
            path=f"{PATH}/orders/create-mailbox-order/json",
            handle=order_mailboxes,
            check=MAILBOX_ORDER,
            required=USER,
        ),
        Route(
            method="GET",
            path=f"{PATH}/subscriptions",
            handle=subscriptions,
            optional=frozenset({"status", "domain", "limit", "page"}),
        ),
        Route(
            method="POST",
            path=f"{PATH}/domains/renewal-price",
            handle=renewal_price,
            asks=RENEWAL_QUESTION,
        ),
    ),
)
