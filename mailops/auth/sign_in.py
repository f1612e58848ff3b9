"""Signing in: the password, then the code of the second factor, then the session begins."""

from __future__ import annotations

import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from mailops.auth import initial_password, sessions, two_factor

# Key of the session: who gave a right password in this browser and has to give a code yet.
PENDING = "doors_pending"
PENDING_SECONDS = 600
BACKEND = "mailops.signin.Backend"


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text=(
            "The six digits that your app shows for MailOps. Lost the phone? Type one of your"
            " recovery codes."
        ),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )


class SignIn(LoginView):
    """Django's own page. A person with a second factor is not logged in but sent to `code_page`."""

    template_name = "admin/login.html"
    authentication_form = AdminAuthenticationForm

    def form_valid(self, form: AdminAuthenticationForm) -> HttpResponse:  # type: ignore[override]
        user = form.get_user()
        target = self.get_success_url()
        if two_factor.of(user) is None:
            login(self.request, user)
            return redirect(target)
        self.request.session[PENDING] = {
            "user": user.pk,
            "at": int(time.time()),
            "next": target,
            "hash": user.get_session_auth_hash(),
        }
        return redirect("admin:login_code")


def login_page(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    site = admin.site
    if request.method == "GET" and site.has_permission(request):
        return redirect("admin:index")
    context = site.each_context(request) | {
        "title": "Log in",
        "subtitle": None,
        "app_path": request.get_full_path(),
        "username": request.user.get_username(),
        **(extra_context or {}),
    }
    if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
        context[REDIRECT_FIELD_NAME] = reverse("admin:index")
    page = SignIn.as_view(extra_context=context)(request)
    assert isinstance(page, HttpResponse)
    return page


def code_page(request: HttpRequest) -> HttpResponse:
    waiting = request.session.get(PENDING)
    user = _pending(waiting)
    if waiting is None or user is None:
        request.session.pop(PENDING, None)
        return redirect("admin:login")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        found = two_factor.check(request, user, form.cleaned_data["code"])
        if found.is_good:
            return _log_in(request, user, waiting["next"])
        form.add_error("code", found.why)
    context = admin.site.each_context(request) | {"title": "Your second factor", "form": form}
    return TemplateResponse(request, "doors/code.html", context)


def _pending(waiting: dict[str, Any] | None) -> User | None:
    """The person whose password was right less than ten minutes ago, unless it changed since."""
    if not waiting or not 0 <= time.time() - waiting["at"] <= PENDING_SECONDS:
        return None
    user = User.objects.filter(pk=waiting["user"], is_active=True, is_staff=True).first()
    # The hash changes with the password: a password that was changed in between ends this sign-in.
    return user if user and user.get_session_auth_hash() == waiting["hash"] else None


def _log_in(request: HttpRequest, user: User, target: str) -> HttpResponse:
    del request.session[PENDING]
    login(request, user, backend=BACKEND)
    # The first step checked the target for its own host; this request may come by another one.
    if not url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    ):
        target = settings.LOGIN_REDIRECT_URL
    return redirect(target)


def begin_session(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Receiver of Django's signal for a full sign-in, whichever page it came from."""
    session = request.session
    now = int(time.time())
    session[sessions.BEGAN] = session[sessions.USED] = session[sessions.REAUTHENTICATED] = now
    session.pop(sessions.MUST_ENROL, None)
    session.pop(sessions.MUST_CHANGE, None)
    if initial_password.is_given(user):
        session[sessions.MUST_CHANGE] = True
    if two_factor.is_required(user) and two_factor.of(user) is None:
        session[sessions.MUST_ENROL] = True
