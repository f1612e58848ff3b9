"""Orders sent to the practice vendors over real HTTP, each at an account of its own."""

from __future__ import annotations

from uuid import uuid4

from tests.vendors.orders import StubOrder
from vendors.apis import REGISTRY
from vendors.http import Reply, Request, post_order
from vendors.practice.server import Practice


def post(practice: Practice, api: str, request: Request, secret_names: frozenset[str]) -> Reply:
    """The request with its secrets; a password that the order has not is empty."""
    secrets = dict.fromkeys(("hosting_password", "sequencer_password"), "")
    secrets |= dict.fromkeys(secret_names, "pa55-word") | {"api_key": f"practice-{uuid4().hex}"}
    answer = post_order(request.prepare(f"{practice.url}/{api}", secrets))
    assert isinstance(answer, Reply), answer
    return answer


def sent(practice: Practice, api: str, order: StubOrder) -> Reply:
    return post(practice, api, REGISTRY[api].order_request(order), order.secret_names)
