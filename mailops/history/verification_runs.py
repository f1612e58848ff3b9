"""Runs of the verification: what they leave behind, and who is told."""

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
    """Verify everything, with the digests of the file outside the database; a record tells of it."""
    finding = verify(against=[*kept_points(), *(against or [])])
    with transaction.atomic():
        row = _note(WHOLE, finding, by)
        _note(NEW, finding, by)
        _tell(row, finding)
    return finding


def check_new() -> Finding:
    """Verify what came after the last verified record.

    Only bad news leaves a record, and each only once.
    """
    before = Verification.objects.filter(kind=NEW).first()
    finding = verify(since=Point(before.records, before.last_hash) if before else None)
    with transaction.atomic():
        row = _note(NEW, finding, "")
        if finding.says and (before is None or before.says != row.says):
            _tell(row, finding)
    return finding


def is_late(now: datetime) -> bool:
    """Whether the daily run has stayed away for more than two days."""
    row = Verification.objects.filter(kind=WHOLE).first()
    return row is not None and row.at < now - timedelta(days=2)


def _note(kind: str, finding: Finding, by: str) -> Verification:
    """A break leaves the place up to which all was in order before: what was cut off must not be
    forgotten.
    """
    fields: dict[str, Any] = {
        "at": timezone.now(),
        "by": by,
        "bad": finding.bad,
        "why": finding.why,
        "says": finding.says[:500],
        "seconds": round(finding.seconds, 3),
    }
    place = {"records": finding.records, "last_hash": finding.last_hash}
    row, _ = Verification.objects.update_or_create(
        kind=kind,
        defaults=fields if finding.bad is not None else fields | place,
        create_defaults=fields | place,
    )
    return row


def _tell(row: Verification, finding: Finding) -> Event:
    changes = {"records": [None, finding.records], "last_hash": [None, finding.last_hash]}
    if finding.says:
        return record(
            "history.found_broken",
            row,
            reason=finding.says,
            changes=changes | {"bad": [None, finding.bad]},
        )
    return record("history.verified", row, changes=changes)
