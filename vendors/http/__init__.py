"""The one place that talks HTTP: the paid POST, sent at most once, and the harmless reads."""

from __future__ import annotations

import hashlib
import html
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, quote_plus, urlencode

import requests
import requests.adapters
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util.connection import allowed_gai_family

from mailops.core import fault_points, ssrf
from vendors.http.strict_response import WholeHead

READ_BYTES = 64 * 1024
SHORTEST_SECRET = 6  # characters; the forms take no shorter key or password
for _name in (
    "urllib3.connection",
    "urllib3.connectionpool",
):  # they write whole URLs, and one vendor's key is in it
    logging.getLogger(_name).addFilter(lambda record: False)


class Secret(str):
    """A named placeholder: every stored or shown copy holds this text, only the wire holds the
    value.

    It is its own type, so that a person who types the same words into a name field gets those words
    sent.
    """

    name: str
    prefix: str

    def __new__(cls, name: str, *, prefix: str = "") -> Secret:
        secret = super().__new__(cls, f"{prefix}«{name.replace('_', ' ')}, kept secret»")
        secret.name, secret.prefix = name, prefix
        return secret

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str]]:
        return (self.name,), {
            "prefix": self.prefix
        }  # a pickled copy, as from the cache, is the same again

    def filled(self, values: Mapping[str, str]) -> str:
        return self.prefix + values[self.name]


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The same structure with every placeholder replaced; KeyError names a secret that is not
    there.
    """
    if isinstance(value, Secret):
        return value.filled(values)
    if isinstance(value, Mapping):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, values) for item in value]
    return value


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it will be sent:

    `path` without host, `query` in order, `body` a JSON structure or None.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def as_dict(self) -> dict[str, Any]:
        """The request with placeholders, for the digest, the snapshot and the page."""
        return {
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "headers": dict(self.headers),
            "body": self.body,
        }

    def prepare(self, host: str, secrets: Mapping[str, str]) -> PreparedRequest:
        """The request with its secrets filled in, serialised once. KeyError names a secret that is
        not stored.
        """
        query = urlencode([(name, _filled(value, secrets)) for name, value in self.query])
        return PreparedRequest(
            method=self.method,
            host=host,
            url=f"{host}{self.path}" + (f"?{query}" if query else ""),
            headers={name: _filled(value, secrets) for name, value in self.headers.items()},
            body=None if self.body is None else json_bytes(_filled(self.body, secrets)),
            secrets=dict(secrets),
        )


@dataclass(frozen=True, kw_only=True)
class PreparedRequest:
    """The bytes of one request. `body` is what is hashed and what is sent."""

    method: str
    host: str
    # No repr: all of these hold the key or a password, and tracebacks print what they can.
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body or b"").hexdigest()


def json_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8, key order kept: the bytes of a request body."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A whole answer. `body` is at most the size limit; secrets are already struck out of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The parsed body, or None where it is no JSON (an empty body included)."""
        try:
            return json.loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class NoConnection:
    """Proof that no byte was sent: the name did not resolve, the port refused, or connecting timed
    out.
    """

    why: str


@dataclass(frozen=True)
class Lost:
    """The request may have arrived; the answer did not, or not whole."""

    why: str


class ReadFailed(Exception):
    """A harmless read did not work; the message is a sentence for a person, free of secrets."""


class Read(Protocol):
    """Ask a vendor a harmless question. Returns a whole reply of any status; raises `ReadFailed`."""

    def __call__(self, request: Request) -> Reply: ...


class _TooLarge(Exception):
    pass


class _Late(ConnectTimeoutError):
    """It is too late to send: the deadline passed before the connection stood, or the worker froze
    on the way.
    """


class _NotPublic(NewConnectionError):
    """The vendor's name leads to an address that is not one of the public internet: not connected
    to.
    """


