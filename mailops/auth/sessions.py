"""Sessions: when they began and were last used, when they end, and ending somebody's others."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

BEGAN, USED, FRESH = "doors_began", "doors_used", "doors_fresh"
MUST_CHANGE, MUST_ENROL = (
    "doors_must_change",
    "doors_must_enrol",
)  # what is owed before anything else opens
NOTED_EVERY = 60  # seconds: the last use is written no more often


def begin(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Note a full sign-in, through whichever door it came."""
    from mailops.auth import initial_password, two_factor

    session = request.session
    session[BEGAN] = session[USED] = session[FRESH] = int(time.time())
    session.pop(MUST_ENROL, None)
    session.pop(MUST_CHANGE, None)
    if initial_password.is_given(user):
        session[MUST_CHANGE] = True
    if two_factor.is_required(user) and two_factor.of(user) is None:
        session[MUST_ENROL] = True


def is_over(request: HttpRequest) -> bool:
    """Whether the session is older, or was unused for longer, than the settings allow."""
    now, session = time.time(), request.session
    idle = settings.SESSION_IDLE_MINUTES * 60
    is_old = now - session.get(BEGAN, 0) > settings.SESSION_COOKIE_AGE
    return is_old or bool(idle and now - session.get(USED, 0) > idle)


def note_use(request: HttpRequest) -> None:
    """A person's own request keeps the session alive; a page that looks for news by itself does
    not.
    """
    now = int(time.time())
    is_person = (
        request.method == "POST" or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    )
    if (
        settings.SESSION_IDLE_MINUTES
        and is_person
        and now - request.session.get(USED, 0) > NOTED_EVERY
    ):
        request.session[USED] = now


def is_fresh(request: HttpRequest) -> bool:
    """Whether the last full sign-in was a short time ago; always, where the setting is off."""
    minutes = settings.FRESH_SIGN_IN_MINUTES
    return not minutes or 0 <= time.time() - request.session.get(FRESH, 0) <= minutes * 60


def freshen(request: HttpRequest) -> None:
    """The person gave password and code again just now."""
    request.session[FRESH] = int(time.time())


def end_all(user: User, *, but: str | None = "") -> int:
    """End all sessions of this person, but for one. Returns how many."""
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.session_key != but and str(session.get_decoded().get(SESSION_KEY)) == str(
            user.pk
        ):
            session.delete()
            ended += 1
    return ended
