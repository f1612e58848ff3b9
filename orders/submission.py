"""Sending: the one place that spends. Read it from top to bottom.

One confirmation leads to at most one paid request: whoever is killed, clicks twice or is told
twice. A queued task is a doorbell with an order's number; the order's row decides.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.utils import timezone

from mailops.core import fault_points
from mailops.core.money import Totals
from mailops.core.sealed import CannotOpen, Sealed
from mailops.history import audited, record
from orders.models import Attempt, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.plan import Plan, plan
from orders.review import confirmations, expiry
from orders.review.plan_diff import differences
from orders.sending import circuit_breaker, price_drift, price_refresh, task_queue, vendor_lookup
from orders.sending.classification import (
    CONTRADICTS,
    if_it_is_ours,
    in_short,
    reference_of,
    verdict_over,
)
from orders.spending import limits, spending_holds
from vendors import rate_limit
from vendors.http import Lost, NoConnection, Reply, post_order
from vendors.models import SendingSwitch, Vendor
from vendors.verdicts import Accepted, NotSent, Refused, Unknown, Verdict

log = logging.getLogger("mailops.submission")
HELD_UP = "The worker was held up before it could send."


class PlanChanged(NotAllowed):
    """The order is not what the person saw; `changes` says how it differs."""

    def __init__(self, changes: list[str]) -> None:
        super().__init__("This order changed after you opened it, so it was not confirmed.")
        self.changes = changes


# 1. Confirm: one transaction, ending with the doorbell in the same database


def seen(current: Plan) -> None:
    """Remember a plan that is being shown, so that a later refusal can say what changed since."""
    cache.set(f"plan:{current.digest}", current.as_dict(), timeout=7 * 24 * 3600)


def shown(digest: str) -> dict[str, Any]:
    """The plan that a page showed under this digest, empty where none is remembered."""
    found: dict[str, Any] | None = (
        cache.get(f"plan:{digest}") if re.fullmatch(r"[0-9a-f]{64}", digest) else None
    )
    return found or {}


def confirm(order_id: int, *, by: User, digest: str, planned_for: datetime | None = None) -> Order:
    """Confirm exactly the plan whose digest the person saw. Raises `NotAllowed` or `PlanChanged`;
    nothing half-done.

    Where two persons have to confirm, the order that comes back still waits after the first.
    `planned_for`: not sent before that moment.
    """
    try:
        with audited():
            order = Order.objects.locked(order_id)
            by = User.objects.get(
                pk=by.pk
            )  # as they are now: their role, and what was passed on to them
            current = plan(order)
            needed = confirmations.check(order, current, by=by)
            if current.digest != digest:
                before = shown(digest)
                raise PlanChanged(differences(before, current.as_dict()) if before else [])
            if current.blocking:
                raise NotAllowed(
                    f"This order can't be confirmed: {current.blocking[0].message}"
                    f" {current.blocking[0].fix}"
                )
            now = timezone.now()
            not_before = confirmations.not_before(order, current.digest, planned_for)
            goes = max(not_before or now, now + timedelta(minutes=order.vendor.hold_minutes))
            if why := limits.why_not(order, current.cost.due_now, at=goes):
                raise NotAllowed(f"Not confirmed. {why}")
            on_behalf = order.on_behalf(by, current.digest)
            given = confirmations.give(order, current, needed, by=by, planned_for=planned_for)
            if len(given) < needed.count:
                return order
            order.confirm(
                by=by,
                digest=current.digest,
                snapshot=current.snapshot(),
                needed=needed,
                reason=on_behalf,
                planned_for=not_before,
            )
            fault_points.point("confirm, before commit")
            if not order.held_by:  # else the sweep rings, as soon as nothing holds it
                task_queue.enqueue(order.pk)
            return order
    except confirmations.OwnOrder as refused:
        confirmations.record_refusal(order_id, by=by, digest=digest, why=str(refused))
        raise
    except IntegrityError as error:
        raise NotAllowed(
            "A domain or mailbox of this order was bought or confirmed on another order a moment"
            " ago, or you are one of its editors. Open it again to see which."
        ) from error


def submit(order_id: int) -> str:
    """The task: read first, claim, recheck, mark, send once, record.

    Returns a word for the queue's log.
    """
    try:
        attempt = claim(order_id)
    except vendor_lookup.Needed as needed:
        began = time.monotonic()
        for read in needed.reads:
            if (word := read(order_id)) != vendor_lookup.GO_ON:
                return word
            if time.monotonic() - began > _spare_seconds():
                with transaction.atomic():
                    task_queue.enqueue(order_id)
                return "looked, rung again"
        try:
            attempt = claim(order_id)
        except vendor_lookup.Needed:  # something else grew too old meanwhile: the sweep rings again
            _not_now(order_id)
            return "looked, not fresh any more"
    if attempt is None:
        return "nothing to do"
    started = time.monotonic()
    fault_points.point("claimed")
    try:
        return _send(attempt, started)
    except SystemExit:  # the queue's time-out: struck inside a BEGIN, it leaves one open that Django knows nothing of
        connection.close()
        raise
    finally:
        task_queue.enqueue_next(attempt.order.vendor_id)


def _spare_seconds() -> float:
    """What may pass before the claim, so that the queue does not stop the task during the request."""
    spare: float = (
        settings.QUEUE_TIMEOUT - settings.VENDOR_DEADLINE_SECONDS - settings.CLAIM_FRESH_SECONDS
    )
    return spare


def _send(attempt: Attempt, started: float) -> str:
    time.sleep(attempt.wait)
    current = recheck(attempt)
    if current is None:
        return "held back"
    try:
        secrets = attempt.order.vendor.secrets.open() | Sealed(attempt.order.sealed).open()
        request = (
            current.request
        )  # all of it is filled in here: a key that is not stored must show before the mark
        body, *_ = (
            request.wire_body(secrets),
            request.wire_headers(secrets),
            request.url(current.host, secrets),
        )
    except (CannotOpen, KeyError):
        _return_to_review(attempt, vendor_lookup.KEY_MISSING)
        return "held back"
    if not mark(attempt, body=body or b"", started=started):
        return "too late"
    fault_points.point("about to send")
    may_go = partial(_is_in_time, attempt, started)
    outcome = post_order(current.request, host=current.host, secrets=secrets, may_go=may_go)
    fault_points.point("answered")
    return record_outcome(attempt, outcome, verdict_over(attempt.order, outcome))


# 2. Claim: compare-and-set; zero rows updated means that somebody else has it


def _reads(order: Order, now: datetime) -> list[Callable[[int], str]]:
    found = [
        (vendor_lookup.is_needed, vendor_lookup.look_first),
        (price_refresh.is_needed, price_refresh.read_first),
    ]
    return [read for is_needed, read in found if is_needed(order, now)]


def claim(order_id: int) -> Attempt | None:
    """Take a confirmed order and write its attempt, in one commit. None where there is nothing to
    take.

    Raises `vendor_lookup.Needed` for an order whose vendor has to be asked something before. The
    account's row is the lock under which its turn is taken and its orders and limits are counted;
    the client's lock comes after it.
    """
    now = timezone.now()
    with audited(durable=True):
        due = Order.objects.due(now).select_related("vendor", "client")
        found = due.select_for_update(of=("vendor",), no_key=True)
        order = found.filter(pk=order_id).first()
        if order is None or order.vendor.max_concurrent <= _on_their_way(order):
            _not_now(order_id)
            return None
        now = timezone.now()  # waiting for the account's row may have taken a while
        spends = spending_holds.confirmed_sum(order)
        if expiry.is_over(order, now):
            _too_late(order)
        elif held := spending_holds.hold_needed(order, spends, now):
            spending_holds.put_on_hold(order, held)
        elif reads := _reads(order, now):
            raise vendor_lookup.Needed(reads)
        else:
            return _take(order, spends, now)
    task_queue.enqueue_next(
        order.vendor_id
    )  # it locks another order, which must not come behind the history's lock
    return None


def _take(order: Order, spends: Totals, now: datetime) -> Attempt | None:
    wait = rate_limit.acquire(order.vendor, max_wait=rate_limit.AN_ORDER, now=now)
    if wait is None:
        _not_now(order.pk)
        return None
    number = order.attempts.count() + 1
    try:
        order.start_sending(number, confirmed_at=order.confirmed_at)
    except NotAllowed:
        return None
    attempt = Attempt.objects.create(
        order=order,
        number=number,
        worker=f"{socket.gethostname()}/{os.getpid()}",
        digest=order.digest,
        claimed_at=now,
        lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        due_now=spends.as_dict(),
        before=order.listed if order.looked_at else [],
        before_at=order.looked_at,
    )
    attempt.wait = wait
    return attempt


def _too_late(order: Order) -> None:
    """Its confirmation expired before the sweep saw it.

    Whoever moved the order first has decided about it.
    """
    found = Order.objects.locked(order.pk)
    if found.state == State.CONFIRMED and found.confirmed_at == order.confirmed_at:
        expiry.end(found)


def _on_their_way(order: Order) -> int:
    return Order.objects.filter(vendor=order.vendor, state=State.SENDING).count()


def _not_now(order_id: int) -> None:
    """This ring was for nothing: whoever has the account now, or the sweep, rings again once the
    order may go.
    """
    Order.objects.filter(pk=order_id, state=State.CONFIRMED).update(queued_at=None)


# 3. Recheck: switch, limits, prices, digest; anything off and nothing is sent


def recheck(attempt: Attempt) -> Plan | None:
    """The plan as it is now if it is still the confirmed one; else the order is put back, with the
    reason.
    """
    found = Order.objects.select_related("vendor", "client", "contact").annotate(
        all_held=SendingSwitch.is_on()
    )
    order = found.get(pk=attempt.order_id)
    attempt.order = order
    if order.vendor.is_stopped or order.all_held:
        _put_back(attempt, "Sending was stopped a moment before this was sent.")
        return None
    current = plan(order)
    if current.digest != order.digest and (why := price_drift.accept(attempt, current)):
        _return_to_review(attempt, f"Not sent, because it is no longer what was confirmed. {why}")
        return None
    if current.blocking:
        _return_to_review(
            attempt, f"Not sent. {current.blocking[0].message} {current.blocking[0].fix}"
        )
        return None
    if why := confirmations.lacking(order, current):
        _return_to_review(attempt, f"Not sent. {why}")
        return None
    return current


# 4. Mark "about to send", committed; from here on a crash means unknown


def mark(attempt: Attempt, *, body: bytes, started: float) -> bool:
    """Whether this worker may send now.

    A worker that slept since its claim may not: somebody may have decided.
    """
    if not _is_in_time(attempt, started):
        _retry_later(attempt, HELD_UP)
        return False
    with audited(durable=True):
        sent_at = timezone.now()
        digest = hashlib.sha256(body).hexdigest()
        if not attempt.move(
            Stage.SENDING, since=(Stage.CLAIMED,), sent_at=sent_at, body_sha256=digest
        ):
            return False
        record(
            "attempt.about_to_send",
            attempt.order,
            attempt=attempt.pk,
            changes={"body_sha256": [None, digest]},
        )
    fault_points.point("marked")
    if not _is_in_time(
        attempt, started
    ):  # asleep since: nothing was sent, whatever others had to think meanwhile
        record_outcome(attempt, NoConnection(HELD_UP), NotSent(why=HELD_UP, retry_after=0))
        return False
    return True


def _is_in_time(attempt: Attempt, started: float) -> bool:
    fresh = settings.CLAIM_FRESH_SECONDS
    return time.monotonic() - started <= fresh and timezone.now() - attempt.claimed_at <= timedelta(
        seconds=fresh
    )


# 5. One POST is `vendors.http.post_order`. 6. Classify and commit outcome and event together


def record_outcome(attempt: Attempt, outcome: Reply | NoConnection | Lost, verdict: Verdict) -> str:
    """Write the verdict; keep trying for a while, since the answer exists nowhere else.

    Returns the stage.
    """
    until, tries = time.monotonic() + 10, 0
    while True:
        tries += 1
        try:
            with audited(durable=True):
                stage = _write_outcome(attempt, outcome, verdict)
                fault_points.point("recorded, before commit")
            fault_points.point("recorded")
            return stage
        except (OperationalError, InterfaceError):
            if (
                time.monotonic() > until and tries >= 3
            ):  # the time may have passed while the worker was frozen
                log.error(
                    "The outcome of %s could not be written; it will read as unknown", attempt
                )
                raise
            connection.close()
            time.sleep(0.5)


def _write_outcome(attempt: Attempt, outcome: Reply | NoConnection | Lost, verdict: Verdict) -> str:
    if circuit_breaker.may_close(outcome, verdict) or reference_of(verdict):
        Vendor.objects.locked(attempt.order.vendor_id)
    verdict = if_it_is_ours(attempt.order, verdict)
    order = Order.objects.locked(attempt.order_id)
    reply: dict[str, Any] = {}
    if isinstance(outcome, Reply):
        text = (
            outcome.body[:20_000]
            .decode("utf-8", "replace")
            .replace("\x00", "\N{REPLACEMENT CHARACTER}")
        )
        reply = {"reply_status": outcome.status, "reply_body": text}
    stage, why, reference = in_short(verdict)
    if not attempt.move(
        stage, since=(Stage.SENDING, Stage.UNKNOWN), why=why, reference=reference, **reply
    ):
        # A person settled it in the meantime. Their verdict stands; the late answer is shown beside
        # it.
        settled = Attempt.objects.get(pk=attempt.pk).stage
        news = {"news_at": timezone.now()} if stage in CONTRADICTS.get(settled, ()) else {}
        Attempt.objects.filter(pk=attempt.pk).update(
            late_answer=f"{Stage(stage).label}. {why}".strip(), **reply, **news
        )
        record(
            "attempt.late_answer",
            order,
            reason=why,
            attempt=attempt.pk,
            changes={"answer": [None, stage]},
        )
        return "late"
    if order.state not in (State.SENDING, State.UNKNOWN):
        raise RuntimeError(f"{order} reads {order.state} while its attempt is open")
    _move_order(order, attempt, verdict)
    if isinstance(outcome, Reply) and outcome.status == 429:
        rate_limit.rest(order.vendor, verdict.retry_after if isinstance(verdict, NotSent) else None)
    circuit_breaker.close_account(order.vendor, outcome, stage)
    return str(stage)


def _move_order(order: Order, attempt: Attempt, verdict: Verdict) -> None:
    match verdict:
        case Accepted():
            order.accept(attempt, reference=verdict.reference, left_out=verdict.refused_domains)
        case Refused() if order.attempts.filter(stage=Stage.NOT_PLACED).exists():
            # The refusal may come from our own earlier request, which a person took for not placed.
            says = " ".join(problem.vendor_says or problem.message for problem in verdict.problems)
            reason = (
                f"The vendor refused: {says} An earlier request of this order may be the cause:"
                " check the vendor."
            )
            order.back_to_review(action="order.refused_again", reason=reason, attempt=attempt)
        case Refused():
            problems = [problem.__dict__ for problem in verdict.problems]
            reason = " ".join(problem.message for problem in verdict.problems)
            order.refuse(attempt, problems=problems, reason=reason)
        case NotSent():
            order.retry_later(
                action="order.not_sent", why=verdict.why, wait=verdict.retry_after, attempt=attempt
            )
        case Unknown():
            if order.state == State.SENDING:
                order.mark_unknown(attempt, reason=verdict.why)


def _put_back(attempt: Attempt, reason: str) -> None:
    """Nothing was sent and nothing is wrong with the order: confirmed again, to be sent when it can
    be.
    """
    with audited(durable=True):
        order = Order.objects.locked(attempt.order_id)
        if attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED, Stage.SENDING), why=reason):
            order.put_back(attempt, reason=reason)


def _retry_later(attempt: Attempt, reason: str) -> None:
    """The worker did not get to send: tried again at once, but counted, so that it can't go on for
    ever.
    """
    with audited(durable=True):
        order = Order.objects.locked(attempt.order_id)
        if attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=reason):
            order.retry_later(action="order.put_back", why=reason, wait=0, attempt=attempt)


def release(order: Order, attempt: Attempt) -> bool:
    """A claim that was never marked sent nothing; whether it was still that, inside the caller's
    transaction.
    """
    why = "The worker stopped before it sent anything."
    if not attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=why):
        return False
    order.retry_later(action="order.released", why=why, wait=0, attempt=attempt)
    return True


def _return_to_review(attempt: Attempt, reason: str) -> None:
    with audited(durable=True):
        order = Order.objects.locked(attempt.order_id)
        if attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=reason):
            order.back_to_review(action="order.returned_unsent", reason=reason, attempt=attempt)
