"""The table of answers, and what holds for every answer that anybody can make up."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.vendors.answers_table import FOREIGN, TABLE, Row
from tests.vendors.orders import SOUND
from vendors.apis import REGISTRY
from vendors.http import Reply, Secret, json_bytes
from vendors.verdicts import Accepted, NotSent, Refused, Unknown, Verdict

ORDERS = {api: order for (api, product), order in SOUND.items() if product != "mailboxes"}
ORDERS["woodpecker"] = SOUND["woodpecker", "mailboxes"]
APIS = sorted(REGISTRY)


def read(api: str, status: int, raw: bytes, headers: dict[str, str] | None = None) -> Verdict:
    reply = Reply(status=status, headers=headers or {}, body=raw, seconds=1)
    return REGISTRY[api].read_reply(ORDERS[api], reply)


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_an_answer_is_read_as_the_table_says(row: Row) -> None:
    found = read(row.api, row.status, row.raw, row.headers)
    assert isinstance(found, row.verdict), found
    if isinstance(found, Accepted):
        assert (found.reference, found.refused_domains) == (row.reference, row.left_out)


def test_the_table_is_large_and_just() -> None:
    assert len(TABLE) - len(FOREIGN) >= 200
    assert {row.api for row in TABLE} == set(REGISTRY)
    kinds = Counter((row.api, row.verdict) for row in TABLE)
    assert all(kinds[api, kind] for api in APIS for kind in (Accepted, Refused, NotSent, Unknown))
    assert not [
        row.name for row in TABLE if row.charged == "yes" and row.verdict in (Refused, NotSent)
    ]
    assert not [row.name for row in TABLE if row.charged == "no" and row.verdict is Accepted]


def test_a_refusal_may_quote_the_orders_own_names() -> None:
    """A domain may be called after the words that speak of money."""
    order = ORDERS["scaledmail"]
    line = replace(order.contents[0], name="already-charged.com")
    named = order.but(contents=(line, *order.contents[1:]))
    for words, kind in (
        ("already-charged.com is bad", Refused),
        ("not-already-charged.com is bad", Unknown),
        ("already-charged.com was charged", Unknown),
    ):
        reply = Reply(status=400, headers={}, body=json_bytes({"error": words}), seconds=1)
        assert isinstance(REGISTRY["scaledmail"].read_reply(named, reply), kind), words


# For all answers

KEYS = st.sampled_from(
    [
        "ok",
        "success",
        "status",
        "data",
        "message",
        "error",
        "order_id",
        "orderId",
        "id",
        "context",
        "title",
        "details",
        "timestamp",
        "type",
        "code",
        "fields",
        "request_id",
        "payment_id",
        "unavailableDomains",
        "actionId",
        "limit",
        "retryAfter",
        "x",
    ]
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 600)
    | st.sampled_from(["success", "error", "no", "Invalid field(s)", "invalid_fields", "undefined"])
    | st.text(max_size=8)
)
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
STATUS = st.sampled_from([200, 201, 202, 204, 400, 401, 403, 404, 422, 429, 500]) | st.integers(
    100, 599
)


def is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and bool(value.strip()))


def is_documented_success(api: str, body: Any) -> bool:
    """Written from the pages a second time, as a plain list of what may be there."""
    if not isinstance(body, dict):
        return False
    if api == "woodpecker":
        return body == {}
    if api == "scaledmail":
        return body.keys() <= {"id", "order_id", "payment_id", "success", "message"} and (
            body.get("success", True) is True
        )
    if api == "smartsenders":
        flags = [
            body[key] in (True, "success") for key in ("ok", "success", "status") if key in body
        ]
        known = {"ok", "success", "status", "data", "message", "order_id"}
        return bool(flags) and all(flags) and body.keys() <= known
    if not body.keys() <= {"status", "message", "data", "actionId", "unavailableDomains"}:
        return False
    data = body.get("data")
    return body.get("status") == 200 and isinstance(data, dict) and is_number(data.get("orderId"))


@pytest.mark.parametrize("api", APIS)
@given(status=STATUS, body=JSON)
@example(status=200, body={"ok": True, "data": {"success": False}})
@example(status=200, body={"success": True, "x": 1})
@example(status=200, body={"status": 200, "data": {"orderId": "7"}, "error": "no"})
def test_only_the_documented_success_is_accepted(api: str, status: int, body: Any) -> None:
    found = read(api, status, json.dumps(body).encode())
    if isinstance(found, Accepted):
        assert 200 <= status < 300
        assert is_documented_success(api, body), body


NAMES = st.sampled_from(
    [
        "orderId",
        "order_id",
        "order-number",
        "ORDERNO",
        "Order.No",
        "reference",
        "subscriptionId",
        "payment_id",
        "invoice",
        "chargeId",
        "transaction",
        "id",
        "order",
        "orders",
        "receipt_number",
    ]
)
NUMBERS = st.integers(1, 10**9) | st.sampled_from(["A1", "rec1", "SS-28-1", "0x7", "7"])
REFUSALS: dict[str, dict[str, Any]] = {
    "coldmailreseller": {"status": 400, "message": "No", "data": None},
    "scaledmail": {"error": "No"},
    "smartsenders": {"message": "No"},
    "woodpecker": {"title": "No", "status": 400, "details": "No", "timestamp": "2026-05-06"},
}


@st.composite
def with_a_number(draw: Any, body: dict[str, Any]) -> Any:
    """The refusal with an order's number somewhere: beside a value, or in the place of one."""
    found: Any = {draw(NAMES): draw(NUMBERS)}
    for _ in range(draw(st.integers(0, 5))):
        found = draw(st.sampled_from([[found], {"x": found}, {"data": found}, [1, found]]))
    key = draw(st.sampled_from([*body, "meta", "data", "context", "fields"]))
    return body | (found if draw(st.booleans()) and isinstance(found, dict) else {key: found})


