"""The policies of accounts, and of clients' limits: changes that need a second person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError

from mailops.core.money import show
from mailops.core.sealed import Sealed
from mailops.proposals import loosening, policies
from mailops.proposals.loosening import Rule, Value
from mailops.proposals.policies import Policy, register
from vendors.models import LIVE, PRACTICE, Vendor, account_settings

LIMITS: dict[str, Rule] = {
    "order_limit": loosening.limit,
    "day_limit": loosening.limit,
    "month_limit": loosening.limit,
}
CURRENCY = {"limit_currency": loosening.never("Amounts in another currency are other limits.")}
OWN = loosening.never("It decides who is asked, and who pays.")
SETTING, SECRET = "setting_", "secret_"


class LimitedPolicy(Policy):
    """The policy of limits for money."""

    amounts: ClassVar[tuple[str, ...]] = tuple(LIMITS)

    def group(self, name: str) -> str:
        return "limits" if name in self.amounts or name in CURRENCY else super().group(name)

    def loosens(self, name: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> str:
        has_limits = any(before.get(amount) is not None for amount in self.amounts)
        if name in CURRENCY and not has_limits:
            return ""
        # Amounts in two currencies can't be compared, so neither limit counts as the tighter one.
        is_other = (
            has_limits
            and after.get("limit_currency", before["limit_currency"]) != before["limit_currency"]
        )
        if is_other and name in self.amounts and before.get(name) != after[name]:
            return CURRENCY["limit_currency"](0, 1)
        return super().loosens(name, before, after)

    def words(self, name: str, values: Mapping[str, Value]) -> str:
        value = values.get(name)
        if name not in self.amounts:
            return super().words(name, values)
        return (
            "none"
            if value is None
            else show(loosening.amount(value), str(values["limit_currency"]))
        )

    def afterwards(self, item: Any, values: Mapping[str, Value]) -> None:
        if values.keys() & {*self.amounts, *CURRENCY}:
            item.mark_limits_changed()


class VendorPolicy(LimitedPolicy):
    """The policy of accounts. Keys and the vendor's own settings always need a second person."""

    model = Vendor
    sees = "vendors.view_vendor"
    amounts = (*LIMITS, "drift_per_order", "drift_cumulative", "balance_floor")
    rules = {
        **LIMITS,
        **CURRENCY,
        "drift_per_order": loosening.tolerance,
        "drift_cumulative": loosening.tolerance,
        "balance_floor": loosening.floor,
        "mode": loosening.stays_practice,
        "two_person_rule": loosening.stays_on,
        "hold_minutes": loosening.pause,
    }

    def rule(self, name: str) -> Rule | None:
        return OWN if name.startswith((SETTING, SECRET)) else super().rule(name)

    def is_secret(self, name: str) -> bool:
        return name.startswith(SECRET)

    def group(self, name: str) -> str:
        return (
            "access"
            if name == "mode" or name.startswith((SETTING, SECRET))
            else super().group(name)
        )

    def read(self, item: Vendor) -> dict[str, Value]:
        # A stamp says which version of a secret is stored. Secrets themselves stay sealed.
        stamps = item.secrets.stamps
        own = {
            f"{SETTING}{name}": policies.plain(value)
            for name, value in account_settings(item).items()
        }
        keys: dict[str, Value] = {
            f"{SECRET}{name}": stamps.get(name) for name in item.adapter.secrets
        }
        return super().read(item) | own | keys

    def start(self, item: Vendor, typed: Mapping[str, Value]) -> dict[str, Value]:
        # Until a second person approves, a new account has no key and may spend nothing.
        own = {name: value for name, value in typed.items() if name.startswith(SETTING)}
        nothing = dict.fromkeys(LIMITS, "0.00")
        rules: dict[str, Value] = {"two_person_rule": True, "mode": PRACTICE, "hold_minutes": 0}
        none = {name: None for name in self.amounts if name not in LIMITS}
        return {**nothing, **none, **rules, "limit_currency": typed.get("limit_currency"), **own}

    def python(self, name: str, value: Value) -> Any:
        return value if name.startswith(SETTING) else super().python(name, value)

    def named(self, item: Vendor, name: str) -> str:
        if name.startswith(SECRET):
            return item.adapter.secrets[name.removeprefix(SECRET)]
        if name.startswith(SETTING):
            return str(item.adapter.AccountForm.base_fields[name.removeprefix(SETTING)].label)
        return super().named(item, name)

    def words(self, name: str, values: Mapping[str, Value]) -> str:
        return (
            f"{values.get(name)} minutes" if name == "hold_minutes" else super().words(name, values)
        )

    def seal(self, secrets: Mapping[str, str]) -> str:
        return str(
            Sealed("").put({name.removeprefix(SECRET): value for name, value in secrets.items()})
        )

    def locked(self, pk: str) -> Any:
        return Vendor.objects.select_for_update(no_key=True).filter(pk=pk).first()

    def write(self, item: Vendor, values: Mapping[str, Value], sealed: str) -> Iterable[str]:
        own = {
            name.removeprefix(SETTING): value
            for name, value in values.items()
            if name.startswith(SETTING)
        }
        # Form fields of one vendor are no columns: they are stored as JSON and as sealed text.
        plain = {
            name: value for name, value in values.items() if not name.startswith((SETTING, SECRET))
        }
        item.settings = {**item.settings, **own}
        item.sealed = str(item.secrets.put(Sealed(sealed).open()))
        return [*super().write(item, plain, ""), "settings", "sealed"]

    def check(self, item: Vendor, values: Mapping[str, Value]) -> None:
        if item.mode == LIVE and not settings.LIVE:
            raise ValidationError("This is a practice installation. It can't hold live accounts.")


VENDORS = register(VendorPolicy())
