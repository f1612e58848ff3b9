"""Sending: the one place that spends. Read it from top to bottom.

One confirmation leads to at most one paid request: whoever is killed, clicks twice or is told twice. A queued task is a
doorbell with an order's number; the order's row decides.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from mailops.history import record
from orders import drill
from orders.models import Attempt, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.models.inventory import Asset
from orders.plan import Plan, differences, plan
from vendors.http import Lost, NoConnection, Reply, post_order
from vendors.sealed import CannotOpen, Sealed
from vendors.verdicts import Accepted, NotSent, Refused, Unknown, Verdict

log = logging.getLogger("mailops.submission")
SUBMIT = "orders.tasks.submit_order"
BACKLOG = 50  # queued tasks
BACK_OFF = (30, 120, 300, 900)  # seconds before a request that was provably not sent is tried again


class PlanChanged(NotAllowed):
    """The order is not what the person saw; `changes` says how it differs."""

    def __init__(self, changes: list[str]) -> None:
        super().__init__("This order changed after you opened it, so it was not confirmed.")
        self.changes = changes


# -- 1. Confirm: one transaction, ending with the doorbell in the same database -------------------------------------


def seen(current: Plan) -> None:
    """Remember a plan that is being shown, so that a later refusal can say what changed since."""
    cache.set(f"plan:{current.digest}", current.as_dict(), timeout=7 * 24 * 3600)


def shown(digest: str) -> dict[str, Any]:
    """The plan that a page showed under this digest, empty where none is remembered."""
    found: dict[str, Any] | None = cache.get(f"plan:{digest}") if re.fullmatch(r"[0-9a-f]{64}", digest) else None
    return found or {}


def confirm(order_id: int, *, by: User, digest: str) -> Order:
    """Confirm exactly the plan whose digest the person saw. Raises `NotAllowed` or `PlanChanged`; nothing half-done."""
    try:
        with transaction.atomic():
            order = Order.objects.select_for_update(of=("self",)).select_related("vendor", "client").get(pk=order_id)
            if why := order.why_not_confirm(by):
                raise NotAllowed(why)
            current = plan(order)
            if current.digest != digest:
                before = shown(digest)
                raise PlanChanged(differences(before, current.as_dict()) if before else [])
            if current.stops:
                raise NotAllowed(f"This order can't be confirmed: {current.stops[0].message} {current.stops[0].fix}")
            order.confirm(by=by, digest=current.digest, snapshot=current.snapshot())
            drill.point("confirm, before commit")
            if not order.held_by:
                async_task(SUBMIT, order.pk)
            return order
    except IntegrityError as error:
        raise NotAllowed(
            "A domain or mailbox of this order was bought or confirmed on another order a moment ago, "
            "or you are one of its editors. Open it again to see which."
        ) from error


def submit(order_id: int) -> str:
    """The task: claim, recheck, mark, send once, record. Returns a word for the queue's log."""
    attempt = claim(order_id)
    if attempt is None:
        return "nothing to do"
    started = time.monotonic()
    drill.point("claimed")
    current = recheck(attempt)
    if current is None:
        return "held back"
    try:
        secrets = attempt.order.vendor.secrets.open() | Sealed(attempt.order.sealed).open()
        request = current.request  # all of it is filled in here: a key that is not stored must show before the mark
        body, *_ = request.wire_body(secrets), request.wire_headers(secrets), request.url(current.host, secrets)
    except (CannotOpen, KeyError):
        _return_to_review(
            attempt, "A key or password of this order can't be opened. An Operator has to enter it again."
        )
        return "held back"
    if not mark(attempt, body=body or b"", started=started):
        return "too late"
    drill.point("about to send")
    outcome = post_order(current.request, host=current.host, secrets=secrets)
    drill.point("answered")
    return record_outcome(attempt, outcome, verdict_over(attempt.order, outcome))


# -- 2. Claim: compare-and-set; zero rows updated means that somebody else has it ------------------------------------


