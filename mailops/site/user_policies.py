"""The policy of users: giving rights and setting somebody's password need a second person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac

from mailops.auth import roles
from mailops.core.sealed import Sealed
from mailops.proposals import loosening, policies
from mailops.proposals.loosening import Value
from mailops.proposals.policies import Policy, register

PASSWORD = "password"  # noqa: S105  (the field's name)
NAMES = {
    "groups": "Roles",
    "is_active": "May sign in",
    "is_staff": "Opens these pages",
    "is_superuser": "May do all",
}


class UserPolicy(Policy):
    """Giving rights waits for another superuser; taking them away does not wait."""

    model = User
    sees = "auth.view_user"
    who = "another superuser"
    rules = {
        "groups": loosening.no_more,
        "is_active": loosening.stays_off,
        "is_staff": loosening.stays_off,
        "is_superuser": loosening.stays_off,
        PASSWORD: loosening.never("Whoever sets somebody's password could sign in as that person."),
    }

    def is_secret(self, name: str) -> bool:
        return name == PASSWORD

    def group(self, name: str) -> str:
        return name if name == PASSWORD else "rights"

    def read(self, item: User) -> dict[str, Value]:
        rights: dict[str, Value] = {
            name: getattr(item, name) for name in ("is_active", "is_staff", "is_superuser")
        }
        # a keyed hash: proposals are readable, and a password's own hash must not be
        mark = None
        if item.password:
            mark = salted_hmac("mailops.proposals", item.password).hexdigest()[:16]
        return rights | {"groups": policies.plain(item.groups.all()), PASSWORD: mark}

    def start(self, item: User, typed: Mapping[str, Value]) -> dict[str, Value]:
        # a new user opens no page before the role is approved
        return {"groups": [], "is_active": True, "is_staff": False, "is_superuser": False}

    def python(self, name: str, value: Value) -> Any:
        if name != "groups":
            return super().python(name, value)
        assert isinstance(value, list)
        return Group.objects.filter(name__in=value)

    def named(self, item: User, name: str) -> str:
        return NAMES.get(name) or super().named(item, name)

    def words(self, name: str, values: Mapping[str, Value]) -> str:
        value = values.get(name)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return super().words(name, values)

    def seal(self, secrets: Mapping[str, str]) -> str:
        return str(Sealed("").put(secrets))

    def approvers(self) -> models.QuerySet[User]:
        return User.objects.filter(is_superuser=True, is_active=True, is_staff=True)

    def may_approve(self, user: User | AnonymousUser) -> bool:
        return user.is_active and user.is_superuser

    def write(self, item: User, values: Mapping[str, Value], sealed: str) -> Iterable[str]:
        # groups are no column; `afterwards` sets them
        columns = {
            name: value for name, value in values.items() if name not in ("groups", PASSWORD)
        }
        for name, value in columns.items():
            setattr(item, name, value)
        if PASSWORD not in values:
            return columns
        # hashed before it was sealed, so that nobody can read the password from a proposal
        item.password = Sealed(sealed).open()[PASSWORD]
        return [*columns, PASSWORD]

    def check(self, item: User, values: Mapping[str, Value]) -> None:
        groups = values.get("groups", policies.plain(item.groups.all()))
        assert isinstance(groups, list)
        # a role may have been renamed since the proposal
        if gone := set(groups) - set(Group.objects.values_list("name", flat=True)):
            raise ValidationError(f"There is no role {', '.join(sorted(gone))} any more.")
        if roles.AUDITOR in groups and (len(groups) > 1 or item.is_superuser):
            raise ValidationError("An auditor may hold no other role and be no superuser.")

    def afterwards(self, item: User, values: Mapping[str, Value]) -> None:
        if "groups" in values:
            item.groups.set(self.python("groups", values["groups"]))


USERS = register(UserPolicy())
