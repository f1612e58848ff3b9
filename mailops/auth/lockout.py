"""Lockout after too many wrong passwords, by django-axes: for a name, an address, and both."""

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
# A name tried from many addresses, or an address trying many names, gets so many times the tries:
# an office shares one address, and a person moves between networks.
TRIES_FACTOR = 4


def client_address(request: HttpRequest) -> str | None:
    return counted_as(address(request))


def counted_as(text: str) -> str | None:
    """The address or network under which failures are counted: an IPv4 address, or the /64 network
    of an IPv6 address. None for a text that is no address, such as a proxy's "unknown".
    """
    # A provider gives each customer a whole /64 network, so one visitor has all of its addresses.
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((int(found), PREFIX), strict=False).network_address)


def named(counted: str | None) -> str:
    if not counted:
        return "that can't be read"
    return f"{counted}/{PREFIX}" if ":" in counted else counted


class Handler(AxesDatabaseHandler):
    """Axes' handler, but it stores nothing that was typed, has a limit of its own for each way to
    count, and records a lockout.
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
        # Django's names have at most 150 letters, and so has the table of failed sign-ins.
        credentials = {**credentials, "username": str(credentials.get("username") or "")[:150]}
        # Axes stores both, and one of them holds the password.
        posted, queried = request.POST, request.GET
        request.POST = request.GET = QueryDict()
        try:
            super().user_login_failed(sender, credentials, request, **kwargs)
        finally:
            request.POST, request.GET = posted, queried
        # Axes sets the number only where it counted: a try during a lockout records no second one.
        failures = getattr(request, "axes_failures_since_start", None)
        if getattr(request, "axes_locked_out", False) and failures is not None:
            _record_lockout(request, str(credentials.get("username") or ""))

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures of the name at the address; those of name or address alone count a fourth."""
        pair, *alone = (_sum(attempts) for attempts in self.get_user_attempts(request, credentials))
        return max(pair, *(count // TRIES_FACTOR for count in alone))

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        # Only the name at this address. Otherwise somebody with a password of their own could
        # clear the count of the names that they guess at.
        pair, *_ = self.filter_user_attempts(request, credentials)
        return int(pair.delete()[0])


def _sum(attempts: Any) -> int:
    return int(attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0)


def _record_lockout(request: HttpRequest, name: str) -> None:
    # A name that nobody has may be a password, typed into the wrong field: it is not recorded.
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
    """When this name can be tried again from this address, unless another try fails before."""
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
    # The same page whether the name exists or not, so that nobody can find out names.
    until = locked_until(request, credentials)
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    context = {"until": until, "minutes": -(-seconds // 60)}
    page = render(request, "doors/locked.html", context, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page


@transaction.atomic
def unlock(*, name: str = "", origin: str | None = "", by: Any = None) -> int:
    """Forget the failed sign-ins of a name everywhere, and of everybody at an address.

    `origin` is a value of `counted_as`; an empty one means no address. Returns how many were
    forgotten.
    """
    at = Q() if origin == "" else Q(ip_address=origin)
    attempts = AccessAttempt.objects.filter((Q(username=name) | at) if name else at)
    count: int = attempts.delete()[0] if name or at else 0
    user = User.objects.filter(username=name).first() if name else None
    if user is not None or by is not None:
        says = f"Everybody at this address too: {named(origin)}." if origin != "" else ""
        record("user.unlocked", user or by, by=by, reason=says)
    return count
