"""Smartlead SmartSenders: new domains with mailboxes from one of several suppliers.

Vendor pages: api.smartlead.ai/api-reference/smart-senders/place-order, and an older form at
/reference/save-domain-mailbox-info. They publish two bodies for the one request: `mailboxes` as
addresses with the buyer's name, and `mailbox_details` as objects with a full contact. An account
setting chooses.

Not found in the vendor's pages: a real answer of the order page, which shows placeholders only; a
list of orders; all values of an order's status; the period of a price. So success is read from any
of the flags that its pages have used, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from vendors.apis import shared_rules
from vendors.apis.answers import ABOUT_KEY, Answer, has_keys, is_reference, is_words
from vendors.apis.base import Api
from vendors.apis.reads import (
    amount,
    ask,
    could_not_ask,
    currency,
    is_since,
    listed_once,
    one_answer_each,
    over,
    owned_domains,
    rows,
    shown_time,
    weighed,
)
from vendors.apis.replies import refused_key, text
from vendors.apis.smartsenders_rules import (
    CONTACT,
    FLAGS,
    OBJECTS,
    AccountForm,
    DomainOptions,
    body_form,
    is_order,
    is_success_flag,
    problems,
    refused_line,
    supplier_id,
    whole_number,
)
from vendors.apis.values import (
    Evidence,
    MailboxLine,
    Offered,
    OrderLike,
    OwnedDomain,
    Product,
    Progress,
)
from vendors.cost import UNSTATED, CostSheet, FetchedPrice, PriceLike, cost_line, cost_sheet
from vendors.http import Read, ReadFailed, Request, Secret
from vendors.verdicts import Accepted, Problem, Refused

BASE = "/api/v1/smart-senders"
KEY = (("api_key", Secret("api_key")),)


class SmartSenders(Api):
    name = "smartsenders"
    label = "Smartlead SmartSenders"
    host = "https://smart-senders.smartlead.ai"
    dashboard_url = "https://app.smartlead.ai"
    docs_url = "https://api.smartlead.ai/api-reference/smart-senders/place-order"
    secrets = {"api_key": "API key"}
    secret_help = {
        "api_key": (
            "In Smartlead under Settings. support@smartlead.ai has to open SmartSenders for it."
        )
    }
    price_items = {
        "domain.<vendor_id>": "A new domain from this supplier, such as domain.9",
        "mailbox.<vendor_id>": "One mailbox from this supplier, such as mailbox.9",
    }
    balance_note = (
        "Smartlead charges the card on its account: domains and mailboxes separately, and each can"
        " fail by itself. Look in Smartlead under SmartSenders."
    )
    availability_option = "vendor_id"
    pace_seconds = 1  # 60 requests a minute for each key, in Smartlead's general guide
    needs_listing_before = True
    REFUSALS = frozenset({400, 401, 403})
    AccountForm = AccountForm
    products = {
        "domains": Product(
            label="New domains with mailboxes",
            help=(
                "Registers domains and sets up mailboxes on them through one of Smartlead's"
                " suppliers."
            ),
            OptionsForm=DomainOptions,
            buys_domains=True,
            registers_names=True,
            needs_contact=True,
            forwards=True,
            has_pictures=True,
        )
    }

    words = {
        "api_key": "api key", "vendor_id": "supplier", "forwarding_domain": "domains forward to",
        "domain_name": "domain", "mailbox": "address", "first_name": "first name",
        "last_name": "last name", "profile_pic": "picture", "user_details": "registrant",
        "name": "name", "email": "address", "firstName": "first name", "lastName": "last name",
        "company": "company", "country": "country", "city": "city", "addressLineOne": "address",
        "addressLineTwo": "address, second line", "postalCode": "postal code", "state": "state",
        "phoneCc": "phone, country code", "phone": "phone", "languagePreference": "language",
    }  # fmt: skip
    row_words = {"domains": "domain", "mailboxes": "mailbox", "mailbox_details": "mailbox"}
    row_keys = ("mailbox", "domain_name")
    fixed_words = {"languagePreference": {"en": "English"}}

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        return shared_rules.bounded(
            *shared_rules.every_line(order, self.products["domains"]),
            shared_rules.without_mailboxes(order),
            *problems(order, prices),
        )

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        number = supplier_id(order)
        if number is None:
            return cost_sheet([])
        counts = (
            ("domain", "Domains", len(order.contents)),
            ("mailbox", "Mailboxes", len(shared_rules.mailboxes(order))),
        )
        return cost_sheet(
            cost_line(prices, item=f"{kind}.{number}", label=label, quantity=count)
            for kind, label, count in counts
        )

    def order_request(self, order: OrderLike) -> Request:
        return Request(
            method="POST",
            path=f"{BASE}/place-order",
            query=KEY,
            headers={"Content-Type": "application/json"},
            body=_objects_body(order) if body_form(order) == OBJECTS else _strings_body(order),
        )

    def refusal(self, order: OrderLike, answer: Answer) -> Refused | None:
        if answer.has_keys("status", "message", "context"):
            is_error = answer.body["status"] == "error" and is_words(answer.body["context"])
        else:
            is_error = answer.has_keys("message")
        if not is_error or not is_words(answer.body["message"]):
            return None
        says = answer.text(answer.body["message"])
        is_about_key = answer.status in ABOUT_KEY
        return Refused(problems=(refused_key(says) if is_about_key else refused_line(order, says),))

    def success(self, order: OrderLike, answer: Answer) -> Accepted | None:
        # Each of the vendor's pages shows another flag and another place of the number.
        if not answer.has_keys(optional=(*FLAGS, "data", "message", "order_id")):
            return None
        body, data = answer.body, answer.body.get("data")
        flags = {key: body[key] for key in FLAGS if key in body}
        is_success = bool(flags) and all(map(is_success_flag, flags, flags.values()))
        if not is_success or not isinstance(body.get("message"), str | None):
            return None
        if data not in (None, [], {}) and not is_order(data):
            return None
        inner = data or {}
        numbers = [part["order_id"] for part in (body, inner) if "order_id" in part]
        if not all(map(is_reference, numbers)) or len({str(number) for number in numbers}) > 1:
            return None
        return Accepted(
            reference=answer.text(numbers[0], limit=120) if numbers else "",
            details={"vendor_says": answer.text(body.get("message"))},
        )

    def is_throttled(self, answer: Answer) -> bool:
        # The general guide, not shown for this host.
        if not answer.has_keys("error"):
            return False
        error = answer.body["error"]
        return has_keys(error, "code", "message", optional=("retry_after",)) and (
            error["code"] == "RATE_LIMIT_EXCEEDED"
        )

    def wait_of(self, answer: Answer) -> Any:
        return answer.body["error"].get("retry_after")

    def listed(self, order: OrderLike, read: Read) -> list[str]:
        there = _domains(read)
        return [name for name in _names(order) if name in there]

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        # There is no list of orders. When a new domain appears in the list of domains is not
        # documented, so a missing one says nothing.
        try:
            listed = _domains(read)
        except ReadFailed as error:
            return weighed([could_not_ask("The list of domains", error)])
        mine = [listed[name] for name in _names(order) if name in listed]
        return weighed([_evidence(order, row, since, before) for row in mine])

    def progress(self, order: OrderLike, read: Read) -> Progress:
        listed = _domains(read)
        mine = {name: listed[name] for name in _names(order) if name in listed}
        domains = {
            name: "ready" if row.get("is_active") is True else "ordered"
            for name, row in mine.items()
        }
        # Smartlead activates a domain after its mailboxes are paid, so they count with it, unless
        # the order's own status speaks of something else than completion.
        status = _order_status(order, read)
        is_held_up = bool(status) and status.lower() != "completed"
        numbers = {text(row.get("order_id"), limit=120) for row in mine.values()}
        return Progress(
            domains=domains,
            mailboxes={
                box.address.lower(): "ordered" if is_held_up else domains[box.domain.lower()]
                for box in shared_rules.mailboxes(order)
                if box.domain.lower() in domains
            },
            reference=numbers.pop() if len(numbers) == 1 else "",
            note=f"Smartlead says of the order: {status}." if is_held_up else "",
        )

    def owned_domains(self, settings: Mapping[str, Any], read: Read) -> list[OwnedDomain]:
        # Its rows have no number of mailboxes.
        return owned_domains(_domains(read).values(), name="domain_name")

    def prices(self, settings: Mapping[str, Any], read: Read) -> list[FetchedPrice]:
        found = []
        for row in rows(_ask(read, "get-vendors"), "data"):
            number, pricing = whole_number(row.get("id")), row.get("pricing")
            if number is None or not isinstance(pricing, dict):
                continue
            name = text(row.get("vendor_name"), limit=120) or str(number)
            money = currency(pricing.get("currency"))
            found += [
                FetchedPrice(
                    item=f"{kind}.{number}",
                    label=f"{name} {kind}",
                    unit=UNSTATED,  # no page states the period of a price
                    amount=price,
                    currency=money,
                )
                for kind in ("domain", "mailbox")
                if money and (price := amount(pricing.get(f"{kind}_price"))) is not None
            ]
        return listed_once(found)

    def availability(
        self, names: Sequence[str], read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        # The search takes one name, gives no price and leaves out names over 15 dollars.
        found = [_offered(name, _found(read, name, asked_with)) for name in names]
        return one_answer_each(names, found)

    def suggest(
        self, name: str, read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        # The search's own suggestions. No page says that they are free.
        answer = _found(read, name, asked_with)
        listed = rows(answer, "suggestions") if "suggestions" in answer else []
        names = dict.fromkeys(text(row.get("domain"), limit=253).lower() for row in listed)
        return [
            Offered(name=name, state="unsaid") for name in names if shared_rules.is_domain(name)
        ]

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        suppliers = rows(_ask(read, "get-vendors"), "data")
        return f"The key works. Smartlead offers {len(suppliers)} suppliers."


def _strings_body(order: OrderLike) -> dict[str, Any]:
    contact = order.contact
    return {
        "vendor_id": supplier_id(order),
        "domains": [
            {"domain_name": line.name, "mailboxes": [box.address for box in line.mailboxes]}
            for line in order.contents
        ],
        "forwarding_domain": order.forward_to,
        "user_details": (
            {"name": f"{contact.first_name} {contact.last_name}".strip()} if contact else {}
        ),
    }


def _objects_body(order: OrderLike) -> dict[str, Any]:
    contact = {name: getattr(order.contact, field, "") for name, field in CONTACT.items()}
    return {
        "vendor_id": supplier_id(order),
        "forwarding_domain": order.forward_to,
        "user_details": contact | {"languagePreference": "en"},
        "domains": [
            {"domain_name": line.name, "mailbox_details": [_mailbox(box) for box in line.mailboxes]}
            for line in order.contents
        ],
    }


def _mailbox(box: MailboxLine) -> dict[str, str]:
    body = {"mailbox": box.address, "first_name": box.first_name, "last_name": box.last_name}
    return body | ({"profile_pic": box.picture} if box.picture else {})


def _is_failure(body: Mapping[str, Any]) -> bool:
    is_denied = body.get("ok") is False or body.get("success") is False
    return is_denied or body.get("status") in ("error", "failed") or bool(body.get("error"))


def _message(body: Mapping[str, Any]) -> str:
    error = body.get("error")  # its several pages put the words at different places
    inner = error.get("message") if isinstance(error, dict) else error
    places = (body.get("message"), inner)
    return next((text(says) for says in places if isinstance(says, str) and says.strip()), "")


def _ask(read: Read, name: str, *query: tuple[str, str]) -> Any:
    answer = ask(read, f"{BASE}/{name}", query=(*KEY, *query))
    if isinstance(answer, dict) and _is_failure(answer):
        raise ReadFailed(f"The vendor answered with an error: {_message(answer) or 'no words'}")
    return answer


def _names(order: OrderLike) -> list[str]:
    return [line.name.lower() for line in order.contents]


def _domains(read: Read) -> dict[str, dict[str, Any]]:
    """The account's domains by name in lower case."""
    answer = _ask(read, "get-domain-list")
    # A bare list on one page of the vendor, in `data` on another.
    listed = rows(answer) if isinstance(answer, list) else rows(answer, "data")
    return {text(row.get("domain_name")).lower(): row for row in listed}


