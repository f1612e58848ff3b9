"""The one paid POST on the wire: what is sent, what each failure proves, and what never happens."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vendors.raw import Act, RawServer, Visit, listening
from tests.vendors.tls import certificate
from vendors.http import Lost, NoConnection, ReadFailed, Reply, Request, Secret, post_order, reader

SECRETS = {"api_key": "practice-KEY", "hosting_password": "pa55-word"}
REQUEST = Request(
    method="POST",
    path="/orders",
    query=(("userId", "u 1&2"), ("api_key", Secret("api_key"))),
    headers={"x-api-key": Secret("api_key"), "Authorization": Secret("api_key", prefix="Bearer ")}
    | {"Content-Type": "application/json"},
    body={"name": "Zoë “D” O'Hara", "hosting": {"password": Secret("hosting_password")}, "years": [1, True, None]},
)


def post(host: str, request: Request = REQUEST) -> Reply | NoConnection | Lost:
    return post_order(request, host=host, secrets=SECRETS)


@pytest.fixture
def serve() -> Iterator[Callable[[Act], RawServer]]:
    """Start servers that are stopped after the test."""
    running: list[RawServer] = []

    def start(act: Act) -> RawServer:
        running.append(RawServer(act))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def answering(body: bytes, **more: str) -> Act:
    def act(visit: Visit) -> None:
        visit.read()
        visit.answer(body, **more)

    return act


def in_time(do: Callable[[], Any]) -> Any:
    """What `do` returns; a failure, not a hanging test, where it would never end."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(do()), daemon=True)
    thread.start()
    thread.join(30)
    assert results, "it never ended"
    return results[0]


# -- Proof that no connection was made ---------------------------------------------------------------------------------


def test_a_refused_connection_is_proof_that_nothing_was_sent(serve: Any) -> None:
    server = serve(answering(b"{}"))
    server.stop()
    assert post(server.url) == NoConnection("the vendor's server refused the connection")


def test_a_name_that_is_not_found_is_proof_that_nothing_was_sent() -> None:
    assert post("https://vendor.invalid") == NoConnection("the vendor's name could not be found on the network")


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
            assert outcome == NoConnection("the vendor's server did not answer the connection in time")
        finally:
            for caller in waiting:
                caller.close()


# -- Everything else is doubt ------------------------------------------------------------------------------------------


def whole_then_close(visit: Visit) -> None:
    visit.read()


def whole_then_reset(visit: Visit) -> None:
    visit.read()
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


def endless_answer(visit: Visit) -> None:
    visit.read()
    visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
    visit.drip(b"{}")


def endless_headers(visit: Visit) -> None:
    visit.read()
    visit.drip(b"HTTP/1.1 200 OK\r\nX-A: b\r\n")


def endless_continue(visit: Visit) -> None:
    visit.read()
    while not visit.server.over.wait(0.05):
        visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def raw(answer: bytes) -> Act:
    def act(visit: Visit) -> None:
        visit.read()
        visit.send(answer)

    return act


