"""System checks of the settings for signing in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from mailops.auth import roles
from mailops.auth.two_factor import SUPERUSER
from mailops.core import ssrf


@register
def check_auth(**kwargs: Any) -> list[CheckMessage]:
    # A misspelt role would not be noticed otherwise: nobody would have to add a second factor.
    unknown = sorted(set(settings.SECOND_FACTOR_ROLES) - {*roles.ROLES, SUPERUSER})
    named = ", ".join([*roles.ROLES, SUPERUSER])
    rules = [
        (
            bool(unknown),
            f"No role is called {', '.join(unknown)}.",
            f"SECOND_FACTOR_ROLES takes {named}.",
        ),
        (
            settings.SIGN_IN_TRIES < 1 or settings.SIGN_IN_LOCK_MINUTES < 1,
            "Passwords could be guessed for ever, or nobody could log in.",
            "Set SIGN_IN_TRIES and SIGN_IN_LOCK_MINUTES to 1 or more.",
        ),
        (
            bool(ssrf.why_not_url(settings.PRACTICE_URL, loopback=True)),
            "MAILOPS_PRACTICE_URL must be on this machine, or https and public.",
            "As delivered it is http://127.0.0.1:8001.",
        ),
        (
            settings.PROXIES_IN_FRONT < 1,
            "Visitors would give whatever address they like.",
            (
                "Set PROXIES_IN_FRONT to the number of proxies, 1 or more, or turn"
                " BEHIND_HTTPS_PROXY off."
            ),
        ),
    ]
    return [
        Error(message, hint=hint, id=f"mailops.E02{number}")
        for number, (bad, message, hint) in enumerate(rules, 1)
        if bad
    ]
