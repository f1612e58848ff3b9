"""Harmless reads before a paid request: lists of names, evidence after a 429, and prices."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from mailops.core.sealed import CannotOpen
from mailops.history import audited, record
from orders.models import Attempt, Order, Stage, State
from orders.models.queries import OrderQuerySet
from orders.sending import task_queue
from orders.sending.results import Result
from vendors import price_lists, rate_limit, vendor_reader
from vendors.apis.values import Evidence
from vendors.http import Read, ReadFailed, Reply, Request
from vendors.models import Price
from vendors.models.price import TYPED

CLOCK_TOLERANCE = timedelta(minutes=1)
# Attempts that the vendor answered with 429, and no read has been made since.
SLOWED_DOWN = Attempt.objects.filter(stage=Stage.NOT_SENT, reply_status=429, evidence_at=None)
MARGIN = 5  # seconds for everything but waiting
KEY_MISSING = "A key or password of this order can't be opened. An Operator has to enter it again."


def with_needs(orders: OrderQuerySet[Order]) -> OrderQuerySet[Order]:
    """Orders with `is_slowed_down`, which `is_needed` asks for without a statement of its own."""
    slowed_down = SLOWED_DOWN.filter(order=OuterRef("pk"))
    return orders.annotate(is_slowed_down=Exists(slowed_down))  # type: ignore[no-redef]  # declared on Order for its readers


def is_needed(order: Order, now: datetime) -> bool:
    return any(one.is_needed(order, now) for one in READS)


def read(order_id: int) -> Result | None:
    """Ask the vendor what is needed. None where the order may be claimed now."""
    began = time.monotonic()
    for one in READS:
        orders = with_needs(Order.objects.select_related("vendor", "client", "contact"))
        order = orders.get(pk=order_id)
        if not one.is_needed(order, timezone.now()):
            continue
        if stop := one.read(order):
            return stop
        # The queue stops a task that runs too long. Stopped during the paid request it would leave
        # an unknown outcome, so after slow reads the request gets a task of its own.
        if time.monotonic() - began > _spare_seconds():
            with transaction.atomic():
                task_queue.enqueue(order_id)
            return Result.QUEUED_AGAIN
    return None


def _spare_seconds() -> float:
    spare: float = (
        settings.QUEUE_TIMEOUT - settings.VENDOR_DEADLINE_SECONDS - settings.CLAIM_FRESH_SECONDS
    )
    return spare


def is_fresh(at: datetime | None, seconds: int, now: datetime) -> bool:
    # A time just ahead of `now` comes from another worker's clock and counts. A time far ahead was
    # written by a wrong clock and does not.
    return at is not None and now - timedelta(seconds=seconds) < at <= now + CLOCK_TOLERANCE


class PreflightRead:
    """One question to the vendor before the claim."""

    must: ClassVar[str]  # a sentence for a person; `{}` is the vendor's name
    action: ClassVar[str]  # of the event where the vendor could not be asked
    result: ClassVar[Result]  # likewise
    log: ClassVar[logging.Logger]

    def is_needed(self, order: Order, now: datetime) -> bool:
        raise NotImplementedError

    def fetch(self, order: Order) -> Any:
        raise NotImplementedError

    def store(self, order: Order, found: Any) -> Result | None:
        """Store the result, with the order's row locked. None where the order may go on."""
        raise NotImplementedError

    def read(self, order: Order) -> Result | None:
        # Without the read nothing is sent: it is tried a few times, then a person decides.
        if not order.vendor.has_its_secrets:
            with _if_confirmed(order) as locked:
                if locked:
                    locked.back_to_review(action="order.returned_unsent", reason=KEY_MISSING)
            return Result.HELD_BACK
        try:
            found = self.fetch(order)
        except rate_limit.Busy:
            task_queue.forget(order.pk)
            return Result.ACCOUNT_BUSY
        except (ReadFailed, CannotOpen) as error:
            return self._try_again_later(order, str(error))
        except Exception:
            self.log.exception("The vendor of %s could not be read before sending", order)
            return self._try_again_later(order, "It can't be read.")
        with _if_confirmed(order) as locked:
            return self.store(locked, found) if locked else Result.NOTHING_TO_DO

    def _try_again_later(self, order: Order, why: str) -> Result:
        must = self.must.format(order.vendor.adapter.label)
        with _if_confirmed(order) as locked:
            if locked:
                locked.retry_later(action=self.action, why=f"{must} {why}", wait=None)
        return self.result


@contextmanager
def _if_confirmed(order: Order) -> Iterator[Order | None]:
    # The order may have been held, changed or sent while the vendor was asked.
    with audited():
        locked = Order.objects.locked(order.pk)
        yield locked if locked.state == State.CONFIRMED else None


