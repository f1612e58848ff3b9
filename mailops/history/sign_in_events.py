"""Who came in, who went, and who tried:

Django's own signals are the only door at which this is told.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from mailops.history import audited, record

NOBODY = "a name that nobody has"  # it may be a password, typed into the wrong field
OUTSIDE = "somebody not signed in"


@receiver(user_logged_in)
def signed_in(sender: Any, user: User, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """A request that never came in has no method: a program of ours made a session by itself, and
    nobody signed in.
    """
    if request is not None and request.method:
        with audited():
            record("user.signed_in", user, by=user)


@receiver(user_logged_out)
def signed_out(
    sender: Any, user: User | None, request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Whoever signs out twice was nobody the second time."""
    if user is not None and request is not None and request.method:
        with audited():
            record("user.signed_out", user, by=user)


@receiver(user_login_failed)
def sign_in_failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    name = str(credentials.get("username") or "").replace("\0", "")[:150]
    user = User.objects.filter(username=name).first()
    with audited():
        record(
            "user.sign_in_failed", user, who=OUTSIDE, subject_type="auth.user", subject_text=NOBODY
        )
