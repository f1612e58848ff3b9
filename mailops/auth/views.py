"""One's own second factor: add it with a QR code, keep recovery codes, replace it, remove it."""

from __future__ import annotations

import json
from typing import Any

import segno
from cryptography.fernet import InvalidToken
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from mailops.auth import models, reauthentication, sessions, two_factor
from mailops.core.sealed import box

KEY_GOOD_FOR = 3600  # seconds in which a key that was shown can be taken


class AddForm(forms.Form):
    # The sealed key travels with the form: nothing is stored until the app shows a right code.
    key = forms.CharField(widget=forms.HiddenInput, max_length=1000)
    code = forms.CharField(
        label="Code that the app shows now",
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


def show(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    device = two_factor.of(user)
    return _page(
        request,
        "second_factor.html",
        title="Your second factor",
        device=device,
        codes_left=user.recovery_codes.count() if device else 0,
        is_required=two_factor.is_required(user),
    )


@reauthentication.before("Add a second factor")
def add(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    if request.method != "POST" or "code" not in request.POST:
        return _offer(request, models.new_key())
    form = AddForm(request.POST)
    key = _opened(request)
    if key is None:
        messages.error(
            request, "This page was open for too long. Here is a new key: scan it again."
        )
        return redirect("admin:second_factor_add")
    step = models.matching_step(key, form.cleaned_data["code"]) if form.is_valid() else None
    if step is None:
        form.add_error(
            "code",
            "This is not the code of now. Check that the phone's clock is right, and type the"
            " next.",
        )
        return _offer(request, key, form=form)
    codes = two_factor.add(user, key=key, step=step, session_key=str(request.session.session_key))
    request.session.pop(sessions.MUST_ENROL, None)
    sessions.record_reauthentication(request)
    return _codes(request, codes)


@require_POST
@reauthentication.before("Make new recovery codes")
def renew(request: HttpRequest) -> HttpResponse:
    try:
        return _codes(request, two_factor.renew_codes(_user(request)))
    except two_factor.Refused as error:
        messages.error(request, str(error))
        return redirect("admin:second_factor")


@require_POST
@reauthentication.before("Remove your second factor")
def remove(request: HttpRequest) -> HttpResponse:
    try:
        two_factor.remove(_user(request), session_key=str(request.session.session_key))
        messages.success(
            request, "Your second factor is removed. From now on your password alone opens MailOps."
        )
    except two_factor.Refused as error:
        messages.error(request, str(error))
    return redirect("admin:second_factor")


def _offer(request: HttpRequest, key: str, *, form: AddForm | None = None) -> HttpResponse:
    picture = segno.make(models.address(key, name=_user(request).get_username()), error="m")
    sealed = box().encrypt(json.dumps([request.user.pk, key]).encode()).decode()
    return _page(
        request,
        "add.html",
        title="Add a second factor",
        form=form or AddForm(initial={"key": sealed}),
        picture=picture.svg_data_uri(scale=5, border=3, dark="#000", light="#fff"),
        key=" ".join(key[at : at + 4] for at in range(0, len(key), 4)),
        has_one=two_factor.of(_user(request)) is not None,
    )


def _opened(request: HttpRequest) -> str | None:
    try:
        pk, key = json.loads(box().decrypt(request.POST.get("key", "").encode(), ttl=KEY_GOOD_FOR))
    except (InvalidToken, UnicodeEncodeError):
        return None
    return str(key) if pk == request.user.pk else None


def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return _page(request, "codes.html", title="Your recovery codes", codes=codes)


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    frame = admin.site.each_context(request)
    # No menu while a second factor is due: none of its pages would open.
    if is_due := bool(request.session.get(sessions.MUST_ENROL)):
        frame["has_permission"] = False
    return TemplateResponse(request, f"doors/{template}", frame | {"owes": is_due} | context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
