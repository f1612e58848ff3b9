"""`manage.py reset_second_factor NAME`: for the only superuser whose phone is gone."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailops.auth import sessions
from mailops.auth.models import Authenticator, RecoveryCode
from mailops.history import acting, audited, record


class Command(BaseCommand):
    help = "Take a second factor away and end the person's sessions. It is written to the history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, name: str, reason: str, **options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"Nobody is called {name}.")
        # An open session has passed the second factor already, so all of them end.
        with acting(who="manage.py reset_second_factor"), audited():
            RecoveryCode.objects.filter(user=user).delete()
            if not Authenticator.objects.filter(user=user).delete()[0]:
                raise CommandError(f"{name} has no second factor.")
            record("user.second_factor_removed", user, reason=reason)
            sessions.end_all(user)
        self.stdout.write(
            f"The second factor of {name} is removed, and {name} is logged out everywhere."
        )
