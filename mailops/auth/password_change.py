"""Changing one's own password, with its event."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse

from mailops.auth import sessions
from mailops.history import audited, record


class OwnPasswordForm(AdminPasswordChangeForm):
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("new_password1") and data["new_password1"] == data.get("old_password"):
            self.add_error(
                "new_password1", "This is the password that you have now. Choose another one."
            )
        return data

    def save(self, commit: bool = True) -> Any:
        # `initial_password.is_given` looks for this event.
        with audited():
            user = super().save(commit)
            record("user.password_changed", user, by=user)
            return user


class OwnPassword(PasswordChangeView):
    """The page "Change your password". A password that was due is not due any more."""

    form_class = OwnPasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        self.request.session.pop(sessions.MUST_CHANGE, None)
        return response
