"""A person at a vendor's dashboard, for tests: acts in the practice dashboard, over real HTTP."""

from __future__ import annotations

from typing import Any

import requests

from orders.models import Attempt, Order, State
from tests.conftest import OPTIONS, OrderFactory, fresh
from vendors.practice.server import Practice

BOUGHT = ("coldmailreseller", "domains")


def act(practice: Practice, **asked: Any) -> None:
    answer = requests.post(f"{practice.url}/acts", json=asked, timeout=30)
    assert answer.status_code == 200, answer.text


def created(factory: OrderFactory, **kwargs: Any) -> Order:
    """An order that ColdMailReseller only created, and that counts nothing yet."""
    order = factory.sent(*BOUGHT, options=OPTIONS[BOUGHT] | {"confirm": False}, **kwargs)
    Order.objects.filter(pk=order.pk).update(state=State.CREATED)
    Attempt.objects.filter(order=order).update(due_now={})
    return fresh(order)


def paid_paths(practice: Practice) -> list[str]:
    """The paid requests that arrived, oldest first."""
    return [arrival.path for arrival in practice.ledger.requests()][::-1]
