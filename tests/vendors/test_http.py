"""The one paid POST when it fails: what each failure proves, and what it never leads to."""

from __future__ import annotations

import gzip
import pickle
import socket
import ssl
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.vendors.exchange import (
    REQUEST,
    SECRETS,
    TOO_LONG,
    answering,
    endless_answer,
    in_time,
    post,
    saying,
)
from tests.vendors.raw import Act, Visit, listening
from tests.vendors.tls import certificate
from vendors.http import Lost, NoConnection, ReadFailed, Reply, Request, Secret, post_order, reader

# Proof that no connection was made


def test_a_refused_connection_is_proof_that_nothing_was_sent(serve: Any) -> None:
    server = serve(answering(b"{}"))
    server.stop()
    assert post(server.url) == NoConnection("the vendor's server refused the connection")


def test_a_name_that_is_not_found_is_proof_that_nothing_was_sent() -> None:
    assert post("https://vendor.invalid") == NoConnection(
        "the vendor's name could not be found on the network"
    )


def test_a_connection_that_takes_too_long_is_proof_that_nothing_was_sent() -> None:
    """A listener whose queue is full lets the next caller wait: the kernel drops its first packet."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        try:
            for _ in range(8):
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(full.getsockname())
            probe = socket.socket()
            waiting.append(probe)
            probe.settimeout(0.3)
            try:
                probe.connect(full.getsockname())
            except TimeoutError:
                outcome = post(f"http://127.0.0.1:{full.getsockname()[1]}")
            else:
                pytest.skip("this system takes any number of waiting connections")
            assert outcome == NoConnection(
                "the vendor's server did not answer the connection in time"
            )
        finally:
            for caller in waiting:
                caller.close()


def test_who_may_not_go_any_more_sends_nothing_on_the_standing_connection(serve: Any) -> None:
    server = serve(answering(b"{}"))
    words = iter([False, True])

    def may_go() -> bool:
        return next(words)

    held_up = NoConnection("it took too long until the request could leave")
    assert post_order(REQUEST.prepare(server.url, SECRETS), may_go=may_go) == held_up
    assert isinstance(post_order(REQUEST.prepare(server.url, SECRETS), may_go=may_go), Reply)
    assert [bool(visit.request) for visit in server.visits] == [False, True]


# Everything else is doubt


def whole_then_close(visit: Visit) -> None:
    visit.read()


def whole_then_reset(visit: Visit) -> None:
    visit.read()
    visit.reset()


def headers_then_reset(visit: Visit) -> None:
    visit.read()
    visit.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n")
    visit.reset()


def whole_then_silence(visit: Visit) -> None:
    visit.read()
    visit.wait()


def close_at_once(visit: Visit) -> None:
    visit.connection.close()


def reset_unread(visit: Visit) -> None:
    visit.connection.recv(1, socket.MSG_PEEK)
    visit.reset()


def some_then_reset(visit: Visit) -> None:
    visit.connection.recv(10)
    visit.reset()


def nothing_read(visit: Visit) -> None:
    visit.wait()


def endless_headers(visit: Visit) -> None:
    visit.read()
    visit.drip(b"HTTP/1.1 200 OK\r\nX-A: b\r\n")


def endless_continue(visit: Visit) -> None:
    visit.read()
    while not visit.server.over.wait(0.05):
        visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")


DOUBTS: dict[str, tuple[Act, str]] = {
    "closed before reading": (close_at_once, ""),
    "reset before reading": (reset_unread, ""),
    "reset in the middle of the request": (some_then_reset, ""),
    "read whole, then closed": (
        whole_then_close,
        "the vendor closed the connection without an answer",
    ),
    "read whole, then reset": (whole_then_reset, "the vendor cut the connection"),
    "read whole, no answer": (whole_then_silence, "no answer came in time"),
    "nothing read, no answer": (nothing_read, "no answer came in time"),
    "answer cut in the first line": (saying(b"HTTP/1.1 2"), ""),
    "answer cut after its status": (saying(b"HTTP/1.1 202"), "the answer was cut off"),
    "answer cut in the words of its status": (
        saying(b"HTTP/1.1 202 Acc"),
        "the answer was cut off",
    ),
    "answer cut after its first line": (
        saying(b"HTTP/1.1 202 Accepted\r\n"),
        "the answer was cut off",
    ),
    "answer cut in a header": (
        saying(b"HTTP/1.1 202 Accepted\r\nContent-Le"),
        "the answer was cut off",
    ),
    "answer cut in a length": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0"),
        "the answer was cut off",
    ),
    "answer cut between headers": (
        saying(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n"),
        "the answer was cut off",
    ),
    "answer cut in the blank line": (
        saying(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r"),
        "the answer was cut off",
    ),
    "answer cut after please go on": (
        saying(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n"),
        "was cut off",
    ),
    "answer reset in its headers": (headers_then_reset, "the vendor cut the connection"),
    "answer cut in the body": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"),
        "the answer was cut off",
    ),
    "answer cut in a chunk": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"),
        "",
    ),
    "chunks that are none": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
        "",
    ),
    "not HTTP": (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), ""),
    "a status that is no number": (saying(b"HTTP/1.1 YES\r\n\r\n"), ""),
    "headers without end": (saying(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n"), ""),
    "one endless header": (saying(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 100_000), ""),
    "a body dripped for ever": (endless_answer, TOO_LONG),
    "headers dripped for ever": (endless_headers, TOO_LONG),
    "please go on, for ever": (endless_continue, TOO_LONG),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_an_exchange_that_broke_is_lost_and_never_tried_again(serve: Any, case: str) -> None:
    act, why = DOUBTS[case]
    server = serve(act)
    outcome = in_time(lambda: post(server.url))
    assert isinstance(outcome, Lost), outcome
    assert why in outcome.why
    assert "practice-KEY" not in outcome.why
    assert len(server.visits) == 1


def test_a_request_cut_while_it_is_still_being_sent_is_lost(serve: Any) -> None:
    server = serve(some_then_reset)
    huge = Request(method="POST", path="/orders", body={"text": "x" * 8_000_000})
    assert isinstance(in_time(lambda: post(server.url, huge)), Lost)
    assert len(server.visits) == 1


def test_a_vendor_that_never_reads_the_rest_of_a_long_request_is_lost(serve: Any) -> None:
    server = serve(nothing_read)
    huge = Request(method="POST", path="/orders", body={"text": "x" * 20_000_000})
    assert isinstance(in_time(lambda: post(server.url, huge)), Lost)


def test_a_hundred_megabytes_are_not_read(serve: Any) -> None:
    def act(visit: Visit) -> None:
        visit.read()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            visit.send(b"x" * 1_000_000)

    server = serve(act)
    assert in_time(lambda: post(server.url)) == Lost("the answer was larger than any honest one")
    server.stop()
    assert server.visits[0].sent < 50_000_000


def test_the_body_of_a_redirect_is_not_read_without_limit_either(serve: Any) -> None:
    def act(visit: Visit) -> None:
        visit.read()
        visit.send(b"HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            visit.send(b"x" * 1_000_000)

    server = serve(act)
    assert in_time(lambda: post(server.url)) == Lost("the answer was larger than any honest one")


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "GZip ": gzip.compress}
PACKERS |= {"deflate": zlib.compress, "Deflate": raw_deflate}


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_packed_answer_is_unpacked(serve: Any, encoding: str) -> None:
    packed = PACKERS[encoding](b'{"key": "practice-KEY", "ok": true}')
    reply = post(serve(answering(packed, headers=f"Content-Encoding: {encoding}\r\n")).url)
    assert isinstance(reply, Reply)
    assert reply.json() == {"key": str(Secret("api_key")), "ok": True}


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_small_answer_that_unpacks_to_a_huge_one_is_too_large(serve: Any, encoding: str) -> None:
    packed = PACKERS[encoding](b"x" * 200_000_000)
    server = serve(answering(packed, headers=f"Content-Encoding: {encoding}\r\n"))
    assert in_time(lambda: post(server.url)) == Lost("the answer was larger than any honest one")


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0)[:-1]),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"{}"),
        ("gzip", b"{}"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0)),
        ("br", b"{}!"),
    ],
)
def test_an_answer_that_cannot_be_unpacked_stays_packed(
    serve: Any, encoding: str, packed: bytes
) -> None:
    reply = post(serve(answering(packed, headers=f"Content-Encoding: {encoding}\r\n")).url)
    assert isinstance(reply, Reply)
    assert reply.body == packed


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"ok": true}', {"ok": True}),
        (b'{"ok": false, "ok": true}', None),
        (b'{"data": {"id": 1, "id": 2}}', None),
        (b'{"price": NaN}', None),
    ],
)
def test_a_byte_order_mark_is_passed_over_and_a_key_stands_once(body: bytes, value: Any) -> None:
    assert Reply(status=200, headers={}, body=body, seconds=1).json() == value


def test_a_reply_keeps_what_the_vendor_wrote_out_of_its_text(serve: Any) -> None:
    reply = post(serve(answering(b'{"key": "practice-KEY"}')).url)
    assert isinstance(reply, Reply)
    assert reply.written_json() == {"key": "practice-KEY"}
    assert "practice-KEY" not in repr(reply)


def test_a_request_to_no_address_is_doubt_not_a_crash() -> None:
    assert isinstance(post("no address at all"), Lost)


@pytest.mark.parametrize("missing", SECRETS)
def test_a_request_without_its_secrets_cannot_be_prepared(missing: str) -> None:
    stored = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(KeyError, match=missing):
        REQUEST.prepare("https://api.example.com", stored)


# TLS


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, with its key."""
    path = tmp_path_factory.mktemp("tls") / "vendor.pem"
    path.write_bytes(certificate("127.0.0.1"))
    return path


