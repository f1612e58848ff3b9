"""Passwords that somebody else set: the person has to choose one before any page opens."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q

from mailops.history.models import Event

# A proposal that a second person approved changes a password by `user.changed`.
SETS_PASSWORD = Q(action__in=["user.added", "user.password_changed"]) | Q(
    action="user.changed", changes__has_key="password"
)


def is_given(user: User) -> bool:
    """The last person who set this password is somebody else. Commands do not count."""
    about = Event.objects.filter(subject_type=User._meta.label_lower, subject_id=str(user.pk))
    last = about.filter(SETS_PASSWORD).only("number", "action", "user_id").first()
    if last is None or last.user_id is None:
        return False
    return last.action != "user.password_changed" or last.user_id != user.pk
