"""What people change about themselves, and the record of it."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm

from mailops.history import record, telling


class OwnPasswordForm(AdminPasswordChangeForm):
    """A new password for oneself, in one transaction with its record."""

    def save(self, commit: bool = True) -> Any:
        with telling():
            user = super().save(commit)
            record("user.password_changed", user, by=user)
            return user
