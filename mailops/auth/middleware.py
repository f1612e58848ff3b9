"""What every request passes: its method, the session's age, and a password or second factor that is
still owed.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse

from mailops.auth import sessions

METHODS = ("GET", "HEAD", "POST")
OWED = {  # in this order, each with the pages that it takes; the first is the one to begin with
    sessions.MUST_CHANGE: ("password_change",),
    sessions.MUST_ENROL: ("second_factor", "second_factor_add"),
}


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
            messages.info(
                request,
                "You were logged out because MailOps was not used for a while. Log in to go on.",
            )
            return self.get_response(request)
        pages = next((pages for mark, pages in OWED.items() if request.session.get(mark)), ())
        if pages and request.path not in {reverse(f"admin:{name}") for name in (*pages, "logout")}:
            return redirect(f"admin:{pages[0]}")
        sessions.note_use(request)
        return self.get_response(request)
