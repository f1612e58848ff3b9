"""The moves of an order after its paid request: what the vendor did with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from mailops.core.text import as_sentence
from mailops.history import record
from orders.models import counted_cost
from orders.models.inventory import Asset, Domain, Mailbox
from orders.models.order_moves import Moves, NotAllowed
from orders.models.state import State

if TYPE_CHECKING:
    from orders.models.attempt import Attempt

BACK_OFF = (30, 120, 300, 900)  # seconds until an order that was provably not sent is tried again
ENDS = {
    State.DELIVERED: "order.delivered",
    State.PARTLY: "order.partly_delivered",
    State.UNDELIVERED: "order.undelivered",
}


class Outcomes(Moves):
    """The vendor's answers about an order, and the moves that follow from them."""

    reference = models.CharField("vendor's reference", max_length=120, blank=True)
    problems = models.JSONField(default=list)  # its refusal, row by row
    tries = models.PositiveSmallIntegerField(default=0)  # that provably sent nothing
    # When the vendor was last asked about the order, and when it last answered
    asked_at = models.DateTimeField(null=True, db_column="progress_at")
    answered_at = models.DateTimeField(null=True)
    wanted_at = models.DateTimeField(null=True)  # a person waits for the answer since
    expected_on = models.DateField(null=True)  # as a person said: not overdue until then
    overdue_told_at = models.DateTimeField(null=True)
    # When the vendor's list first spoke for a created order having been processed
    looks_processed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def accept(
        self,
        attempt: Attempt,
        *,
        reference: str,
        left_out: Collection[str] = (),
        by: User | None = None,
        reason: str = "",
        action: str = "order.accepted",
    ) -> None:
        """The vendor has the order, less the domains and addresses in `left_out`.

        It ends at once where nothing is left of it.
        """
        said: dict[str, Any] = {"reference": reference, "by": by, "reason": reason}
        self._taken(State.ACCEPTED, attempt, left_out, action=action, **said)

    def _taken(
        self,
        to: State,
        attempt: Attempt,
        left_out: Collection[str],
        *,
        reference: str,
        by: User | None,
        reason: str,
        action: str,
    ) -> None:
        fields: dict[str, Any] = {}
        changes: dict[str, Any] = {}
        if left_out:
            self._leave_out(left_out)
            if self.asset_states() <= {Asset.REFUSED}:
                to, action = State.UNDELIVERED, "order.undelivered"
                reason = self._took_nothing(reference)
            else:
                reason = f"{as_sentence(reason)} Left out: {', '.join(sorted(left_out))}.".strip()
        if left_out or by:  # an earlier verdict may have left something out
            fields, changes = counted_cost.recount(cast(counted_cost.Counted, self), attempt)
        self.transition(
            to,
            action=action,
            by=by,
            reason=reason,
            attempt=attempt,
            changes={"reference": ["", reference], **changes},
            reference=reference,
            asked_at=timezone.now(),
            looks_processed_at=None,
            **fields,
        )

    def _took_nothing(self, reference: str) -> str:
        order = cast(counted_cost.Counted, self)
        kind = "domain" if order.product_spec.buys_domains else "mailbox"
        took = f"{order.vendor.adapter.label} took {f'order {reference}' if reference else 'it'}"
        return f"{took} and left out every {kind}. Nothing should be charged."

    def settle_as_placed(
        self,
        attempt: Attempt,
        *,
        reference: str,
        left_out: Collection[str],
        by: User,
        reason: str,
        action: str,
    ) -> None:
        """Accept by a person's verdict, or correct what an earlier verdict said."""
        said: dict[str, Any] = {"reference": reference, "by": by, "reason": reason}
        self._settle(State.ACCEPTED, attempt, left_out, action=action, **said)

    def _settle(self, to: State, attempt: Attempt, left_out: Collection[str], **said: Any) -> None:
        # An order that was settled as not placed before may be cancelled or in review by now.
        self._mark_assets(to=Asset.ORDERED, since=(Asset.PLANNED, Asset.REFUSED, Asset.GONE))
        if self.state == to:
            self._correct(attempt, left_out, **said)
            return
        self._taken(to, attempt, left_out, **said)
        if self.state == State.UNDELIVERED:
            raise NotAllowed(f"Nothing is left of {self}, so say that it was not placed.")

    def _correct(
        self,
        attempt: Attempt,
        left_out: Collection[str],
        *,
        reference: str,
        by: User,
        reason: str,
        action: str,
    ) -> None:
        self._leave_out(left_out)
        if self.asset_states() <= {Asset.REFUSED}:
            raise NotAllowed(f"Nothing is left of {self}, so say that it was not placed.")
        fields, counted = counted_cost.recount(cast(counted_cost.Counted, self), attempt)
        found = type(self)._default_manager.filter(pk=self.pk)
        found.update(reference=reference, reason=reason, asked_at=timezone.now(), **fields)
        changes = {"reference": [self.reference, reference], "left_out": [None, sorted(left_out)]}
        record(action, self, changes=changes | counted, attempt=attempt.pk, by=by, reason=reason)

    def mark_created(
        self,
        attempt: Attempt,
        *,
        reference: str,
        left_out: Collection[str] = (),
        by: User | None = None,
        reason: str = "",
        action: str = "order.created",
    ) -> None:
        """The vendor holds the order, less what is in `left_out`, and buys nothing yet."""
        # Its names stay held: somebody may process the order there at any moment.
        said: dict[str, Any] = {"reference": reference, "by": by, "reason": reason}
        self._taken(State.CREATED, attempt, left_out, action=action, **said)

    def settle_as_created(
        self,
        attempt: Attempt,
        *,
        reference: str,
        left_out: Collection[str],
        by: User,
        reason: str,
        action: str,
    ) -> None:
        """Created by a person's verdict, the first one or a revised one."""
        said: dict[str, Any] = {"reference": reference, "by": by, "reason": reason}
        self._settle(State.CREATED, attempt, left_out, action=action, **said)

    def mark_processed(
        self, attempt: Attempt, *, at: datetime, by: User, reason: str, changes: Mapping[str, Any]
    ) -> None:
        """A person saw that the vendor bought a created order, or one that was left."""
        # An order that was left gave its names back. What the vendor left out stays refused.
        self._mark_assets(to=Asset.ORDERED, since=(Asset.PLANNED,))
        self._ordered_at(at)
        said: dict[str, Any] = {"by": by, "reason": reason}
        action = "order.processed"
        self.transition(State.ACCEPTED, action=action, attempt=attempt, changes=changes, **said)

    def note_processed(
        self, attempt: Attempt, *, at: datetime, by: User, reason: str, changes: Mapping[str, Any]
    ) -> None:
        """The same of an order that a verdict of this moment accepted already."""
        self._ordered_at(at)
        said: dict[str, Any] = {"by": by, "reason": reason}
        record("order.processed", self, changes=changes, attempt=attempt.pk, **said)

    def _ordered_at(self, at: datetime) -> None:
        for kind in (Domain, Mailbox):
            kind.objects.filter(order_id=self.pk, state=Asset.ORDERED).update(ordered_at=at)

    def leave(self, attempt: Attempt, *, by: User, reason: str, changes: Mapping[str, Any]) -> None:
        """End a created order without buying it. Its names are free; the vendor still holds it."""
        self._mark_assets(to=Asset.PLANNED, since=(Asset.ORDERED, Asset.GONE))
        self.transition(
            State.CANCELLED,
            action="order.left",
            by=by,
            reason=reason,
            attempt=attempt,
            changes=changes,
            looks_processed_at=None,
        )

    def refuse(self, attempt: Attempt, *, problems: list[dict[str, Any]], reason: str) -> None:
        self._mark_assets(to=Asset.REFUSED, since=(Asset.ORDERED,))
        self.transition(
            State.REFUSED, action="order.refused", reason=reason, attempt=attempt, problems=problems
        )

    def mark_unknown(self, attempt: Attempt, *, reason: str) -> None:
        self.transition(
            State.UNKNOWN, action="order.outcome_unknown", reason=reason, attempt=attempt
        )

    def put_back(self, attempt: Attempt, *, reason: str) -> None:
        # Nothing is wrong with the order, so no try is counted.
        self.transition(
            State.CONFIRMED, action="order.put_back", reason=reason, attempt=attempt, queued_at=None
        )

    def retry_later(
        self, *, action: str, why: str, wait: int | None, attempt: Attempt | None = None
    ) -> None:
        """Try again in `wait` seconds or a growing pause, a few times; then a person decides.

        Only where provably nothing was sent.
        """
        tries = self.tries + 1
        # An outcome that already read unknown was proven not sent. People saw it, so they decide.
        if self.state == State.UNKNOWN or tries >= settings.NOT_SENT_TRIES:
            after = "" if self.state == State.UNKNOWN else f" after {tries} tries"
            reason = f"Not sent{after}. {why} Nothing was bought."
            self.back_to_review(action=action, reason=reason, attempt=attempt)
            return
        pause = BACK_OFF[min(tries, len(BACK_OFF)) - 1] if wait is None else min(wait, 3600)
        next_try_at = timezone.now() + timedelta(seconds=pause)
        again: dict[str, Any] = {"tries": tries, "next_try_at": next_try_at}
        again |= {"waiting_for": "", "queued_at": None}
        if self.state == State.CONFIRMED:  # it was not even claimed
            type(self)._default_manager.filter(pk=self.pk, state=self.state).update(
                reason=why, **again
            )
            record(action, self, reason=why)
        else:
            self.transition(State.CONFIRMED, action=action, reason=why, attempt=attempt, **again)

    def back_to_review(
        self,
        *,
        action: str,
        reason: str,
        attempt: Attempt | None = None,
        by: User | None = None,
        **fields: Any,
    ) -> None:
        # Nothing is sent without a fresh confirmation. Refused assets: a verdict is being revised.
        self._mark_assets(to=Asset.PLANNED, since=(Asset.ORDERED, Asset.REFUSED))
        cleared = ("confirmed_by", "confirmed_at", "planned_for", "hold_until", "next_try_at")
        fields |= {"confirmed_by_name": "", "tries": 0, **dict.fromkeys(cleared)}
        fields |= {"looks_processed_at": None}
        self.transition(
            State.REVIEW, action=action, by=by, reason=reason, attempt=attempt, **fields
        )

    def end(self, to: State, *, by: User | None = None, reason: str = "") -> None:
        """Nothing is left to come. `orders/outcomes/conclusion.py` decides which end it is."""
        self.transition(to, action=ENDS[to], by=by, reason=reason)

    def _leave_out(self, names: Collection[str]) -> None:
        # A mailbox goes with its domain.
        lower = {name.lower() for name in names}
        Domain.objects.filter(order_id=self.pk, name__in=lower).update(state=Asset.REFUSED)
        on_them = models.Q(address__in=lower) | models.Q(domain__name__in=lower)
        Mailbox.objects.filter(on_them, order_id=self.pk).update(state=Asset.REFUSED)
