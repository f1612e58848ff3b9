"""Smartlead SmartSenders: new domains with mailboxes from one of several suppliers.

The vendor has published two bodies for the one request: `mailboxes` as addresses with the buyer's
name, and later `mailbox_details` as objects with a full contact. An account setting chooses. Its
order page shows only placeholders as answers, so success is read from any of the flags that its
pages have used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from vendors.apis import shared_rules
from vendors.apis.base import Api
from vendors.apis.forms import OptionsForm
from vendors.apis.reads import (
    amount,
    ask,
    could_not_ask,
    currency,
    is_since,
    listed_once,
    owned_domains,
    rows,
    told_of,
    weighed,
)
from vendors.apis.replies import refused_key, refused_order, text
from vendors.apis.shared_rules import stop, warn
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
from vendors.http import Read, ReadFailed, Reply, Request, Secret
from vendors.verdicts import Accepted, Problem, Refused, Unknown

BASE = "/api/v1/smart-senders"
STRINGS, OBJECTS = "strings", "objects"
KEY = (("api_key", Secret("api_key")),)
PLACE = re.compile(r'"domains\[(\d{1,6})\](?:\.mailbox(?:es|_details)\[(\d{1,6})\])?')
# What a refusal says of the form that the account did not choose.
OTHER_FORM = {
    STRINGS: re.compile(
        r'mailbox_details" is required|mailboxes" is not allowed|user_details\.(?!name")\w+" is'
        r" required"
    ),
    OBJECTS: re.compile(
        r'mailboxes" is required|mailbox_details" is not allowed|user_details\.(?!name")\w+" is not'
        r" allowed"
    ),
}
CONTACT = {
    "email": "email",
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "country": "country",
    "city": "city",
    "addressLineOne": "address_line_one",
    "addressLineTwo": "address_line_two",
    "postalCode": "postal_code",
    "state": "state",
    "phoneCc": "phone_country_code",
    "phone": "phone",
}
MAY_BE_EMPTY = ("company", "address_line_two")


class AccountForm(forms.Form):
    body_form = forms.ChoiceField(
        label="Form of the order",
        choices=[
            (STRINGS, "Mailboxes as plain addresses"),
            (OBJECTS, "Mailboxes with names, and a full contact"),
        ],
        initial=STRINGS,
        help_text=(
            "Smartlead has published two forms of the same order. Keep the first; if a refused"
            " order tells you to switch, choose the other here."
        ),
    )


class DomainOptions(OptionsForm):
    vendor_id = forms.TypedChoiceField(
        label="Supplier",
        coerce=int,
        help_text=(
            "Who makes the domains and mailboxes for Smartlead. The list comes from the account's"
            " price list."
        ),
    )
    price_choices = {"vendor_id": "domain."}


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

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        of_form = (
            (shared_rules.without_names(order), shared_rules.bad_pictures(order))
            if _form(order) == OBJECTS
            else (_unsent_pictures(order),)
        )
        return shared_rules.bounded(
            *shared_rules.every_line(order, self.products["domains"]),
            shared_rules.without_mailboxes(order),
            _forwarding_problems(order),
            _contact_problems(order),
            _supplier_problems(order, prices),
            *of_form,
        )

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        number = _vendor_id(order)
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
            body=_objects_body(order) if _form(order) == OBJECTS else _strings_body(order),
        )

    def refusal(self, order: OrderLike, reply: Reply) -> Refused | Unknown | None:
        body = reply.json()
        if not isinstance(body, dict) or _is_success(body) or _reference(body):
            return None
        says = _message(body)
        if not says:
            return None
        if reply.status in (401, 403):
            return Refused(problems=(refused_key(says),))
        return Refused(problems=(_problem(order, says),))

    def acceptance(self, order: OrderLike, reply: Reply) -> Accepted | Unknown | None:
        body = reply.json()
        if reply.status != 200 or not isinstance(body, dict):
            return None
        if _is_failure(body):
            return Unknown(
                why=f"The vendor answered 200 with an error. It says: {_message(body) or 'nothing'}"
            )
        if not _is_success(body):
            return None
        return Accepted(reference=_reference(body), details={"vendor_says": _message(body)})

    def listed(self, order: OrderLike, read: Read) -> list[str]:
        there = _domains(read)
        return [name for name in _names(order) if name in there]

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        """The list of domains: there is no list of orders.

        When a domain first appears in it is not documented.
        """
        try:
            listed = _domains(read)
        except ReadFailed as error:
            return weighed([could_not_ask("The list of domains", error)])
        found = (
            _evidence(order, listed[name], since, before)
            for name in _names(order)
            if name in listed
        )
        return weighed(list(found))

    def progress(self, order: OrderLike, read: Read) -> Progress:
        """Domains by `is_active`.

        Smartlead activates a domain after its mailboxes are paid, so they count with it, unless the
        order's own status speaks of something else than completion.
        """
        listed = _domains(read)
        mine = {name: listed[name] for name in _names(order) if name in listed}
        domains = {
            name: "ready" if row.get("is_active") is True else "ordered"
            for name, row in mine.items()
        }
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
        """The list of domains tells of no mailboxes."""
        return owned_domains(_domains(read).values(), name="domain_name")

    def prices(self, settings: Mapping[str, Any], read: Read) -> list[FetchedPrice]:
        """Prices by supplier. The vendor states no period for them."""
        found = []
        for row in rows(_ask(read, "get-vendors"), "data"):
            number, name, pricing = (
                _whole(row.get("id")),
                text(row.get("vendor_name"), limit=120),
                row.get("pricing"),
            )
            if (
                number is None
                or not isinstance(pricing, dict)
                or not (money := currency(pricing.get("currency")))
            ):
                continue
            for kind in ("domain", "mailbox"):
                if (price := amount(pricing.get(f"{kind}_price"))) is not None:
                    item, label = f"{kind}.{number}", f"{name or number} {kind}"
                    found.append(
                        FetchedPrice(
                            item=item, label=label, unit=UNSTATED, amount=price, currency=money
                        )
                    )
        return listed_once(found)

    def availability(
        self, names: Sequence[str], read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        """One name a question. No price is told, and names over 15 dollars are not offered at all."""
        found = [_offered(name, _found(read, name, asked_with)) for name in names]
        return told_of(names, found)

    def suggest(
        self, name: str, read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        """The search's own suggestions. The vendor does not say that they are free."""
        answer = _found(read, name, asked_with)
        listed = rows(answer, "suggestions") if "suggestions" in answer else []
        names = dict.fromkeys(text(row.get("domain"), limit=253).lower() for row in listed)
        return [
            Offered(name=name, state="unsaid") for name in names if shared_rules.is_domain(name)
        ]

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        return (
            f"The key works. Smartlead offers {len(rows(_ask(read, 'get-vendors'), 'data'))}"
            " suppliers."
        )


