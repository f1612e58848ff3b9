"""A password that somebody else typed: whoever signs in with it chooses their own before anything
else.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q

from mailops.history.models import Event

SET = (
    Q(action__in=["user.added", "user.password_changed"])
    | Q(action="user.changed", changes__has_key="password")  # approved by a second person
)


def is_given(user: User) -> bool:
    """Whether somebody else set the person's password last.

    What no person did, such as a command, does not count.
    """
    about = Event.objects.filter(subject_type=User._meta.label_lower, subject_id=str(user.pk))
    last = about.filter(SET).only("number", "action", "user_id").first()
    if last is None or last.user_id is None:
        return False
    return last.action != "user.password_changed" or last.user_id != user.pk
