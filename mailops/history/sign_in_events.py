"""Records signing in, signing out and failed tries, from Django's signals."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from mailops.history import audited, record

# Stands for the typed name, which may be a password in the wrong field.
NOBODY = "a name that nobody has"
OUTSIDE = "somebody not signed in"


@receiver(user_logged_in)
def signed_in(sender: Any, user: User, request: HttpRequest | None = None, **kwargs: Any) -> None:
    # A request without a method is one that a program of ours made: nobody signed in.
    if request is not None and request.method:
        with audited():
            record("user.signed_in", user, by=user)


@receiver(user_logged_out)
def signed_out(
    sender: Any, user: User | None, request: HttpRequest | None = None, **kwargs: Any
) -> None:
    # Signing out a second time has no user.
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
