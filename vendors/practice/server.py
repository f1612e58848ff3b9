"""The practice vendors as a real HTTP server, which sends an answer in any `Manner`."""

from __future__ import annotations

import ipaddress
import re
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from vendors.practice.ledger import Ledger
from vendors.practice.routing import Sent, answer
from vendors.practice.wire_types import Answer, Manner, json_answer

MAX_BODY = 2 * 1024 * 1024
ENDLESS_BYTES = 100 * 1024 * 1024
# SO_LINGER without time: closing the socket sends RST.
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long things take, in seconds."""

    delivery: float = 5  # until an accepted order is delivered
    answer: float = 0  # before the answer to a paid request, after the ledger is written
    silence: float = 600  # until a vendor that never answers hangs up
    slow: float = 3
    drip: float = 1  # between two bytes


class Practice(ThreadingHTTPServer):
    """The listening server; `start` makes one and runs it in a thread."""

    daemon_threads = True
    # Many workers connect at once: a backlog of 5, the default, would be full.
    request_queue_size = 256

    def __init__(self, host: str, port: int, *, ledger: Ledger, pace: Pace) -> None:
        self.ledger = ledger
        self.pace = pace
        self.redirected: dict[str, Sent] = {}
        self.closing = threading.Event()
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()
        self.ledger.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hung up is no error of the server.
        if not self.closing.is_set() and not isinstance(
            sys.exception(), ConnectionError | TimeoutError
        ):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Practice
    protocol_version = "HTTP/1.1"
    # Seconds after which an idle connection gives its thread back.
    timeout = 60

    def do_POST(self) -> None:
        body = self._body()
        if isinstance(body, Answer):
            self.close_connection = True
            self._send(body)
        elif self.server.closing.is_set():
            self.close_connection = True
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = answer(
                Sent(method=self.command, target=self.path, headers=headers, body=body),
                ledger=self.server.ledger,
                redirected=self.server.redirected,
                delivery_seconds=self.server.pace.delivery,
            )
            # Every paid request is a POST.
            if self.command == "POST":
                self.server.closing.wait(self.server.pace.answer)
            self._send(reply)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

    def log_message(self, *args: Any) -> None:
        # One vendor takes its key in the URL, which must not reach a log.
        return

    def _body(self) -> bytes | Answer:
        """The request's whole body, or the refusal of a body that is not read."""
        announced = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,12}", announced):
            return json_answer(411, {"error": "Send the body's length as Content-Length."})
        length = int(announced)
        if length > MAX_BODY:
            return json_answer(413, {"error": f"The body is larger than {MAX_BODY} bytes."})
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the request broke off")
        return body

    def _send(self, reply: Answer) -> None:
        match reply.manner:
            case Manner.SILENCE:
                self._wait_in_silence()
            case Manner.CUT:
                self._cut()
            case Manner.SLOW:
                self.server.closing.wait(self.server.pace.slow)
                self._write(reply)
            case Manner.DRIP:
                self._drip(self._head(reply, len(reply.body)) + reply.body)
            case Manner.SHORT:
                self.close_connection = True
                self.connection.sendall(self._head(reply, len(reply.body)) + reply.body[:-1])
            case Manner.SHORT_HEAD:
                self.close_connection = True
                self._write_some_headers(reply)
            case Manner.CUT_HEAD:
                self._write_some_headers(reply)
                self._cut()
            case Manner.ENDLESS:
                self._write_endlessly(reply)
            case Manner.WHOLE:
                self._write(reply)

    def _write(self, reply: Answer) -> None:
        self.connection.sendall(self._head(reply, len(reply.body)) + reply.body)

    def _write_some_headers(self, reply: Answer) -> None:
        first, rest = self._head(reply, len(reply.body)).split(b"\r\n", 1)
        self.connection.sendall(first + b"\r\n" + rest[:9])

    def _head(self, reply: Answer, length: int) -> bytes:
        lines = [f"{self.protocol_version} {reply.status} {HTTPStatus(reply.status).phrase}"]
        headers = {**reply.headers, "Date": self.date_time_string()}
        if reply.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(length)
        if self.close_connection:
            headers["Connection"] = "close"
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _drip(self, whole: bytes) -> None:
        for place in range(len(whole)):
            self.connection.sendall(whole[place : place + 1])
            if self.server.closing.wait(self.server.pace.drip):
                self.close_connection = True
                return

    def _write_endlessly(self, reply: Answer) -> None:
        self.close_connection = True
        self.connection.sendall(self._head(reply, ENDLESS_BYTES) + b'{"data": "')
        for part in _filling(ENDLESS_BYTES):
            if self.server.closing.is_set():
                return
            self.connection.sendall(part)

    def _wait_in_silence(self) -> None:
        # Ends when the client hangs up, the server stops or the time is over.
        self.close_connection = True
        ends = time.monotonic() + self.server.pace.silence
        while time.monotonic() < ends and not self.server.closing.is_set():
            if select.select([self.connection], [], [], 0.1)[0] and not self._client_is_there():
                return

    def _client_is_there(self) -> bool:
        # A connection that is readable without data has ended. Data is thrown away.
        with suppress(OSError):
            return bool(self.connection.recv(1024))
        return False

    def _cut(self) -> None:
        # Detached, so that the handler does not shut the connection down in the regular way first.
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        socket.close(self.connection.detach())


def _filling(size: int) -> Iterator[bytes]:
    part = b"x" * (64 * 1024)
    for _ in range(size // len(part)):
        yield part


def start(
    *, ledger: Path | str, host: str = "127.0.0.1", port: int = 0, pace: Pace | None = None
) -> Practice:
    """Listen and serve in a thread.

    Raises ValueError for a host that others can reach, OSError for a taken port.
    """
    if host != "localhost" and not ipaddress.IPv4Address(host).is_loopback:
        raise ValueError(
            f"{host} can be reached from elsewhere; practice vendors listen on this machine only."
        )
    opened = Ledger(ledger)
    try:
        server = Practice(host, port, ledger=opened, pace=pace or Pace())
    except OSError:
        opened.close()
        raise
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    return server
