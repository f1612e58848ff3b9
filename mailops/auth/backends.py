"""Signing in as Django does it, with a record where Django writes a password anew by itself."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.http import HttpRequest

from mailops.history import audited, record


class Backend(ModelBackend):
    """After an update of Django a stored password may want a stronger hash, which only its owner's
    sign-in can make.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.filter(username=username).first()
        if user is None:
            User().set_password(password)  # takes as long as for somebody who exists
            return None

        def hash_anew(raw: str) -> None:
            user.set_password(raw)
            user._password = None  # type: ignore[attr-defined]  # as Django does, unknown to its stubs
            with audited():
                user.save(update_fields=["password"])
                record("user.password_hashed_anew", user, by=user)

        is_right = check_password(password, user.password, hash_anew)
        return user if is_right and self.user_can_authenticate(user) else None
