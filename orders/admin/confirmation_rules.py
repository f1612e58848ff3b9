"""The rules that say how many persons have to confirm which orders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.http import HttpRequest

from mailops.proposals.approval_admin import ApprovalAdmin, ApprovalForm
from orders.audit.order_policies import RULES
from orders.models import ConfirmationRule


def without_side_doors(field: Any) -> Any:
    """A choice without the links to add or change what is chosen."""
    if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget.can_add_related = field.widget.can_change_related = (
            field.widget.can_view_related
        ) = False
    return field


class ConfirmationRuleForm(ApprovalForm):
    """One rule. What asks for less waits for a second person."""

    policy = RULES

    class Meta:
        model = ConfirmationRule
        fields = (
            "confirmers",
            "vendor",
            "client",
            "from_amount",
            "currency",
            "first_contact",
            "note",
        )
        widgets = {"currency": forms.TextInput(attrs={"size": 6})}


@admin.register(ConfirmationRule)
class ConfirmationRuleAdmin(ApprovalAdmin):
    form = ConfirmationRuleForm
    list_display = ("who", "orders", "note")
    list_select_related = ("vendor", "client")
    fieldsets = (
        (None, {"fields": ("confirmers",)}),
        (
            "For which orders",
            {
                "fields": ("vendor", "client", ("from_amount", "currency"), "first_contact"),
                "description": (
                    "What is left empty stands for any. Without a rule one person has to confirm,"
                    " and where the account's two-person rule is off, nobody else."
                ),
            },
        ),
        (None, {"fields": ("note",)}),
    )

    def has_delete_permission(
        self, request: HttpRequest, obj: ConfirmationRule | None = None
    ) -> bool:
        """A rule that asks for somebody goes by a change that a second person approves."""
        asks = obj is not None and obj.confirmers > 0 and not settings.ONE_PERSON
        return not asks and super().has_delete_permission(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_side_doors(super().formfield_for_dbfield(db_field, request, **kwargs))

    @admin.display(description="Who has to confirm", ordering="confirmers")
    def who(self, rule: ConfirmationRule) -> str:
        return rule.get_confirmers_display()

    @admin.display(description="Which orders")
    def orders(self, rule: ConfirmationRule) -> str:
        text = rule.speaks_of
        return text[0].upper() + text[1:]
