"""A person's own page about notices: choices, addresses, and the outcome of recent messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from mailops.core.sealed import CannotOpen, Sealed
from mailops.history import audited, record
from mailops.history.admin import changes_of
from mailops.history.models import Event
from mailops.notices import apprise_channel, mail_channel, message_texts
from mailops.notices.forms import OwnForm
from mailops.notices.models import NoticeSettings

MOST_SHOWN = 20
TESTS_AN_HOUR = 6
TESTED = "notices.tested"
SUBJECT = "MailOps: a test"
BODY = (
    "This is a test that somebody asked for under Notices in MailOps. Nothing happened, and nothing"
    " was bought."
)


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = OwnForm(request.POST or None, instance=NoticeSettings.of(user))
    is_posted = request.method == "POST"
    if is_posted and form.is_valid():
        with audited():
            form.save()
            if changes := changes_of(form):
                record("notices.chosen", user, by=user, changes=changes)
        messages.success(request, "Saved. What is on its way already goes out as it was.")
        return redirect("own_notices")
    recent = list(user.notices.order_by("-pk")[:MOST_SHOWN])
    context: dict[str, Any] = admin.site.each_context(request) | {
        "title": "Notices",
        "form": form,
        "own": form.instance,
        "recent": recent,
        "given_up": [notice for notice in recent if notice.gave_up],
        "is_off": not settings.NOTICES,
        "mail_is_set": settings.MAIL_IS_SET,
    }
    return TemplateResponse(request, "notices/own.html", context, status=400 if is_posted else 200)


@require_POST
def test(request: HttpRequest) -> HttpResponse:
    # within this request, not by the queue: the person waits for the answer, and the worker may be
    # the very thing that does not run
    user = cast(User, request.user)
    sealed = NoticeSettings.of(user).sealed
    if not (user.email or sealed):
        messages.error(
            request,
            "You have no address yet. An administrator enters e-mail addresses under Users.",
        )
        return redirect("own_notices")
    if may_test(user):
        with audited():
            record(TESTED, user, by=user)
        if user.email:
            report_test(request, mail_problem(user.email), "your e-mail address")
        if sealed:
            report_test(request, address_problem(sealed), NoticeSettings.of(user).service)
    else:
        messages.error(request, "That were many tests. Wait an hour before the next.")
    return redirect("own_notices")


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Remove the other address. Kinds that were sent there are sent by e-mail from now on."""
    user = cast(User, request.user)
    row = NoticeSettings.of(user)
    if not row.sealed:
        messages.info(request, "There is no other address.")
        return redirect("own_notices")
    # an update, not a save: no form was filled in, and the other columns stay as they are
    with audited():
        choices = {name: [when, "email"] for name, (when, _by) in row.choices.items()}
        NoticeSettings.objects.filter(pk=row.pk).update(sealed="", service="", choices=choices)
        record("notices.address_removed", user, by=user, changes={"address": [row.service, ""]})
    messages.success(request, "Removed. What should have gone there goes to your e-mail address.")
    return redirect("own_notices")


def may_test(user: User) -> bool:
    # a few an hour, so that nobody floods a channel with tests
    since = timezone.now() - timedelta(hours=1)
    return (
        Event.objects.filter(action=TESTED, user_id=user.pk, at__gte=since).count() < TESTS_AN_HOUR
    )


def mail_problem(to: str) -> str:
    """Send a test. Returns what went wrong in words, empty if nothing did."""
    try:
        mail_channel.send(
            to,
            subject=SUBJECT,
            body=f"{BODY}\n\n{message_texts.link('/')}\n",
            key=f"test-{timezone.now():%Y%m%d%H%M%S%f}",
        )
    except mail_channel.NotMailed as error:
        return str(error)
    return ""


def address_problem(sealed: str) -> str:
    """Send a test to another service. Returns what went wrong, empty if nothing did."""
    try:
        apprise_channel.send(Sealed(sealed).open().get("address", ""), title=SUBJECT, body=BODY)
    except (apprise_channel.NotTaken, CannotOpen) as error:
        return str(error)
    return ""


def report_test(request: HttpRequest, problem: str, where: str) -> None:
    if problem:
        messages.error(request, f"The test to {where} did not go out. {problem}")
    else:
        messages.success(request, f"A test went to {where}. Look whether it arrived.")
