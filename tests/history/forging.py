"""What somebody with the whole database in their hands could do: raw SQL, with the protection taken
away.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, transaction

from mailops.core import sql_triggers
from mailops.history import record
from mailops.history.models import ALL_TRIGGERS, Event

TABLE = Event._meta.db_table


def write(count: int, **details: Any) -> list[Event]:
    subject, _ = Group.objects.get_or_create(name="Drafter")
    with transaction.atomic():
        return [
            record(f"test.step{n}", subject, reason=f"because {n}", **details) for n in range(count)
        ]


def unprotect() -> None:
    """Take the protection away; a test that is rolled back leaves it as it was."""
    sql_triggers.remove(connection, ALL_TRIGGERS)


def sql(statement: str, values: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def delete(number: int) -> None:
    sql(f"DELETE FROM {TABLE} WHERE number = %s", [number])


def cut(number: int) -> None:
    """Take this record and all after it away."""
    sql(f"DELETE FROM {TABLE} WHERE number >= %s", [number])


def renumber(old: int, new: int) -> None:
    sql(f"UPDATE {TABLE} SET number = %s WHERE number = %s", [new, old])


def swap(one: int, other: int) -> None:
    for old, new in ((one, -1), (other, one), (-1, other)):
        renumber(old, new)


def close_gap(number: int) -> None:
    """Take a record out and move all later ones up."""
    delete(number)
    for later in (
        Event.objects.filter(number__gt=number).order_by("number").values_list("number", flat=True)
    ):
        renumber(later, later - 1)


def insert(number: int) -> None:
    """Put a record in that fits the one before it, and move all later ones down."""
    for later in (
        Event.objects.filter(number__gte=number)
        .order_by("-number")
        .values_list("number", flat=True)
    ):
        renumber(later, later + 1)
    forged = Event.objects.get(number=number - 1)
    forged.number, forged.previous_hash, forged.reason = number, forged.hash, "forged"
    forged.hash = forged.digest()
    forged.save(force_insert=True)


def rewrite(number: int, **fields: Any) -> None:
    """Change a record and write every hash from there on again, so that the chain fits in itself."""
    previous = Event.objects.filter(number=number - 1).values_list("hash", flat=True).first() or ""
    for event in Event.objects.filter(number__gte=number).order_by("number"):
        changed = fields if event.number == number else {}
        for name, value in changed.items():
            setattr(event, name, value)
        event.previous_hash = previous
        previous = event.digest()
        Event.objects.filter(number=event.number).update(
            **changed, previous_hash=event.previous_hash, hash=previous
        )
