"""Passing the right to confirm on, ending that, and the one question whether somebody has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from mailops import roles
from mailops.history import record
from orders.models import Delegation, NotAllowed
from orders.models.delegation import RIGHT


class Delegated(BaseBackend):
    """Lets `has_perm` say yes to whom the right to confirm was passed on; nobody signs in by it."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if perm != RIGHT or not user_obj.is_active or user_obj.is_anonymous:
            return False
        if not hasattr(user_obj, "_holds_delegated_right"):  # for one request, as Django keeps permissions
            user_obj._holds_delegated_right = Delegation.objects.to(user_obj).exists()
        held: bool = user_obj._holds_delegated_right
        return held


def by_role(user: User) -> bool:
    """Whether the person has the right themselves, not passed on by somebody; asked anew, nothing kept."""
    found = User.objects.filter(pk=user.pk).first()
    if found is None or not found.is_active:
        return False
    found._holds_delegated_right = False  # type: ignore[attr-defined]  # so that only roles count
    return found.has_perm(RIGHT)


def make(delegation: Delegation, *, by: User) -> Delegation:
    """Pass one's own right on. Raises `NotAllowed`."""
    to = delegation.to_user
    assert to is not None
    if not by_role(by):
        raise NotAllowed("You can't pass on a right to confirm that you don't have by your own role.")
    if to.pk == by.pk:
        raise NotAllowed("Choose somebody else than yourself.")
    if not to.is_active or not to.is_staff:
        raise NotAllowed(f"{to.get_username()} can't sign in.")
    if to.groups.filter(name=roles.AUDITOR).exists():
        raise NotAllowed(f"{to.get_username()} is an auditor, who only looks.")
    if not delegation.starts_at < delegation.ends_at or delegation.ends_at <= timezone.now():
        raise NotAllowed("It has to end after it starts, and later than now.")
    with transaction.atomic():
        delegation.from_user, delegation.from_name, delegation.to_name = by, by.get_username(), to.get_username()
        delegation.save(force_insert=True)
        dates: dict[str, list[datetime | None]] = {"from": [None, delegation.starts_at],
                                                   "until": [None, delegation.ends_at]}  # fmt: skip
        record("delegation.made", delegation, by=by, reason=delegation.reason, changes={"to": [None, to.get_username()],
               **dates})  # fmt: skip
    return delegation


def end(pk: int, *, by: User) -> Delegation:
    """End it before its time: who gave it, who has it, or a superuser. Raises `NotAllowed`."""
    with transaction.atomic():
        delegation = Delegation.objects.select_for_update(of=("self",)).get(pk=pk)
        if by.pk not in (delegation.from_user_id, delegation.to_user_id) and not by.is_superuser:
            raise NotAllowed(f"Only {delegation.from_name} or {delegation.to_name} can end this.")
        if delegation.is_over:
            raise NotAllowed("It is over already.")
        delegation.ended_at, delegation.ended_by_name = timezone.now(), by.get_username()
        delegation.save(update_fields=["ended_at", "ended_by_name"])
        record("delegation.ended", delegation, by=by, changes={"ended_at": [None, delegation.ended_at]})
    return delegation
