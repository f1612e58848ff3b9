"""Rules about many orders: which wait for whom, which may be sent, which are due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Greatest
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.timezone import localdate

from mailops.history.models import TELLS, Event
from orders.models import made_lists
from orders.models.attempt import OPEN, SETTLED, Attempt, lease_over
from orders.models.confirmation import Confirmation
from orders.models.constraints import NEEDED
from orders.models.editor import Editor
from orders.models.state import State
from vendors import rate_limit
from vendors.apis import REGISTRY
from vendors.models import PriceVersion, SendingSwitch

ASKED = (State.ACCEPTED, State.CREATED)  # the states in which the vendor is asked about an order
LISTED = (State.PARTLY, State.DELIVERED)  # and those in which its lists may still grow
OrderT = TypeVar("OrderT", bound=models.Model)


# Changes that may make a confirmation void. Only the plan shows if one did, but without any of them
# the confirmation stands.
_CHANGED = ("vendor.changed", "contact.changed", *TELLS)


def _prices_since() -> models.QuerySet[PriceVersion]:
    # For a WHERE clause over confirmations: new prices of their account.
    return PriceVersion.objects.filter(
        vendor=models.OuterRef("order__vendor"), at__gt=models.OuterRef("at")
    )


def _changes_since() -> models.QuerySet[Event]:
    # For a WHERE clause over confirmations: changes of their account and contact.
    vendor, contact = (
        Cast(models.OuterRef(f"order__{name}_id"), models.CharField())
        for name in ("vendor", "contact")
    )
    of_either = models.Q(subject_type="vendors.vendor", subject_id=vendor)
    of_either |= models.Q(subject_type="vendors.contact", subject_id=contact)
    return Event.objects.filter(of_either, action__in=_CHANGED, at__gt=models.OuterRef("at"))


def _let_go(now: datetime) -> models.Q:
    """Orders on hold for a limit or the balance that changed since they were put on hold."""
    let_go = models.Q(pk__in=[])
    for owner in ("vendor", "client"):
        changed_at = f"{owner}__limits_changed_at"
        # a change that lies ahead was noted by a clock that has been set back since
        changed = models.Q(**{f"{changed_at}__lte": now})
        let_go |= changed & (models.Q(held_at=None) | models.Q(held_at__lte=models.F(changed_at)))
    return ~models.Q(waiting_for="") & let_go


class OrderQuerySet(models.QuerySet[OrderT]):
    """Rules about many orders."""

    def locked(self, pk: int) -> OrderT:
        return (
            self.select_for_update(of=("self",))
            .select_related("vendor", "client", "contact")
            .get(pk=pk)
        )

    def waiting_for(self, user: User) -> Self:
        # Orders in which this person should do something next.
        wanted = models.Q(pk__in=[])
        late = models.Q(pk__in=self.late_at_vendor(timezone.now()).values("pk"))
        if user.has_perm("orders.confirm_order"):
            wanted |= models.Q(pk__in=self.to_confirm_by(user).values("pk"))
        if user.has_perm("orders.settle_order"):
            wanted |= models.Q(state=State.UNKNOWN) | models.Q(pk__in=self.with_news().values("pk"))
            wanted |= late
        if user.has_perm("orders.process_order"):
            wanted |= models.Q(pk__in=self.to_process_by(user).values("pk"))
        if user.has_perm("orders.change_order"):
            to_redo = [State.DRAFT, State.REFUSED, State.PARTLY, State.UNDELIVERED]
            wanted |= models.Q(state__in=to_redo, drafted_by=user, copies=None)
            # All drafters look after the late orders of one who may not sign in any more.
            own = models.Q(drafted_by=user) | ~models.Q(drafted_by__is_active=True)
            wanted |= late & own
        # An order that looks processed may have spent money already, so it comes first.
        looks = models.Case(
            models.When(state=State.CREATED, looks_processed_at__isnull=False, then=0), default=1
        )
        return self.filter(wanted).annotate(turn=looks).order_by("turn", "state_since").distinct()

    def to_confirm_by(self, user: User) -> Self:
        """Orders that this person may confirm: not edited by them, and not confirmed already."""
        # In SQL throughout: asking `confirming_rights` about each order would take many queries.
        given = Confirmation.objects.filter(
            order=models.OuterRef("pk"), round=models.OuterRef("round")
        )
        same = Confirmation.objects.filter(
            order=models.OuterRef("order"), round=models.OuterRef("round")
        )
        # A confirmation of an older digest does not count any more.
        newest = same.order_by("-pk").values("digest")[:1]
        mine = given.filter(
            models.Q(user=user) | models.Q(for_user=user), digest=models.Subquery(newest)
        )
        mine = mine.exclude(models.Exists(_prices_since())).exclude(models.Exists(_changes_since()))
        edited = Editor.objects.filter(order=models.OuterRef("pk"))
        by_me = edited.filter(models.Q(user=user) | models.Q(name=user.get_username()))
        needs = RawSQL(NEEDED.replace("@", "orders_order"), ())  # noqa: S611  (our own words)
        waiting = self.filter(state=State.REVIEW).annotate(needs=needs)
        return waiting.exclude(models.Q(needs__gt=0) & models.Exists(by_me)).exclude(
            models.Exists(mine)
        )

    def to_process_by(self, user: User) -> Self:
        """Created orders about which this person may say that they were processed, or left."""
        edited = Editor.objects.filter(order=models.OuterRef("pk"))
        by_me = edited.filter(models.Q(user=user) | models.Q(name=user.get_username()))
        created = self.filter(state=State.CREATED)
        return created.exclude(~models.Q(confirmers_needed=0) & models.Exists(by_me))

    def with_news(self) -> Self:
        """Settled orders whose vendor contradicted the verdict, which nobody has read yet."""
        return self.filter(attempts__news_at__isnull=False).distinct()

    def due(self, now: datetime) -> Self:
        return self.filter(
            ~SendingSwitch.is_on(),
            models.Q(hold_until=None) | models.Q(hold_until__lte=now),
            models.Q(next_try_at=None) | models.Q(next_try_at__lte=now) | _let_go(now),
            vendor__no_funds_at=None,
            state=State.CONFIRMED,
            vendor__stopped_at=None,
        )

    def to_confirm(self, user: User) -> Self:
        may = user.has_perm("orders.confirm_order")
        found = self.waiting_for(user).filter(state=State.REVIEW) if may else self.none()
        return found.order_by("state_since", "pk")

    def overdue(self, now: datetime) -> Self:
        """Orders that waited too long: for a confirmer, or confirmed and not sent (expiry.py)."""
        reviewed = now - timedelta(days=settings.REVIEW_DAYS)
        confirmed = now - timedelta(days=settings.CONFIRMATION_DAYS)
        late = models.Q(pk__in=[])
        if settings.REVIEW_DAYS:
            # Only people settle an order that was sent once and taken for not placed.
            sent_before = models.Exists(
                Attempt.objects.filter(order=models.OuterRef("pk"), stage__in=SETTLED)
            )
            late |= models.Q(~sent_before, state=State.REVIEW, state_since__lte=reviewed)
        if settings.CONFIRMATION_DAYS:
            may_go = Coalesce("hold_until", "confirmed_at")
            late |= models.Q(LessThanOrEqual(may_go, confirmed), state=State.CONFIRMED)
        return self.filter(late)

    def late_at_vendor(self, now: datetime) -> Self:
        """Orders that a vendor has for longer than its account allows, the oldest first.

        `at_vendor_since` tells since when: sent or recorded as processed, or created there.
        """
        held = Attempt.objects.filter(order=models.OuterRef("pk"), stage__in=OPEN)
        # An order that was only created at first may have been sent long before it was processed.
        taken = held.exclude(sent_at=None).values(since=Greatest("sent_at", "counted_at"))
        since = models.Case(
            models.When(state=State.CREATED, then="state_since"),
            default=models.Subquery(taken[:1]),
            output_field=models.DateTimeField(),
        )
        not_expected = models.Q(expected_on=None) | models.Q(expected_on__lt=localdate(now))
        late = models.Q(pk__in=[])
        for state, days in ((State.ACCEPTED, "overdue_days"), (State.CREATED, "usual_days")):
            # SQLite multiplies only plain integers with a duration.
            number = Cast(f"vendor__{days}", models.IntegerField())
            allowed = models.ExpressionWrapper(
                number * models.Value(timedelta(days=1)), output_field=models.DurationField()
            )
            at = models.Value(now, output_field=models.DateTimeField())
            since_when = models.ExpressionWrapper(at - allowed, output_field=models.DateTimeField())
            late |= models.Q(state=state, at_vendor_since__lt=since_when)
        found = self.filter(state__in=[State.ACCEPTED, State.CREATED])
        found = found.annotate(at_vendor_since=since).filter(late, not_expected)
        return found.order_by("at_vendor_since", "pk")

    def in_turn(self, now: datetime) -> Self:
        soon = now + timedelta(seconds=rate_limit.AN_ORDER)
        # A turn too far ahead was written by a clock that has been set back since.
        far = models.Q(vendor__next_turn_at__gt=now + rate_limit.FURTHEST)
        return self.filter(
            models.Q(vendor__next_turn_at=None) | models.Q(vendor__next_turn_at__lte=soon) | far
        )

    def expired(self, now: datetime) -> Self:
        over = lease_over(now, of="attempts__")
        return self.filter(over, state=State.SENDING, attempts__stage__in=["claimed", "sending"])

    def due_for_progress(self, now: datetime) -> Self:
        """Orders whose vendor reports progress and was not asked lately; never asked ones first.

        Old ones are asked more rarely than that: `orders.outcomes.questions` says when. Beside
        accepted and created ones: those that ended, as long as a list of mailboxes that the vendor
        makes is not whole.
        """
        telling = [name for name, api in REGISTRY.items() if api.can_tell_progress]
        before = now - timedelta(seconds=settings.PROGRESS_SECONDS)
        # A time ahead was written by a clock that has been set back since.
        ahead = models.Q(asked_at__gt=now + timedelta(minutes=5))
        return self.filter(
            models.Q(asked_at=None) | models.Q(asked_at__lt=before) | ahead,
            models.Q(state__in=ASKED)
            | models.Q(state__in=LISTED, pk__in=made_lists.unread().values("order")),
            vendor__api__in=telling,
        ).order_by(models.F("asked_at").asc(nulls_first=True), "pk")
