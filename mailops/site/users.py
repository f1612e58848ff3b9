"""The pages of users and roles: Django's own, with history, policies and reauthentication."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from mailops.auth import reauthentication, roles
from mailops.history import audited, record
from mailops.history.admin import ReadOnlyAdmin
from mailops.proposals.approval_admin import ApprovalAdmin, ApprovalForm, WhyField
from mailops.proposals.policies import HIDDEN
from mailops.proposals.workflow import ALONE
from mailops.site.user_policies import PASSWORD, USERS

# Django's own pages; `mailops.checks` verifies that ours took their place
admin.site.unregister([User, Group])


class AuditorAlone(forms.ModelForm):
    """Refuses a second role for an auditor, who checks the work of all others."""

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        groups = {group.name for group in said.get("groups", [])}
        if roles.AUDITOR in groups and (groups - {roles.AUDITOR} or said.get("is_superuser")):
            raise ValidationError(
                {"groups": "An auditor may hold no other role and be no superuser."}
            )
        return said


class PersonForm(ApprovalForm, AuditorAlone, UserChangeForm):
    """An administrator changes a user."""

    policy = USERS


class NewPersonForm(ApprovalForm, AuditorAlone, AdminUserCreationForm):
    """An administrator adds a user."""

    policy = USERS


class PasswordForm(AdminPasswordChangeForm):
    """A new password for somebody else, with a reason for the person who approves it."""

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        if not settings.ONE_PERSON:
            self.fields["why"] = WhyField()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if not settings.ONE_PERSON and not self.takes_away and not said.get("why", "").strip():
            self.add_error(
                "why", "A second person has to approve this: say why. Nothing is saved yet."
            )
        return said

    @property
    def takes_away(self) -> bool:
        """True if nobody can sign in with a password afterwards; that needs no approval."""
        return not self.cleaned_data.get("set_usable_password", True)

    @property
    def changed_data(self) -> list[str]:
        # Django's own list is empty if the password is switched off
        return [PASSWORD]


@admin.register(User)
class PersonAdmin(ApprovalAdmin, UserAdmin):
    form = PersonForm
    change_password_form = PasswordForm
    add_form = NewPersonForm
    list_display = (
        "username",
        "first_name",
        "last_name",
        "email",
        "roles",
        "is_active",
        "last_login",
    )
    list_filter = ("groups", "is_active", "is_superuser")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Role", {"fields": ("groups", "is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "password1", "password2")}),
        ("Role", {"fields": ("groups", "is_staff")}),
    )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label = "Roles"
            field.help_text = "What this person may do. An auditor has no other role."
        return field

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        # the row of the password has a button for a new one
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return [(None, {"fields": ("username",)}), *found[1:]]

    @method_decorator(reauthentication.before("Save this user"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    @method_decorator(reauthentication.before("Delete this user"))
    def delete_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().delete_view(*args, **kwargs)

    @method_decorator(reauthentication.before("Set the password of this user"))
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  (Django's name)
        form_url: str = "",
    ) -> HttpResponse:
        """Set somebody's password, or propose it where a second person has to approve."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        with audited():
            user = self.get_object(request, unquote(id))
            if user is None:
                raise Http404
            # one's own password: that page asks for the present one
            if user.pk == request.user.pk:
                return redirect("admin:password_change")
            # one spelling from here on: Django reads several texts as the same number
            key = str(user.pk)
            if request.method != "POST" or settings.ONE_PERSON:
                return super().user_change_password(request, key, form_url)
            form = self.change_password_form(user, request.POST)
            may_change = self.has_change_permission(request, user)
            # Django's view shows the errors, and switches a password off at once
            if not may_change or not form.is_valid() or form.takes_away:
                return super().user_change_password(request, key, form_url)
            wanted = USERS.wanted({PASSWORD: ""}, {PASSWORD: HIDDEN})
            # hashed already here: nobody can read the password from the proposal
            wanted.secrets[PASSWORD] = make_password(form.cleaned_data["password1"])
            self.propose(request, user, wanted, form.cleaned_data["why"].strip())
            self.message_user(request, "", messages.WARNING)
            return redirect("admin:auth_user_change", user.pk)

    def log_change(self, request: HttpRequest, object: User, message: Any) -> Any:  # noqa: A002
        # the same event as for people who change their own password
        if isinstance(message, dict) and any("password" in name for name in message):
            reason = ALONE if settings.ONE_PERSON else ""
            return record("user.password_changed", object, changes=message, reason=reason)
        return super().log_change(request, object, message)

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin, GroupAdmin):
    """Read-only, since every migration sets the four roles to the same rights."""
