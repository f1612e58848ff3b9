"""One new connection per exchange: to an allowed address, under one deadline, without retries."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
import requests.adapters
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util.connection import allowed_gai_family

from mailops.core import fault_points, ssrf
from vendors.http.failures import Late, NotAllowed
from vendors.http.strict_response import WholeHead

# urllib3 logs whole URLs, and one vendor's key is in the URL.
for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(lambda record: False)


class Deadline:
    """The one time limit of an exchange: name lookup, connecting, TLS, request and whole answer."""

    def __init__(self, seconds: float, *, may_go: Callable[[], bool] | None = None) -> None:
        self.ends = time.monotonic() + seconds
        self.is_connected = False  # from then on bytes of the request may have been sent
        self.is_over = False
        self._may_go = may_go
        self._handle: socket.socket | None = None
        self._timer: threading.Timer | None = None

    def watch(self, sock: socket.socket) -> None:
        """Takes the new TCP connection, before TLS. Raises `Late` if the deadline has passed."""
        left = self.ends - time.monotonic()
        if left <= 0:
            sock.close()
            raise Late(None, "the deadline passed while connecting")
        self.is_connected = True
        # A read time-out is not enough: every byte starts it again, so a vendor that drips bytes
        # keeps the worker for ever. Shutting the socket down wakes any call that blocks on it.
        # The duplicate still reaches the connection after TLS has taken over the socket.
        self._handle = sock.dup()
        self._timer = threading.Timer(left, self._shut_down)
        self._timer.daemon = True
        self._timer.start()

    def check_before_sending(self) -> None:
        """Called before the first byte of the request. Raises `Late` if it may not go any more."""
        if self._may_go is not None and not self._may_go():
            self.is_connected = False
            raise Late(None, "the request was held up")
        # urllib3 sends a request in several parts: only the first may still be refused.
        self._may_go = None

    def _shut_down(self) -> None:
        self.is_over = True
        with suppress(OSError):
            if self._handle is not None:
                self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._handle is not None:
            self._handle.close()


@dataclass(frozen=True, kw_only=True)
class _Exchange:
    deadline: Deadline
    is_paid: bool
    is_loopback_allowed: bool


# urllib3 makes connections from a class, so the exchange in hand can't be an argument.
_exchange: ContextVar[_Exchange] = ContextVar("exchange")


@contextmanager
def session(deadline: Deadline, *, host: str, is_paid: bool) -> Iterator[requests.Session]:
    """A session for one exchange with `host`; closes the deadline at the end."""
    is_practice = not settings.LIVE or ssrf.is_same_place(host, settings.PRACTICE_URL)
    token = _exchange.set(
        _Exchange(deadline=deadline, is_paid=is_paid, is_loopback_allowed=is_practice)
    )
    try:
        with _Session() as made:
            made.trust_env = False  # no proxies, no netrc, no CA bundle from the environment
            made.headers.clear()
            for scheme in ("http://", "https://"):
                made.mount(scheme, _Adapter(max_retries=0))
            yield made
    finally:
        _exchange.reset(token)
        deadline.close()


class _Connection(HTTPConnection):
    response_class = WholeHead

    def _new_conn(self) -> socket.socket:
        sock = self._connect()
        _exchange.get().deadline.watch(sock)
        return sock

    def _connect(self) -> socket.socket:
        name, failure = self._dns_host, None
        for address in self._addresses():
            # The address that was checked, not the name: a name may resolve to another address
            # each time.
            self._dns_host = address
            try:
                return super()._new_conn()
            except (ConnectTimeoutError, NewConnectionError) as error:
                failure = error
            finally:
                self._dns_host = name  # TLS checks the name
        raise failure or NotAllowed(self, "no address")

    def _addresses(self) -> list[str]:
        """All addresses the host resolves to. Raises if any of them is not allowed."""
        try:
            rows = socket.getaddrinfo(
                self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        found = list(dict.fromkeys(str(row[4][0]) for row in rows))
        if not all(self._is_allowed(address) for address in found):
            raise NotAllowed(self, "not an address of the public internet")
        return found

    def _is_allowed(self, address: str) -> bool:
        if ssrf.is_loopback(address):
            return _exchange.get().is_loopback_allowed
        return isinstance(self, HTTPSConnection) and ssrf.is_public(address)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _exchange.get().deadline.check_before_sending()
        super().send(data)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3's own class returns its own response
        if _exchange.get().is_paid:
            fault_points.point("bytes left")
        return super().getresponse()


class _PlainConnection(_Connection):
    pass


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(requests.adapters.HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Even with redirects off, `requests` looks for the next target and reads the whole body
        # for it, past the size limit.
        return None