def behind_tls(pem: Path) -> Act:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def act(visit: Visit) -> None:
        visit.connection = context.wrap_socket(visit.connection, server_side=True)
        visit.read()
        visit.answer(b"{}")

    return act


UNTRUSTED = Lost("the secure connection to the vendor could not be trusted or broke")


def test_a_certificate_that_nobody_vouches_for_is_doubt(serve: Any, pem: Path) -> None:
    server = serve(behind_tls(pem))
    assert post(server.url.replace("http:", "https:")) == UNTRUSTED
    assert server.visits[0].request == b""


def test_a_certificate_is_not_trusted_because_the_environment_says_so(
    serve: Any, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(pem))
    server = serve(behind_tls(pem))
    assert post(server.url.replace("http:", "https:")) == UNTRUSTED


@pytest.mark.parametrize(
    "act", [close_at_once, some_then_reset, whole_then_silence, answering(b"no TLS here")]
)
def test_a_secure_connection_that_never_stands_is_doubt(serve: Any, act: Act) -> None:
    server = serve(act)
    assert isinstance(in_time(lambda: post(server.url.replace("http:", "https:"))), Lost)
    assert len(server.visits) == 1


# Harmless reads


@pytest.mark.parametrize("case", DOUBTS)
def test_a_read_that_broke_says_so_without_the_key(serve: Any, case: str) -> None:
    read = reader(host=serve(DOUBTS[case][0]).url, secrets=SECRETS)
    question = Request(method="GET", path="/list", query=(("api_key", Secret("api_key")),))

    def ask() -> str:
        with pytest.raises(ReadFailed) as failed:
            read(question)
        return str(failed.value)

    said = in_time(ask)
    assert said.startswith("The vendor could not be asked")
    assert "practice-KEY" not in said


def test_a_read_without_a_key_says_so_and_asks_nobody() -> None:
    with listening(answering(b"{}")) as server:
        with pytest.raises(ReadFailed, match="No key is stored"):
            reader(host=server.url, secrets={})(REQUEST)
        assert server.visits == []


def test_a_placeholder_from_the_cache_is_the_same_again() -> None:
    secret = Secret("api_key", prefix="Bearer ")
    copied = pickle.loads(pickle.dumps(secret))
    assert (copied, copied.name, copied.prefix) == (secret, secret.name, secret.prefix)