class Listing(PreflightRead):
    """The order's names that the vendor lists already."""

    # At some vendors only the list shows afterwards whether an order arrived.

    must = "{}'s list has to be read before sending."
    action, result = "order.could_not_look", Result.COULD_NOT_LOOK
    log = logging.getLogger("mailops.looking")

    def is_needed(self, order: Order, now: datetime) -> bool:
        return order.vendor.adapter.needs_listing_before and not is_fresh(
            order.looked_at, settings.LOOK_FRESH_SECONDS, now
        )

    def fetch(self, order: Order) -> list[str]:
        reader = within_task(vendor_reader.reader(order.vendor, max_wait=rate_limit.AN_ORDER))
        return sorted(set(order.vendor.adapter.listed(order, reader)))

    def store(self, order: Order, found: list[str]) -> Result | None:
        looked: dict[str, Any] = {"listed": found, "looked_at": timezone.now()}
        # Names that no confirmer knew of may be there from an earlier request of this order.
        if new := sorted(set(found) - set(order.known_listed)):
            reason = (
                f"Not sent. {order.vendor.adapter.label} lists {_some(new)} already. It may be"
                " there from an earlier order, so look there first. Confirm again only if you are"
                " sure that it shall be ordered."
            )
            order.back_to_review(
                action="order.listed_already", reason=reason, **looked, known_listed=found
            )
            return Result.LISTED_ALREADY
        Order.objects.filter(pk=order.pk).update(**looked)
        return None


def within_task(read: Read) -> Read:
    """Adds a time budget to `read`."""
    # Without it the queue stops the task before the last answer and starts it again for ever.
    spare = settings.QUEUE_TIMEOUT - settings.VENDOR_READ_SECONDS - rate_limit.AN_ORDER - MARGIN
    ends = time.monotonic() + spare

    def ask(request: Request) -> Reply:
        if time.monotonic() > ends:
            raise ReadFailed("The vendor answers too slowly.")
        return read(request)

    return ask


class AfterSlowDown(PreflightRead):
    """Traces of an order that a vendor answered with 429: it may have taken the order first."""

    must = "After {} asked to slow down, it has to be looked at before the next try."
    action, result = "order.could_not_look", Result.COULD_NOT_LOOK
    log = logging.getLogger("mailops.looking")

    def is_needed(self, order: Order, now: datetime) -> bool:
        return order.is_slowed_down

    def fetch(self, order: Order) -> list[Evidence]:
        attempt = SLOWED_DOWN.filter(order=order).latest("number")
        read = within_task(vendor_reader.reader(order.vendor, max_wait=rate_limit.AN_ORDER))
        since = attempt.sent_at or attempt.claimed_at
        found = order.vendor.adapter.look_for(order, read, since=since, before=attempt.before)
        # An adapter gives a failed read as evidence. Here nothing may be sent after one.
        if not _traces(found) and (gap := next((item for item in found if item.is_gap), None)):
            raise ReadFailed(gap.text)
        return found

    def store(self, order: Order, found: list[Evidence]) -> Result | None:
        evidence = [item.__dict__ for item in found]
        attempt = SLOWED_DOWN.filter(order=order).order_by("-number").first()
        looked = {"evidence": evidence, "evidence_at": timezone.now()}
        SLOWED_DOWN.filter(order=order).update(**looked)
        if attempt is None or not (traces := _traces(found)):
            return None
        record(
            "attempt.evidence", order, attempt=attempt.pk, changes={"evidence": [None, evidence]}
        )
        reason = (
            f"Not sent again. {order.vendor.adapter.label} asked to slow down, and yet it may have"
            f" taken the order: {traces[0].text} Look there first. Confirm again only if you are"
            " sure that it shall be ordered."
        )
        order.back_to_review(action="order.listed_already", reason=reason)
        return Result.LISTED_ALREADY


def _traces(found: list[Evidence]) -> list[Evidence]:
    """All that shows the order, the clearest first."""
    shown = [item for item in found if item.points_to == "placed" or item.is_trace]
    return sorted(shown, key=lambda item: item.points_to != "placed")


class Prices(PreflightRead):
    """The account's price list, so that the recheck compares with the prices of today."""

    must = "{}'s prices have to be read before sending."
    action, result = "order.could_not_read_prices", Result.COULD_NOT_READ_PRICES
    log = logging.getLogger("mailops.repricing")

    def is_needed(self, order: Order, now: datetime) -> bool:
        seconds = settings.PRICES_FRESH_SECONDS
        if not order.vendor.adapter.can_fetch_prices or is_fresh(order.prices_at, seconds, now):
            return False
        return bool(_read_before(order, now - timedelta(seconds=seconds)))

    def fetch(self, order: Order) -> datetime:
        """Returns the moment before which every price of the list is older than this read."""
        began = timezone.now()
        price_lists.fetch(order.vendor, max_wait=rate_limit.AN_ORDER)
        return began

    def store(self, order: Order, found: datetime) -> Result | None:
        if gone := _read_before(order, found):
            reason = (
                f"Not sent. {order.vendor.adapter.label}'s price list does not name"
                f" {', '.join(gone)} any more. Look there first."
            )
            order.back_to_review(action="order.returned_unsent", reason=reason)
            return Result.PRICE_GONE
        Order.objects.filter(pk=order.pk).update(prices_at=timezone.now())
        return None


def _read_before(order: Order, moment: datetime) -> list[str]:
    """Labels of the order's items whose price the vendor's list gave last before `moment`."""
    items = [line["item"] for line in (order.snapshot or {}).get("cost", {}).get("lines", [])]
    prices = Price.objects.filter(vendor=order.vendor_id, item__in=items, as_of__lte=moment)
    return sorted(prices.exclude(source__startswith=TYPED).values_list("label", flat=True))


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


LISTING, AFTER_SLOW_DOWN, PRICES = Listing(), AfterSlowDown(), Prices()
READS: tuple[PreflightRead, ...] = (LISTING, AFTER_SLOW_DOWN, PRICES)
