"""Servers that misbehave below HTTP, as no practice vendor can, and addresses without a server."""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.expectations import expect, run_to_end
from tests.faults.scenarios import DrillInstallation
from tests.vendors.raw import Visit, listening
from tests.vendors.tls import certificate

ENV = {
    "QUEUE_WORKERS": "2",
    "VENDOR_CONNECT_SECONDS": "1",
    "VENDOR_READ_SECONDS": "6",
    "VENDOR_DEADLINE_SECONDS": "8",
    "NOT_SENT_TRIES": "3",
}


@contextmanager
def closed_port() -> Iterator[str]:
    # Bound, so that no other process listens there; refusing, as it does not listen itself.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def no_such_name() -> Iterator[str]:
    yield "https://no-such-vendor.invalid"


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


HOSTILE_SERVERS: dict[str, tuple[Callable[[], AbstractContextManager[str]], str]] = {
    "a closed port": (closed_port, "review"),
    "a name that does not resolve": (no_such_name, "review"),
    "a connection that never stands": (never_accepts, "review"),
    "a connection that nobody reads": (never_reads, "unknown"),
    "a certificate that does not match": (another_certificate, "unknown"),
}


@pytest.fixture(scope="module")
def sent_to_each(installation: DrillInstallation) -> tuple[dict[str, int], dict[str, Any]]:
    """An order sent to each hostile server, and the facts afterwards."""
    # The vendor's address is part of what is confirmed, so everything starts again for each.
    sent = {}
    for name, (server, _end) in HOSTILE_SERVERS.items():
        with server() as address:
            installation.env["MAILOPS_PRACTICE_URL"] = address
            installation.restart_agent()
            sent[name] = installation.order("hostile")
            run_to_end(installation, rounds=0, control=False)
    installation.env["MAILOPS_PRACTICE_URL"] = installation.vendors
    installation.restart_agent()
    return sent, run_to_end(installation)


@pytest.mark.parametrize("name", HOSTILE_SERVERS)
def test_a_hostile_server(
    installation: DrillInstallation, sent_to_each: tuple[dict[str, int], dict[str, Any]], name: str
) -> None:
    sent, facts = sent_to_each
    expect(installation, name, sent[name], facts, ends={HOSTILE_SERVERS[name][1]}, charges=0)
    stages = {
        attempt["stage"] for attempt in facts["attempts"] if attempt["order_id"] == sent[name]
    }
    assert stages == ({"not_sent"} if HOSTILE_SERVERS[name][1] == "review" else {"unknown"})