def claim(order_id: int) -> Attempt | None:
    """Take a confirmed order and write its attempt, in one commit. None where there is nothing to take."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        order = Order.objects.due(now).select_related("vendor").filter(pk=order_id).first()
        if order is None or order.vendor.is_stopped:
            return None
        number = order.attempts.count() + 1
        try:
            order._move(
                State.SENDING, action="order.claimed", changes={"attempt": [None, number]}, next_try_at=None
            )  # fmt: skip
        except NotAllowed:
            return None
        return Attempt.objects.create(
            order=order,
            number=number,
            worker=f"{socket.gethostname()}/{os.getpid()}",
            digest=order.digest,
            claimed_at=now,
            lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        )


# -- 3. Recheck: switch, limits, prices, digest; anything off and nothing is sent ------------------------------------


def recheck(attempt: Attempt) -> Plan | None:
    """The plan as it is now if it is still the confirmed one; else the order is put back, with the reason."""
    order = Order.objects.select_related("vendor", "client", "contact").get(pk=attempt.order_id)
    attempt.order = order
    if order.vendor.is_stopped:
        _put_back(attempt, f"Sending to {order.vendor.name} is stopped: {order.vendor.stopped_reason}")
        return None
    current = plan(order)
    if current.digest != order.digest:
        changes = " ".join(differences(order.snapshot or {}, current.as_dict())) or "Something changed."
        _return_to_review(attempt, f"Not sent, because it is no longer what was confirmed. {changes}")
        return None
    if current.stops:
        _return_to_review(attempt, f"Not sent. {current.stops[0].message} {current.stops[0].fix}")
        return None
    return current


# -- 4. Mark "about to send", committed; from here on a crash means unknown -----------------------------------------


def mark(attempt: Attempt, *, body: bytes, started: float) -> bool:
    """Whether this worker may send now. A worker that slept since its claim may not: somebody may have decided."""
    if _is_late(attempt, started):
        _put_back(attempt, "The worker was held up before sending")
        return False
    with transaction.atomic(durable=True):
        sent_at = timezone.now()
        digest = hashlib.sha256(body).hexdigest()
        if not attempt.move(Stage.SENDING, since=(Stage.CLAIMED,), sent_at=sent_at, body_sha256=digest):
            return False
        record("attempt.about_to_send", attempt.order, attempt=attempt.pk, changes={"body_sha256": [None, digest]})
    drill.point("marked")
    if _is_late(attempt, started):  # asleep during the commit: nothing was sent, and we know it
        _put_back(attempt, "The worker was held up before sending")
        return False
    return True


def _is_late(attempt: Attempt, started: float) -> bool:
    fresh = settings.CLAIM_FRESH_SECONDS
    return time.monotonic() - started > fresh or timezone.now() - attempt.claimed_at > timedelta(seconds=fresh)


# -- 5. One POST is `vendors.http.post_order`. 6. Classify and commit outcome and event together --------------------


def verdict_over(order: Order, outcome: Reply | NoConnection | Lost) -> Verdict:
    """What the outcome means; whatever can't be read is unknown."""
    if isinstance(outcome, NoConnection):
        return NotSent(why=f"No connection was made: {outcome.why}.")
    if isinstance(outcome, Lost):
        return Unknown(why=f"The answer was lost: {outcome.why}.")
    try:
        return order.vendor.adapter.read_reply(order, outcome)
    except Exception:
        log.exception("The answer to %s could not be read", order)
        return Unknown(why=f"The vendor answered {outcome.status}, but the answer can't be read.")


def record_outcome(attempt: Attempt, outcome: Reply | NoConnection | Lost, verdict: Verdict) -> str:
    """Write the verdict; keep trying for a while, since the answer exists nowhere else. Returns the stage."""
    until = time.monotonic() + 10
    while True:
        try:
            with transaction.atomic(durable=True):
                stage = _write_outcome(attempt, outcome, verdict)
                drill.point("recorded, before commit")
            drill.point("recorded")
            return stage
        except OperationalError:
            if time.monotonic() > until:
                log.error("The outcome of %s could not be written; it will read as unknown", attempt)
                raise
            connection.close()
            time.sleep(0.5)


