"""Delegating the right to confirm, ending a delegation, and the permission that follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import User
from django.utils import timezone

from mailops.auth import roles, two_factor
from mailops.history import audited, record
from orders.models import Delegation, NotAllowed
from orders.models.delegation import RIGHT

LONGEST_DELEGATION = timedelta(days=90)


class Delegated(BaseBackend):
    """Grants the right to confirm to those to whom it was delegated. Nobody signs in by it."""

    def with_perm(
        self, perm: Any, is_active: bool = True, include_superusers: bool = True, obj: Any = None
    ) -> Any:
        # Notices look for confirmers by `with_perm`, so delegates have to be found by it too.
        if perm != RIGHT:
            return User.objects.none()
        to = Delegation.objects.standing().values("to_user")
        return User.objects.filter(pk__in=to, is_active=is_active)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if perm != RIGHT or not user_obj.is_active or user_obj.is_anonymous:
            return False
        # Kept on the user for one request, as Django keeps permissions.
        if not hasattr(user_obj, "holds_delegated_right"):
            held_now = not _owes_a_factor(user_obj) and Delegation.objects.to(user_obj).exists()
            user_obj.holds_delegated_right = held_now
        held: bool = user_obj.holds_delegated_right
        return held


def _owes_a_factor(user: Any) -> bool:
    # Where confirmers need a second factor, their delegates need one too.
    return roles.CONFIRMER in settings.SECOND_FACTOR_ROLES and two_factor.of(user) is None


def by_role(user: Any) -> bool:
    # A new instance: the permissions that the given one keeps may be out of date.
    found = User.objects.filter(pk=user.pk).first()
    if found is None or not found.is_active:
        return False
    found.holds_delegated_right = False  # type: ignore[attr-defined]  # so that only roles count
    return found.has_perm(RIGHT)


def why_not(delegation: Delegation, *, by: User) -> str:
    """Why this person may not pass their right on like this, in words; empty where they may."""
    to, now = delegation.to_user, timezone.now()
    if not by_role(by):
        return "You can't pass on a right to confirm that you don't have by your own role."
    if to is None or to.pk == by.pk:
        return "Choose somebody else than yourself."
    if not to.is_active or not to.is_staff:
        return f"{to.get_username()} can't sign in."
    if _owes_a_factor(to):
        return f"{to.get_username()} has no second factor yet, which whoever confirms needs here."
    if to.groups.filter(name=roles.AUDITOR).exists():
        return f"{to.get_username()} is an auditor, who only looks."
    if delegation.ends_at <= delegation.starts_at or delegation.ends_at <= now:
        return "It has to end after it starts, and later than now."
    if delegation.ends_at - max(delegation.starts_at, now) > LONGEST_DELEGATION:
        days = LONGEST_DELEGATION.days
        return f"At most {days} days at a time. Pass it on again when they are over."
    return ""


def make(delegation: Delegation, *, by: User) -> Delegation:
    """Pass one's own right on. Raises `NotAllowed`."""
    if why := why_not(delegation, by=by):
        raise NotAllowed(why)
    to = delegation.to_user
    assert to is not None
    with audited():
        delegation.from_user, delegation.from_name = by, by.get_username()
        delegation.to_name = to.get_username()
        delegation.save(force_insert=True)
        changes = {
            "to": [None, delegation.to_name],
            "from": [None, delegation.starts_at],
            "until": [None, delegation.ends_at],
        }
        record("delegation.made", delegation, by=by, reason=delegation.reason, changes=changes)
    return delegation


def may_end(delegation: Delegation, user: Any) -> bool:
    return user.is_superuser or user.pk in (delegation.from_user_id, delegation.to_user_id)


def end(pk: int, *, by: User) -> Delegation:
    """End a delegation before its time. Raises `NotAllowed`."""
    with audited():
        delegation = Delegation.objects.select_for_update(of=("self",)).get(pk=pk)
        if not may_end(delegation, by):
            raise NotAllowed(f"Only {delegation.from_name} or {delegation.to_name} can end this.")
        if delegation.is_over:
            raise NotAllowed("It is over already.")
        delegation.ended_at, delegation.ended_by_name = timezone.now(), by.get_username()
        delegation.save(update_fields=["ended_at", "ended_by_name"])
        record(
            "delegation.ended", delegation, by=by, changes={"ended_at": [None, delegation.ended_at]}
        )
    return delegation
