"""Changes by raw SQL, and the events that report them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser

from mailops.history import audited_tables, untracked_changes
from mailops.history.models import Event

# The cache's table has no model: tests/attacks/test_cache.py writes to it.
RULES = {rule.table: rule for rule in audited_tables.everywhere() if rule.table != "mailops_cache"}


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def somebody() -> str:
    user = connection.settings_dict["USER"]
    return (
        f"database user {user}" if connection.vendor == "postgresql" else "somebody outside MailOps"
    )


def now_told() -> list[Event]:
    """Fold what is there; the new events."""
    before = Event.objects.count()
    untracked_changes.tell()
    return list(Event.objects.order_by("number")[before:])


def rename(name: str) -> None:
    User.objects.filter(username="drafter").update(first_name=name)


def browser(person: User) -> Browser:
    made = Browser()
    made.force_login(person)
    return made
