"""Replaces secrets that a vendor repeats back by their placeholders, in every spelling."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from vendors.http.request import Secret

SHORTEST_SECRET = 6  # characters; the forms take no shorter key or password


def redact(body: bytes, secrets: Mapping[str, str]) -> bytes:
    for name, value in secrets.items():
        # Longest first: a short spelling may be a part of a longer one.
        for spelling in sorted(_spellings(value), key=len, reverse=True):
            # Removing a shorter text would tear the answer apart.
            if len(spelling) >= SHORTEST_SECRET:
                body = body.replace(spelling.encode(), Secret(name).encode())
    return body


def redact_text(text: str, secrets: Mapping[str, str]) -> str:
    # JSON can hold half a surrogate pair, which UTF-8 can't.
    raw = text.encode("utf-8", "surrogatepass")
    return redact(raw, secrets).decode("utf-8", "surrogatepass")


def _spellings(value: str) -> set[str]:
    # As it is, in a URL, in JSON, in HTML.
    found = {value, quote(value), quote(value, safe=""), quote_plus(value)}
    for _ in range(2):  # vendors put JSON within JSON
        found |= {
            json.dumps(spelling, ensure_ascii=only_ascii)[1:-1]
            for spelling in found
            for only_ascii in (True, False)
        }
    found |= {html.escape(spelling) for spelling in found}
    return found | {spelling.replace("/", "\\/") for spelling in found}
