"""A TCP server for tests: it keeps every byte that arrives and answers, or misbehaves, as the test
says.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Act = Callable[["Visit"], None]


class Visit:
    """One connection, in a thread of its own."""

    def __init__(self, server: RawServer, connection: socket.socket) -> None:
        self.server, self.connection = server, connection
        self.request = b""
        self.sent = 0

    def read(self) -> bytes:
        """The whole request: headers and the announced body."""
        while b"\r\n\r\n" not in self.request and (part := self.connection.recv(65536)):
            self.request += part
        announced = re.search(rb"(?i)^content-length: (\d+)\r$", self.request, re.M)
        length = self.request.find(b"\r\n\r\n") + 4 + (int(announced[1]) if announced else 0)
        while len(self.request) < length and (part := self.connection.recv(65536)):
            self.request += part
        return self.request

    @property
    def body(self) -> bytes:
        return self.request.partition(b"\r\n\r\n")[2]

    @property
    def headers(self) -> dict[str, str]:
        lines = self.request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.sent += len(data)

    def answer(self, body: bytes, *, status: str = "200 OK", headers: str = "") -> None:
        self.send(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body
        )

    def reset(self) -> None:
        """Break off with an RST instead of a polite end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def drip(self, data: bytes, *, seconds: float = 0.05) -> None:
        """A byte at a time, over and over, until the other side is gone or the test over."""
        while not self.server.over.wait(seconds):
            self.send(data[self.sent % len(data) :][:1])

    def wait(self) -> None:
        """Say nothing until the test is over."""
        self.server.over.wait(60)


class RawServer:
    """Listens on a free port of this machine."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.visits: list[Visit] = []
        self.over = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            visit = Visit(self, connection)
            self.visits.append(visit)
            threading.Thread(target=self._visit, args=(visit,), daemon=True).start()

    def _visit(self, visit: Visit) -> None:
        with suppress(OSError):
            self.act(visit)
        with suppress(OSError):
            visit.connection.close()

    def stop(self) -> None:
        self.over.set()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for visit in self.visits:
            with suppress(OSError):
                visit.connection.close()


@contextmanager
def listening(act: Act) -> Iterator[RawServer]:
    server = RawServer(act)
    try:
        yield server
    finally:
        server.stop()
