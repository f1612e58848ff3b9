"""A fresh sign-in before money moves: a stolen or forgotten open session can look, and can't spend."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

from cryptography.fernet import InvalidToken
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse

from mailops.auth import sessions, two_factor
from mailops.core.sealed import box

LONGEST = 256 * 1024  # bytes of a form that is carried through
GOOD_FOR = 3600  # seconds for which it is
TYPED = "doors-typed"
View = TypeVar("View", bound=Callable[..., HttpResponse])
Words = (
    str | Callable[..., str]
)  # what goes on afterwards; a function gets what the view gets, and looks nothing up


class AgainForm(forms.Form):
    """Password, and the code of whoever has a second factor."""

    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="The six digits that your app shows for MailOps, or a recovery code.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )

    prefix = "doors"

    def __init__(self, data: QueryDict | None = None, *, has_factor: bool) -> None:
        super().__init__(data)
        if not has_factor:
            del self.fields["code"]


def before(then: Words) -> Callable[[View], View]:
    """`required` as a decorator that says what goes on afterwards, such as "Confirm MO-1001"."""
    return partial(required, then=then)


def required(view: View, *, then: Words = "") -> View:
    """The view, but a POST asks for password and code first where the last full sign-in is too long
    ago.

    What was typed goes with that page, sealed, and on to the view afterwards as if it came just
    now: nothing is lost, and whatever the view checks, such as the digest that the person saw, it
    still checks.
    """

    def words(*args: Any, **kwargs: Any) -> str:
        return then if isinstance(then, str) else then(*args, **kwargs)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if TYPED not in request.POST:
            if sessions.is_fresh(request):
                return view(request, *args, **kwargs)
            return _ask(request, _sealed(request), then=words(request, *args, **kwargs))
        return _answer(request, words(request, *args, **kwargs)) or view(request, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def _answer(request: HttpRequest, then: str) -> HttpResponse | None:
    """Check password and code; None where they are good, with the first form in the request again."""
    user = request.user
    assert isinstance(user, User)
    sealed = request.POST[TYPED]
    typed = _opened(request, sealed)
    if typed is None:
        return _ask(request, None, then=then)
    form = AgainForm(request.POST, has_factor=two_factor.of(user) is not None)
    if not form.is_valid() or not _is_right(request, user, form):
        return _ask(request, sealed, then=then, form=form)
    sessions.freshen(request)
    request.POST = typed  # type: ignore[assignment]
    return None


def _is_right(request: HttpRequest, user: User, form: AgainForm) -> bool:
    name = user.get_username()
    if authenticate(request, username=name, password=form.cleaned_data["password"]) != user:
        form.add_error("password", "This is not your password.")
        return False
    if "code" not in form.fields:
        return True
    found = two_factor.check(request, user, form.cleaned_data["code"])
    if not found.is_good:
        form.add_error("code", found.why)
    return found.is_good


def _ask(
    request: HttpRequest, sealed: str | None, *, then: str, form: AgainForm | None = None
) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    context = admin.site.each_context(request) | {
        "title": "Is it still you?",
        "form": form or AgainForm(has_factor=two_factor.of(user) is not None),
        "typed_name": TYPED,
        "typed": sealed,
        "then": then,
        "back": request.get_full_path(),
        "minutes": settings.FRESH_SIGN_IN_MINUTES,
    }
    return TemplateResponse(request, "doors/fresh.html", context, status=200 if sealed else 400)


def _sealed(request: HttpRequest) -> str | None:
    """The form as it was sent, readable by this installation alone; None for one that is too long
    or brings files.
    """
    typed = request.POST.urlencode()
    if request.FILES or len(typed) > LONGEST:
        return None
    return box().encrypt(json.dumps([request.user.pk, request.path, typed]).encode()).decode()


def _opened(request: HttpRequest, sealed: str) -> QueryDict | None:
    """What was typed, if this person typed it for this page within the hour."""
    try:
        pk, path, typed = json.loads(box().decrypt(sealed.encode(), ttl=GOOD_FOR))
    except (InvalidToken, UnicodeEncodeError):
        return None
    return QueryDict(typed) if (pk, path) == (request.user.pk, request.path) else None
