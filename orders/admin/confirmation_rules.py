"""The pages of the rules that say how many persons have to confirm which orders."""

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


def without_related_links(field: Any) -> Any:
    """The form field without links to add, change or view related objects."""
    if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
        for link in ("can_add_related", "can_change_related", "can_view_related"):
            setattr(field.widget, link, False)
    return field


class ConfirmationRuleForm(ApprovalForm):
    """One rule. A change that asks for fewer confirmations waits for a second person."""

    policy = RULES

    class Meta:
        model = ConfirmationRule
        conditions = ("vendor", "client", "from_amount", "currency", "first_contact")
        fields = ("confirmers", *conditions, "note")
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
        # Deleting a rule that asks for confirmations would skip the second person. A change of the
        # rule to no confirmers needs their approval.
        asks = obj is not None and obj.confirmers > 0 and not settings.ONE_PERSON
        return not asks and super().has_delete_permission(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_related_links(super().formfield_for_dbfield(db_field, request, **kwargs))

    @admin.display(description="Who has to confirm", ordering="confirmers")
    def who(self, rule: ConfirmationRule) -> str:
        return rule.get_confirmers_display()

    @admin.display(description="Which orders")
    def orders(self, rule: ConfirmationRule) -> str:
        text = rule.speaks_of
        return text[0].upper() + text[1:]