TOO_LONG = "the whole answer did not arrive within the time allowed"
DOUBTS: dict[str, tuple[Act, str]] = {
    "closed before reading": (close_at_once, ""),
    "reset before reading": (reset_unread, ""),
    "reset in the middle of the request": (some_then_reset, ""),
    "read whole, then closed": (whole_then_close, "the vendor closed the connection without an answer"),
    "read whole, then reset": (whole_then_reset, "the vendor cut the connection"),
    "read whole, no answer": (whole_then_silence, "no answer came in time"),
    "nothing read, no answer": (nothing_read, "no answer came in time"),
    "answer cut in the first line": (raw(b"HTTP/1.1 2"), ""),
    "answer cut in the body": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), "the answer was cut off"),
    "answer cut in a chunk": (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"), ""),
    "chunks that are none": (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), ""),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), ""),
    "a status that is no number": (raw(b"HTTP/1.1 YES\r\n\r\n"), ""),
    "headers without end": (raw(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n"), ""),
    "one endless header": (raw(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 100_000), ""),
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


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_unpacked(serve: Any) -> None:
    packed = gzip.compress(b"x" * 200_000_000)
    server = serve(answering(packed, headers="Content-Encoding: gzip\r\n"))
    reply = in_time(lambda: post(server.url))
    assert isinstance(reply, Reply)
    assert (reply.body, reply.json()) == (packed, None)


def test_a_request_that_cannot_be_built_is_doubt_not_a_crash(serve: Any) -> None:
    server = serve(answering(b"{}"))
    assert isinstance(post_order(REQUEST, host=server.url, secrets={}), Lost)
    assert isinstance(post("no address at all"), Lost)
    assert server.visits == []


# -- TLS ---------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("act", [close_at_once, some_then_reset, whole_then_silence, answering(b"no TLS here")])
def test_a_secure_connection_that_never_stands_is_doubt(serve: Any, act: Act) -> None:
    server = serve(act)
    assert isinstance(in_time(lambda: post(server.url.replace("http:", "https:"))), Lost)
    assert len(server.visits) == 1


# -- What is sent ------------------------------------------------------------------------------------------------------


def test_the_bytes_on_the_wire_are_the_confirmed_ones(serve: Any) -> None:
    server = serve(answering(b"{}"))
    assert isinstance(post(server.url), Reply)
    (visit,) = server.visits
    assert visit.request.startswith(b"POST /orders?userId=u+1%262&api_key=practice-KEY HTTP/1.1\r\n")
    assert visit.body == REQUEST.wire_body(SECRETS)
    assert json.loads(visit.body)["hosting"] == {"password": "pa55-word"}
    assert visit.headers["x-api-key"] == "practice-KEY"
    assert visit.headers["authorization"] == "Bearer practice-KEY"
    assert visit.headers["content-type"] == "application/json"
    assert visit.headers["content-length"] == str(len(visit.body))
    assert visit.headers["connection"] == "close"
    assert visit.headers["accept-encoding"] == "identity"


def test_a_placeholder_that_a_person_typed_is_sent_as_typed(serve: Any) -> None:
    server = serve(answering(b"{}"))
    typed = str(Secret("api_key"))
    request = Request(method="POST", path="/orders", query=(("note", typed),), body={"name": typed, "list": [typed]})
    post(server.url, request)
    (visit,) = server.visits
    assert json.loads(visit.body) == {"name": "«api key, kept secret»", "list": ["«api key, kept secret»"]}
    assert b"practice-KEY" not in visit.request


def test_every_request_has_a_connection_of_its_own(serve: Any) -> None:
    server = serve(answering(b"{}", headers="Connection: keep-alive\r\n"))
    for _ in range(3):
        post(server.url)
    assert [visit.request.count(b"HTTP/1.1") for visit in server.visits] == [1, 1, 1]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
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
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
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


# -- What comes back ---------------------------------------------------------------------------------------------------


def test_of_an_answer_cut_in_its_headers_only_the_status_counts(serve: Any) -> None:
    reply = post(serve(raw(b"HTTP/1.1 200 OK\r\nX-Note: {}\r\nContent-Le")).url)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.json()) == (200, b"", None)


def test_an_answer_without_a_length_ends_with_the_connection(serve: Any) -> None:
    reply = post(serve(raw(b'HTTP/1.1 200 OK\r\n\r\n{"ok": true}')).url)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.json()) == (200, {"ok": True})


@pytest.mark.parametrize("status", ["103 Early Hints", "202 Accepted", "204 No Content", "422 No", "503 Away", "999 ?"])
def test_any_status_is_a_reply_for_the_adapter_to_read(serve: Any, status: str) -> None:
    reply = post(serve(raw(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())).url)
    assert isinstance(reply, Reply)
    assert reply.status == int(status[:3])


def test_two_requests_at_once_do_not_share_a_deadline(serve: Any) -> None:
    slow, quick = serve(endless_answer), serve(answering(b"{}"))
    outcomes: list[Any] = []
    waiting = threading.Thread(target=lambda: outcomes.append(post(slow.url)))
    waiting.start()
    assert all(isinstance(post(quick.url), Reply) for _ in range(20))
    waiting.join(30)
    assert outcomes == [Lost(TOO_LONG)]


# -- Harmless reads ----------------------------------------------------------------------------------------------------


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
