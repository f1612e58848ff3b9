"""Checks of every request: its method, the session's age, a password or second factor due."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse

from mailops.auth import sessions

METHODS = ("GET", "HEAD", "POST")
# What is due comes in this order. Each has the pages that stay open, the one to begin with first.
DUE = {
    sessions.MUST_CHANGE: ("password_change",),
    sessions.MUST_ENROL: ("second_factor", "second_factor_add"),
}


class SessionChecks:
    """Rejects other methods, ends expired sessions, redirects to a password or second factor that
    is still due.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if not request.user.is_authenticated:
            return self.get_response(request)
        if sessions.is_expired(request):
            logout(request)
            messages.info(
                request,
                "You were logged out because MailOps was not used for a while. Log in to go on.",
            )
            return self.get_response(request)
        pages = next((pages for mark, pages in DUE.items() if request.session.get(mark)), ())
        if pages and request.path not in {reverse(f"admin:{name}") for name in (*pages, "logout")}:
            return redirect(f"admin:{pages[0]}")
        sessions.record_use(request)
        return self.get_response(request)
