"""Looking at the vendor with its harmless reads: before a paid request where only a list can tell
afterwards whether it arrived, and after an answer was lost. Looking never decides anything for a
person.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from mailops.core.sealed import CannotOpen
from mailops.history import audited, record
from orders.models import Attempt, Order, State
from orders.models.attempt import Stage
from vendors import rate_limit
from vendors.apis.base import Evidence
from vendors.http import Read, ReadFailed, Reply, Request

log = logging.getLogger("mailops.looking")
GO_ON = "go on"
LOOKED_FOR = timedelta(days=3)  # how long MailOps goes on looking by itself
PAUSE = timedelta(minutes=1)
MARGIN = 5  # seconds for everything but waiting


def is_needed(order: Order, now: datetime) -> bool:
    """Whether the vendor's list has to be read before this order may be sent: never read, or too
    long ago.
    """
    return order.vendor.adapter.needs_listing_before and not is_fresh(
        order.looked_at, settings.LOOK_FRESH_SECONDS, now
    )


def is_fresh(at: datetime | None, seconds: int, now: datetime) -> bool:
    """Read within so many seconds; just after `now` by another worker counts, far after it a wrong
    clock wrote it.
    """
    return at is not None and now - timedelta(seconds=seconds) < at <= now + PAUSE


KEY_MISSING = "A key or password of this order can't be opened. An Operator has to enter it again."


class Needed(Exception):
    """The order may not be claimed before these were asked of the vendor, one after the other."""

    def __init__(self, reads: list[Callable[[int], str]]) -> None:
        super().__init__("The vendor has to be asked first.")
        self.reads = reads


def look_first(order_id: int) -> str:
    """Note what of the order the vendor lists already, before anything is claimed. `GO_ON`, or a
    word for the log.

    Listed names that no confirmer was told of send the order back: they may be there from an
    earlier request.
    """
    order = Order.objects.select_related("vendor", "client", "contact").get(pk=order_id)
    if not order.vendor.has_its_secrets:
        return key_missing(order_id)
    try:
        reader = _in_time(order.vendor.reader(max_wait=rate_limit.AN_ORDER))
        listed = sorted(set(order.vendor.adapter.listed(order, reader)))
    except rate_limit.Busy:
        Order.objects.filter(pk=order_id, state=State.CONFIRMED).update(queued_at=None)
        return "account busy"
    except (ReadFailed, CannotOpen) as error:
        return _could_not_look(order, str(error))
    except Exception:
        log.exception("What the vendor lists of %s could not be read", order)
        return _could_not_look(order, "It can't be read.")
    with audited():
        order = Order.objects.locked(order_id)
        if order.state != State.CONFIRMED:
            return "nothing to do"
        looked: dict[str, Any] = {"listed": listed, "looked_at": timezone.now()}
        if new := sorted(set(listed) - set(order.known_listed)):
            reason = (
                f"Not sent. {order.vendor.adapter.label} lists {_some(new)} already. It may be"
                " there from an earlier order, so look there first. Confirm again only if you are"
                " sure that it shall be ordered."
            )
            order.back_to_review(
                action="order.listed_already", reason=reason, **looked, known_listed=listed
            )
            return "listed already"
        Order.objects.filter(pk=order_id).update(**looked)
        return GO_ON


def _in_time(read: Read) -> Read:
    """The same question, refused once so much time is gone that the queue would stop the task
    before the last answer: it would begin anew for ever, and nobody would be told.
    """
    ends = (
        time.monotonic()
        + settings.QUEUE_TIMEOUT
        - settings.VENDOR_READ_SECONDS
        - rate_limit.AN_ORDER
        - MARGIN
    )

    def ask(request: Request) -> Reply:
        if time.monotonic() > ends:
            raise ReadFailed("The vendor answers too slowly.")
        return read(request)

    return ask


def _could_not_look(order: Order, why: str) -> str:
    """Without the list a lost answer could not be told from a placed order: nothing is sent, and
    tried a few times.
    """
    reason = f"{order.vendor.adapter.label}'s list has to be read before sending. {why}"
    return could_not(order.pk, action="order.could_not_look", reason=reason, word="could not look")


def could_not(order_id: int, *, action: str, reason: str, word: str) -> str:
    """What has to be read before sending could not be: a try that was not sent. Returns `word`."""
    with audited():
        order = Order.objects.locked(order_id)
        if order.state == State.CONFIRMED:
            order.retry_later(action=action, why=reason, wait=None)
        return word


def key_missing(order_id: int) -> str:
    with audited():
        order = Order.objects.locked(order_id)
        if order.state == State.CONFIRMED:
            order.back_to_review(action="order.returned_unsent", reason=KEY_MISSING)
    return "held back"


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


# After an answer was lost


def look(attempt: Attempt, *, by: User | None = None) -> list[Evidence]:
    """Ask the vendor's read endpoints and keep what they show on the attempt. Never a verdict."""
    order = Order.objects.select_related("vendor", "client", "contact").get(pk=attempt.order_id)
    since = attempt.sent_at or attempt.claimed_at
    try:
        reader = order.vendor.reader(max_wait=rate_limit.A_PERSON if by else rate_limit.BY_ITSELF)
        evidence = order.vendor.adapter.look_for(order, reader, since=since, before=attempt.before)
    except (ReadFailed, CannotOpen) as error:
        evidence = [Evidence(text=str(error))]
    found = [item.__dict__ for item in evidence]
    with audited():
        now = timezone.now()
        attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
        is_new = found != attempt.evidence
        news = {}
        if (
            is_new
            and attempt.stage == Stage.NOT_PLACED
            and any(item.points_to == "placed" for item in evidence)
        ):
            news = {"news_at": now}
        Attempt.objects.filter(pk=attempt.pk).update(evidence=found, evidence_at=now, **news)
        if is_new or by:
            record(
                "attempt.evidence",
                order,
                by=by,
                attempt=attempt.pk,
                changes={"evidence": [None, found]},
            )
    return evidence


def due(now: datetime) -> list[Attempt]:
    """Attempts that MailOps looks for by itself: after a minute, and then whenever the time since
    has doubled.
    """
    wanted = Attempt.objects.filter(
        stage__in=[Stage.UNKNOWN, Stage.NOT_PLACED], sent_at__gt=now - LOOKED_FOR
    ).select_related("order")
    return [attempt for attempt in wanted if _is_due(attempt, now) and attempt.is_newest]


def _is_due(attempt: Attempt, now: datetime) -> bool:
    assert attempt.sent_at
    last = max(attempt.sent_at, attempt.evidence_at or attempt.sent_at)
    return now - last >= max(PAUSE, last - attempt.sent_at)
