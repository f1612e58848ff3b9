"""What the tests of the pages share: a browser for a person, addresses, and the draft form filled
in.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client as Browser

from orders.models import Client, Order
from tests.conftest import OPTIONS, rows_for
from vendors.models import Vendor


def browser(user: User, **kwargs: Any) -> Browser:
    """A browser in which this person is logged in; a crash is a 500 as in real life."""
    made = Browser(raise_request_exception=False, **kwargs)
    made.force_login(user)
    return made


def url(order: Order, page: str = "change") -> str:
    return f"/orders/order/{order.pk}/{page}/"


def add_url(vendor: Vendor, product: str) -> str:
    return f"/orders/order/add/?vendor={vendor.pk}&product={product}"


def typed(api: str = "woodpecker", product: str = "mailboxes", **changed: Any) -> dict[str, Any]:
    """The draft form filled in as a person would."""
    options = {
        f"option-{name}": str(value)
        for name, value in OPTIONS[api, product].items()
        if value is not False
    }
    client = Client.objects.get(name="Northwind")
    return {"client": client.pk, "rows": rows_for(api), "version": 0} | options | changed


def messages_of(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])
