"""Recipients of a notice: the people who may act on an event and did not cause it themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from django.contrib import auth
from django.contrib.auth.models import User

from mailops.history.models import Event
from mailops.notices.kinds import (
    CONFIRM,
    DRAFT,
    DRAFTER,
    LOOKS_AFTER,
    MENTIONED,
    ORDER,
    PROCESS,
    SETTLE,
    Kind,
    after,
)

DRAFTED, EDITED = "order.drafted", "order.edited"


class Audience:
    """The recipients of a batch of events. The number of queries does not grow with the batch."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = list(events)
        self._may: dict[str, list[int]] = {}

    def recipients(self, kind: Kind, event: Event, *, needs: str = "") -> list[User]:
        """The people who get a notice of this event.

        `needs` is a permission to ask for in place of the kind's own.
        """
        needs = needs or kind.needs
        if kind.to == DRAFTER:
            wanted = {self._drafter.get(event.subject_id)}
        elif kind.to == LOOKS_AFTER:
            drafter = self._drafter.get(event.subject_id)
            # Where the drafter may not sign in any more, all drafters look after the order.
            wanted = {drafter} if drafter in self._people else {*self.may(DRAFT)}
            wanted |= {*self.may(SETTLE)}
        elif kind.to == MENTIONED:
            wanted = {self._by_name.get(str(name)) for name in after(event, "mentions") or ()}
        else:
            wanted = set(self.may(needs))
            # who drafted or edited an order may not confirm it, nor say that it was processed
            if needs in (CONFIRM, PROCESS):
                wanted -= self._editors[event.subject_id]
        wanted.discard(event.user_id)
        return [self._people[pk] for pk in sorted(pk for pk in wanted if pk in self._people)]

    def may(self, permission: str) -> list[int]:
        """Keys of active people with this permission."""
        if permission not in self._may:
            found: set[int] = set()
            # every backend: a role gives a permission, and so does a delegation
            for backend in auth.get_backends():
                if hasattr(backend, "with_perm"):
                    found |= set(
                        backend.with_perm(permission, is_active=True).values_list("pk", flat=True)
                    )
            self._may[permission] = sorted(found)
        return self._may[permission]

    @cached_property
    def _people(self) -> dict[int, User]:
        users = User.objects.filter(is_active=True, is_staff=True)
        return {
            user.pk: user
            for user in users.select_related("notice_settings").prefetch_related("groups")
        }

    @cached_property
    def _by_name(self) -> dict[str, int]:
        return {user.get_username(): pk for pk, user in self._people.items()}

    # From the history, because notices know no orders: drafted and edited by whom, newest first.
    @cached_property
    def _past(self) -> list[tuple[str, int | None, str]]:
        orders = {event.subject_id for event in self._events if event.subject_type == ORDER}
        done = Event.objects.filter(
            subject_type=ORDER, subject_id__in=orders, action__in=[DRAFTED, EDITED]
        )
        return list(done.order_by("-number").values_list("subject_id", "user_id", "action"))

    @cached_property
    def _drafter(self) -> dict[str, int | None]:
        return {order: user for order, user, action in self._past if action == DRAFTED}

    @cached_property
    def _editors(self) -> defaultdict[str, set[int | None]]:
        found: defaultdict[str, set[int | None]] = defaultdict(set)
        for order, user, _action in self._past:
            found[order].add(user)
        return found
