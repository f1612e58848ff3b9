"""Findings: giving them an owner, settling them with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.history import audited, record
from orders.models.month_end_match import Finding, FindingState


def take(numbers: Sequence[int], *, by: User, owner: User) -> int:
    return _change(
        numbers,
        action="finding.taken",
        by=by,
        reason="",
        owner=owner,
        owner_name=owner.get_username(),
    )


def settle(numbers: Sequence[int], *, by: User, reason: str) -> int:
    # A later match that finds the same difference again leaves the finding settled.
    return _change(
        numbers,
        action="finding.settled",
        by=by,
        reason=reason,
        state=FindingState.SETTLED,
        settled_by_name=by.get_username(),
        settled_at=timezone.now(),
    )


def _change(numbers: Sequence[int], *, action: str, by: User, reason: str, **fields: object) -> int:
    """Change the open ones of the findings; how many."""
    done = 0
    text = {"reason": reason} if reason else {}
    still_open = Finding.objects.filter(state=FindingState.OPEN)
    with audited():
        for finding in still_open.filter(pk__in=numbers).order_by("pk"):
            # The WHERE clause is the lock: somebody else may have ended the finding a moment ago.
            if still_open.filter(pk=finding.pk).update(**fields, **text):
                shown = {
                    name: [str(getattr(finding, name) or ""), str(value)]
                    for name, value in fields.items()
                    if name in ("state", "owner_name")
                }
                record(action, finding, by=by, reason=reason, changes=shown)
                done += 1
    return done
