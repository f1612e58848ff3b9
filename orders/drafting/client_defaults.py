"""A client's defaults in a draft: filled in once, and left alone where a person emptied them."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from orders.drafting.intake import BadCell, read_domain
from orders.models import Client, Order
from vendors.apis.values import Product
from vendors.models import Contact

# The client whose defaults the form has shown: from then on an empty field is meant.
SHOWN = "defaults_of"


def forward_to(client: Client, product: Product) -> str:
    """Where the client's domains forward to, as far as this vendor takes it."""
    if not product.forwards or product.forwards_to_page or not client.forward_to:
        return client.forward_to if product.forwards else ""
    try:
        return read_domain(client.forward_to)
    except BadCell:
        return ""


def contact(client: Client, product: Product) -> Contact | None:
    return client.contact if product.needs_contact else None


def initial(number: str, product: Product) -> dict[str, Any]:
    """The values of a new draft's form for the client of this number, if there is one."""
    if (client := client_of(number)) is None:
        return {}
    known = contact(client, product)
    about = {"client": client, "contact": known, "forward_to": forward_to(client, product)}
    return about | {SHOWN: client.pk}


def fill(post: QueryDict, product: Product) -> None:
    """Put the chosen client's defaults into the form, unless it has shown them already.

    A default of the client that was chosen before goes with that client.
    """
    chosen, before = client_of(post.get("client", "")), client_of(post.get(SHOWN, ""))
    if chosen is None or chosen == before:
        return
    for name, default in _defaults(chosen, product).items():
        earlier = _defaults(before, product)[name] if before else ""
        if post.get(name, "").strip() in ("", earlier):
            post[name] = default
    post[SHOWN] = str(chosen.pk)


def client_of(number: str) -> Client | None:
    """The client of a number in a form; None where it is no number or no client's."""
    if not (number.isdecimal() and len(number) < 10):
        return None
    return Client.objects.select_related("contact").filter(pk=int(number)).first()


def _defaults(client: Client, product: Product) -> dict[str, str]:
    known = contact(client, product)
    return {
        "forward_to": forward_to(client, product),
        "contact": str(known.pk) if known else "",
    }


def source(name: str, value: str, client: Client, product: Product) -> str:
    """A sentence on where a field's value comes from; empty for one that was typed."""
    default = _defaults(client, product)[name]
    if not default or value != default:
        return ""
    words = f"From the defaults of {client}."
    if name == "forward_to" and default != client.forward_to:
        return f"{words} The default is {client.forward_to}, and this vendor takes only a domain."
    return words


# For a copy at another vendor: what the order says counts, even where that is nothing.


def carried_forward_to(order: Order, product: Product) -> str:
    if order.product_spec.forwards:
        return order.forward_to if product.forwards else ""
    return forward_to(order.client, product)


def carried_contact(order: Order, product: Product) -> Contact | None:
    if order.product_spec.needs_contact:
        return order.contact if product.needs_contact else None
    return contact(order.client, product)
