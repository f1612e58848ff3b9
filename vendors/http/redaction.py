"""Replaces secrets that a vendor repeats back by their placeholders, in every spelling."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from vendors.http.request import Secret

# Characters. A shorter text is a part of many words: struck out everywhere it would tear the answer
# apart. No API key is shorter, but a password at a registrar or a sending tool may be.
SHORTEST_SECRET = 6
# A JSON string, also within JSON or on a web page. Its name or list stands before it, and no name
# ends with it.
QUOTE = rb'(?:\\*"|&quot;|&#34;)'
IN_JSON = rb"([:\[,]\s*" + QUOTE + rb")%s(?=" + QUOTE + rb"\s*(?:[,}\]]|$))"
IN_FORM = rb"((?:^|[?&;\s])[\w.\-\[\]%%]+=)%s(?=$|[&;\s\"'<#])"


def redact(body: bytes, secrets: Mapping[str, str]) -> bytes:
    for name, value in secrets.items():
        placeholder = Secret(name).encode()
        # Longest first: a short spelling may be a part of a longer one.
        for spelling in sorted(_spellings(value), key=len, reverse=True):
            if len(value) >= SHORTEST_SECRET:
                body = body.replace(spelling.encode(), placeholder)
            elif spelling:
                body = _masked_where_whole(body, spelling.encode(), placeholder)
    return body


def _masked_where_whole(body: bytes, spelling: bytes, placeholder: bytes) -> bytes:
    for pattern in (IN_JSON, IN_FORM):
        body = re.sub(pattern % re.escape(spelling), lambda match: match[1] + placeholder, body)
    return body


def redact_text(text: str, secrets: Mapping[str, str]) -> str:
    for name, value in secrets.items():
        # A value of the answer that was taken out of its quotes.
        if value and text.strip() == value:
            return Secret(name)
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
