"""Unpacks answers that a server packed although MailOps asks for plain ones."""

from __future__ import annotations

import zlib

from vendors.http.failures import TooLarge

WINDOW = zlib.MAX_WBITS
# By the name in `Content-Encoding`: the forms in which servers send it. Some send "deflate"
# without the header that the standard asks for.
FORMS = {
    "gzip": (WINDOW + 16,),
    "x-gzip": (WINDOW + 16,),
    "deflate": (WINDOW, -WINDOW),
}


def unpacked(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body without its encoding. Raises `TooLarge` before more than the limit is unpacked.

    A body in another encoding, damaged or cut off comes back as it is: nobody can read it, so it
    decides nothing.
    """
    for window in FORMS.get(encoding.strip().lower(), ()):
        packer = zlib.decompressobj(window)
        try:
            # The limit is given to zlib: a small body may unpack to gigabytes.
            found = packer.decompress(body, max_bytes + 1)
        except zlib.error:
            continue
        if len(found) > max_bytes:
            raise TooLarge
        if packer.eof and not packer.unused_data:
            return found
    return body
