"""Helpers of the tests of proposals."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client as Browser

from mailops.proposals import workflow
from mailops.proposals.models import Proposal, State
from mailops.proposals.policies import POLICIES
from vendors.models import Vendor

WHY = "A large order comes."


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def account_form(vendor: Vendor, **changed: Any) -> dict[str, Any]:
    """The account's form with the typed values; None leaves a field out."""
    typed = {
        "name": vendor.name, "mode": vendor.mode, "two_person_rule": "on" if vendor.two_person_rule else None,
        "hold_minutes": vendor.hold_minutes, "usual_days": vendor.usual_days,
        "overdue_days": vendor.overdue_days, "order_limit": vendor.order_limit, "limit_currency": vendor.limit_currency,
        "why": WHY,
    }  # fmt: skip
    typed |= {f"setting_{name}": value for name, value in vendor.settings.items()}
    return {name: value for name, value in (typed | changed).items() if value is not None}


def person_form(user: User, **changed: Any) -> dict[str, Any]:
    typed = {
        "username": user.username, "is_staff": "on" if user.is_staff else None, "why": WHY,
        "is_active": "on" if user.is_active else None, "is_superuser": "on" if user.is_superuser else None,
        "groups": [group.pk for group in user.groups.all()],
        "date_joined_0": "2026-01-01", "date_joined_1": "10:00:00",
    }  # fmt: skip
    return {name: value for name, value in (typed | changed).items() if value is not None}


def role(*names: str) -> list[int]:
    return [Group.objects.get(name=name).pk for name in names]


def proposed(
    item: Any, *, by: User, secrets: dict[str, str] | None = None, **values: Any
) -> Proposal:
    """A proposal made the way the pages make it."""
    policy = POLICIES[item._meta.label_lower]
    before = policy.read(item)
    with transaction.atomic():
        wanted = policy.wanted(before, values)
        wanted.secrets = secrets or {}
        return workflow.propose(item, wanted, by=by, why=WHY)


def waiting() -> Proposal:
    return Proposal.objects.get(state=State.PROPOSED)
