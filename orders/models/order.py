"""The order and every move it makes; `state.py` has the table of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import models
from django.utils import timezone

from mailops.core.money import Totals
from mailops.core.sealed import Sealed
from mailops.history import record
from mailops.history.models import Event
from orders.models.confirmation_rule import ConfirmationRule, Needed
from orders.models.delegation import RIGHT, Delegation
from orders.models.hold import Hold, ended, hold_of
from orders.models.inventory import Asset
from orders.models.name_availability import Availability
from orders.models.queries import OrderQuerySet
from orders.models.state import ACTS_NEXT, NEXT, REVISED, State
from vendors.apis.base import DomainLine, MailboxLine, Product
from vendors.models import SendingSwitch, Vendor, account_settings

if TYPE_CHECKING:
    from orders.models.attempt import Attempt


TOTALS = ("due_now", "per_month", "per_year")
BACK_OFF = (30, 120, 300, 900)  # seconds before an order that was provably not sent is tried again


class NotAllowed(Exception):
    """A move that an order's state, or the two-person rule, does not allow; the message is for the
    person.
    """


class Order(models.Model):
    """An order at one vendor account. Its contents are the domains and mailboxes that point to it."""

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

    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    state_since = models.DateTimeField(default=timezone.now)
    reason = models.TextField(
        blank=True
    )  # why it came into this state, where somebody or something said so
    version = models.PositiveIntegerField(
        default=1
    )  # counts saves of the draft, to notice two tabs
    drafted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    drafted_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    copy_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="copies"
    )
    cost = models.JSONField(default=dict)  # due_now, per_month, per_year by currency, for lists

    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    confirmed_by_name = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    round = models.PositiveIntegerField(default=0)  # how often it began to wait for confirmation
    confirmers_needed = models.PositiveSmallIntegerField(
        null=True
    )  # as it was when it was confirmed
    digest = models.CharField(max_length=64, blank=True)
    snapshot = models.JSONField(null=True)
    planned_for = models.DateTimeField(null=True)  # not sent before, where the confirmer said so
    hold_until = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    waiting_for = models.CharField(
        max_length=10, blank=True, db_column="held_for"
    )  # what it waits for until `next_try_at`: hold.py
    tries = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(null=True, db_column="rung_at")
    listed = models.JSONField(
        default=list
    )  # what of it the vendor listed already, when last looked before sending
    looked_at = models.DateTimeField(null=True)
    prices_at = models.DateTimeField(
        null=True
    )  # when its prices were last read for it, before sending
    known_listed = models.JSONField(default=list)  # what of that a confirmer has been told

    reference = models.CharField("vendor's reference", max_length=120, blank=True)
    problems = models.JSONField(default=list)  # the vendor's refusal, row by row
    progress_at = models.DateTimeField(null=True)

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

    # what it is

    @property
    def product_spec(self) -> Product:
        return self.vendor.adapter.products[self.product]

    @property
    def settings(self) -> Mapping[str, Any]:
        return account_settings(self.vendor)

    @property
    def asked_with(self) -> str:
        """The option that a question about its names carries, as text; the vendor's answer may hang
        on it.
        """
        return str(self.options.get(self.vendor.adapter.availability_option) or "")

    @cached_property
    def told(self) -> Mapping[str, Availability]:
        """The newest word of its vendor on each of its names, where there is one.

        One query, then kept.
        """
        asked = Availability.objects.of(self).exclude(asked_at=None).order_by()
        return {row.name: row for row in asked}

    @property
    def secret_names(self) -> frozenset[str]:
        return Sealed(self.sealed).names

    @property
    def references(self) -> tuple[str, ...]:
        return (self.reference,) if self.reference else ()

    @property
    def due_now(self) -> Totals:
        return Totals.from_dict(self.cost.get("due_now", {}))

    @property
    def per_month(self) -> Totals:
        return Totals.from_dict(self.cost.get("per_month", {}))

    @cached_property
    def contents(self) -> tuple[DomainLine, ...]:
        """Domains with their mailboxes in the drafter's order. Two queries, then kept."""
        boxes: dict[str, list[MailboxLine]] = {}
        domains: dict[str, Any] = {d.name: d for d in self.domains.order_by("row", "pk")}
        for mailbox in self.mailboxes.select_related("domain").order_by("row", "pk"):
            domains.setdefault(mailbox.domain.name, mailbox.domain)
            line = MailboxLine(
                username=mailbox.username,
                domain=mailbox.domain.name,
                first_name=mailbox.first_name,
                last_name=mailbox.last_name,
                picture=mailbox.picture,
                row=mailbox.row,
            )
            boxes.setdefault(mailbox.domain.name, []).append(line)
        return tuple(
            DomainLine(
                name=name,
                years=domain.years,
                forward_to=domain.forward_to
                or (self.forward_to if self.product_spec.forwards else ""),
                first_name=domain.first_name,
                last_name=domain.last_name,
                picture=domain.picture,
                mailboxes=tuple(boxes.get(name, ())),
                row=domain.row if domain.order_id == self.pk else None,
            )
            for name, domain in domains.items()
        )

    @cached_property
    def size(self) -> str:
        """ "4 domains and 8 mailboxes", for titles and lists."""
        boxes, domains = self.mailboxes.count(), self.domains.count()
        parts = [f"{count} {one if count == 1 else many}" for count, one, many in (
            (domains, "domain", "domains"), (boxes, "mailbox", "mailboxes")) if count]  # fmt: skip
        return " and ".join(parts) or "nothing yet"

    @property
    def next_actor(self) -> str:
        if self.state == State.CONFIRMED and (hold := self.hold):
            return hold.next_actor
        if self.state in (State.DRAFT, State.REFUSED, State.PARTLY):
            return self.drafted_by_name
        return ACTS_NEXT[State(self.state)]

    @cached_property
    def switch(self) -> SendingSwitch:
        """The switch that holds all sending. A list of orders sets it once for all of them."""
        return SendingSwitch.current()

    @property
    def hold(self) -> Hold | None:
        """What keeps a confirmed order from being sent; None where nothing does."""
        return hold_of(self)

    @property
    def held_by(self) -> str:
        """What holds it, as a sentence; empty where nothing does."""
        return hold.says if (hold := self.hold) else ""

    @property
    def is_moving(self) -> bool:
        """MailOps or the vendor is at work on it, so that a page may want to look again soon."""
        return self.state in (State.CONFIRMED, State.SENDING, State.ACCEPTED)

    @property
    def progress_version(self) -> str:
        """Changes whenever a domain or mailbox of the order changes its state."""
        counts = self.mailboxes.order_by().values_list("state").annotate(models.Count("pk"))
        more = self.domains.order_by().values_list("state").annotate(models.Count("pk"))
        return "-".join(f"{state}{count}" for state, count in sorted([*counts, *more]))

    def was_edited_by(self, user: AbstractBaseUser) -> bool:
        """Also by somebody of the same name whose user was deleted."""
        return self.editors.filter(
            models.Q(user_id=user.pk) | models.Q(name=user.get_username())
        ).exists()

    def has_contact_changed_by(self, user: AbstractBaseUser) -> bool:
        """Its contact is part of what is sent: whoever changed it since the order was drafted
        touched the order.
        """
        if self.contact_id is None:
            return False
        changes = Event.objects.filter(
            subject_type="vendors.contact", subject_id=str(self.contact_id)
        )
        return changes.filter(
            action="contact.changed", user_id=user.pk, at__gte=self.created_at
        ).exists()

    def confirming_right(self, user: User, digest: str = "") -> User | None:
        """Whose right to confirm this person would use for this order: their own, or one that was
        passed on by somebody who could use it here, rather one who has not confirmed this digest
        yet; None where there is none.
        """
        if user.has_perm(RIGHT) and not getattr(user, "_holds_delegated_right", False):
            return user
        givers = [delegation.from_user for delegation in Delegation.objects.to(user)]
        barred = (self.was_edited_by, self.has_contact_changed_by)
        able = [giver for giver in givers if giver and not any(is_so(giver) for is_so in barred)]
        spoken = self.confirmer_names(digest) if len(able) > 1 else frozenset()
        return min(able, key=lambda giver: giver.get_username() in spoken, default=None)

    def confirmer_names(self, digest: str) -> frozenset[str]:
        """Names of those who confirmed this digest, or in whose name it was confirmed."""
        given = self.confirmations.filter(round=self.round, digest=digest).values_list(
            "name", "for_name"
        )
        return frozenset(name for names in given for name in names if name)

    def on_behalf(self, user: User, digest: str) -> str:
        """ "For anna (delegated)." where the person would use a right that was passed on to them,
        else nothing.
        """
        whose = self.confirming_right(user, digest)
        return f"For {whose.get_username()} (delegated)." if whose and whose.pk != user.pk else ""

    def why_not_confirm(
        self, user: AbstractBaseUser, *, due_now: Totals | None = None, digest: str = ""
    ) -> str:
        """Why this person may not confirm this order, in words; empty when they may.

        `due_now` is what it costs by a plan just made, `digest` that plan's: who confirmed it
        already may not again.
        """
        if self.state != State.REVIEW:
            return (
                f"This order is not waiting for confirmation. It reads: {self.get_state_display()}."
            )
        if self.needed(due_now).count and self.was_edited_by(user):
            return "You edited this order, so somebody else has to confirm it."
        if self.needed(due_now).count and self.has_contact_changed_by(user):
            return (
                f"You changed the contact {self.contact} since this was drafted, so somebody else"
                " has to confirm it."
            )
        whose = self.confirming_right(user, digest)  # type: ignore[arg-type]  # our users are Django's
        if whose is None:
            return "You have no right to confirm this order, by your role or passed on to you."
        if self.confirmer_names(digest) & {user.get_username(), whose.get_username()}:
            return "You confirmed this order already. Now a second person has to."
        return ""

    def needed(self, due_now: Totals | None = None) -> Needed:
        """How many persons besides its editors have to confirm it."""
        due = self.due_now if due_now is None else due_now
        kept: dict[str, Needed] = self.__dict__.setdefault(
            "_needed", {}
        )  # a page asks more than once
        if str(due) not in kept:
            kept[str(due)] = ConfirmationRule.objects.needed(self, due)
        return kept[str(due)]

    # its moves

    def transition(
        self,
        to: str,
        *,
        action: str,
        by: Any = None,
        reason: str = "",
        changes: Mapping[str, Any] | None = None,
        attempt: Attempt | None = None,
        where: models.Q | None = None,
        **fields: Any,
    ) -> None:
        """Write the new state and its history event together, inside the caller's transaction.

        The UPDATE's WHERE clause is the lock: no join may enter it, or PostgreSQL would look at an
        old snapshot. Raises `NotAllowed` where the state does not lead there, or somebody else
        moved the order first.
        """
        before = self.state
        if to not in NEXT[before] or ((before, to) in REVISED and by is None):
            raise NotAllowed(
                f"{self} reads “{self.get_state_display()}”, so this can't be done with it."
            )
        changed = {"state": to, "state_since": timezone.now(), "reason": reason, **fields}
        if to == State.REVIEW:
            changed["round"] = self.round + 1
        rows = Order.objects.filter(
            where or models.Q(), pk=self.pk, state=before, version=self.version
        )
        if not rows.update(**changed):
            raise NotAllowed(f"{self} was changed by somebody else a moment ago. Look at it again.")
        for name, value in changed.items():
            setattr(self, name, value)
        all_changes = {"state": [before, to], **(changes or {})}
        record(
            action,
            self,
            by=by,
            reason=reason,
            changes=all_changes,
            attempt=attempt.pk if attempt else None,
        )

    def send_for_review(self, *, by: User, plan: dict[str, Any], note: str = "") -> None:
        self.transition(
            State.REVIEW,
            action="order.sent_for_confirmation",
            by=by,
            reason=note,
            changes={"plan": [None, plan]},
        )

    def send_back(self, *, by: User | None, reason: str, action: str = "order.sent_back") -> None:
        self.transition(State.DRAFT, action=action, by=by, reason=reason, digest="", snapshot=None)

    def cancel(self, *, by: User, reason: str) -> None:
        self._mark_assets(Asset.PLANNED, Asset.GONE, Asset.ORDERED)
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
        """The domains and mailboxes become live here: the database refuses a name that is live
        elsewhere.
        """
        now = timezone.now()
        hold_until = max(planned_for or now, now + timedelta(minutes=self.vendor.hold_minutes))
        changes: dict[str, Any] = {
            "digest": [None, digest],
            "due_now": [None, snapshot["cost"]["due_now"]],
        }
        changes["confirmers_needed"] = [None, needed.count]
        if planned_for:
            changes["planned_for"] = [None, planned_for]
        self._mark_assets(
            Asset.ORDERED, Asset.PLANNED, Asset.REFUSED
        )  # before the history's lock, as everywhere
        self.transition(
            State.CONFIRMED,
            action="order.confirmed",
            by=by,
            reason=f"{reason} {'' if needed.count else needed.says}".strip(),
            changes=changes,
            confirmed_by=by,
            confirmed_by_name=by.get_username(),
            confirmed_at=now,
            confirmers_needed=needed.count,
            digest=digest,
            snapshot=snapshot,
            cost={name: snapshot["cost"][name] for name in TOTALS},
            planned_for=planned_for,
            hold_until=hold_until if hold_until > now else None,
            next_try_at=None,
            waiting_for="",
            tries=0,
            queued_at=None,
            looked_at=None,
            prices_at=None,
        )

    def start_sending(self, number: int, *, confirmed_at: datetime | None) -> None:
        """Claim a confirmed order for its attempt `number`.

        Raises `NotAllowed` if it was confirmed again after `confirmed_at` was read.
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
            self.leave_out(left_out)
            reason = f"{ended(reason)} Left out: {', '.join(sorted(left_out))}.".strip()
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
        """Accept by a person's verdict, or correct the reference and what was left out."""
        self._mark_assets(Asset.ORDERED, Asset.PLANNED, Asset.REFUSED, Asset.GONE)
        if self.state != State.ACCEPTED:
            self.accept(
                attempt, reference=reference, left_out=left_out, by=by, reason=reason, action=action
            )
            return
        self.leave_out(left_out)
        Order.objects.filter(pk=self.pk).update(
            reference=reference, reason=reason, progress_at=timezone.now()
        )
        changes = {"reference": [self.reference, reference], "left_out": [None, sorted(left_out)]}
        record(action, self, by=by, reason=reason, changes=changes, attempt=attempt.pk)

    def refuse(self, attempt: Attempt, *, problems: list[dict[str, Any]], reason: str) -> None:
        """The vendor bought nothing. `problems` are its reasons, row by row."""
        self._mark_assets(Asset.REFUSED, Asset.ORDERED)
        self.transition(
            State.REFUSED,
            action="order.refused",
            reason=reason,
            attempt=attempt,
            problems=problems,
        )

    def mark_unknown(self, attempt: Attempt, *, reason: str) -> None:
        self.transition(
            State.UNKNOWN, action="order.outcome_unknown", reason=reason, attempt=attempt
        )

    def put_back(self, attempt: Attempt, *, reason: str) -> None:
        """Confirmed again, without counting a try: nothing is wrong with the order."""
        self.transition(
            State.CONFIRMED, action="order.put_back", reason=reason, attempt=attempt, queued_at=None
        )

    def deliver(self, *, partly: bool, by: User | None = None, reason: str = "") -> None:
        self.transition(
            State.PARTLY if partly else State.DELIVERED,
            action="order.partly_delivered" if partly else "order.delivered",
            by=by,
            reason=reason,
        )

    def deliver_the_rest(self, *, by: User, reason: str) -> None:
        """Deliver by a person's word: everything that is still ordered is ready."""
        self._mark_assets(Asset.READY, Asset.ORDERED)
        self.deliver(partly=bool(self.asset_states() - {Asset.READY}), by=by, reason=reason)

    def back_to_review(
        self,
        *,
        action: str,
        reason: str,
        attempt: Attempt | None = None,
        by: User | None = None,
        **fields: Any,
    ) -> None:
        """A person has to look again; nothing is sent without a fresh confirmation."""
        self._mark_assets(Asset.PLANNED, Asset.ORDERED, Asset.REFUSED)
        self.transition(
            State.REVIEW,
            action=action,
            by=by,
            reason=reason,
            attempt=attempt,
            confirmed_by=None,
            confirmed_by_name="",
            confirmed_at=None,
            planned_for=None,
            hold_until=None,
            next_try_at=None,
            tries=0,
            **fields,
        )

    def asset_states(self) -> set[str]:
        """The states of the order's domains and mailboxes."""
        return {
            state
            for assets in (self.domains, self.mailboxes)
            for state in assets.values_list("state", flat=True)
        }

    def leave_out(self, names: Collection[str]) -> None:
        """Domains and addresses that the vendor did not take, though it took the order."""
        lower = {name.lower() for name in names}
        self.domains.filter(name__in=lower).update(state=Asset.REFUSED)
        self.mailboxes.filter(
            models.Q(address__in=lower) | models.Q(domain__name__in=lower)
        ).update(state=Asset.REFUSED)

    def retry_later(
        self, *, action: str, why: str, wait: int | None, attempt: Attempt | None = None
    ) -> None:
        """Provably not sent: tried again after `wait` seconds or a growing pause, a few times; then
        a person decides.
        """
        tries = self.tries + 1
        if (
            self.state == State.UNKNOWN
        ):  # the proof came after the lease: people saw the doubt, so a person decides
            self.back_to_review(
                action=action, reason=f"Not sent. {why} Nothing was bought.", attempt=attempt
            )
            return
        if tries >= settings.NOT_SENT_TRIES:
            reason = f"Not sent after {tries} tries. {why} Nothing was bought."
            self.back_to_review(action=action, reason=reason, attempt=attempt)
            return
        pause = BACK_OFF[min(tries, len(BACK_OFF)) - 1] if wait is None else min(wait, 3600)
        again: dict[str, Any] = {
            "tries": tries,
            "next_try_at": timezone.now() + timedelta(seconds=pause),
            "waiting_for": "",
            "queued_at": None,
        }
        if self.state == State.CONFIRMED:  # it was not even claimed
            Order.objects.filter(pk=self.pk, state=self.state).update(reason=why, **again)
            record(action, self, reason=why)
        else:
            self.transition(State.CONFIRMED, action=action, reason=why, attempt=attempt, **again)

    def _mark_assets(self, to: Asset, *since: Asset) -> None:
        stamps = {Asset.ORDERED: "ordered_at", Asset.READY: "ready_at"}
        stamp = {stamps[to]: timezone.now()} if to in stamps else {}
        for assets in (self.domains, self.mailboxes):
            assets.filter(state__in=since).update(state=to, **stamp)
