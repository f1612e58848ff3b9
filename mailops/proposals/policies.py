"""What of a model needs a second person.

Each app says it for its own models with a Policy, registered when it loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils.text import capfirst

from mailops.proposals import loosening
from mailops.proposals.loosening import Rule, Value

HIDDEN = "changed, not shown"
BACKEND = "django.contrib.auth.backends.ModelBackend"
POLICIES: dict[str, Policy] = {}


@dataclass
class Wanted:
    """Changes that wait for a second person: the values, why each needs one, and the secrets among
    them in clear.
    """

    values: dict[str, Value] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


class Policy:
    """The rules for one model. Names are those of its form's fields; values are as JSON keeps them."""

    model: ClassVar[type[models.Model]]
    rules: ClassVar[Mapping[str, Rule]] = {}
    sees: ClassVar[str]  # the permission to read proposals about it
    who: ClassVar[str] = "an operator or a confirmer"  # may approve, in words

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def rule(self, name: str) -> Rule | None:
        return self.rules.get(name)

    def is_secret(self, name: str) -> bool:
        return False

    def group(self, name: str) -> str:
        """Values of one group are decided together: when one changes, proposals about the others no
        longer hold.
        """
        return name

    def read(self, item: Any) -> dict[str, Value]:
        """What stands now, by name; of a secret only something that changes when it does."""
        return {name: plain(getattr(item, name)) for name in self.rules}

    def start(self, item: Any, typed: Mapping[str, Value]) -> dict[str, Value]:
        """What a new row holds until somebody approves what was typed.

        Unless told otherwise, the model's defaults.
        """
        return self.read(item)

    def loosens(self, name: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> str:
        """Why this change needs a second person; empty where it needs none."""
        rule = self.rule(name)
        if rule is None or before.get(name) == after[name]:
            return ""
        return rule(before.get(name), after[name])

    def at_once(self, name: str, before: Value, after: Value) -> Value:
        """What of a change that waits may hold at once: nothing, but for roles that are taken away."""
        if isinstance(before, list) and isinstance(after, list):
            return list(loosening.in_both(before, after))
        return before

    def python(self, name: str, value: Value) -> Any:
        """The value for the model's own field."""
        return self.model._meta.get_field(name).to_python(value)  # type: ignore[union-attr]

    def named(self, item: Any, name: str) -> str:
        return str(capfirst(self.model._meta.get_field(name).verbose_name))  # type: ignore[union-attr]

    def words(self, name: str, values: Mapping[str, Value]) -> str:
        """A value for people."""
        value = values.get(name)
        if self.is_secret(name):
            return "stored" if value else "none"
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, list):
            return ", ".join(value) or "none"
        return "none" if value in (None, "") else str(value)

    def seal(self, secrets: Mapping[str, str]) -> str:
        """The secrets of a proposal, sealed; only a policy with secrets has a way."""
        assert not secrets
        return ""

    def approvers(self) -> models.QuerySet[User]:
        found: models.QuerySet[User] = User.objects.with_perm(
            "proposals.approve_proposal", backend=BACKEND
        )
        return found.filter(is_staff=True)

    def may_approve(self, user: User | AnonymousUser) -> bool:
        return user.has_perm("proposals.approve_proposal")

    def locked(self, pk: str) -> Any:
        """The row, locked until the transaction ends; None where it is gone."""
        return self.model._default_manager.select_for_update(no_key=True).filter(pk=pk).first()

    def write(self, item: Any, values: Mapping[str, Value], sealed: str) -> Iterable[str]:
        """Put the values on the row; the columns to save."""
        for name, value in values.items():
            setattr(item, name, self.python(name, value))
        return values

    def check(self, item: Any, values: Mapping[str, Value]) -> None:
        """Raises ValidationError where what is written now breaks a rule that no field knows."""

    def afterwards(self, item: Any, values: Mapping[str, Value]) -> None:
        """What follows in the same transaction, once the row is saved."""

    def wanted(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> Wanted:
        """The changes that need a second person."""
        reasons = {name: why for name in after if (why := self.loosens(name, before, after))}
        return Wanted(values={name: after[name] for name in reasons}, reasons=reasons)


def register(policy: Policy) -> Policy:
    POLICIES[policy.label] = policy
    return policy


def plain(value: Any) -> Value:
    """A form's or a row's value as JSON keeps it."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, models.Model):
        return int(value.pk)  # names change, and are not always what `str` says
    if isinstance(value, models.QuerySet):
        return sorted(str(item) for item in value)
    return value if value is None or isinstance(value, bool | int) else str(value)
