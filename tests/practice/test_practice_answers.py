"""The answers to charged orders with practice values."""

from __future__ import annotations

import json
import socket

import pytest
import requests

from tests.practice.conftest import woodpecker_order


def charges(vendors) -> int:
    return len(vendors.ledger.charges())


def test_rubbish_is_a_web_page(vendors, kind):
    answer = vendors.order(kind, "rubbish.com")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")
    assert charges(vendors) == 1


def test_truncated_ends_in_the_middle(vendors, kind):
    if kind == "woodpecker":
        with pytest.raises(requests.RequestException):
            vendors.order(kind, "truncated.com")
    else:
        answer = vendors.order(kind, "truncated.com")
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.content)
    assert charges(vendors) == 1


def test_truncated_headers_end_politely_after_the_status(vendors):
    with socket.create_connection(vendors.server.server_address[:2], timeout=30) as connection:
        connection.sendall(woodpecker_order("truncated-headers.com"))
        received = b""
        while part := connection.recv(1000):  # a reset would raise
            received += part
    status, rest = received.split(b"\r\n", 1)
    assert status == b"HTTP/1.1 202 Accepted"
    assert rest and b"\n" not in rest
    assert charges(vendors) == 1


def test_wrong_charset_is_utf_16(vendors, kind):
    answer = vendors.order(kind, "wrong-charset.com")
    assert answer.ok
    assert answer.headers["Content-Type"] == "application/json; charset=utf-16"
    assert answer.content.startswith((b"\xff\xfe", b"\xfe\xff"))
    assert isinstance(json.loads(answer.text), dict)
    assert charges(vendors) == 1


def test_no_content_has_no_body(vendors, kind):
    answer = vendors.order(kind, "no-content.com")
    assert answer.content == b""
    assert "Content-Length" not in answer.headers


def test_odd_accepted_says_nothing(vendors, kind):
    answer = vendors.order(kind, "odd-accepted.com")
    assert answer.text == ("Thank you" if kind == "woodpecker" else '{"message": "Thank you"}')


NUMBERS = {
    "cmr domains": ("data", "orderId"),
    "cmr mailboxes": ("data", "orderId"),
    "smartsenders": ("order_id",),
}


def test_other_order_names_the_newest_earlier_order(vendors, kind):
    def number(domain: str, key: str) -> str | None:
        value = (
            vendors.order(kind, domain, key=key).json()
            if kind in NUMBERS
            else vendors.order(kind, domain, key=key)
        )
        for name in NUMBERS.get(kind, ()):
            value = value[name]
        return value if kind in NUMBERS else None

    made_up = number("other-order.com", "practice-new")
    number("first.com", "practice-old")
    earlier = number("second.com", "practice-old")
    shown = number("other-order.com", "practice-old")
    newest = vendors.ledger.charges()
    assert [charge.domains for charge in newest[:2]] == [["other-order.com"], ["second.com"]]
    if kind in NUMBERS:
        assert shown == earlier == newest[1].reference
        assert made_up and made_up not in {charge.reference for charge in newest}
    assert len(newest) == 4


def test_other_order_is_as_usual_where_the_answer_has_no_number(vendors):
    for kind in ("scaledmail", "woodpecker", "smartsenders by address"):
        usual, other = vendors.order(kind), vendors.order(kind, "other-order.com")
        assert (other.status_code, other.content) == (usual.status_code, usual.content)


def test_wrong_shape_is_a_list(vendors, kind):
    answer = vendors.order(kind, "wrong-shape.com")
    assert answer.ok
    assert answer.json() == ["accepted"]
    assert charges(vendors) == 1


def test_drip_comes_a_byte_at_a_time(run):
    vendors = run(drip=3600)
    with socket.create_connection(vendors.server.server_address[:2], timeout=30) as connection:
        connection.sendall(woodpecker_order("drip.com"))
        assert connection.recv(100) == b"H"
        assert charges(vendors) == 1
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(100)


def test_drip_is_a_good_answer_for_who_waits(vendors, kind):
    assert vendors.order(kind, "drip.com").ok
    assert charges(vendors) == 1


def test_huge_does_not_end_soon(vendors, kind):
    with vendors.order(kind, "huge.com", stream=True) as answer:
        received = 0
        for part in answer.iter_content(64 * 1024):
            received += len(part)
            if received > 2 * 1024 * 1024:
                break
    assert received > 2 * 1024 * 1024
    assert int(answer.headers["Content-Length"]) == 100 * 1024 * 1024
    assert charges(vendors) == 1
