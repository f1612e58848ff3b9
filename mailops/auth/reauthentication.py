"""Typing the password again before money moves: an open session that was stolen can't spend."""

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

LONGEST_FORM = 256 * 1024  # bytes of a form that is carried through
FORM_GOOD_FOR = 3600  # seconds for which a form is carried through
TYPED = "doors-typed"
View = TypeVar("View", bound=Callable[..., HttpResponse])
# What goes on afterwards. A function gets the view's arguments and must not query the database.
Words = str | Callable[..., str]


class ReauthenticationForm(forms.Form):
    """Password, and a code where the person has a second factor."""

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
    """`required` as a decorator. `then` names what goes on afterwards: "Confirm MO-1001"."""
    return partial(required, then=then)


def required(view: View, *, then: Words = "") -> View:
    """Wraps a view: a POST asks for password and code first if the last sign-in is too long ago.

    The posted form goes with that page, sealed, and then on to the view. Its own checks, such as
    the digest that the person saw, still hold.
    """

    def words(*args: Any, **kwargs: Any) -> str:
        return then if isinstance(then, str) else then(*args, **kwargs)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if TYPED not in request.POST:
            if sessions.is_reauthenticated(request):
                return view(request, *args, **kwargs)
            return _ask(request, _sealed(request), then=words(request, *args, **kwargs))
        return _answer(request, words(request, *args, **kwargs)) or view(request, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def _answer(request: HttpRequest, then: str) -> HttpResponse | None:
    """Check password and code. None where they are right: then `request.POST` is the first form."""
    user = request.user
    assert isinstance(user, User)
    sealed = request.POST[TYPED]
    typed = _opened(request, sealed)
    if typed is None:
        return _ask(request, None, then=then)
    form = ReauthenticationForm(request.POST, has_factor=two_factor.of(user) is not None)
    if not form.is_valid() or not _is_right(request, user, form):
        return _ask(request, sealed, then=then, form=form)
    sessions.record_reauthentication(request)
    request.POST = typed  # type: ignore[assignment]
    return None


def _is_right(request: HttpRequest, user: User, form: ReauthenticationForm) -> bool:
    # `authenticate` and not `check_password`: wrong passwords here count for the lockout as well.
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
    request: HttpRequest,
    sealed: str | None,
    *,
    then: str,
    form: ReauthenticationForm | None = None,
) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    context = admin.site.each_context(request) | {
        "title": "Is it still you?",
        "form": form or ReauthenticationForm(has_factor=two_factor.of(user) is not None),
        "typed_name": TYPED,
        "typed": sealed,
        "then": then,
        "back": request.get_full_path(),
        "minutes": settings.FRESH_SIGN_IN_MINUTES,
    }
    return TemplateResponse(request, "doors/fresh.html", context, status=200 if sealed else 400)


def _sealed(request: HttpRequest) -> str | None:
    """The posted form, encrypted. None for a form that is too long or brings files."""
    typed = request.POST.urlencode()
    if request.FILES or len(typed) > LONGEST_FORM:
        return None
    # Person and page are sealed in: nobody can have another person post a form that they sealed.
    return box().encrypt(json.dumps([request.user.pk, request.path, typed]).encode()).decode()


def _opened(request: HttpRequest, sealed: str) -> QueryDict | None:
    """The form, if this person posted it to this page within the last hour."""
    try:
        pk, path, typed = json.loads(box().decrypt(sealed.encode(), ttl=FORM_GOOD_FOR))
    except (InvalidToken, UnicodeEncodeError):
        return None
    return QueryDict(typed) if (pk, path) == (request.user.pk, request.path) else None