def _write_outcome(attempt: Attempt, outcome: Reply | NoConnection | Lost, verdict: Verdict) -> str:
    order = Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=attempt.order_id)
    reply: dict[str, Any] = {}
    if isinstance(outcome, Reply):
        text = outcome.body[:20_000].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
        reply = {"reply_status": outcome.status, "reply_body": text}
    stage, why, reference = _in_short(verdict)
    if not attempt.move(stage, since=(Stage.SENDING, Stage.UNKNOWN), why=why, reference=reference, **reply):
        # A person settled it in the meantime. Their verdict stands; the late answer is shown beside it.
        Attempt.objects.filter(pk=attempt.pk).update(late_answer=f"{Stage(stage).label}. {why}".strip(), **reply)
        record("attempt.late_answer", order, reason=why, attempt=attempt.pk, changes={"answer": [None, stage]})
        return "late"
    if order.state not in (State.SENDING, State.UNKNOWN):
        raise RuntimeError(f"{order} reads {order.state} while its attempt is open")
    _move_order(order, attempt, verdict)
    return str(stage)


def _in_short(verdict: Verdict) -> tuple[Stage, str, str]:
    match verdict:
        case Accepted():
            return Stage.ACCEPTED, "", verdict.reference[:120]
        case Refused():
            return Stage.REFUSED, " ".join(problem.message for problem in verdict.problems), ""
        case NotSent():
            return Stage.NOT_SENT, verdict.why, ""
        case Unknown():
            return Stage.UNKNOWN, verdict.why, ""


def _move_order(order: Order, attempt: Attempt, verdict: Verdict) -> None:
    match verdict:
        case Accepted():
            accept(order, attempt, reference=verdict.reference, refused_domains=verdict.refused_domains)
        case Refused():
            order._mark_assets(Asset.REFUSED, Asset.ORDERED)
            problems = [problem.__dict__ for problem in verdict.problems]
            reason = " ".join(problem.message for problem in verdict.problems)
            order._move(
                State.REFUSED, action="order.refused", reason=reason, attempt=attempt, problems=problems
            )  # fmt: skip
        case NotSent():
            _retry_or_ask(order, attempt, why=verdict.why, wait=verdict.retry_after)
        case Unknown():
            if order.state == State.SENDING:
                order._move(State.UNKNOWN, action="order.outcome_unknown", reason=verdict.why, attempt=attempt)


def accept(
    order: Order,
    attempt: Attempt,
    *,
    reference: str,
    refused_domains: tuple[str, ...] = (),
    by: User | None = None,
    reason: str = "",
) -> None:
    """The vendor has the order; what it left out is marked as refused. Also the move of a person's *it was placed*."""
    left_out = [name.lower() for name in refused_domains]
    if left_out:
        order.domains.filter(name__in=left_out).update(state=Asset.REFUSED)
        order.mailboxes.filter(domain__name__in=left_out).update(state=Asset.REFUSED)
        reason = f"{reason} The vendor left out: {', '.join(left_out)}.".strip()
    order._move(
        State.ACCEPTED,
        action="order.settled_as_placed" if by else "order.accepted",
        by=by,
        reason=reason,
        attempt=attempt,
        changes={"reference": ["", reference]},
        reference=reference,
        progress_at=timezone.now(),
    )


