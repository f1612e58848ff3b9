"""For superusers: who has a second factor, resetting a lost one, failed sign-ins, unlocking."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from mailops.auth import lockout, reauthentication, two_factor
from mailops.auth.models import Authenticator
from mailops.history.admin import ReadOnlyAdmin
from mailops.templatetags.page_filters import when


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="How do you know that it is really them?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For example: called back on the number that we have. It stays in the history.",
    )


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    list_display_links = None
    list_display = ("user", "added", "used", "reset_link")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fields = ("user", "created_at", "last_used_at")

    def get_list_display(self, request: HttpRequest) -> Any:
        # Only a superuser may reset a second factor: nobody else gets the link.
        return self.list_display if request.user.is_superuser else self.list_display[:-1]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(
            reauthentication.required(self.reset, then="Reset the second factor")
        )
        return [
            path("<int:pk>/reset/", view, name="doors_authenticator_reset"),
            *super().get_urls(),
        ]

    def reset(self, request: HttpRequest, pk: int) -> HttpResponse:
        by = request.user
        if not isinstance(by, User) or not by.is_superuser:
            raise PermissionDenied
        device = get_object_or_404(Authenticator.objects.select_related("user"), pk=pk)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            try:
                two_factor.reset(device.user, by=by, reason=form.cleaned_data["reason"])
                messages.success(
                    request, f"{device.user} is logged out and goes on with the password alone."
                )
            except two_factor.Refused as error:
                messages.error(request, str(error))
            return redirect("admin:doors_authenticator_changelist")
        context = self.admin_site.each_context(request) | {
            "title": f"Reset the second factor of {device.user}?",
            "device": device,
            "form": form,
            "is_own": device.user_id == by.pk,
            "list_url": reverse("admin:doors_authenticator_changelist"),
        }
        return TemplateResponse(
            request, "doors/reset.html", context, status=400 if form.is_bound else 200
        )

    # Relative times, as on the other pages; the exact one stands on hover.
    @admin.display(description="Added", ordering="created_at")
    def added(self, device: Authenticator) -> str:
        return when(device.created_at)

    @admin.display(description="Last used", ordering="last_used_at")
    def used(self, device: Authenticator) -> str:
        return when(device.last_used_at) if device.last_used_at else "not yet"

    @admin.display(description="Lost?")
    def reset_link(self, device: Authenticator) -> SafeString:
        url = reverse("admin:doors_authenticator_reset", args=[device.pk])
        return format_html('<a href="{}">Reset</a>', url)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """The failed sign-ins that count now. Axes forgets them later; the history keeps them."""

    list_display_links = None
    list_display = ("name", "origin", "failures", "last", "unlock_button")
    fields = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent")
    change_list_template = "doors/attempts.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.unlock))
        return [
            path("<int:pk>/unlock/", view, name="axes_accessattempt_unlock"),
            *super().get_urls(),
        ]

    def unlock(self, request: HttpRequest, pk: int) -> HttpResponse:
        by = request.user
        if not isinstance(by, User) or not by.is_superuser:
            raise PermissionDenied
        # The count of the address locks the person out as well, so both are forgotten.
        attempt = get_object_or_404(AccessAttempt, pk=pk)
        lockout.unlock(name=attempt.username or "", origin=attempt.ip_address, by=by)
        whose = f"{attempt.username or 'Everybody'} can log in again"
        messages.success(
            request,
            f"{whose}, and so can everybody at the address {lockout.named(attempt.ip_address)}.",
        )
        return redirect("admin:axes_accessattempt_changelist")

    @admin.display(description="Name that was typed", ordering="username")
    def name(self, attempt: AccessAttempt) -> str:
        return str(attempt.username or "none")

    @admin.display(description="From where", ordering="ip_address")
    def origin(self, attempt: AccessAttempt) -> str:
        return lockout.named(attempt.ip_address) if attempt.ip_address else "not known"

    @admin.display(description="Times", ordering="failures_since_start")
    def failures(self, attempt: AccessAttempt) -> int:
        return int(attempt.failures_since_start)

    @admin.display(description="Last time", ordering="attempt_time")
    def last(self, attempt: AccessAttempt) -> str:
        return when(attempt.attempt_time)

    @admin.display(description="Let them in")
    def unlock_button(self, attempt: AccessAttempt) -> SafeString:
        url = reverse("admin:axes_accessattempt_unlock", args=[attempt.pk])
        return format_html(
            '<button class="btn" type="submit" form="unlock" formaction="{}">Unlock {}</button>',
            url,
            attempt.username,
        )
