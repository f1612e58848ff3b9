"""Fixtures for packs: a pack of a period, and the checker's result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orders.audit.evidence_pack import verify_pack
from tests.conftest import OrderFactory
from tests.orders.audit.packs import Files, pack, packed, unpacked


@pytest.fixture
def told(tmp_path: Path) -> Callable[[bytes | Files], tuple[bool, str]]:
    """What the program says of a pack, and whether it found all in order."""

    def say(data: bytes | Files) -> tuple[bool, str]:
        path, said = tmp_path / "pack.zip", []
        path.write_bytes(packed(data) if isinstance(data, dict) else data)
        return verify_pack.run(path, said.append), "\n".join(said)

    return say


@pytest.fixture
def period(factory: OrderFactory) -> Files:
    """A period with a sent order in it."""
    factory.sent(word="accepted")
    return unpacked(pack())