class _Guard:
    """One deadline over name look-up, connecting, TLS, sending and the whole answer.

    A read time-out alone lets a vendor drip bytes for ever; at the deadline the guard shuts the
    socket down, which wakes whichever call is blocked on it.
    """

    def __init__(
        self, seconds: float, *, is_paid: bool = False, may_go: Callable[[], bool] | None = None
    ) -> None:
        self.ends = time.monotonic() + seconds
        self.is_paid = is_paid
        self.may_stay = False  # whether this very machine may be called, as for practice vendors
        self._may_go = may_go
        self.is_connected = False
        self.is_over = False
        self._handle: socket.socket | None = None
        self._timer: threading.Timer | None = None

    def watch(self, sock: socket.socket) -> None:
        """Called with the fresh TCP connection, before TLS and before any byte of the request."""
        left = self.ends - time.monotonic()
        if left <= 0:
            sock.close()
            raise _Late(None, "the deadline passed before the connection stood")
        self.is_connected = True
        self._handle = sock.dup()
        self._timer = threading.Timer(left, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def let_go(self) -> None:
        """Called just before the first byte of the request: whoever froze until now may not send it
        any more.
        """
        if self._may_go is not None and not self._may_go():
            self.is_connected = False
            raise _Late(None, "the request was held up")
        self._may_go = None

    def _shut(self) -> None:
        self.is_over = True
        with suppress(OSError):
            if self._handle is not None:
                self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._handle is not None:
            self._handle.close()


# urllib3 builds connections from a class, so the guard of the request in hand travels beside it.
_guard: ContextVar[_Guard] = ContextVar("guard")


class _Guarded(HTTPConnection):
    response_class = WholeHead

    def _new_conn(self) -> socket.socket:
        sock = self._connected()
        _guard.get().watch(sock)
        return sock

    def _connected(self) -> socket.socket:
        """Connect to an address that was looked at: a name may lead elsewhere each time it is
        asked.
        """
        name, failed = self._dns_host, None
        for found in self._addresses():
            self._dns_host = found
            try:
                return super()._new_conn()
            except (ConnectTimeoutError, NewConnectionError) as error:
                failed = error
            finally:
                self._dns_host = name  # TLS is about the name
        raise failed or _NotPublic(self, "no address")

    def _addresses(self) -> list[str]:
        """All that the name leads to; one that may not be called spoils the rest."""
        try:
            rows = socket.getaddrinfo(
                self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        found = list(dict.fromkeys(str(row[4][0]) for row in rows))
        if not all(self._may_call(address) for address in found):
            raise _NotPublic(self, "not one of the public internet")
        return found

    def _may_call(self, address: str) -> bool:
        if ssrf.is_loopback(address):
            return _guard.get().may_stay
        return isinstance(self, HTTPSConnection) and ssrf.is_public(address)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _guard.get().let_go()
        super().send(data)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3's own class returns its own response
        if _guard.get().is_paid:
            fault_points.point("bytes left")
        return super().getresponse()


class _GuardedHTTP(_Guarded):
    pass


class _GuardedHTTPS(_Guarded, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


class _Adapter(requests.adapters.HTTPAdapter):
    """Fresh guarded connections, no retries."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: even with redirects off, `requests` would look ahead and read the whole body for
        it.
        """


@contextmanager
def _session() -> Iterator[requests.Session]:
    with _Session() as session:
        session.trust_env = False  # no proxies, no netrc, no CA bundle from the environment
        session.headers.clear()
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(max_retries=0))
        yield session


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and everything under it: causes, contexts, urllib3's `reason` and wrapped
    arguments.
    """
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop()
        if (
            not isinstance(current, BaseException) or id(current) in seen
        ):  # the reason of an SSLError is a text
            continue
        seen.add(id(current))
        yield current
        waiting += [
            current.__cause__,
            current.__context__,
            getattr(current, "reason", None),
            *current.args,
        ]


def _in_words(error: BaseException, guard: _Guard) -> str:
    """What went wrong without the error's own text, which may hold the URL and in it the key."""
    if guard.is_over:
        return "the whole answer did not arrive within the time allowed"
    if isinstance(error, _TooLarge):
        return "the answer was larger than any honest one"
    names = {type(link).__name__ for link in _chain(error)}
    for name, words in _WORDS.items():
        if name in names:
            return words
    return f"the exchange broke off ({type(error).__name__})"


_WORDS = {
    "_NotPublic": (
        "the vendor's name leads into a private network or away from https, and MailOps does not go"
        " there"
    ),
    "NameResolutionError": "the vendor's name could not be found on the network",
    "ConnectTimeoutError": "the vendor's server did not answer the connection in time",
    "_Late": "it took too long until the request could leave",
    "NewConnectionError": "the vendor's server refused the connection",
    "SSLError": "the secure connection to the vendor could not be trusted or broke",
    "ReadTimeoutError": "no answer came in time",
    "ReadTimeout": "no answer came in time",
    "IncompleteRead": "the answer was cut off",
    "ChunkedEncodingError": "the answer was cut off",
    "RemoteDisconnected": "the vendor closed the connection without an answer",
    "ConnectionResetError": "the vendor cut the connection",
    "ProtocolError": "the vendor cut the connection or did not speak HTTP",
}


def _struck_out(body: bytes, values: Mapping[str, str]) -> bytes:
    """The body without any secret that the vendor repeats back to us."""
    for name, value in values.items():
        for form in sorted(_spellings(value), key=len, reverse=True):
            if (
                len(form) >= SHORTEST_SECRET
            ):  # striking out a shorter one would tear the answer apart
                body = body.replace(form.encode(), Secret(name).encode())
    return body


def _spellings(value: str) -> set[str]:
    """A secret as it is, and as JSON, an address or a web page would hold it, JSON within JSON
    included.
    """
    found = {value, quote(value), quote(value, safe=""), quote_plus(value)}
    for _ in range(2):
        found |= {
            json.dumps(form, ensure_ascii=ascii)[1:-1] for form in found for ascii in (True, False)
        }
    found |= {html.escape(form) for form in found}
    return found | {form.replace("/", "\\/") for form in found}


def _exchange(
    prepared: PreparedRequest, *, guard: _Guard, read_seconds: float, max_bytes: int
) -> Reply:
    """One exchange on one fresh connection; any trouble is raised as it comes."""
    started = time.monotonic()
    guard.may_stay = not settings.LIVE or ssrf.is_same_place(prepared.host, settings.PRACTICE_URL)
    token = _guard.set(guard)
    try:
        with (
            _session() as session,
            session.request(
                prepared.method,
                prepared.url,
                data=prepared.body,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "Connection": "close",
                }
                | dict(prepared.headers),
                timeout=(settings.VENDOR_CONNECT_SECONDS, read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = b""
            while part := response.raw.read(READ_BYTES, decode_content=False):
                body += part
                if len(body) > max_bytes:
                    raise _TooLarge
            if guard.is_over:
                raise TimeoutError
            headers = {
                name: _struck_out(value.encode(), prepared.secrets).decode()
                for name, value in response.headers.items()
            }
            return Reply(
                status=response.status_code,
                headers=headers,
                body=_struck_out(body, prepared.secrets),
                seconds=time.monotonic() - started,
            )
    finally:
        _guard.reset(token)
        guard.close()


def post_order(
    prepared: PreparedRequest, *, may_go: Callable[[], bool] | None = None
) -> Reply | NoConnection | Lost:
    """Send the paid request once. Never raises for what the network or the vendor does.

    `may_go` is asked once more on the standing connection, before the first byte. `NoConnection`
    only where the error's chain and the guard both show that no connection was made, or that none
    of the request was sent on it; everything else that is not a whole answer is `Lost`, trouble
    with TLS included.
    """
    guard = _Guard(settings.VENDOR_DEADLINE_SECONDS, is_paid=True, may_go=may_go)
    try:
        return _exchange(
            prepared,
            guard=guard,
            read_seconds=settings.VENDOR_READ_SECONDS,
            max_bytes=settings.VENDOR_MAX_BYTES,
        )
    except Exception as error:
        kinds = tuple(_chain(error))
        if not guard.is_connected and any(
            isinstance(k, NewConnectionError | ConnectTimeoutError) for k in kinds
        ):
            return NoConnection(_in_words(error, guard))
        return Lost(_in_words(error, guard))


def reader(*, host: str, secrets: Mapping[str, str]) -> Read:
    """A function that asks one vendor account's read endpoints."""

    def read(request: Request) -> Reply:
        guard = _Guard(settings.VENDOR_READ_SECONDS)
        try:
            return _exchange(
                request.prepare(host, secrets),
                guard=guard,
                read_seconds=settings.VENDOR_READ_SECONDS,
                max_bytes=settings.VENDOR_READ_MAX_BYTES,
            )
        except KeyError:
            raise ReadFailed("No key is stored for this account yet.") from None
        except Exception as error:
            raise ReadFailed(f"The vendor could not be asked: {_in_words(error, guard)}.") from None

    return read
