"""The order and every move it makes; `state.py` has the table of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from mailops.core.money import Totals
from mailops.core.sealed import Sealed
from mailops.core.text import as_sentence
from mailops.history import record
from orders.models.confirmation_rule import Needed
from orders.models.inventory import Asset
from orders.models.queries import OrderQuerySet
from orders.models.state import NEXT, REVISED, State
from vendors.apis.values import DomainLine, MailboxLine, Product
from vendors.models import SendingSwitch, Vendor, account_settings

if TYPE_CHECKING:
    from orders.models.attempt import Attempt
    from orders.models.name_availability import Availability

TOTALS = ("due_now", "per_month", "per_year")
BACK_OFF = (30, 120, 300, 900)  # seconds until an order that was provably not sent is tried again


class NotAllowed(Exception):
    """The order's state or the two-person rule forbids a move; the message is for the person."""


class Order(models.Model):
    """An order at one vendor account. Domains and mailboxes that point to it are its contents."""

    # What is ordered
    vendor = models.ForeignKey(
        Vendor, models.PROTECT, related_name="orders", verbose_name="vendor account"
    )
    product = models.CharField("what to order", max_length=40)
    client = models.ForeignKey("orders.Client", models.PROTECT, related_name="orders")
    contact = models.ForeignKey("vendors.Contact", models.PROTECT, null=True, blank=True)
    forward_to = models.CharField("domains forward to", max_length=253, blank=True)
    options = models.JSONField(default=dict, blank=True)
    sealed = models.TextField(blank=True, editable=False)
    note = models.TextField("note for the confirmer", blank=True)
    why_again = models.TextField("why order this again", blank=True)
    cost = models.JSONField(default=dict)  # `TOTALS` by currency, for lists

    # Where it stands; `reason` says why. `version` counts saves of the draft, nothing later
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    state_since = models.DateTimeField(default=timezone.now)
    reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)

    # Who drafted it
    drafted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    drafted_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    copy_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="copies"
    )

    # The confirmation; `round` counts how often the order began to wait for one
    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    confirmed_by_name = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    round = models.PositiveIntegerField(default=0)
    confirmers_needed = models.PositiveSmallIntegerField(null=True)  # when it was confirmed
    digest = models.CharField(max_length=64, blank=True)  # of the plan that was confirmed
    snapshot = models.JSONField(null=True)
    planned_for = models.DateTimeField(null=True)  # not sent before, as a confirmer asked

    # Sending; hold.py says in words why an order waits (`waiting_for` a limit or the balance)
    hold_until = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    waiting_for = models.CharField(max_length=10, blank=True, db_column="held_for")
    held_at = models.DateTimeField(null=True)  # when it was last found to have to wait
    tries = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(null=True, db_column="rung_at")
    listed = models.JSONField(default=list)  # at the vendor already, when last looked
    looked_at = models.DateTimeField(null=True)
    prices_at = models.DateTimeField(null=True)
    is_slowed_down: bool  # only in a query with `preflight.with_needs`
    known_listed = models.JSONField(default=list)  # a confirmer has read about these
    switch: SendingSwitch | None = None  # set once for a whole list of orders: hold.py

    # What the vendor said
    reference = models.CharField("vendor's reference", max_length=120, blank=True)
    problems = models.JSONField(default=list)  # its refusal, row by row
    progress_at = models.DateTimeField(null=True)
    answers: Mapping[str, Availability] | None = None  # on its names, once read: known_answers.py

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["state", "state_since"])]
        default_permissions = ("add", "change", "view")
        permissions: ClassVar = [
            ("confirm_order", "Can confirm orders and send them back"),
            ("cancel_order", "Can cancel orders before they are sent"),
            ("settle_order", "Can settle unknown outcomes"),
            ("comment_order", "Can comment on orders"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=State.values), name="order_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "review", "cancelled"])
                | ~models.Q(digest=""),
                name="order_past_review_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"MO-{1000 + self.pk}" if self.pk else "New order"

    # What adapters read

    @property
    def product_spec(self) -> Product:
        return self.vendor.adapter.products[self.product]

    @property
    def settings(self) -> Mapping[str, Any]:
        return account_settings(self.vendor)

    @property
    def secret_names(self) -> frozenset[str]:
        return Sealed(self.sealed).names

    @property
    def references(self) -> tuple[str, ...]:
        return (self.reference,) if self.reference else ()

    @cached_property
    def contents(self) -> tuple[DomainLine, ...]:
        # In the drafter's order. Two queries, then kept.
        boxes: dict[str, list[MailboxLine]] = {}
        domains = {domain.name: domain for domain in self.domains.order_by("row", "pk")}
        for mailbox in self.mailboxes.select_related("domain").order_by("row", "pk"):
            domains.setdefault(mailbox.domain.name, mailbox.domain)
            boxes.setdefault(mailbox.domain.name, []).append(mailbox.line)
        forward_to = self.forward_to if self.product_spec.forwards else ""
        return tuple(
            domain.line(boxes.get(name, ()), forward_to=forward_to, order_id=self.pk)
            for name, domain in domains.items()
        )

    # Totals

    @property
    def due_now(self) -> Totals:
        return Totals.from_dict(self.cost.get("due_now", {}))

    @property
    def per_month(self) -> Totals:
        return Totals.from_dict(self.cost.get("per_month", {}))

    # Moves

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
        if to not in NEXT[before] or ((before, to) in REVISED and by is None):
            reads = self.get_state_display()
            raise NotAllowed(f"{self} reads “{reads}”, so this can't be done with it.")
        changed = {"state": to, "state_since": timezone.now(), "reason": reason, **fields}
        if to == State.REVIEW:
            changed["round"] = self.round + 1
        # Of two that read the same row only one finds it unchanged here. No join may enter this
        # WHERE: PostgreSQL would not look at the joined row again after waiting for the first one.
        rows = Order.objects.filter(
            where or models.Q(), pk=self.pk, state=before, version=self.version
        )
        if not rows.update(**changed):
            raise NotAllowed(f"{self} was changed by somebody else a moment ago. Look at it again.")
        for name, value in changed.items():
            setattr(self, name, value)
        changes = {"state": [before, to], **(changes or {})}
        about = attempt.pk if attempt else None
        record(action, self, by=by, reason=reason, changes=changes, attempt=about)

    def send_for_review(self, *, by: User, plan: dict[str, Any], note: str = "") -> None:
        action, changes = "order.sent_for_confirmation", {"plan": [None, plan]}
        self.transition(State.REVIEW, action=action, by=by, reason=note, changes=changes)

    def send_back(self, *, by: User | None, reason: str, action: str = "order.sent_back") -> None:
        self.transition(State.DRAFT, action=action, by=by, reason=reason, digest="", snapshot=None)

    def cancel(self, *, by: User, reason: str) -> None:
        self._mark_assets(to=Asset.PLANNED, since=(Asset.GONE, Asset.ORDERED))
        self.transition(State.CANCELLED, action="order.cancelled", by=by, reason=reason)

    def confirm(
        self,
        *,
        by: User,
        digest: str,
        snapshot: dict[str, Any],
        needed: Needed,
        reason: str = "",
        planned_for: datetime | None = None,
    ) -> None:
        """Confirm the plan of this digest. `planned_for`: not sent before that time."""
        now, cost = timezone.now(), snapshot["cost"]
        hold_until = max(planned_for or now, now + timedelta(minutes=self.vendor.hold_minutes))
        # The assets become live: the database refuses a name that is live on another order.
        self._mark_assets(to=Asset.ORDERED, since=(Asset.PLANNED, Asset.REFUSED))
        new = {"digest": digest, "due_now": cost["due_now"], "confirmers_needed": needed.count}
        new |= {"planned_for": planned_for} if planned_for else {}
        self.transition(
            State.CONFIRMED,
            action="order.confirmed",
            by=by,
            reason=f"{reason} {'' if needed.count else needed.says}".strip(),
            changes={name: [None, value] for name, value in new.items()},
            confirmed_by=by,
            confirmed_by_name=by.get_username(),
            confirmed_at=now,
            confirmers_needed=needed.count,
            digest=digest,
            snapshot=snapshot,
            cost={name: cost[name] for name in TOTALS},
            planned_for=planned_for,
            hold_until=hold_until if hold_until > now else None,
            waiting_for="",
            tries=0,
            **dict.fromkeys(("next_try_at", "queued_at", "looked_at", "prices_at")),
        )

    def start_sending(self, number: int, *, confirmed_at: datetime | None) -> None:
        """Claim the order for its attempt `number`.

        Raises `NotAllowed` if the order was confirmed again since `confirmed_at` was read.
        """
        self.transition(
            State.SENDING,
            action="order.claimed",
            changes={"attempt": [None, number]},
            where=models.Q(confirmed_at=confirmed_at),
            next_try_at=None,
            waiting_for="",
        )

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
        """The vendor has the order, less the domains and addresses in `left_out`."""
        if left_out:
            self._leave_out(left_out)
            reason = f"{as_sentence(reason)} Left out: {', '.join(sorted(left_out))}.".strip()
        self.transition(
            State.ACCEPTED,
            action=action,
            by=by,
            reason=reason,
            attempt=attempt,
            changes={"reference": ["", reference]},
            reference=reference,
            progress_at=timezone.now(),
        )

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
        # An order that was settled as not placed before may be cancelled or in review by now.
        self._mark_assets(to=Asset.ORDERED, since=(Asset.PLANNED, Asset.REFUSED, Asset.GONE))
        said: dict[str, Any] = {"by": by, "reason": reason}
        if self.state != State.ACCEPTED:
            self.accept(attempt, reference=reference, left_out=left_out, action=action, **said)
            return
        self._leave_out(left_out)
        found = Order.objects.filter(pk=self.pk)
        found.update(reference=reference, reason=reason, progress_at=timezone.now())
        changes = {"reference": [self.reference, reference], "left_out": [None, sorted(left_out)]}
        record(action, self, changes=changes, attempt=attempt.pk, **said)

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
            Order.objects.filter(pk=self.pk, state=self.state).update(reason=why, **again)
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
        self.transition(
            State.REVIEW, action=action, by=by, reason=reason, attempt=attempt, **fields
        )

    def deliver(self, *, partly: bool, by: User | None = None, reason: str = "") -> None:
        to, action = State.DELIVERED, "order.delivered"
        if partly:
            to, action = State.PARTLY, "order.partly_delivered"
        self.transition(to, action=action, by=by, reason=reason)

    def deliver_the_rest(self, *, by: User, reason: str) -> None:
        # A person saw at the vendor that everything still ordered is ready.
        self._mark_assets(to=Asset.READY, since=(Asset.ORDERED,))
        self.deliver(partly=bool(self.asset_states() - {Asset.READY}), by=by, reason=reason)

    def asset_states(self) -> set[str]:
        found = (self.domains, self.mailboxes)
        return {state for assets in found for state in assets.values_list("state", flat=True)}

    def _leave_out(self, names: Collection[str]) -> None:
        # A mailbox goes with its domain.
        lower = {name.lower() for name in names}
        self.domains.filter(name__in=lower).update(state=Asset.REFUSED)
        on_them = models.Q(address__in=lower) | models.Q(domain__name__in=lower)
        self.mailboxes.filter(on_them).update(state=Asset.REFUSED)

    def _mark_assets(self, *, to: Asset, since: tuple[Asset, ...]) -> None:
        # Before `transition`, everywhere: the locks of rows come before the history's.
        stamps = {Asset.ORDERED: "ordered_at", Asset.READY: "ready_at"}
        stamp = {stamps[to]: timezone.now()} if to in stamps else {}
        for assets in (self.domains, self.mailboxes):
            assets.filter(state__in=since).update(state=to, **stamp)
