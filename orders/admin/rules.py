"""The rules that say how many persons have to confirm which orders."""

from __future__ import annotations

from django import forms
from django.contrib import admin

from mailops.history.admin import RecordedAdmin
from orders.models import ConfirmationRule


class ConfirmationRuleForm(forms.ModelForm):
    """One rule, as the page and whoever proposes a change of it read it."""

    class Meta:
        model = ConfirmationRule
        fields = ("confirmers", "vendor", "client", "from_amount", "currency", "first_contact", "note")
        widgets = {"currency": forms.TextInput(attrs={"size": 6})}


@admin.register(ConfirmationRule)
class ConfirmationRuleAdmin(RecordedAdmin):
    form = ConfirmationRuleForm
    list_display = ("who", "orders", "note")
    list_select_related = ("vendor", "client")
    fieldsets = (
        (None, {"fields": ("confirmers",)}),
        (
            "For which orders",
            {
                "fields": ("vendor", "client", ("from_amount", "currency"), "first_contact"),
                "description": "What is left empty stands for any. Without a rule one person has to confirm, and where "
                "the account's two-person rule is off, nobody else.",
            },
        ),
        (None, {"fields": ("note",)}),
    )

    @admin.display(description="Who has to confirm", ordering="confirmers")
    def who(self, rule: ConfirmationRule) -> str:
        return rule.get_confirmers_display()

    @admin.display(description="Which orders")
    def orders(self, rule: ConfirmationRule) -> str:
        text = rule.speaks_of
        return text[0].upper() + text[1:]
