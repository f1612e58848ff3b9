"""Vendors that fail in every way there is, through the queue: never a second charge, nothing called failed that was
charged."""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PRODUCTS
from tests.faults.house import House
from tests.vendors.raw import Visit, listening
from tests.vendors.tls import certificate
from vendors.practice.faults import FAULTS

Orders = dict[tuple[str, str, str], int]
Facts = dict[str, Any]
# A vendor's silence has to end, a slow vendor has to be waited for.
ENV = {
    "QUEUE_WORKERS": "8",
    "VENDOR_CONNECT_SECONDS": "2",
    "VENDOR_READ_SECONDS": "12",
    "VENDOR_DEADLINE_SECONDS": "14",
    "NOT_SENT_TRIES": "3",
}

# practice value: how an order with it ends, and what it was charged
EXPECTED: dict[str, tuple[str, int]] = {
    "refused-field": ("refused", 0),
    "no-funds": ("refused", 0),
    "bad-key": ("refused", 0),
    "slow": ("accepted", 1),
    "busy": ("accepted", 1),
    "busy-date": ("accepted", 1),
    "busy-always": ("review", 0),
    "timeout-before": ("unknown", 0),
    "timeout-after": ("unknown", 1),
    "cut-before": ("unknown", 0),
    "cut-after": ("unknown", 1),
    "cut-headers": ("unknown", 1),
    "error-before": ("unknown", 0),
    "error-after": ("unknown", 1),
    "unavailable": ("unknown", 0),
    "unavailable-after": ("unknown", 1),
    "bad-gateway-before": ("unknown", 0),
    "bad-gateway-after": ("unknown", 1),
    "gateway-timeout-before": ("unknown", 0),
    "gateway-timeout-after": ("unknown", 1),
    "redirect": ("unknown", 0),
    "redirect-301": ("unknown", 0),
    "redirect-302": ("unknown", 0),
    "redirect-308": ("unknown", 0),
    "rubbish": ("unknown", 1),
    "truncated": ("unknown", 1),
    "truncated-headers": ("unknown", 1),
    "wrong-shape": ("unknown", 1),
    "wrong-charset": ("unknown", 1),
    "no-content": ("unknown", 1),
    "odd-accepted": ("unknown", 1),
    "other-order": ("unknown", 1),
    "drip": ("unknown", 1),
    "huge": ("unknown", 1),
    "partial": ("accepted", 1),
    "never-delivered": ("accepted", 1),
    "charge-failed": ("accepted", 1),
}
# where a vendor's own words make a difference
OTHERWISE: dict[tuple[str, str], tuple[str, int]] = {
    ("no-funds", "scaledmail"): ("unknown", 0),  # its 400 about payment may hide a subscription that was made
    ("charge-failed", "scaledmail"): ("unknown", 1),
    ("other-order", "scaledmail"): ("accepted", 1),  # answers without a number
    ("other-order", "woodpecker"): ("accepted", 1),
}
UNTIL_THE_DEADLINE = {"timeout-before", "timeout-after", "drip"}  # the same for all, and slow
AFTER_ANOTHER = {"other-order"}  # needs an earlier order in its account
CASES = [
    (fault, api, product)
    for fault in FAULTS
    if fault in EXPECTED
    for api, product in (PRODUCTS[1:3] if fault in UNTIL_THE_DEADLINE else PRODUCTS)
]


def test_every_practice_value_has_an_expectation() -> None:
    assert set(FAULTS) <= set(EXPECTED)


@pytest.fixture(scope="module")
def failed(house: House) -> tuple[Orders, Facts]:
    """An order for every fault at every vendor, each in an account of its own, all brought to their end."""
    accounts = {case: "-".join(case) for case in CASES}
    with house.cluster():
        earlier = [
            house.order("earlier", api=case[1], product=case[2], account=accounts[case])
            for case in CASES
            if case[0] in AFTER_ANOTHER
        ]
        house.wait_state("accepted", *earlier)
        orders = {case: house.order(case[0], api=case[1], product=case[2], account=accounts[case]) for case in CASES}
        return orders, house.close_books(cluster=False, rounds=1)


@pytest.mark.parametrize(("fault", "api", "product"), CASES)
def test_a_vendor_fails(house: House, failed: tuple[Orders, Facts], fault: str, api: str, product: str) -> None:
    orders, facts = failed
    end, charges = OTHERWISE.get((fault, api), EXPECTED[fault])
    house.expect(f"{fault}, {api} {product}", orders[fault, api, product], facts, end=end, charges=charges)


# -- What no practice vendor can do: lie below HTTP ------------------------------------------------------------------


@contextmanager
def closed_port() -> Iterator[str]:
    with socket.socket() as taken:  # bound, so that nobody else listens there; it refuses as it does not listen
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def no_such_name() -> Iterator[str]:
    yield "http://no-such-vendor.invalid"


@contextmanager
def never_accepts() -> Iterator[str]:
    """A listening socket whose queue is full: connecting never ends."""
    with ExitStack() as held, socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(8):
            visitor = held.enter_context(socket.socket())
            visitor.setblocking(False)
            visitor.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def never_reads() -> Iterator[str]:
    with listening(Visit.wait) as server:
        yield server.url


@contextmanager
def another_certificate() -> Iterator[str]:
    """TLS with a certificate that nobody signed, for another address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(certificate("192.0.2.1"))
        context.load_cert_chain(file.name)

    def act(visit: Visit) -> None:
        with context.wrap_socket(visit.connection, server_side=True) as secure:
            visit.connection = secure
            visit.read()
            visit.answer(b'{"data":{"orderId":"X-1"}}')

    with listening(act) as server:
        yield server.url.replace("http:", "https:")


LIARS: dict[str, tuple[Callable[[], AbstractContextManager[str]], str]] = {
    "a closed port": (closed_port, "review"),
    "a name that does not resolve": (no_such_name, "review"),
    "a connection that never stands": (never_accepts, "review"),
    "a connection that nobody reads": (never_reads, "unknown"),
    "a certificate that does not match": (another_certificate, "unknown"),
}


@pytest.fixture(scope="module")
def lied_to(house: House, failed: tuple[Orders, Facts]) -> tuple[dict[str, int], Facts]:
    """An order sent to each liar: the address is a part of what is confirmed, so all is started anew for each."""
    sent = {}
    for name, (liar, _end) in LIARS.items():
        with liar() as address:
            house.env["MAILOPS_PRACTICE_URL"] = address
            house.change_clerk()
            sent[name] = house.order("lied-to")
            house.close_books(rounds=1, control=False)
    house.env["MAILOPS_PRACTICE_URL"] = house.vendors
    house.change_clerk()
    return sent, house.close_books(rounds=1)


@pytest.mark.parametrize("name", LIARS)
def test_a_liar(house: House, lied_to: tuple[dict[str, int], Facts], name: str) -> None:
    sent, facts = lied_to
    house.expect(name, sent[name], facts, end=LIARS[name][1], charges=0)
    stages = {attempt["stage"] for attempt in facts["attempts"] if attempt["order_id"] == sent[name]}
    assert stages == ({"not_sent"} if LIARS[name][1] == "review" else {"unknown"})
