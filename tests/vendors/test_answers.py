"""What each answer to a paid request means.

Where the vendor may hold a charge the verdict is *unknown*.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import PRODUCTS, case, reply
from vendors.apis.replies import seconds_to
from vendors.http import Reply
from vendors.verdicts import NotSent, Unknown, Verdict


def verdict(key: tuple[str, str], answer: Reply) -> Verdict:
    api, order = case(key)
    return api.read_reply(order, answer)


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize(
    "status", [100, 204, 205, 226, 300, 301, 302, 303, 307, 308, 402, 408, 409, 410, 418, 423, 425]
)
def test_a_status_that_nobody_documents_is_unknown(key: tuple[str, str], status: int) -> None:
    for body in (
        b"",
        {"message": "no", "error": "no"},
        {"title": "No", "status": status, "details": "no"},
    ):
        assert isinstance(verdict(key, reply(status, body)), Unknown)


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 599])
def test_a_broken_vendor_is_unknown_even_in_its_own_error_shape(
    key: tuple[str, str], status: int
) -> None:
    for body in (
        b"",
        {"title": "Internal Server Error", "status": status, "details": "error details"},
        {"status": status, "message": "broken", "data": None},
        {"error": "broken"},
    ):
        assert isinstance(verdict(key, reply(status, body)), Unknown)


UNREADABLE = {
    "html": b"<html><body>Welcome</body></html>",
    "truncated": b'{"status": 200, "data": {"orderId": "RJK7',
    "not utf-8": b'{"ok": true, "x": "\xff"}',
    "nested without end": b"[" * 100_000,
    "list": [],
    "list of objects": [{"ok": True, "orderId": "1"}],
    "number": 7,
    "null": None,
    "true": True,
    "text": "OK",
}
FOREIGN = {
    **UNREADABLE,
    "empty": b"",
    "empty object": {},
    "foreign error": {"errors": [{"detail": "no"}]},
}


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_success_that_cannot_be_read_is_unknown(
    key: tuple[str, str], status: int, body: Any
) -> None:
    assert isinstance(verdict(key, reply(status, body)), Unknown)


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422])
@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN)
def test_a_refusal_that_is_not_the_vendors_own_is_unknown(
    key: tuple[str, str], status: int, body: Any
) -> None:
    """A proxy, a firewall or a captive portal can answer in the vendor's place, after the order
    went through.
    """
    assert isinstance(verdict(key, reply(status, body)), Unknown)


SLOW_DOWN: dict[str, Any] = {
    "coldmailreseller": {"status": 429, "message": "Too many requests", "data": None},
    "scaledmail": {"message": "Too many requests", "limit": "5 requests per second"},
    "woodpecker": {
        "title": "Too Many Requests",
        "status": 429,
        "details": "Slow down",
        "timestamp": "2026-05-06T12:00:00Z",
    },
    "smartsenders": {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests"}},
}


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "9" * 30}, 24 * 3600),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-7"}, None),
    ],
)
def test_429_was_not_placed_and_tells_how_long_to_wait(
    key: Any, headers: dict[str, str], seconds: int | None
) -> None:
    found = verdict(key, reply(429, SLOW_DOWN[key[0]], headers))
    assert isinstance(found, NotSent)
    assert found.retry_after == seconds


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        {},
        b"<html><title>429 Too Many Requests</title></html>",
        {"message": "Too many requests", "order_id": "1"},
        {"status": 429, "message": "Too many requests", "data": {"orderId": "1"}},
        {"message": "Order placed. Slow down."},
        {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "The card was charged"}},
    ],
)
def test_429_of_another_form_is_unknown(key: Any, body: Any) -> None:
    """A proxy may count requests after the vendor took the order."""
    assert isinstance(verdict(key, reply(429, body, {"Retry-After": "7"})), Unknown)


@pytest.mark.parametrize(
    ("number", "seconds"),
    [
        (2, 2),
        (2.4, 2),
        (0, 0),
        (86_400, 86_400),
        (86_401, None),
        (1_000_000_000, 0),
        (9_999_999_999, 86_400),
        (10**13, None),
        (float("inf"), None),
        (True, None),
        (-1, None),
        ("2", None),
    ],
)
def test_the_vendors_own_number_tells_how_long_to_wait(number: Any, seconds: int | None) -> None:
    assert seconds_to(number) == seconds
