"""Delegations of the right to confirm: the list, passing the right on, ending that early."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from mailops.auth import reauthentication
from mailops.history.admin import RecordedAdmin
from orders.admin.confirmation_rules import without_related_links
from orders.models import Delegation, NotAllowed
from orders.review import delegations


class DelegationForm(forms.ModelForm):
    """A new delegation."""

    # the giver, set by `get_form`
    by: User

    class Meta:
        model = Delegation
        fields = ("to_user", "starts_at", "ends_at", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (why := delegations.why_not(Delegation(**cleaned), by=self.by)):
            raise forms.ValidationError(why)
        return cleaned


@admin.register(Delegation)
class DelegationAdmin(RecordedAdmin):
    form = DelegationForm
    list_display = ("from_name", "to_name", "starts_at", "ends_at", "stands", "reason")
    list_display_links = ("from_name",)
    search_fields = ("from_name", "to_name")
    change_form_template = "admin/orders/delegation/change_form.html"

    def get_fields(self, request: HttpRequest, obj: Delegation | None = None) -> Any:
        if obj is None:
            return ("to_user", "starts_at", "ends_at", "reason")
        fields = ("starts_at", "ends_at", "reason", "stands", "made_at", "ended_at")
        # the stored names, which stay when a user is renamed or deleted
        return ("from_name", "to_name", *fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Delegation | None = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        found = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            found.by = request.user  # type: ignore[attr-defined]  # of the form above
        return found

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Nobody passes the right on to themselves.
        kwargs["queryset"] = User.objects.filter(is_active=True, is_staff=True).exclude(
            pk=request.user.pk or 0
        )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_related_links(super().formfield_for_dbfield(db_field, request, **kwargs))

    def save_model(self, request: HttpRequest, obj: Delegation, form: Any, change: bool) -> None:
        delegations.make(obj, by=request.user)  # type: ignore[arg-type]  # signed in

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Records nothing: `delegations.make` has recorded the delegation."""

    @method_decorator(reauthentication.before("Pass on your right to confirm"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        # The decorator asks for the password again: a page left open must not give the right away.
        return super().changeform_view(*args, **kwargs)

    def get_urls(self) -> list[Any]:
        end = path(
            "<int:pk>/end/",
            self.admin_site.admin_view(require_POST(self.end)),
            name="orders_delegation_end",
        )
        return [end, *super().get_urls()]

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        assert isinstance(request.user, User)
        if not delegations.may_end(get_object_or_404(Delegation, pk=pk), request.user):
            raise PermissionDenied
        try:
            delegation = delegations.end(pk, by=request.user)
            messages.success(
                request, f"{delegation.to_name} can't confirm for {delegation.from_name} any more."
            )
        except NotAllowed as error:
            messages.error(request, str(error))
        return redirect(reverse("admin:orders_delegation_changelist"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        found = Delegation.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        may_end = (
            found is not None and not found.is_over and delegations.may_end(found, request.user)
        )
        return super().change_view(
            request, object_id, form_url, {"may_end": may_end, **(extra_context or {})}
        )

    # A delegation is history. It can be ended, but neither changed nor deleted.

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Only a right that comes from the person's own role can be passed on.
        return super().has_add_permission(request) and delegations.by_role(request.user)
