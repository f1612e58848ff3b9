"""One's own password: changed with the present one, recorded, other sessions ended by Django."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect

from mailops.doors import fresh
from mailops.history import record


def change(request: HttpRequest, page: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """Django's own page around it; the change and its record in one transaction."""
    return fresh.required(lambda asked: _recorded(asked, page))(request)


def _recorded(request: HttpRequest, page: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    with transaction.atomic():
        response = page(request)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect):
            record("user.password_changed", request.user, by=request.user)  # type: ignore[arg-type]  # logged in
    return response
