"""Runs the verification, stores its result, and records an event about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from mailops.history import record
from mailops.history.digest_files import kept_points
from mailops.history.models import Event, Verification
from mailops.history.verification_state import NEW, WHOLE
from mailops.history.verify import Finding, Point, verify


def check_whole(*, by: str = "", against: list[Point] | None = None) -> Finding:
    """Verify all events, with the digests of the file outside the database too; recorded."""
    finding = verify(against=[*kept_points(), *(against or [])])
    with transaction.atomic():
        row = _store(WHOLE, finding, by)
        _store(NEW, finding, by)
        _record(row, finding)
    return finding


def check_new() -> Finding:
    """Verify the events after the last verified one. Only a new break is recorded."""
    before = Verification.objects.filter(kind=NEW).first()
    finding = verify(since=Point(before.records, before.last_hash) if before else None)
    with transaction.atomic():
        row = _store(NEW, finding, "")
        if finding.says and (before is None or before.says != row.says):
            _record(row, finding)
    return finding


def is_late(now: datetime) -> bool:
    # Two days, so that one missed night is no news.
    row = Verification.objects.filter(kind=WHOLE).first()
    return row is not None and row.at < now - timedelta(days=2)


def _store(kind: str, finding: Finding, by: str) -> Verification:
    fields: dict[str, Any] = {
        "at": timezone.now(),
        "by": by,
        "bad": finding.bad,
        "why": finding.why,
        "says": finding.says[:500],
        "seconds": round(finding.seconds, 3),
    }
    # A break keeps the place up to which the chain was whole before: if the end was cut off, the
    # place is the proof.
    place = {"records": finding.records, "last_hash": finding.last_hash}
    row, _ = Verification.objects.update_or_create(
        kind=kind,
        defaults=fields if finding.bad is not None else fields | place,
        create_defaults=fields | place,
    )
    return row


def _record(row: Verification, finding: Finding) -> Event:
    changes = {"records": [None, finding.records], "last_hash": [None, finding.last_hash]}
    if finding.says:
        return record(
            "history.found_broken",
            row,
            reason=finding.says,
            changes=changes | {"bad": [None, finding.bad]},
        )
    return record("history.verified", row, changes=changes)
