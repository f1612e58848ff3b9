"""The fields of a record's hash. Never to be changed: old records would no longer prove anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

# every column but the hash itself, in the order in which the table is read
FIELDS = (
    "number", "at", "who", "user_id", "worker", "origin", "request_id", "action", "subject_type", "subject_id",
    "subject", "reason", "changes", "attempt", "previous_hash",
)  # fmt: skip
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def hash_of(fields: Mapping[str, Any]) -> str:
    """SHA-256 of the fields as canonical JSON, in hex; `at` is an aware time, in UTC."""
    at: datetime = fields["at"]
    return hashlib.sha256(
        _canonical({**fields, "at": at.isoformat(timespec="microseconds")}).encode()
    ).hexdigest()
