"""Where MailOps may connect to: checked when a name is looked up, and again by connecting to just
that address.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest

from mailops.core import ssrf
from tests.vendors.exchange import REQUEST, SECRETS, answering, post
from vendors.apis import REGISTRY
from vendors.http import NoConnection, ReadFailed, Reply, reader

REFUSED = NoConnection(
    "the vendor's name leads into a private network or away from https, and MailOps does not go"
    " there"
)
INSIDE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:a00:1::1", "64:ff9b::a00:1",
    "64:ff9b::7f00:1", "2001:db8::1", "rubbish", "",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not ssrf.is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert ssrf.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com", "ftp://api.example.com", "https://localhost", "https://127.0.0.1", "https://[::1]/",
        "https://10.0.0.1", "https://169.254.169.254/latest", "https://metadata.google.internal", "https://printer",
        "https://printer.local", "https://me:secret@api.example.com", "https://2130706433", "https://0x7f.1",
        "https://127.1", "https://[::ffff:127.0.0.1]", "https:///x", "https://a b.com", "javascript:alert(1)", "",
        "https://api.example.com:99999",
    ],
)  # fmt: skip
def test_a_base_address_must_be_https_and_public(url: str) -> None:
    assert ssrf.why_not_url(url)


@pytest.mark.parametrize(
    "url", ["https://api.example.com", "https://api.example.com:8443/v1", "https://8.8.8.8"]
)
def test_a_public_address_by_https_is_fine(url: str) -> None:
    assert ssrf.why_not_url(url) == ""


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8001", "http://localhost:8001", "http://[::1]:8001"]
)
def test_this_machine_is_fine_for_practice_alone(url: str) -> None:
    assert ssrf.why_not_url(url, loopback=True) == ""
    assert ssrf.why_not_url(url)


@pytest.mark.parametrize("api", sorted(REGISTRY))
def test_every_vendors_own_address_is_https_and_public(api: str) -> None:
    assert ssrf.why_not_url(REGISTRY[api].host) == ""


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("http://127.0.0.1:9000", True), ("http://127.0.0.1:9000/woodpecker", True), ("HTTP://127.0.0.1:9000?x", True),
        ("http://127.0.0.1:90001", False), ("http://127.0.0.1:9000.evil.com", False),
        ("http://127.0.0.1.evil.com:9000", False), ("http://127.0.0.1:900", False), ("http://127.0.0.1", False),
        ("http://127.0.0.1:9000@b.c", False),
        ("https://127.0.0.1:9000", False), ("127.0.0.1:9000", False), ("", False), ("http://[::1", False),
    ],
)  # fmt: skip
def test_only_the_practice_vendors_own_place_is_theirs(url: str, is_same: bool) -> None:
    """Not whatever begins like it."""
    assert ssrf.is_same_place(url, "http://127.0.0.1:9000") is is_same
    assert not ssrf.is_same_place(url, "")


def test_a_port_may_go_without_saying() -> None:
    assert ssrf.is_same_place("https://practice.example.com:443/x", "https://practice.example.com")
    assert not ssrf.is_same_place("", "")


# At use


@pytest.mark.parametrize(
    "host", ["https://10.0.0.1", "https://169.254.169.254", "http://8.8.8.8", "https://[fe80::1]"]
)
def test_nothing_is_sent_inside_or_without_https(host: str) -> None:
    assert post(host) == REFUSED


def test_on_a_live_installation_this_machine_is_not_called_but_for_practice(
    serve: Any, settings: Any
) -> None:
    server = serve(answering(b"{}"))
    settings.LIVE = True
    assert post(server.url) == REFUSED
    assert server.visits == []
    settings.PRACTICE_URL = server.url[:-1]  # another port, whose digits begin alike
    assert post(server.url) == REFUSED
    settings.PRACTICE_URL = server.url
    assert isinstance(post(server.url), Reply)


def test_a_read_is_held_to_the_same_and_says_so(settings: Any) -> None:
    settings.LIVE = True
    with pytest.raises(ReadFailed, match="MailOps does not go there"):
        reader(host="https://127.0.0.1:1", secrets=SECRETS)(REQUEST)


class Names:
    """A resolver that gives another answer each time it is asked, as somebody who rebinds a name
    does.
    """

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).replace(".", "").isdecimal():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"], []])
def test_a_name_that_leads_inside_is_not_called(
    monkeypatch: Any, settings: Any, found: list[str]
) -> None:
    settings.LIVE = True
    monkeypatch.setattr(socket, "getaddrinfo", Names(found))
    assert post("https://api.example.com") == REFUSED


def test_a_name_is_asked_once_and_what_it_said_then_is_called(
    monkeypatch: Any, settings: Any
) -> None:
    """The second answer, which leads inside, is never asked for."""
    settings.LIVE = True
    names, called = Names(["8.8.8.8"], ["127.0.0.1"]), []

    def connect(self: socket.socket, where: Any) -> None:
        called.append(where[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", names)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert post("https://api.example.com") == NoConnection(
        "the vendor's server refused the connection"
    )
    assert (names.asked, called) == (1, ["8.8.8.8"])