def _retry_or_ask(order: Order, attempt: Attempt, *, why: str, wait: int | None) -> None:
    """Provably not sent: confirmed again after a pause, a bounded number of times; then a person decides."""
    tries = order.tries + 1
    if order.state == State.UNKNOWN:  # the proof came after the lease: people saw the doubt, so a person decides
        order.back_to_review(action="order.not_sent", reason=f"Not sent. {why} Nothing was bought.", attempt=attempt)
        return
    if tries >= settings.NOT_SENT_TRIES:
        order.back_to_review(
            action="order.not_sent", reason=f"Not sent after {tries} tries. {why} Nothing was bought.", attempt=attempt
        )
        return
    pause = max(wait or 0, 0 if wait is not None else BACK_OFF[min(tries, len(BACK_OFF)) - 1])
    order._move(
        State.CONFIRMED,
        action="order.not_sent",
        reason=why,
        attempt=attempt,
        tries=tries,
        next_try_at=timezone.now() + timedelta(seconds=min(pause, 3600)),
        rung_at=None,
    )


def _put_back(attempt: Attempt, reason: str) -> None:
    """Nothing was sent and nothing is wrong with the order: confirmed again, to be sent when it can be."""
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update(of=("self",)).get(pk=attempt.order_id)
        if attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED, Stage.SENDING), why=reason):
            order._move(State.CONFIRMED, action="order.put_back", reason=reason, attempt=attempt, rung_at=None)


def _return_to_review(attempt: Attempt, reason: str) -> None:
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update(of=("self",)).get(pk=attempt.order_id)
        if attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=reason):
            order.back_to_review(action="order.returned_unsent", reason=reason, attempt=attempt)


# -- The sweep, every minute: makes the queue's own losses harmless -------------------------------------------------


def sweep(now: datetime | None = None) -> dict[str, int]:
    """Expired leases, confirmed orders that no task looks after, due questions to vendors. Safe to run twice."""
    now = now or timezone.now()
    done = {"released": 0, "unknown": 0, "rung": 0, "asked": 0}
    for order in Order.objects.expired(now).distinct()[:200]:
        for word in _expire(order.pk, now):
            done[word] += 1
    unrung = _unrung(now)
    due = Order.objects.due(now).filter(unrung).exclude(vendor__stopped_at__isnull=False)
    for pk in due.order_by("state_since").values_list("pk", flat=True)[:200]:
        done["rung"] += _ring(pk, now, unrung)
    for pk in Order.objects.due_for_progress(now).values_list("pk", flat=True)[:200]:
        with transaction.atomic():
            if Order.objects.due_for_progress(now).filter(pk=pk).update(progress_at=now):
                async_task("orders.tasks.ask_progress", pk)
                done["asked"] += 1
    return done


def _expire(order_id: int, now: datetime) -> list[str]:
    """A worker that vanished before the mark sent nothing; after the mark the outcome is unknown."""
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(pk=order_id)
        attempt = order.attempts.filter(stage__in=[Stage.CLAIMED, Stage.SENDING], lease_until__lt=now).first()
        if order.state != State.SENDING or attempt is None:
            return []
        why = "The worker stopped before it sent anything."
        if attempt.move(Stage.NOT_SENT, since=(Stage.CLAIMED,), why=why):
            order._move(State.CONFIRMED, action="order.released", reason=why, attempt=attempt, rung_at=None)
            return ["released"]
        why = "The worker stopped while it was sending, so nobody saw the vendor's answer."
        if attempt.move(Stage.UNKNOWN, since=(Stage.SENDING,), why=why):
            order._move(State.UNKNOWN, action="order.outcome_unknown", reason=why, attempt=attempt)
            return ["unknown"]
        return []


def _unrung(now: datetime) -> models.Q:
    """Orders that may have no task. Behind a long backlog a task is not lost, so it is not queued again."""
    if OrmQ.objects.count() > BACKLOG:
        return models.Q(rung_at=None)
    return models.Q(rung_at=None) | models.Q(rung_at__lt=now - timedelta(seconds=settings.RING_AGAIN_SECONDS))


def _ring(order_id: int, now: datetime, unrung: models.Q) -> int:
    """Queue a task for an order that may have none; a second one does no harm, the claim decides."""
    with transaction.atomic():
        rung = Order.objects.filter(unrung, pk=order_id, state=State.CONFIRMED).update(rung_at=now)
        if rung:
            async_task(SUBMIT, order_id)
    return rung
