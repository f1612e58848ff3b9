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
LONGEST_COMMENT = 2000  # characters
MOST_NAMED = 20
SHOWN = 30  # the newest of an order; all of them are in its history
AT = re.compile(r"(?<![\w.@+-])@([\w.@+-]+)")
BACKEND = "django.contrib.auth.backends.ModelBackend"


class NobodyCalled(NotAllowed):
    """A comment names people who can't open the order."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A person's words on an order, read from the history."""

    at: datetime
    who: str
    text: str
    mentions: list[str]


def readers() -> Any:
    # Only people who can open an order can be named.
    return User.objects.with_perm("orders.view_order", backend=BACKEND).order_by("username")


def named(text: str) -> list[User]:
    """The people whose @name is in the text, whatever its capitals.

    Raises `NobodyCalled` where nobody of that name can open orders.
    """
    words = list(dict.fromkeys(AT.findall(text)))
    if not words:
        return []
    people = {user.get_username().lower(): user for user in readers()}
    found, unknown = {}, []
    for word in words:
        # A full stop at the end of a sentence belongs to no name.
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
    """Add a comment to the order's history. Raises `NobodyCalled`."""
    # An event, not a change of the order, so that a comment makes nobody an editor.
    people = named(text)
    with transaction.atomic():
        order = Order.objects.select_related("vendor", "client").get(pk=order_id)
        Mention.objects.bulk_create(
            Mention(order=order, user=user, by_name=by.get_username())
            for user in people
            if user.pk != by.pk
        )
        names = [user.get_username() for user in people]
        record(ACTION, order, by=by, changes={"comment": [None, text], "mentions": [None, names]})
        return order


def of(order: Order) -> list[Comment]:
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
    unseen = Mention.objects.filter(order=order, user=by, seen_at=None)
    # Most views of a page find no mention, and then nothing is written.
    if unseen.exists():
        unseen.update(seen_at=timezone.now())
