"""Ports for servers that can't choose one themselves."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress

# Below what systems hand out to connections, so that none of those takes a port before its server
# does.
PORTS = range(12_000, 30_000)
_random = random.Random()  # not the one that tests may seed: two processes would choose alike


def free_ports(count: int) -> list[int]:
    """Neighbouring ports that nobody uses."""
    while True:
        first = _random.choice(PORTS)
        with ExitStack() as probes, suppress(OSError):
            for port in range(first, first + count):
                probes.enter_context(socket.create_server(("127.0.0.1", port)))
            return [*range(first, first + count)]
