"""SmartSenders' account and order forms, the rules of an order, and the line a refusal means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms

from vendors.apis import shared_rules
from vendors.apis.answers import has_keys
from vendors.apis.forms import OptionsForm
from vendors.apis.replies import refused_order, text
from vendors.apis.shared_rules import stop, warn
from vendors.apis.values import OrderLike
from vendors.cost import PriceLike
from vendors.verdicts import Problem

STRINGS, OBJECTS = "strings", "objects"
# Each of the vendor's pages shows another flag of success.
FLAGS = {"ok": True, "success": True, "status": "success"}
# The request's name of each detail of the contact -> our name.
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
# The line of the request that a refusal names.
PLACE = re.compile(r'"domains\[(\d{1,6})\](?:\.mailbox(?:es|_details)\[(\d{1,6})\])?')
# By the account's form: words of a refusal that asks for the other one.
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


def problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> tuple[Iterator[Problem], ...]:
    """The rules of this vendor alone, one iterator a rule."""
    of_form = (
        (shared_rules.without_names(order), shared_rules.bad_pictures(order))
        if body_form(order) == OBJECTS
        else (_unsent_pictures(order),)
    )
    return (
        _forwarding_problems(order),
        _contact_problems(order),
        _supplier_problems(order, prices),
        *of_form,
    )


def body_form(order: OrderLike) -> str:
    """Which of the two bodies the account sends: `STRINGS` or `OBJECTS`."""
    return OBJECTS if order.settings.get("body_form") == OBJECTS else STRINGS


def whole_number(value: Any) -> int | None:
    # The pages write numbers as numbers and as strings of digits.
    return int(text(value)) if re.fullmatch(r"[0-9]{1,18}", text(value)) else None


def supplier_id(order: OrderLike) -> int | None:
    return whole_number(order.options.get("vendor_id"))


def _forwarding_problems(order: OrderLike) -> Iterator[Problem]:
    if not shared_rules.is_domain(order.forward_to):
        message = (
            "SmartSenders forwards to a domain only, not to a page on it."
            if order.forward_to
            else "SmartSenders needs the domain that the new domains forward to."
        )
        yield stop(message, "Give a plain domain such as example.com.", field="forward_to")
    # The request has one `forwarding_domain` for all domains.
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
    # The older body carries a name only; the later one a full contact, two fields of it optional.
    required = [field for field in CONTACT.values() if field not in MAY_BE_EMPTY]
    for field in required if body_form(order) == OBJECTS else ["first_name", "last_name"]:
        if not str(getattr(order.contact, field) or "").strip():
            words = field.replace("_", " ")
            yield stop(
                f"The contact has no {words}.",
                "Fill it in at the contact, or choose another.",
                field="contact",
            )


def _supplier_problems(order: OrderLike, prices: Mapping[str, PriceLike]) -> Iterator[Problem]:
    number = supplier_id(order)
    if number is None:
        yield stop("No supplier is chosen.", "Choose one from the price list.", field="vendor_id")
    elif f"domain.{number}" not in prices and any(item.startswith("domain.") for item in prices):
        message = (
            f"Supplier {number} is not on the account's price list, which names those at work now."
        )
        # "get-vendors" lists active suppliers only, and the stored list may be old.
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


def refused_line(order: OrderLike, says: str) -> Problem:
    """The problem of a refused order, at the line that the vendor's words point to by number."""
    if OTHER_FORM[body_form(order)].search(says):
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


def is_order(data: Any) -> bool:
    """The object that the pages show in the `data` of a success."""
    return has_keys(data, optional=("order_id", "message", "status")) and (
        data.get("status", "success") in ("success", "completed", "Completed")
    )


def is_success_flag(flag: str, value: Any) -> bool:
    return type(value) is type(FLAGS[flag]) and value == FLAGS[flag]  # 1 is no True