def _form(order: OrderLike) -> str:
    return OBJECTS if order.settings.get("body_form") == OBJECTS else STRINGS


def _whole(value: Any) -> int | None:
    return int(text(value)) if re.fullmatch(r"[0-9]{1,18}", text(value)) else None


def _vendor_id(order: OrderLike) -> int | None:
    return _whole(order.options.get("vendor_id"))


def _names(order: OrderLike) -> list[str]:
    return [line.name.lower() for line in order.contents]


def _mailbox(box: MailboxLine) -> dict[str, str]:
    body = {"mailbox": box.address, "first_name": box.first_name, "last_name": box.last_name}
    return body | ({"profile_pic": box.picture} if box.picture else {})


def _strings_body(order: OrderLike) -> dict[str, Any]:
    contact = order.contact
    return {
        "vendor_id": _vendor_id(order),
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
        "vendor_id": _vendor_id(order),
        "forwarding_domain": order.forward_to,
        "user_details": contact | {"languagePreference": "en"},
        "domains": [
            {"domain_name": line.name, "mailbox_details": [_mailbox(box) for box in line.mailboxes]}
            for line in order.contents
        ],
    }


def _supplier_problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> Iterator[Problem]:
    number = _vendor_id(order)
    if number is None:
        yield stop("No supplier is chosen.", "Choose one from the price list.", field="vendor_id")
    elif f"domain.{number}" not in prices and any(item.startswith("domain.") for item in prices):
        message = (
            f"Supplier {number} is not on the account's price list, which names those at work now."
        )
        yield warn(
            message, "Choose one from the list, or fetch the prices again.", field="vendor_id"
        )


def _unsent_pictures(order: OrderLike) -> Iterator[Problem]:
    for box in shared_rules.mailboxes(order):
        if box.picture:
            message = (
                f"The picture of {box.address} will not be sent: the order's present form has no"
                " place for it."
            )
            yield warn(
                message, "Leave it out, or add it in Smartlead.", field="picture", row=box.row
            )


def _forwarding_problems(order: OrderLike) -> Iterator[Problem]:
    if not shared_rules.is_domain(order.forward_to):
        message = "SmartSenders needs the domain that the new domains forward to."
        yield stop(message, "Give a plain domain such as example.com.", field="forward_to")
    for line in order.contents:
        if line.forward_to and line.forward_to != order.forward_to:
            message = (
                f"SmartSenders forwards all domains of an order to one place: {line.forward_to}"
                " will not be sent."
            )
            yield warn(
                message, "Make an order of its own for it.", field="forward_to", row=line.row
            )


def _contact_problems(order: OrderLike) -> Iterator[Problem]:
    if order.contact is None:
        yield stop(
            "SmartSenders wants to know who buys the domains.", "Choose a contact.", field="contact"
        )
        return
    required = [field for field in CONTACT.values() if field not in MAY_BE_EMPTY]
    for field in required if _form(order) == OBJECTS else ["first_name", "last_name"]:
        if not str(getattr(order.contact, field) or "").strip():
            words = field.replace("_", " ")
            yield stop(
                f"The contact has no {words}.",
                "Fill it in at the contact, or choose another.",
                field="contact",
            )


