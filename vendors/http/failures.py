"""How an exchange can fail, and the words for it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from urllib3 import exceptions
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError


@dataclass(frozen=True)
class NoConnection:
    """Proof that no byte of the request was sent."""

    why: str


@dataclass(frozen=True)
class Lost:
    """The request may have arrived; the answer did not, or not whole."""

    why: str


class ReadFailed(Exception):
    """A read did not work. The message is a sentence for a person, free of secrets."""


class TooLarge(Exception):
    """The body is larger than the limit."""


class Late(ConnectTimeoutError):
    """Nothing was sent: the deadline passed while connecting, or the worker was held up."""


class NotAllowed(NewConnectionError):
    """The host resolves to an address that MailOps must not connect to."""


def is_failure_to_connect(error: BaseException) -> bool:
    return any(isinstance(link, NewConnectionError | ConnectTimeoutError) for link in _chain(error))


def in_words(error: BaseException, *, is_over: bool) -> str:
    """Describes the failure in a clause without secrets. `is_over`: the deadline has passed."""
    # The error's own text is not used: it may hold the URL, and one vendor's key is in the URL.
    if is_over:
        return "the whole answer did not arrive within the time allowed"
    kinds = {type(link) for link in _chain(error)}
    for kind, words in WORDS.items():
        if kind in kinds:
            return words
    return f"the exchange broke off ({type(error).__name__})"


CUT_OFF = "the answer was cut off"
INSECURE = "the secure connection to the vendor could not be trusted or broke"
SILENT = "no answer came in time"

# The first class found in the chain decides. Subclasses do not count as their parents: urllib3's
# InvalidChunkLength is an IncompleteRead of http.client, yet no answer that was cut off.
WORDS: dict[type[BaseException], str] = {
    TooLarge: "the answer was larger than any honest one",
    NotAllowed: (
        "the vendor's name leads into a private network or away from https, and MailOps does not"
        " go there"
    ),
    exceptions.NameResolutionError: "the vendor's name could not be found on the network",
    ConnectTimeoutError: "the vendor's server did not answer the connection in time",
    Late: "it took too long until the request could leave",
    NewConnectionError: "the vendor's server refused the connection",
    ssl.SSLError: INSECURE,
    exceptions.SSLError: INSECURE,
    requests.exceptions.SSLError: INSECURE,
    exceptions.ReadTimeoutError: SILENT,
    requests.exceptions.ReadTimeout: SILENT,
    http.client.IncompleteRead: CUT_OFF,
    exceptions.IncompleteRead: CUT_OFF,
    requests.exceptions.ChunkedEncodingError: CUT_OFF,
    http.client.RemoteDisconnected: "the vendor closed the connection without an answer",
    ConnectionResetError: "the vendor cut the connection",
    exceptions.ProtocolError: "the vendor cut the connection or did not speak HTTP",
}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all under it: causes, contexts, urllib3's `reason`, errors among arguments."""
    visited: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop()
        # Some are no errors: the reason of an SSLError is a text.
        if not isinstance(current, BaseException) or id(current) in visited:
            continue
        visited.add(id(current))
        yield current
        waiting += [
            current.__cause__,
            current.__context__,
            getattr(current, "reason", None),
            *current.args,
        ]
