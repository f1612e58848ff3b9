"""A server in front of the practice vendors that lets the reads of one of them hang."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Front(ThreadingHTTPServer):
    """Passes everything on to `behind`, except GETs whose path begins with `hangs`.

    Those get no answer until the client hangs up or `release` is called.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        self.behind, self.hangs = "", ""
        self.asked = self.open = self.most_open = 0
        self.counting, self.released = threading.Lock(), threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def hang_up(self) -> None:
        """End the reads that are open now, without an answer."""
        self.released.set()

    @contextmanager
    def one_open(self) -> Iterator[None]:
        with self.counting:
            self.released.clear()
            self.asked += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            yield
        finally:
            with self.counting:
                self.open -= 1


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Front

    def do_GET(self) -> None:
        if self.server.hangs and self.path.startswith(self.server.hangs):
            with self.server.one_open():
                # readable: the client hung up
                while not self.server.released.is_set():
                    if select.select([self.connection], [], [], 0.05)[0]:
                        break
            self.close_connection = True
            return
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        kept = {name: text for name, text in self.headers.items() if name.lower() != "host"}
        reply = requests.request(
            self.command,
            self.server.behind + self.path,
            data=body,
            headers=kept,
            allow_redirects=False,
            timeout=60,
        )
        self.send_response(reply.status_code)
        for name, text in reply.headers.items():
            if name.lower() not in ("server", "date", "connection", "content-length"):
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *args: object) -> None:
        return


@contextmanager
def running() -> Iterator[Front]:
    front = Front()
    threading.Thread(target=front.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield front
    finally:
        front.hang_up()
        front.shutdown()
        front.server_close()