def _is_success(body: Mapping[str, Any]) -> bool:
    return body.get("ok") is True or body.get("success") is True or body.get("status") == "success"


def _is_failure(body: Mapping[str, Any]) -> bool:
    is_denied = body.get("ok") is False or body.get("success") is False
    return is_denied or body.get("status") in ("error", "failed") or bool(body.get("error"))


def _reference(body: Mapping[str, Any]) -> str:
    data = body.get("data")
    return text(
        body.get("order_id") or (data.get("order_id") if isinstance(data, dict) else ""), limit=120
    )


def _message(body: Mapping[str, Any]) -> str:
    """The vendor's words, where its several pages put them."""
    error = body.get("error")
    inner = error.get("message") if isinstance(error, dict) else error
    return next(
        (
            text(says)
            for says in (body.get("message"), inner)
            if isinstance(says, str) and says.strip()
        ),
        "",
    )


def _problem(order: OrderLike, says: str) -> Problem:
    if OTHER_FORM[_form(order)].search(says):
        return Problem(
            message="Smartlead asks for the other form of the order. Nothing was bought.",
            fix=(
                "Ask an Operator to switch “Form of the order” on the vendor account, then copy"
                " this into a new draft."
            ),
            vendor_says=says,
        )
    place = PLACE.search(says)
    if not place or int(place[1]) >= len(order.contents):
        return shared_rules.refused_line(order, says)
    line = order.contents[int(place[1])]
    if place[2] and int(place[2]) < len(line.mailboxes):
        return refused_order(says, field="address", row=line.mailboxes[int(place[2])].row)
    return refused_order(says, field="domain", row=shared_rules.row_of(line))


def _ask(read: Read, name: str, *query: tuple[str, str]) -> Any:
    answer = ask(read, f"{BASE}/{name}", query=(*KEY, *query))
    if isinstance(answer, dict) and _is_failure(answer):
        raise ReadFailed(f"The vendor answered with an error: {_message(answer) or 'no words'}")
    return answer


def _domains(read: Read) -> dict[str, dict[str, Any]]:
    """The account's domains by name in lower case: a bare list on one page of the vendor, in `data`
    on another.
    """
    answer = _ask(read, "get-domain-list")
    listed = rows(answer) if isinstance(answer, list) else rows(answer, "data")
    return {text(row.get("domain_name")).lower(): row for row in listed}


def _found(read: Read, name: str, vendor_id: str) -> Mapping[str, Any]:
    """What the search says of a name: a bare object on one page of the vendor, an envelope of
    placeholders on another. An empty object where nothing can be read.
    """
    answer = _ask(read, "search-domain", ("domain_name", name), ("vendor_id", vendor_id))
    if isinstance(answer, dict) and "domain" not in answer and isinstance(answer.get("data"), dict):
        answer = answer["data"]
    return answer if isinstance(answer, dict) else {}


def _offered(name: str, answer: Mapping[str, Any]) -> Offered:
    about, is_free = text(answer.get("domain"), limit=253).lower(), answer.get("available")
    if not about or not isinstance(is_free, bool):
        return Offered(name=name, state="unsaid", says="The vendor answered without saying it.")
    if about != name.lower():
        return Offered(
            name=name, state="unsaid", says=f"The vendor answered about {about} instead."
        )
    says = (
        ""
        if is_free
        else "Smartlead offers only names up to 15 dollars, so a dearer one reads as taken, too."
    )
    return Offered(name=name, state="free" if is_free else "taken", says=says)


def _order_status(order: OrderLike, read: Read) -> str:
    """The order's status in the vendor's words, empty where it can't be had.

    Nothing else of the answer is kept: it may hold passwords. Whether this read knows the number
    that placing the order gives is not documented.
    """
    if not order.references:
        return ""
    try:
        answer = _ask(read, "order-details", ("order_id", order.references[0]))
    except ReadFailed:
        return ""
    data = answer.get("data") if isinstance(answer, dict) else None
    return text(data.get("status"), limit=60) if isinstance(data, dict) else ""


def _evidence(
    order: OrderLike, row: dict[str, Any], since: datetime, before: Collection[str]
) -> Evidence:
    name, made, number = (
        text(row.get("domain_name")),
        row.get("created_at"),
        text(row.get("order_id"), limit=120),
    )
    shown = (
        f"{name} is on the account since {text(made) or 'an unknown day'}, order"
        f" {number or 'unknown'}."
    )
    if name.lower() in before:
        return Evidence(
            text=f"{shown} It was there before this order was sent, so it says nothing about it."
        )
    if is_since(made, since) and _whole(row.get("vendor_id")) == _vendor_id(order):
        return Evidence(text=shown, points_to="placed", reference=number)
    return Evidence(
        text=f"{shown} Its date or supplier does not fit this order, so it says nothing about it."
    )
