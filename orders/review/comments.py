"""Comments on an order: events of its history, with the people who are named in them by @name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from mailops.history import record
from mailops.history.models import Event
from orders.models import Mention, NotAllowed, Order

ACTION = "order.commented"
LONGEST = 2000
MOST_NAMED = 20
SHOWN = 30  # the newest of an order; all of them are in its history
AT = re.compile(r"(?<![\w.@+-])@([\w.@+-]+)")
BACKEND = "django.contrib.auth.backends.ModelBackend"


class NobodyCalled(NotAllowed):
    """A comment names people who can't be told."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """What somebody wrote, read from the history."""

    at: datetime
    who: str
    text: str
    mentions: list[str]


def readers() -> Any:
    """Everybody who can open an order, and so can be named."""
    return User.objects.with_perm("orders.view_order", backend=BACKEND).order_by("username")


def named(text: str) -> list[User]:
    """The people whose @name is in the text. Raises `NobodyCalled` where a name is nobody's who
    could read it.

    A full stop at the end of a sentence belongs to no name; capitals make no difference.
    """
    words = list(dict.fromkeys(AT.findall(text)))
    if not words:
        return []
    people = {user.get_username().lower(): user for user in readers()}
    found, unknown = {}, []
    for word in words:
        tries = (word, word.rstrip(".+-@_"))
        if user := next((people[name.lower()] for name in tries if name.lower() in people), None):
            found[user.pk] = user
        else:
            unknown.append(f"@{word.rstrip('.')}")
    if unknown:
        who = " or ".join(unknown)
        raise NobodyCalled(
            f"Nobody who can open this order is called {who}. Correct the name, or leave out the @."
        )
    if len(found) > MOST_NAMED:
        raise NobodyCalled(f"Name at most {MOST_NAMED} people in one comment.")
    return list(found.values())


def write(order_id: int, *, by: User, text: str) -> Order:
    """Add a comment to the order's history and tell whom it names. It makes nobody an editor, and
    it stays.

    Raises `NobodyCalled`.
    """
    people = named(text)
    with transaction.atomic():
        order = Order.objects.select_related("vendor", "client").get(pk=order_id)
        told = [user for user in people if user.pk != by.pk]
        Mention.objects.bulk_create(
            Mention(order=order, user=user, by_name=by.get_username()) for user in told
        )
        names = [user.get_username() for user in people]
        record(ACTION, order, by=by, changes={"comment": [None, text], "mentions": [None, names]})
        return order


def of(order: Order) -> list[Comment]:
    """The newest comments, the oldest of them first."""
    events = Event.objects.filter(
        subject_type="orders.order", subject_id=str(order.pk), action=ACTION
    )
    return [
        Comment(
            at=event.at,
            who=event.who or "MailOps",
            text=event.changes["comment"][1],
            mentions=event.changes.get("mentions", [None, []])[1],
        )
        for event in reversed(list(events.order_by("-number")[:SHOWN]))
    ]


def read(order: Order, *, by: User) -> None:
    """This person has the order before them, and so all that was said to them there."""
    unseen = Mention.objects.filter(order=order, user=by, seen_at=None)
    if unseen.exists():  # nothing is written for a page that only shows
        unseen.update(seen_at=timezone.now())
