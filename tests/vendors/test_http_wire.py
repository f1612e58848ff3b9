"""The one paid POST on the wire: the confirmed bytes, once, on a connection of its own, to nobody
else.
"""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from mailops import VERSION
from tests.vendors.exchange import (
    REQUEST,
    SECRETS,
    TOO_LONG,
    answering,
    endless_answer,
    post,
    saying,
)
from vendors.http import Lost, Reply, Request, Secret, reader


def test_the_bytes_on_the_wire_are_the_confirmed_ones(serve: Any) -> None:
    server = serve(answering(b"{}"))
    assert isinstance(post(server.url), Reply)
    (visit,) = server.visits
    assert visit.request.startswith(
        b"POST /orders?userId=u+1%262&api_key=practice-KEY HTTP/1.1\r\n"
    )
    prepared = REQUEST.prepare(server.url, SECRETS)
    assert visit.body == prepared.body
    assert hashlib.sha256(visit.body).hexdigest() == prepared.body_sha256
    assert json.loads(visit.body)["hosting"] == {"password": "pa55-word"}
    assert visit.headers["x-api-key"] == "practice-KEY"
    assert visit.headers["authorization"] == "Bearer practice-KEY"
    assert visit.headers["content-type"] == "application/json"
    assert visit.headers["content-length"] == str(len(visit.body))
    assert visit.headers["connection"] == "close"
    assert visit.headers["user-agent"] == f"MailOps/{VERSION}"
    assert visit.headers["accept-encoding"] == "identity"


def test_a_request_without_a_body_has_the_digest_of_no_bytes(serve: Any) -> None:
    server = serve(answering(b"{}"))
    bare = Request(method="POST", path="/orders")
    post(server.url, bare)
    (visit,) = server.visits
    assert (visit.body, visit.headers["content-length"]) == (b"", "0")
    assert bare.prepare(server.url, {}).body_sha256 == hashlib.sha256(b"").hexdigest()


def test_what_prints_a_prepared_request_prints_no_secret() -> None:
    prepared = REQUEST.prepare("https://api.example.com", SECRETS)
    assert "https://api.example.com" in repr(prepared)
    for value in SECRETS.values():
        assert value not in repr(prepared)
        assert value not in f"{prepared}"


def test_a_placeholder_that_a_person_typed_is_sent_as_typed(serve: Any) -> None:
    server = serve(answering(b"{}"))
    typed = str(Secret("api_key"))
    request = Request(
        method="POST",
        path="/orders",
        query=(("note", typed),),
        body={"name": typed, "list": [typed]},
    )
    post(server.url, request)
    (visit,) = server.visits
    assert json.loads(visit.body) == {
        "name": "«api key, kept secret»",
        "list": ["«api key, kept secret»"],
    }
    assert b"practice-KEY" not in visit.request


def test_every_request_has_a_connection_of_its_own(serve: Any) -> None:
    server = serve(answering(b"{}", headers="Connection: keep-alive\r\n"))
    for _ in range(3):
        post(server.url)
    assert [visit.request.count(b"HTTP/1.1") for visit in server.visits] == [1, 1, 1]


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
def test_a_redirect_is_shown_and_not_followed(serve: Any, status: str) -> None:
    elsewhere = serve(answering(b"{}"))
    server = serve(answering(b"", status=status, headers=f"Location: {elsewhere.url}/\r\n"))
    reply = post(server.url)
    assert isinstance(reply, Reply)
    assert reply.status == int(status[:3])
    assert (len(server.visits), len(elsewhere.visits)) == (1, 0)


def test_proxies_and_logins_of_the_environment_are_ignored(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = serve(answering(b"{}")), serve(answering(b"{}"))
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.setenv(name, proxy.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login mallory password letmein\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    plain = Request(method="POST", path="/orders", body={})
    assert isinstance(post(server.url, plain), Reply)
    assert proxy.visits == []
    assert "authorization" not in server.visits[0].headers
    reader(host=server.url, secrets={})(Request(method="GET", path="/list"))
    assert proxy.visits == []


# What comes back


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_blank_line_ends_the_headers(serve: Any, end: bytes) -> None:
    reply = post(
        serve(
            saying(end.join([b"HTTP/1.1 202 Accepted", b"X-A: b", b"Content-Length: 0", b"", b""]))
        ).url
    )
    assert isinstance(reply, Reply)
    assert (reply.status, reply.headers["X-A"], reply.body) == (202, "b", b"")


def test_an_answer_without_a_length_ends_with_the_connection(serve: Any) -> None:
    reply = post(serve(saying(b'HTTP/1.1 200 OK\r\n\r\n{"ok": true}')).url)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.json()) == (200, {"ok": True})


@pytest.mark.parametrize(
    "status",
    ["101 Switching Protocols", "202 Accepted", "204 No Content", "422 No", "503 Away", "999 ?"],
)
def test_any_status_is_a_reply_for_the_adapter_to_read(serve: Any, status: str) -> None:
    reply = post(serve(saying(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())).url)
    assert isinstance(reply, Reply)
    assert reply.status == int(status[:3])


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints", "199 ?"])
def test_an_interim_answer_is_passed_over(serve: Any, interim: str) -> None:
    first = f"HTTP/1.1 {interim}\r\nLink: </a>\r\n\r\n".encode() * 3
    reply = post(serve(saying(first + b'HTTP/1.1 202 OK\r\n\r\n{"ok": true}')).url)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.json()) == (202, {"ok": True})


def test_an_interim_answer_alone_is_a_lost_answer(serve: Any) -> None:
    assert isinstance(post(serve(saying(b"HTTP/1.1 103 Early Hints\r\n\r\n")).url), Lost)


def test_two_requests_at_once_do_not_share_a_deadline(serve: Any) -> None:
    slow, quick = serve(endless_answer), serve(answering(b"{}"))
    outcomes: list[Any] = []
    waiting = threading.Thread(target=lambda: outcomes.append(post(slow.url)))
    waiting.start()
    assert all(isinstance(post(quick.url), Reply) for _ in range(20))
    waiting.join(30)
    assert outcomes == [Lost(TOO_LONG)]
