"""The server itself: one ledger from many threads, limits, its own process, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from vendors.practice.ledger import Ledger
from vendors.practice.server import start

ROOT = Path(__file__).resolve().parents[2]


def raw(vendors, text: bytes) -> bytes:
    """The answer to these bytes, read until the server hangs up."""
    with socket.create_connection(vendors.server.server_address[:2], timeout=30) as connection:
        connection.sendall(text)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


def test_orders_that_arrive_together_are_each_charged_once(vendors):
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda place: vendors.order("woodpecker", f"acme{place}.com"), range(60))
        )
    assert {answer.status_code for answer in answers} == {202}
    found = Counter(domain for charge in vendors.ledger.charges() for domain in charge.domains)
    assert found == Counter(f"acme{place}.com" for place in range(60))


def test_of_orders_for_one_domain_that_arrive_together_scaledmail_takes_one(vendors):
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: vendors.order("scaledmail"), range(10)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 9}
    assert len(vendors.ledger.charges()) == 1
    assert len(vendors.ledger.requests()) == 10


def test_another_process_may_read_the_books(vendors):
    vendors.order("woodpecker")
    other = Ledger(vendors.ledger.path)
    assert [charge.domains for charge in other.charges(vendor="woodpecker")] == [["acme.com"]]
    assert other.charges(vendor="scaledmail") == []
    other.close()


def test_a_connection_serves_many_requests(vendors, valid_headers):
    with requests.Session() as session:
        for _ in range(3):
            url = f"{vendors.server.url}/woodpecker/rest/v1/me"
            assert session.get(url, headers=valid_headers("woodpecker"), timeout=30).ok


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Transfer-Encoding: chunked", b"411"),
        (b"Content-Length: many", b"411"),
        (b"Content-Length: -1", b"411"),
        (b"Content-Length: 99999999", b"413"),
    ],
)
def test_a_body_of_unknown_or_excessive_length_is_not_read(vendors, headers, status):
    answer = raw(
        vendors,
        b"POST /woodpecker/rest/v2/domains/mailboxes/order HTTP/1.1\r\n" + headers + b"\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert vendors.ledger.requests() == []


def test_a_request_that_breaks_off_is_no_order(vendors, new_body):
    address = vendors.server.server_address[:2]
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(
            b"POST /woodpecker/rest/v2/domains/mailboxes/order HTTP/1.1\r\nx-api-key:"
            b" practice-1\r\nContent-Type: application/json\r\nContent-Length:"
            b' 100\r\n\r\n{"mailboxes"'
        )
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert vendors.ledger.requests() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_listens_on_this_machine_only(tmp_path, host):
    with pytest.raises(ValueError):
        start(ledger=tmp_path / "practice.sqlite3", host=host)


@pytest.fixture
def process(tmp_path):
    """Practice vendors as their own process on a free port; its address, and the process."""
    command = [sys.executable, "manage.py", "practice_vendors", "--port", "0"]
    command += ["--delivery-seconds", "0", "--answer-seconds", "0.01"]
    child = subprocess.Popen(
        [*command, "--ledger", str(tmp_path / "books" / "practice.sqlite3")],
        cwd=ROOT,
        env={**os.environ, "MAILOPS_DATA": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = child.stdout.readline()
    found = re.search(r"http://\S+:\d+", line)
    if not found:
        child.kill()
        pytest.fail(f"it did not say where it listens: {line}{child.communicate()[1]}")
    yield found.group(), child
    child.kill()
    child.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_runs_as_its_own_process_and_stops_on_a_signal(
    process, tmp_path, number, new_body, valid_headers
):
    url, child = process
    path = "/woodpecker/rest/v2/domains/mailboxes/order"
    headers = valid_headers("woodpecker")
    assert requests.post(
        url + path, json=new_body("woodpecker", "acme.com"), headers=headers, timeout=30
    ).ok
    with pytest.raises(requests.ReadTimeout):
        body = new_body("woodpecker", "timeout-after.com")
        requests.post(url + path, json=body, headers=headers, timeout=(30, 0.3))
    child.send_signal(number)
    output, errors = child.communicate(timeout=30)
    assert (child.returncode, output, errors) == (0, "", "")
    ledger = Ledger(tmp_path / "books" / "practice.sqlite3")
    assert len(ledger.charges()) == 2
    ledger.close()


def test_a_killed_process_keeps_its_books(process, tmp_path, new_body, valid_headers):
    url, child = process
    path = "/woodpecker/rest/v2/domains/mailboxes/order"
    body = new_body("woodpecker", "acme.com")
    assert requests.post(url + path, json=body, headers=valid_headers("woodpecker"), timeout=30).ok
    child.kill()
    child.wait(timeout=30)
    ledger = Ledger(tmp_path / "books" / "practice.sqlite3")
    assert len(ledger.charges()) == 1
    ledger.close()


def test_answers_to_orders_wait_and_the_books_do_not(run):
    vendors = run(answer=3600)
    assert vendors.read("woodpecker", "woodpecker/rest/v1/me").ok
    with pytest.raises(requests.ReadTimeout):
        vendors.order("woodpecker", timeout=(10, 0.3))
    assert len(vendors.ledger.charges()) == 1
