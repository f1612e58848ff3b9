"""Users and roles: the stock pages, written to the history like everything else."""

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

admin.site.unregister([User, Group])


class AuditorAlone(forms.ModelForm):
    """An auditor looks at what the others do, and so holds no other role."""

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        groups = {group.name for group in said.get("groups", [])}
        if roles.AUDITOR in groups and (groups - {roles.AUDITOR} or said.get("is_superuser")):
            raise ValidationError(
                {"groups": "An auditor may hold no other role and be no superuser."}
            )
        return said


class PersonForm(ApprovalForm, AuditorAlone, UserChangeForm):
    """A user as an administrator changes them."""

    policy = USERS


class NewPersonForm(ApprovalForm, AuditorAlone, AdminUserCreationForm):
    """A user as an administrator adds them."""

    policy = USERS


class PasswordForm(AdminPasswordChangeForm):
    """A new password for somebody, with the reason, where somebody else has to approve it."""

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
        """Whether nobody can sign in with a password afterwards."""
        return not self.cleaned_data.get("set_usable_password", True)

    @property
    def changed_data(self) -> list[str]:
        """Django's own tells nothing of a password that is switched off."""
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
            field.label, field.help_text = (
                "Roles",
                "What this person may do. An auditor has no other role.",
            )
        return field

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only look gets no button for another password."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return [(None, {"fields": ("username",)}), *found[1:]]

    @method_decorator(reauthentication.before("Save this user"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Rights are handed out by whoever signed in a short time ago."""
        return super().changeform_view(*args, **kwargs)

    @method_decorator(reauthentication.before("Delete this user"))
    def delete_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().delete_view(*args, **kwargs)

    @method_decorator(reauthentication.before("Set the password of this user"))
    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """The password and its record in one transaction; somebody else's new one waits for a
        second person.
        """
        if not self.has_change_permission(request):
            raise PermissionDenied
        with audited():
            user = self.get_object(request, unquote(id))
            if user is None:
                raise Http404
            if user.pk == request.user.pk:
                return redirect("admin:password_change")  # which asks for the present one
            id = str(user.pk)  # one spelling from here on: Django reads several as the same number
            if request.method != "POST" or settings.ONE_PERSON:
                return super().user_change_password(request, id, form_url)
            form = self.change_password_form(user, request.POST)
            if (
                not self.has_change_permission(request, user)
                or not form.is_valid()
                or form.takes_away
            ):
                return super().user_change_password(request, id, form_url)
            wanted = USERS.wanted({PASSWORD: ""}, {PASSWORD: HIDDEN})
            wanted.secrets[PASSWORD] = make_password(form.cleaned_data["password1"])
            self.propose(request, user, wanted, form.cleaned_data["why"].strip())
            self.message_user(request, "", messages.WARNING)
            return redirect("admin:auth_user_change", user.pk)

    def log_change(self, request: HttpRequest, object: User, message: Any) -> Any:
        """Another password is an event of its own, as it is where people change it themselves."""
        if isinstance(message, dict) and any("password" in name for name in message):
            return record(
                "user.password_changed",
                object,
                changes=message,
                reason=ALONE if settings.ONE_PERSON else "",
            )
        return super().log_change(request, object, message)

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin, GroupAdmin):
    """What a role may do is the same everywhere: the four roles are made anew after every
    migration.
    """
