"""A request as it is shown, as it is sent, and its reply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode


class Secret(str):
    """A placeholder that is stored and shown in place of a secret; only the wire has the value.

    `name` is the secret's key in the account's secrets, `prefix` a public text before the value.
    """

    # A type of its own: a person may type the placeholder's words into a name field, and then
    # those words are sent.

    name: str
    prefix: str

    def __new__(cls, name: str, *, prefix: str = "") -> Secret:
        secret = super().__new__(cls, f"{prefix}«{name.replace('_', ' ')}, kept secret»")
        secret.name, secret.prefix = name, prefix
        return secret

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str]]:
        # For pickle, and so for the cache: without these arguments a copy would be named after
        # its own text.
        return (self.name,), {"prefix": self.prefix}

    def fill(self, secrets: Mapping[str, str]) -> str:
        return self.prefix + secrets[self.name]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request with placeholders, as it is shown, stored in the snapshot and put into the digest.

    `path` has no host and no query; `query` keeps its order; `body` is a JSON structure or None.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "headers": dict(self.headers),
            "body": self.body,
        }

    def prepare(self, host: str, secrets: Mapping[str, str]) -> PreparedRequest:
        """Fill in the secrets and serialise. KeyError names a secret that is not stored.

        `host` is the account's base address, `https://api.example.com` for one.
        """
        query = urlencode([(name, _fill(value, secrets)) for name, value in self.query])
        return PreparedRequest(
            method=self.method,
            host=host,
            url=f"{host}{self.path}" + (f"?{query}" if query else ""),
            headers={name: _fill(value, secrets) for name, value in self.headers.items()},
            body=None if self.body is None else json_bytes(_fill(self.body, secrets)),
            secrets=dict(secrets),
        )


@dataclass(frozen=True, kw_only=True)
class PreparedRequest:
    """A request ready to send. `body` holds the bytes that are hashed and the bytes that leave."""

    method: str
    host: str
    # No repr: each of these holds the key or a password, and error pages and logs print values.
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)  # redacted from the reply

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body or b"").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A whole answer. `body` is at most the size limit; secrets are redacted from it.

    `raw` is the body as the vendor wrote it. Only a verdict is read from `raw`, because a secret
    such as `success` struck out of `{"success": false}` would turn the answer round. `raw` and
    `secrets` are never stored, logged or shown.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    raw: bytes | None = field(default=None, repr=False, compare=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def json(self) -> Any:
        """The parsed body; None if it is not JSON, as an empty body is not."""
        return parse_json(self.body)

    def written_json(self) -> Any:
        """The parsed body with its secrets, for decisions only."""
        return parse_json(self.written)

    @property
    def written(self) -> bytes:
        return self.body if self.raw is None else self.raw


class Read(Protocol):
    """Read from a vendor, harmlessly. Returns a whole reply of any status; raises `ReadFailed`."""

    def __call__(self, request: Request) -> Reply: ...


def parse_json(body: bytes) -> Any:
    """The JSON value; None for anything else and for an object that has a key twice."""
    try:
        return json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_json
        )
    # RecursionError: thousands of nested brackets.
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Which of two values counts is up to each reader, so such an answer says nothing.
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_json(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def json_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8. Keys keep their order, which is the order of the vendor's page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _fill(value: Any, secrets: Mapping[str, str]) -> Any:
    if isinstance(value, Secret):
        return value.fill(secrets)
    if isinstance(value, Mapping):
        return {key: _fill(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(item, secrets) for item in value]
    return value
