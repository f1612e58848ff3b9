"""Sets who acts in a web request, and from which address."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from mailops.history import acting


class RequestContext:
    """Runs the view inside `acting()`: the signed-in user, the address and a new request id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = str(uuid.uuid4())
        with acting(user=request.user, origin=address(request), request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


def address(request: HttpRequest) -> str:
    """The visitor's address as the outermost of our own proxies saw it."""
    # A visitor can write any address into the header, but our proxies append theirs behind it.
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.TRUST_FORWARDED_FOR else ""
    hops = forwarded.split(",")[-settings.PROXIES_IN_FRONT :]
    return (hops[0].strip() or request.META.get("REMOTE_ADDR", ""))[:45]
