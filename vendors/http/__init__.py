"""The one place that talks HTTP: the paid POST, sent at most once, and reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import requests
from django.conf import settings

from mailops import VERSION
from vendors.http.connection import Deadline, session
from vendors.http.content_encoding import unpacked
from vendors.http.failures import (
    Lost,
    NoConnection,
    ReadFailed,
    TooLarge,
    in_words,
    is_failure_to_connect,
)
from vendors.http.redaction import SHORTEST_SECRET, redact, redact_text
from vendors.http.request import PreparedRequest, Read, Reply, Request, Secret, json_bytes

__all__ = [
    "SHORTEST_SECRET",
    "Lost",
    "NoConnection",
    "PreparedRequest",
    "Read",
    "ReadFailed",
    "Reply",
    "Request",
    "Secret",
    "json_bytes",
    "post_order",
    "reader",
    "redact_text",
]

CHUNK_BYTES = 64 * 1024
USER_AGENT = f"MailOps/{VERSION}"


def post_order(
    prepared: PreparedRequest, *, may_go: Callable[[], bool] | None = None
) -> Reply | NoConnection | Lost:
    """Send the paid request once. Never raises for what the network or the vendor does.

    `may_go` is called once the connection stands, before the first byte. False sends nothing: the
    deadline's `is_connected` is taken back, so that it ends as `NoConnection`.
    """
    # A time-out of `requests` holds for one read: a vendor could drip bytes for ever.
    deadline = Deadline(settings.VENDOR_DEADLINE_SECONDS, may_go=may_go)
    try:
        return _exchange(
            prepared, deadline=deadline, max_bytes=settings.VENDOR_MAX_BYTES, is_paid=True
        )
    except Exception as error:
        words = in_words(error, is_over=deadline.is_over)
        # Both have to show that nothing was sent: urllib3 may come to use its errors differently,
        # and a connection that stood may have carried bytes. TLS trouble comes after connecting,
        # so whether something was sent is unknown then.
        if not deadline.is_connected and is_failure_to_connect(error):
            return NoConnection(words)
        return Lost(words)


def reader(*, host: str, secrets: Mapping[str, str], seconds: float | None = None) -> Read:
    """Asks harmless questions. Each takes `seconds` at most, or `VENDOR_READ_SECONDS` if less."""
    longest = min(seconds or settings.VENDOR_READ_SECONDS, settings.VENDOR_READ_SECONDS)

    def read(request: Request) -> Reply:
        deadline = Deadline(longest)
        try:
            prepared = request.prepare(host, secrets)
            return _exchange(
                prepared, deadline=deadline, max_bytes=settings.VENDOR_READ_MAX_BYTES, is_paid=False
            )
        except KeyError:
            raise ReadFailed("No key is stored for this account yet.") from None
        except Exception as error:
            words = in_words(error, is_over=deadline.is_over)
            # The cause is left out: its text may hold the URL, and the URL the key.
            raise ReadFailed(f"The vendor could not be asked: {words}.") from None

    return read


def _exchange(
    prepared: PreparedRequest, *, deadline: Deadline, max_bytes: int, is_paid: bool
) -> Reply:
    started = time.monotonic()
    with (
        session(deadline, host=prepared.host, is_paid=is_paid) as http,
        http.request(
            prepared.method,
            prepared.url,
            data=prepared.body,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Connection": "close",
                "User-Agent": USER_AGENT,
                **prepared.headers,
            },
            timeout=(settings.VENDOR_CONNECT_SECONDS, settings.VENDOR_READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response,
    ):
        body = _body(response, max_bytes)
        # A socket that the deadline shut down reads like one that the vendor closed, so an answer
        # without a length would pass as whole.
        if deadline.is_over:
            raise TimeoutError
        headers = {
            name: redact(value.encode(), prepared.secrets).decode()
            for name, value in response.headers.items()
        }
        return Reply(
            status=response.status_code,
            headers=headers,
            body=redact(body, prepared.secrets),
            seconds=time.monotonic() - started,
            raw=body,
            secrets=prepared.secrets,
        )


def _body(response: requests.Response, max_bytes: int) -> bytes:
    """The body, unpacked. Raises `TooLarge` for more than the limit, packed or unpacked."""
    packed = b""
    while part := response.raw.read(CHUNK_BYTES, decode_content=False):
        packed += part
        if len(packed) > max_bytes:
            raise TooLarge
    return unpacked(packed, response.headers.get("Content-Encoding", ""), max_bytes)
