"""Role periods: from today's roles backwards over the records of every change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from mailops.history.models import Event

SUPERUSER = "Superuser"
NAMES = ("groups", "roles")  # what records call a user's roles
MOST_CHANGES = 10_000  # records that are read


@dataclass(frozen=True, kw_only=True)
class RolePeriod:
    """The time for which one person had one role."""

    person: str
    role: str
    since: datetime | None  # None where it began before the period
    until: datetime | None  # None where it goes on after the period
    record: int | None = None  # the change with which it began

    @property
    def says(self) -> str:
        if not self.since and not self.until:
            return f"{self.role}, all the time."
        begins = f"from {_day(self.since)}" if self.since else "already before"
        ends = f"until {_day(self.until)}" if self.until else "to the end of the period"
        return f"{self.role}, {begins} {ends}."


@dataclass(frozen=True)
class Change:
    """At one moment: the roles that somebody got and lost."""

    at: datetime
    got: frozenset[str]
    lost: frozenset[str]
    record: int


def spans(since: datetime, until: datetime) -> Iterator[RolePeriod]:
    """All role periods that touch the time from `since` to `until`, by person."""
    users = User.objects.prefetch_related("groups").order_by("username")
    today = {str(user.pk): (user.get_username(), _roles_now(user)) for user in users}
    changes: dict[str, list[Change]] = {}
    for event in _changes_since(since)[:MOST_CHANGES]:
        changes.setdefault(event.subject_id, []).append(_change(event))
        # A user who was deleted since has records and no row.
        today.setdefault(event.subject_id, (f"{event.subject} (deleted)", frozenset()))
    for pk, change in _from_outside(since):
        changes.setdefault(pk, []).append(change)
    for of_user in changes.values():
        of_user.sort(key=lambda change: change.record)
    for pk, (person, roles) in today.items():
        yield from _of_person(person, roles, changes.get(pk, []), until)


def is_cut(since: datetime) -> bool:
    """There are more changes than are read, so periods may be wrong."""
    return any(
        found[MOST_CHANGES : MOST_CHANGES + 1].exists()
        for found in (_changes_since(since), _memberships_since(since))
    )


def _changes_since(since: datetime) -> QuerySet[Event]:
    found = Event.objects.filter(subject_type="auth.user", at__gte=since)
    found = found.filter(changes__has_any_keys=[*NAMES, "is_superuser"]) | found.filter(
        action="user.deleted"
    )
    return found.order_by("number")


def _memberships_since(since: datetime) -> QuerySet[Event]:
    return Event.objects.filter(subject_type="auth.user_groups", at__gte=since).order_by("number")


def _from_outside(since: datetime) -> Iterator[tuple[str, Change]]:
    # Raw SQL and Django's own commands change rows of the membership table, recorded as such.
    for event in _memberships_since(since)[:MOST_CHANGES]:
        for at in (0, 1):
            user, group = (
                str((event.changes.get(name) or [None, None])[at] or "")
                for name in ("user_id", "group_id")
            )
            # Both read as "7 (anna)": the key, then the name.
            if user and group:
                role = frozenset({group.partition(" (")[2].removesuffix(")") or group})
                got, lost = (role, frozenset()) if at else (frozenset(), role)
                yield user.partition(" ")[0], Change(event.at, got, lost, event.number)


def _roles_now(user: User) -> frozenset[str]:
    return frozenset(
        {group.name for group in user.groups.all()} | ({SUPERUSER} if user.is_superuser else set())
    )


def _change(event: Event) -> Change:
    before, after = _roles(event.changes, 0), _roles(event.changes, 1)
    return Change(event.at, frozenset(after - before), frozenset(before - after), event.number)


def _roles(changes: Mapping[str, Any], at: int) -> set[str]:
    """The roles that a record names as those before (0) or after (1) it."""
    named: set[str] = set()
    for name in NAMES:
        pair = changes.get(name)
        value = pair[at] if isinstance(pair, list) and len(pair) == 2 else None
        # Records name the roles as a list or as one text.
        words = value.split(", ") if isinstance(value, str) else value
        if isinstance(words, list):
            named |= {str(word) for word in words if word and word != "none"}
    pair = changes.get("is_superuser")
    if isinstance(pair, list) and len(pair) == 2 and pair[at] in (True, 1):
        named.add(SUPERUSER)
    return named


def _of_person(
    person: str, now: frozenset[str], changes: list[Change], until: datetime
) -> Iterator[RolePeriod]:
    # Undo every change, newest first, to get the roles at the start. Then go forward.
    roles = set(now)
    for change in reversed(changes):
        roles = (roles - change.got) | change.lost
    open_spans: dict[str, Change | None] = dict.fromkeys(sorted(roles))
    for change in changes:
        if change.at >= until:
            break
        for role in sorted(change.lost & open_spans.keys()):
            yield _role_period(person, role, open_spans.pop(role), change.at)
        open_spans.update(dict.fromkeys(sorted(change.got), change))
    for role, began in open_spans.items():
        yield _role_period(person, role, began, None)


def _role_period(
    person: str, role: str, began: Change | None, ended: datetime | None
) -> RolePeriod:
    return RolePeriod(
        person=person,
        role=role,
        since=began.at if began else None,
        until=ended,
        record=began.record if began else None,
    )


def _day(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "j M Y, H:i") if at else ""
