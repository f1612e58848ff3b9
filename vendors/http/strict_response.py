"""An HTTP response that knows a whole head from one that was cut.

`http.client` takes the end of the connection for the end of the headers, so an answer cut after its
first line would count by its status, with an empty body.
"""

from __future__ import annotations

import http.client
import io
from typing import Any


class _Lines(io.BufferedReader):
    """A reader that remembers its last line."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


class WholeHead(http.client.HTTPResponse):
    """Raises `IncompleteRead` where no blank line ended the headers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lines = _Lines(self.fp.detach())  # fresh from makefile: nothing is buffered yet
        self.fp = self._lines

    def _read_status(self) -> tuple[str, int, str]:
        # `http.client` passes over 100 alone and would take "103 Early Hints" for the answer.
        version, status, reason = super()._read_status()  # type: ignore[misc]
        is_interim = 100 < status < 200 and status != http.client.SWITCHING_PROTOCOLS
        return version, http.client.CONTINUE if is_interim else status, reason

    def begin(self) -> None:
        super().begin()
        if self._lines.last not in (b"\r\n", b"\n"):
            raise http.client.IncompleteRead(b"")
