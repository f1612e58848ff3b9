"""A move of an order: its new state, its assets and its history event, written together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from mailops.history import record
from orders.models.inventory import Asset, Domain, Mailbox
from orders.models.state import BY_A_PERSON, NEXT, State

if TYPE_CHECKING:
    from orders.models.attempt import Attempt


class NotAllowed(Exception):
    """The order's state or the two-person rule forbids a move; the message is for the person."""


class Moves(models.Model):
    """Where an order stands, and the one way to change it. `state.py` has the table of moves."""

    # Where it stands; `reason` says why. `version` counts saves of the draft, nothing later
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    state_since = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    round = models.PositiveIntegerField(default=0)  # how often it began to wait to be confirmed

    class Meta:
        abstract = True

    def transition(
        self,
        to: str,
        *,
        action: str,
        by: User | None = None,
        reason: str = "",
        changes: Mapping[str, Any] | None = None,
        attempt: Attempt | None = None,
        where: models.Q | None = None,
        **fields: Any,
    ) -> None:
        """Write the new state and its history event together, inside the caller's transaction.

        Raises `NotAllowed` where the state does not lead there, or somebody else was faster.
        """
        before = self.state
        if to not in NEXT[before] or ((before, to) in BY_A_PERSON and by is None):
            reads = self.get_state_display()
            raise NotAllowed(f"{self} reads “{reads}”, so this can't be done with it.")
        changed = {"state": to, "state_since": timezone.now(), "reason": reason, **fields}
        if to == State.REVIEW:
            changed["round"] = self.round + 1
        # Of two that read the same row only one finds it unchanged here. No join may enter this
        # WHERE: PostgreSQL would not look at the joined row again after waiting for the first one.
        rows = type(self)._default_manager.filter(
            where or models.Q(), pk=self.pk, state=before, version=self.version
        )
        if not rows.update(**changed):
            raise NotAllowed(f"{self} was changed by somebody else a moment ago. Look at it again.")
        for name, value in changed.items():
            setattr(self, name, value)
        changes = {"state": [before, to], **(changes or {})}
        about = attempt.pk if attempt else None
        record(action, self, by=by, reason=reason, changes=changes, attempt=about)

    def asset_states(self) -> set[str]:
        found = (kind.objects.filter(order_id=self.pk) for kind in (Domain, Mailbox))
        return {state for assets in found for state in assets.values_list("state", flat=True)}

    def _mark_assets(self, *, to: Asset, since: tuple[Asset, ...]) -> None:
        # Before `transition`, everywhere: the locks of rows come before the history's.
        stamps = {Asset.ORDERED: "ordered_at", Asset.READY: "ready_at"}
        stamp = {stamps[to]: timezone.now()} if to in stamps else {}
        for kind in (Domain, Mailbox):
            kind.objects.filter(order_id=self.pk, state__in=since).update(state=to, **stamp)
