"""The order and every move it makes; `state.py` has the table of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from mailops.core.money import Totals
from mailops.core.sealed import Sealed
from orders.models import mailbox_counts
from orders.models.attempt import OPEN
from orders.models.client import LONGEST_DESTINATION
from orders.models.confirmation_rule import Needed
from orders.models.inventory import Asset
from orders.models.order_outcomes import Outcomes
from orders.models.queries import OrderQuerySet
from orders.models.state import State
from vendors.apis.values import DomainLine, MailboxLine, Product
from vendors.cost import TOTALS, due_in_words, together
from vendors.models import SendingSwitch, Vendor, account_settings

if TYPE_CHECKING:
    from orders.models.name_availability import Availability


class Order(Outcomes):
    """An order at one vendor account. Domains and mailboxes that point to it are its contents."""

    # What is ordered
    vendor = models.ForeignKey(
        Vendor, models.PROTECT, related_name="orders", verbose_name="vendor account"
    )
    product = models.CharField("what to order", max_length=40)
    client = models.ForeignKey("orders.Client", models.PROTECT, related_name="orders")
    contact = models.ForeignKey("vendors.Contact", models.PROTECT, null=True, blank=True)
    forward_to = models.CharField("domains forward to", max_length=LONGEST_DESTINATION, blank=True)
    options = models.JSONField(default=dict, blank=True)
    sealed = models.TextField(blank=True, editable=False)
    note = models.TextField("note for the confirmer", blank=True)
    why_again = models.TextField("why order this again", blank=True)
    cost = models.JSONField(default=dict)  # `TOTALS` by currency, for lists

    # Who drafted it
    drafted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    drafted_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    copy_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="copies"
    )

    # The confirmation
    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    confirmed_by_name = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmers_needed = models.PositiveSmallIntegerField(null=True)  # when it was confirmed
    digest = models.CharField(max_length=64, blank=True)  # of the plan that was confirmed
    snapshot = models.JSONField(null=True)
    planned_for = models.DateTimeField(null=True)  # not sent before, as a confirmer asked

    # Sending; hold.py says in words why an order waits (`waiting_for` a limit or the balance)
    hold_until = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    waiting_for = models.CharField(max_length=10, blank=True, db_column="held_for")
    held_at = models.DateTimeField(null=True)  # when it was last found to have to wait
    queued_at = models.DateTimeField(null=True, db_column="rung_at")
    listed = models.JSONField(default=list)  # at the vendor already, when last looked
    looked_at = models.DateTimeField(null=True)
    prices_at = models.DateTimeField(null=True)
    is_slowed_down: bool  # only in a query with `preflight.with_needs`
    known_listed = models.JSONField(default=list)  # a confirmer has read about these
    in_words: Mapping[str, str]  # only while a list of orders is exported
    switch: SendingSwitch | None = None  # set once for a whole list of orders: hold.py
    overdue_since: datetime | None = None  # set by overdue_orders.mark, for a whole list too

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
            ("check_vendor", "Can ask a vendor about an order now"),
            ("arrive_asset", "Can say that something is there, or when it will be"),
            ("end_asset", "Can say that something is gone or is not coming, and record money back"),
            ("process_order", "Can say that a created order was processed, or leave it"),
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
    def creates_only(self) -> bool:
        """The vendor buys nothing of it until a person processes it there."""
        return self.vendor.adapter.creates_only(self)

    @property
    def secret_names(self) -> frozenset[str]:
        return Sealed(self.sealed).names

    @property
    def references(self) -> tuple[str, ...]:
        return (self.reference,) if self.reference else ()

    @property
    def request_sent_at(self) -> datetime | None:
        sent = self.attempts.filter(stage__in=OPEN).values_list("sent_at", flat=True)
        return sent.first()

    @property
    def counts_before(self) -> Mapping[str, int]:
        attempt = self.attempts.filter(stage__in=OPEN).first()
        if attempt is None:
            return {}
        counts, since = attempt.counts_before, attempt.claimed_at
        return mailbox_counts.still_of_use(self.pk, counts, since=since)

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
    def due_later(self) -> Totals:
        # Once somebody processes it: of an order that the vendor only creates.
        return Totals.from_dict(self.cost.get("due_later", {}))

    @property
    def due(self) -> Totals:
        return together(self.due_now, self.due_later)

    @property
    def due_in_words(self) -> str:
        return due_in_words(self.due_now, self.due_later)

    @property
    def per_month(self) -> Totals:
        return Totals.from_dict(self.cost.get("per_month", {}))

    # Moves

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
        new |= {"due_later": cost["due_later"]} if "due_later" in cost else {}
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
            cost={name: cost[name] for name in TOTALS if name in cost},
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
