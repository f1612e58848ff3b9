"""What every request passes: its method, the session's age, and a second factor that is still owed."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse

from mailops.doors import sessions

METHODS = ("GET", "HEAD", "POST")


class Doors:
    """GET shows, POST does, and there is no other door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if not request.user.is_authenticated:
            return self.get_response(request)
        if sessions.is_over(request):
            logout(request)
            messages.info(request, "You were logged out because MailOps was not used for a while. Log in to go on.")
            return self.get_response(request)
        if request.session.get(sessions.MUST_ENROL) and not _is_open(request.path):
            return redirect("admin:second_factor")
        sessions.note_use(request)
        return self.get_response(request)


def _is_open(path: str) -> bool:
    """What somebody may open who still has to add a second factor."""
    return path in {reverse(f"admin:{name}") for name in ("second_factor", "second_factor_add", "logout")}
