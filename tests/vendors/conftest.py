"""Servers for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.vendors.raw import Act, RawServer


@pytest.fixture
def serve() -> Iterator[Callable[[Act], RawServer]]:
    """Start servers that are stopped after the test."""
    running: list[RawServer] = []

    def start(act: Act) -> RawServer:
        running.append(RawServer(act))
        return running[-1]

    yield start
    for server in running:
        server.stop()
