"""A finding gets an owner, and an end with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.history import audited, record
from orders.models.month_end_match import Finding, FindingState


def take(numbers: Sequence[int], *, by: User, owner: User) -> int:
    """Give open findings to somebody; how many."""
    return _change(
        numbers,
        action="finding.taken",
        by=by,
        reason="",
        owner=owner,
        owner_name=owner.get_username(),
    )


def settle(numbers: Sequence[int], *, by: User, reason: str) -> int:
    """End open findings with a reason; how many.

    What is settled stays so when a later match finds it again.
    """
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
    """The WHERE clause is the lock: a finding that somebody else ended a moment ago stays as it is."""
    done = 0
    with audited():
        for finding in Finding.objects.filter(pk__in=numbers, state=FindingState.OPEN).order_by(
            "pk"
        ):
            text = {"reason": reason} if reason else {}
            if Finding.objects.filter(pk=finding.pk, state=FindingState.OPEN).update(
                **fields, **text
            ):
                shown = {
                    name: [str(getattr(finding, name) or ""), str(value)]
                    for name, value in fields.items()
                    if name in ("state", "owner_name")
                }
                record(action, finding, by=by, reason=reason, changes=shown)
                done += 1
    return done
