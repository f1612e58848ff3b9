"""The contents of an order in words: the card on its pages, and shorter in lists and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orders.models import Order, State
from orders.plan import Plan
from orders.review.usual_options import usual
from vendors.apis import REGISTRY
from vendors.apis.order_details import (
    ACCOUNT,
    CONTACT,
    CONTENTS,
    FORWARDS,
    Detail,
    details,
    terms,
)

HEADINGS = {State.DRAFT: "What will be ordered", State.REVIEW: "What you are confirming"}
LONG = 110  # characters, after which a value is folded
OTHERS = "Other options"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A line of the card. `why` says why it is not the usual; `rest` is folded behind `words`."""

    label: str
    words: str
    more: str
    why: str = ""
    rest: str = ""


@dataclass(frozen=True, kw_only=True)
class Card:
    """The card of an order: its lines, the registrant's details and the account's settings."""

    heading: str
    items: Sequence[Item]
    contact: Sequence[Item]
    contact_name: str
    contact_why: str
    account: Sequence[Item]


def context(order: Order, current: Plan | None) -> dict[str, Any]:
    found = current.details if current else stored(order)
    # Only a person who decides now needs to know what is not the usual.
    odd = usual(order, found) if current else {}
    is_asked = order.product_spec.needs_contact and order.contact is not None
    card = Card(
        heading=HEADINGS.get(State(order.state), "What was ordered"),
        items=[
            _item(one, odd)
            for one in found
            if one.group in ("", CONTENTS) or (one.group == CONTACT and one.label == CONTACT)
        ],
        contact=[_item(one, {}) for one in found if one.group == CONTACT and one.label != CONTACT],
        contact_name=str(order.contact) if is_asked else "",
        contact_why=odd.get(CONTACT, ""),
        account=[_item(one, {}) for one in found if one.group == ACCOUNT],
    )
    return {"card": card}


def _item(one: Detail, odd: Mapping[str, str]) -> Item:
    is_long = len(one.words) > LONG
    return Item(
        label=one.label,
        words=f"{one.words[:LONG]}…" if is_long else one.words,
        rest=one.words if is_long else "",
        more=one.more,
        why=odd.get(one.label, ""),
    )


def stored(order: Order) -> tuple[Detail, ...]:
    """The words that were confirmed; without such, the words for the order as it is."""
    if kept := (order.snapshot or {}).get("details"):
        return tuple(Detail.from_dict(one) for one in kept)
    return details(order.vendor.adapter, order, labels=order.vendor.price_labels())


def short(found: Iterable[Detail]) -> list[tuple[str, str]]:
    """The options, the contact in one line and where domains forward to, for a list of orders."""
    kept = [one for one in found if one.label == FORWARDS or one.group not in (CONTENTS, ACCOUNT)]
    contact = [one.words for one in kept if one.group == CONTACT and one.label != CONTACT]
    pairs = [(one.label, one.words) for one in kept if one.group != CONTACT]
    return [*pairs, (CONTACT, ", ".join(contact))] if contact else pairs


# Columns of a file. An option has the same column at each vendor that calls it so.

OPTIONS = tuple(
    dict.fromkeys(
        str(field.label)
        for adapter in REGISTRY.values()
        for product in adapter.products.values()
        for field in product.OptionsForm.base_fields.values()
    )
)
COLUMNS = (*OPTIONS, CONTACT, FORWARDS, OTHERS)


def cells(order: Order, labels: Mapping[str, str]) -> dict[str, str]:
    """The words of an order by the names of `COLUMNS`. No query for its lines."""
    kept = (order.snapshot or {}).get("details")
    found = (
        [Detail.from_dict(one) for one in kept]
        if kept
        else [*terms(order.vendor.adapter, order, labels)]
    )
    pairs = dict(short(found))
    if FORWARDS not in pairs and order.product_spec.forwards:
        pairs[FORWARDS] = order.forward_to
    others = [f"{label}: {words}" for label, words in pairs.items() if label not in COLUMNS]
    return pairs | {OTHERS: "; ".join(others)}
