"""The pages about shared addresses."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from mailops.auth import reauthentication
from mailops.history import audited, record
from mailops.history.admin import RecordedAdmin
from mailops.notices import preferences
from mailops.notices.forms import SharedForm
from mailops.notices.models import SharedAddress


@admin.register(SharedAddress)
class SharedAddressAdmin(RecordedAdmin):
    """Addresses that get the urgent notices of the whole installation; written, never shown."""

    list_display = ("name", "service", "is_on")
    form = SharedForm
    readonly_fields = ("service",)
    change_form_template = "notices/shared.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return ("name", "address", "is_on") if may else ("name", "service", "is_on")

    @method_decorator(reauthentication.before("Save this shared address"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    @method_decorator(reauthentication.before("Delete this shared address"))
    def delete_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().delete_view(*args, **kwargs)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may = {"may_test": self.has_change_permission(request)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | may)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.test_view))
        return [
            path("<int:pk>/test/", view, name="notices_sharedaddress_test"),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        address = get_object_or_404(SharedAddress, pk=pk)
        user = cast(User, request.user)
        if preferences.may_test(user):
            with audited():
                record(preferences.TESTED, address, by=user)
            problem = preferences.address_problem(address.sealed)
            preferences.report_test(request, problem, address.name)
        else:
            messages.error(request, "That were many tests. Wait an hour before the next.")
        return redirect("admin:notices_sharedaddress_change", pk)