def _evidence(
    order: OrderLike, row: dict[str, Any], since: datetime, before: Collection[str]
) -> Evidence:
    name, made = text(row.get("domain_name")), row.get("created_at")
    number = text(row.get("order_id"), limit=120)
    day = shown_time(made, otherwise="an unknown day")
    shown = f"{name} is on the account since {day}, order {number or 'unknown'}."
    if name.lower() in before:
        return Evidence(text=f"{shown} It was there before, so it says nothing about this order.")
    if state := over(row.get("status"), row.get("order_status")):
        says = f"{shown} It reads {state}, so it speaks for no placed order."
        return Evidence(text=says, is_trace=True)
    if is_since(made, since) and whole_number(row.get("vendor_id")) == supplier_id(order):
        return Evidence(text=shown, points_to="placed", reference=number)
    says = f"{shown} Its date or supplier does not fit this order, so it says nothing about it."
    return Evidence(text=says, is_trace=True)


def _order_status(order: OrderLike, read: Read) -> str:
    """The order's status in the vendor's words, empty where it can't be read."""
    # Not documented: does this read know the number that placing the order gave?
    if not order.references:
        return ""
    try:
        answer = _ask(read, "order-details", ("order_id", order.references[0]))
    except ReadFailed:
        return ""
    # Nothing else of the answer is kept: it may hold passwords.
    data = answer.get("data") if isinstance(answer, dict) else None
    return text(data.get("status"), limit=60) if isinstance(data, dict) else ""


def _found(read: Read, name: str, vendor_id: str) -> Mapping[str, Any]:
    """The search's answer about a name, an empty object where nothing can be read."""
    answer = _ask(read, "search-domain", ("domain_name", name), ("vendor_id", vendor_id))
    # A bare object on one page of the vendor, an envelope of placeholders on another.
    if isinstance(answer, dict) and "domain" not in answer and isinstance(answer.get("data"), dict):
        answer = answer["data"]
    return answer if isinstance(answer, dict) else {}


def _offered(name: str, answer: Mapping[str, Any]) -> Offered:
    about, is_free = text(answer.get("domain"), limit=253).lower(), answer.get("available")
    if not about or not isinstance(is_free, bool):
        return Offered(name=name, state="unsaid", says="The vendor answered without saying it.")
    if about != name.lower():
        says = f"The vendor answered about {about} instead."
        return Offered(name=name, state="unsaid", says=says)
    if is_free:
        return Offered(name=name, state="free")
    says = "Smartlead offers only names up to 15 dollars, so a dearer one reads as taken, too."
    return Offered(name=name, state="taken", says=says)
