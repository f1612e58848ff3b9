"""Django's password check, with an event where Django replaces the stored hash by itself."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.http import HttpRequest

from mailops.history import audited, record


class Backend(ModelBackend):
    """Django's backend; a password that is hashed again is recorded.

    An update of Django may ask for a stronger hash, which needs the plain password and so can be
    made at a sign-in only.
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
            # Hash the password all the same: a quick answer would tell that the name is nobody's.
            User().set_password(password)
            return None

        def store_hash(raw: str) -> None:
            user.set_password(raw)
            # As Django does: `save` would otherwise report a changed password to its validators.
            user._password = None  # type: ignore[attr-defined]  # noqa: SLF001  (Django has no other way)
            with audited():
                user.save(update_fields=["password"])
                record("user.password_hashed_anew", user, by=user)

        is_right = check_password(password, user.password, store_hash)
        return user if is_right and self.user_can_authenticate(user) else None
