"""Policies: which fields of a model need a second person. Each app registers its own."""

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

# shown and stored in place of a secret
HIDDEN = "changed, not shown"
BACKEND = "django.contrib.auth.backends.ModelBackend"
# by the label of the model
POLICIES: dict[str, Policy] = {}


@dataclass
class Wanted:
    """Changes that wait for a second person, by the field's name.

    `reasons` says why each needs one; `secrets` holds the secret values in clear.
    """

    values: dict[str, Value] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


class Policy:
    """The rules for one model, by the names of its form's fields. Values are as JSON keeps them."""

    model: ClassVar[type[models.Model]]
    rules: ClassVar[Mapping[str, Rule]] = {}
    # the permission to read proposals about the model
    sees: ClassVar[str]
    # the approvers, in words
    who: ClassVar[str] = "an operator or a confirmer"

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def rule(self, name: str) -> Rule | None:
        return self.rules.get(name)

    def is_secret(self, name: str) -> bool:
        return False

    def group(self, name: str) -> str:
        """The group of a field.

        Fields of one group are approved together: changing one makes open proposals about the
        others stale.
        """
        return name

    def read(self, item: Any) -> dict[str, Value]:
        """The present values; for a secret, a mark that changes with the secret."""
        return {name: plain(getattr(item, name)) for name in self.rules}

    def start(self, item: Any, typed: Mapping[str, Value]) -> dict[str, Value]:
        """The values of a new row until somebody approves the typed ones."""
        # an unsaved row holds the model's defaults
        return self.read(item)

    def loosens(self, name: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> str:
        """Why this change needs a second person; empty if none is needed."""
        rule = self.rule(name)
        if rule is None or before.get(name) == after[name]:
            return ""
        return rule(before.get(name), after[name])

    def at_once(self, name: str, before: Value, after: Value) -> Value:
        """The value to save now for a change that waits."""
        # of a list, what is taken away holds at once; every other value stays as it was
        if isinstance(before, list) and isinstance(after, list):
            return list(loosening.in_both(before, after))
        return before

    def python(self, name: str, value: Value) -> Any:
        return self.model._meta.get_field(name).to_python(value)  # type: ignore[union-attr]

    def named(self, item: Any, name: str) -> str:
        return str(capfirst(self.model._meta.get_field(name).verbose_name))  # type: ignore[union-attr]

    def words(self, name: str, values: Mapping[str, Value]) -> str:
        value = values.get(name)
        if self.is_secret(name):
            return "stored" if value else "none"
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, list):
            return ", ".join(value) or "none"
        return "none" if value in (None, "") else str(value)

    def seal(self, secrets: Mapping[str, str]) -> str:
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
        """The row, locked until the transaction ends; None if it was deleted."""
        # no_key: new rows that refer to this one need not wait
        return self.model._default_manager.select_for_update(no_key=True).filter(pk=pk).first()

    def write(self, item: Any, values: Mapping[str, Value], sealed: str) -> Iterable[str]:
        """Set the values on the row, without saving. Returns the columns to save."""
        for name, value in values.items():
            setattr(item, name, self.python(name, value))
        return values

    def check(self, item: Any, values: Mapping[str, Value]) -> None:
        """Raises ValidationError if the written values break a rule across fields."""

    def afterwards(self, item: Any, values: Mapping[str, Value]) -> None:
        """A hook in the same transaction, after the row was saved."""

    def wanted(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> Wanted:
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
        # not `str`: names change, and two rows may have the same one
        return int(value.pk)
    if isinstance(value, models.QuerySet):
        return sorted(str(item) for item in value)
    return value if value is None or isinstance(value, bool | int) else str(value)
