"""Sessions: when they began and were last used, when they end, and ending somebody's others."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

# Keys of the session, which is stored: the times of its three events, in seconds since 1970.
BEGAN, USED, REAUTHENTICATED = "doors_began", "doors_used", "doors_fresh"
# Keys of what the person has to do before any other page opens.
MUST_CHANGE, MUST_ENROL = "doors_must_change", "doors_must_enrol"
USE_RECORDED_EVERY = 60  # seconds


def is_expired(request: HttpRequest) -> bool:
    now, session = time.time(), request.session
    idle = settings.SESSION_IDLE_MINUTES * 60
    is_old = now - session.get(BEGAN, 0) > settings.SESSION_COOKIE_AGE
    return is_old or bool(idle and now - session.get(USED, 0) > idle)


def record_use(request: HttpRequest) -> None:
    if not settings.SESSION_IDLE_MINUTES:
        return
    # A page that refreshes itself must not keep the session of somebody who left alive, so only
    # what a person clicks counts. A browser without this header is taken for a person's.
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    is_by_person = request.method == "POST" or mode == "navigate"
    now = int(time.time())
    if is_by_person and now - request.session.get(USED, 0) > USE_RECORDED_EVERY:
        request.session[USED] = now


def is_reauthenticated(request: HttpRequest) -> bool:
    """The last full sign-in was a short time ago. Always true where the setting is off."""
    minutes = settings.FRESH_SIGN_IN_MINUTES
    last = request.session.get(REAUTHENTICATED, 0)
    return not minutes or 0 <= time.time() - last <= minutes * 60


def record_reauthentication(request: HttpRequest) -> None:
    request.session[REAUTHENTICATED] = int(time.time())


def end_all(user: User, *, but: str | None = "") -> int:
    """End all sessions of this person except the one with the key `but`. Returns how many."""
    ended = 0
    # The person stands inside the session's signed data, which no query can look into.
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        is_theirs = str(session.get_decoded().get(SESSION_KEY)) == str(user.pk)
        if is_theirs and session.session_key != but:
            session.delete()
            ended += 1
    return ended