@pytest.mark.parametrize("api", APIS)
@given(data=st.data(), status=st.sampled_from([400, 401, 403, 404, 422, 429]))
def test_an_answer_with_an_orders_number_is_neither_refused_nor_not_sent(
    api: str, data: st.DataObject, status: int
) -> None:
    body = REFUSALS[api] | ({"status": status} if "status" in REFUSALS[api] else {})
    assert isinstance(read(api, 400, json.dumps(REFUSALS[api]).encode()), Refused)
    numbered = data.draw(with_a_number(body))
    assert isinstance(read(api, status, json.dumps(numbered).encode()), Unknown)


@pytest.mark.parametrize("api", APIS)
@given(
    status=st.integers(0, 999),
    raw=st.binary(max_size=60) | JSON.map(lambda v: json.dumps(v).encode()),
)
@example(status=200, raw=b"[" * 100_000)
@example(status=400, raw=b'{"error":' * 900 + b"1" + b"}" * 900)
@example(status=429, raw=b'{"message": "\\ud800", "retryAfter": 1e999}')
@example(status=200, raw=b"1" * 5000)
def test_nothing_that_a_vendor_writes_breaks_the_reading(api: str, status: int, raw: bytes) -> None:
    assert isinstance(read(api, status, raw), Verdict.__args__)


# Secrets


@pytest.mark.parametrize(
    ("api", "status", "body", "secret"),
    [
        ("scaledmail", 200, {"success": False}, "success"),
        ("smartsenders", 200, {"ok": True, "message": "declined"}, "declined"),
        ("coldmailreseller", 400, {"status": 400, "message": "debited", "data": None}, "debited"),
        ("coldmailreseller", 400, {"status": 400, "message": "No", "orderId": "1"}, "orderId"),
        ("woodpecker", 202, {"errors": []}, "errors"),
    ],
)
def test_a_secret_that_is_a_word_of_the_answer_does_not_turn_it_round(
    api: str, status: int, body: Any, secret: str
) -> None:
    raw = json.dumps(body).encode()
    struck = raw.replace(secret.encode(), str(Secret("password")).encode())
    reply = Reply(
        status=status, headers={}, body=struck, seconds=1, raw=raw, secrets={"password": secret}
    )
    found = REGISTRY[api].read_reply(ORDERS[api], reply)
    assert isinstance(found, Unknown)
    assert secret not in found.why


@pytest.mark.parametrize("words", ["No: {} here", "x" * 495 + "{}", "{0} and {0}"])
def test_a_verdict_holds_no_secret(words: str) -> None:
    secret = 'PWSENTINEL  "ä/&'
    shown = words.format(secret)
    answers = [
        ("scaledmail", 400, {"error": shown}),
        ("scaledmail", 200, {"success": True, "message": shown, "id": secret}),
        ("woodpecker", 400, {"title": "x", "status": 400, "details": shown, "timestamp": "x"}),
        ("coldmailreseller", 500, {"status": 500, "message": shown, "data": None}),
        ("smartsenders", 200, {"ok": False, "error": {"message": shown}}),
    ]
    for api, status, body in answers:
        raw = json.dumps(body).encode()
        reply = Reply(
            status=status, headers={}, body=b"", seconds=1, raw=raw, secrets={"password": secret}
        )
        found = REGISTRY[api].read_reply(ORDERS[api], reply)
        assert "PWSENTINEL" not in repr(found), found
        assert "PWSENTINEL" not in repr(reply)
