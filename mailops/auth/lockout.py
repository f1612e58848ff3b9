"""Guessing passwords, slowed down by django-axes: by name and address together, by name alone, by
address alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q, Sum
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from mailops.history import record
from mailops.history.middleware import address

PREFIX = 64
# A name tried from many addresses, or an address trying many names, gets so many times the tries
ELSEWHERE = 4


def client_address(request: HttpRequest) -> str | None:
    """What counts as one visitor, of the same address that the history notes."""
    return counted_as(address(request))


def counted_as(text: str) -> str | None:
    """An IPv4 address itself; of an IPv6 one its /64 network, within which one customer picks
    addresses at will.

    What is no address at all, such as a proxy's "unknown", is None: all such visitors count as one.
    """
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), PREFIX), strict=False).network_address)


def named(counted: str | None) -> str:
    """An address for people to read: an IPv6 network as what it is."""
    if not counted:
        return "that can't be read"
    return f"{counted}/{PREFIX}" if ":" in counted else counted


class Handler(AxesDatabaseHandler):
    """Axes' own, but for three things: nothing typed is stored, each way to count has its limit, a
    lock is recorded.
    """

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        if request is None:
            return
        # a longer name is nobody's, and the table of failed sign-ins has no room for it
        credentials = {**credentials, "username": str(credentials.get("username") or "")[:150]}
        typed, asked = request.POST, request.GET
        request.POST = request.GET = QueryDict()  # axes would store both
        try:
            super().user_login_failed(sender, credentials, request, **kwargs)
        finally:
            request.POST, request.GET = typed, asked
        # an attempt while it is locked is not counted again
        failures = getattr(request, "axes_failures_since_start", None)
        if getattr(request, "axes_locked_out", False) and failures is not None:
            _record_lock(request, str(credentials.get("username") or ""))

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures by name and address; those by either alone count a fourth."""
        pair, *alone = (_sum(attempts) for attempts in self.get_user_attempts(request, credentials))
        return max(pair, *(count // ELSEWHERE for count in alone))

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """A good password clears its own name at its own address: nobody clears others' by logging
        in themselves.
        """
        pair, *_ = self.filter_user_attempts(request, credentials)
        return int(pair.delete()[0])


def _sum(attempts: Any) -> int:
    return int(attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0)


def _record_lock(request: HttpRequest, name: str) -> None:
    """Only a name that exists is written down: what was typed may be a password in the wrong field."""
    user = User.objects.filter(username=name).first()
    if user is None:
        return
    with transaction.atomic():
        record(
            "user.locked_out",
            user,
            reason=f"Too many failed sign-ins, the last from {address(request)}.",
        )


def locked_until(request: HttpRequest, credentials: dict[str, Any] | None) -> datetime:
    """When this name can be tried again from this address, if nobody fails meanwhile."""
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    name = get_client_username(request, credentials)
    recent = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
    found = recent.filter(username=name) | recent.filter(ip_address=client_address(request))
    last: datetime = found.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return last + cool_off


def locked_page(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """What happened and when to try again; the same words whether the name exists or not."""
    until = locked_until(request, credentials)
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    context = {"until": until, "minutes": -(-seconds // 60)}
    page = render(request, "doors/locked.html", context, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page


@transaction.atomic
def unlock(*, name: str = "", origin: str | None = "", by: Any = None) -> int:
    """Forget the failed sign-ins of a name everywhere, and of everybody at an address; recorded.
    Returns how many.

    `origin` is what `counted_as` makes of an address, None for the visitors without one.
    """
    at = Q() if origin == "" else Q(ip_address=origin)
    attempts = AccessAttempt.objects.filter((Q(username=name) | at) if name else at)
    count: int = attempts.delete()[0] if name or at else 0
    user = User.objects.filter(username=name).first() if name else None
    if user is not None or by is not None:
        says = f"Everybody at this address too: {named(origin)}." if origin != "" else ""
        record("user.unlocked", user or by, by=by, reason=says)
    return count
