"""Policies for clients and confirmation rules: which changes need a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from mailops.proposals import loosening
from mailops.proposals.loosening import Value
from mailops.proposals.policies import Policy, plain, register
from orders.models import Client, ConfirmationRule
from orders.models.confirmation_rule import COUNTS
from vendors.account_policies import CURRENCY, LIMITS, LimitedPolicy
from vendors.models import Vendor


class ClientPolicy(LimitedPolicy):
    """A new client has no limits, so whatever is typed for it first is tighter."""

    model = Client
    sees = "orders.view_client"
    rules = {**LIMITS, **CURRENCY}


CLIENTS = register(ClientPolicy())


def _fewer(before: Value, after: Value) -> str:
    is_fewer = loosening.amount(after) < loosening.amount(before)
    return "Fewer persons would have to agree." if is_fewer else ""


LINKED: dict[str, Any] = {"vendor": Vendor, "client": Client}


class RulePolicy(Policy):
    """A rule that needs more persons is stricter. Any change of its orders waits for approval."""

    model = ConfirmationRule
    sees = "orders.view_confirmationrule"
    rules = {
        "confirmers": _fewer,
        **dict.fromkeys(
            ("vendor", "client", "from_amount", "currency", "first_contact"),
            loosening.never("Other orders would be asked about."),
        ),
    }

    def group(self, name: str) -> str:
        return "rule"

    def read(self, item: ConfirmationRule) -> dict[str, Value]:
        return {name: plain(getattr(item, name)) for name in self.rules}

    def start(self, item: ConfirmationRule, typed: Mapping[str, Value]) -> dict[str, Value]:
        # A new rule needs one person at least, until somebody approves that it needs nobody.
        return {**typed, "confirmers": max(1, int(loosening.amount(typed.get("confirmers"))))}

    def python(self, name: str, value: Value) -> Any:
        if name in LINKED:
            return LINKED[name]._default_manager.filter(pk=value).first()
        return super().python(name, value)

    def check(self, item: ConfirmationRule, values: Mapping[str, Value]) -> None:
        # A rule without account and client is about every order. Deleting them must not widen it.
        for name in LINKED:
            if values.get(name) is not None and getattr(item, name) is None:
                raise ValidationError(f"The {name} that was proposed is gone.")

    def words(self, name: str, values: Mapping[str, Value]) -> str:
        # An account or client that is left empty stands for any.
        if name == "confirmers":
            return dict(COUNTS)[int(loosening.amount(values.get(name)))]
        if name in LINKED and values.get(name) is not None:
            return str(self.python(name, values[name]) or "one that is gone")
        return super().words(name, values) if values.get(name) not in (None, "") else "any"


RULES = register(RulePolicy())
