"""Guessing passwords, slowed down by django-axes: by name and address together, by name alone, by address alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from mailops.history import record
from mailops.history.middleware import address

ELSEWHERE = 4  # a name tried from many addresses, or an address trying many names, gets so many times the tries


def client_address(request: HttpRequest) -> str | None:
    """The same address that the history notes."""
    return address(request) or None


class Handler(AxesDatabaseHandler):
    """Axes' own, but for three things: nothing typed is stored, each way to count has its limit, a lock is recorded."""

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
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
        if getattr(request, "axes_locked_out", False) and request.axes_failures_since_start is not None:  # type: ignore[attr-defined]
            _record_lock(request, str(credentials.get("username") or ""))

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures by name and address; those by either alone count a fourth."""
        pair, *alone = (_sum(attempts) for attempts in self.get_user_attempts(request, credentials))
        return max(pair, *(count // ELSEWHERE for count in alone))

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """A good password clears its own name at its own address: nobody clears others' by logging in themselves."""
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
        record("user.locked_out", user, reason=f"Too many failed sign-ins, the last from {address(request)}.")


def locked_until(request: HttpRequest, credentials: dict[str, Any] | None) -> datetime:
    """When this name can be tried again from this address, if nobody fails meanwhile."""
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    name = get_client_username(request, credentials)
    recent = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
    found = recent.filter(username=name) | recent.filter(ip_address=client_address(request))
    last: datetime = found.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return last + cool_off


def locked_page(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """What happened and when to try again; the same words whether the name exists or not."""
    until = locked_until(request, credentials)
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    context = {"until": until, "minutes": -(-seconds // 60)}
    page = render(request, "doors/locked.html", context, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page


@transaction.atomic
def unlock(*, name: str = "", origin: str = "", by: Any = None) -> int:
    """Forget the failed sign-ins of a name, or of an address; recorded. Returns how many rows there were."""
    attempts = AccessAttempt.objects.filter(**{"username": name} if name else {"ip_address": origin})
    count: int = attempts.delete()[0]
    user = User.objects.filter(username=name).first() if name else None
    if user is not None:
        record("user.unlocked", user, by=by)
    elif by is not None:
        record("user.unlocked", by, by=by, reason=f"Unlocked the address {origin}." if origin else "")
    return count
