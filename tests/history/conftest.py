"""Fixtures for untracked changes."""

from __future__ import annotations

from typing import Any

import pytest

from mailops.history.models import Trace
from tests.history.raw_changes import sql


@pytest.fixture
def trace(people: Any) -> Trace:
    sql("UPDATE auth_user SET first_name = 'Mallory' WHERE username = 'drafter'")
    return Trace.objects.get()
