"""The card “Where it stands”: each line with its state and how that is known, and what to do."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils import timezone

from mailops.core.money import show
from mailops.core.text import as_sentence, plural
from mailops.core.times import moment
from mailops.templatetags.page_filters import age
from orders.admin.action_buttons import Action, Offer, shown
from orders.models import Domain, Mailbox, Order, State
from orders.models.inventory import Asset, CameBy, KnownBy
from orders.outcomes import never_came
from orders.outcomes.conclusion import MAY_END
from orders.review import confirming_rights

LINES_PER_PAGE = 50
SHOWN = (State.ACCEPTED, State.CREATED, State.PARTLY, State.UNDELIVERED)
STILL_ASKED = (State.ACCEPTED, State.CREATED)
# Lines that are still to come stand first.
KINDS = {
    Asset.ORDERED: "wait",
    Asset.PLANNED: "",
    Asset.GONE: "bad",
    Asset.REFUSED: "bad",
    Asset.READY: "ok",
}
LONGEST_PAUSE = timedelta(days=1)
ORDERED, MADE = CameBy.ORDER.value, CameBy.MADE.value
# By a domain's key and the origin of its mailboxes: how many there are.
Boxes = Mapping[tuple[int, str], int]


def context(request: HttpRequest, order: Order) -> dict[str, Any]:
    """`stands` is None for orders that no vendor has."""
    if order.state not in SHOWN:
        return {"stands": None}
    user = request.user
    assert isinstance(user, User)
    lines = _lines(order)
    boxes = Counter((line.domain_id, line.came_by) for line in lines if isinstance(line, Mailbox))
    rows = [_row(order, line, boxes) for line in lines]
    rows.sort(key=lambda row: list(KINDS).index(row["state"]))
    return {
        "stands": {
            "says": _says(order, lines),
            "lines": Paginator(rows, LINES_PER_PAGE).get_page(request.GET.get("lines")),
            "refunds": [_refund(refund) for refund in order.refunds.order_by("at")],
            "acts": _acts(order, user),
            # The page asks for this text again and again, and reloads when it differs.
            "version": _version(order, rows),
        }
    }


def _version(order: Order, rows: Sequence[Mapping[str, Any]]) -> str:
    each = "\n".join(f"{row['name']} {row['state']} {row['known']}" for row in rows)
    about = f"{order.expected_on} {order.overdue_since} {order.vendor.reads_failed}\n{each}"
    # The same in each process, unlike `hash`.
    return hashlib.sha256(about.encode()).hexdigest()[:16]


def _lines(order: Order) -> list[Domain | Mailbox]:
    boxes = Mailbox.objects.select_related("domain", "departure").order_by("row", "pk")
    made = boxes.filter(came_by=CameBy.MADE, domain__order=order)
    domains = order.domains.select_related("departure").order_by("row", "pk")
    return [*domains, *boxes.filter(order=order), *made]


def _row(order: Order, line: Domain | Mailbox, boxes: Boxes) -> dict[str, Any]:
    state = Asset(line.state)
    return {
        "name": str(line),
        "state": state,
        "chip": KINDS[state],
        "text": "Still to come" if state == Asset.ORDERED else state.label,
        "known": " ".join(filter(None, _known(order, line, boxes))),
        "since": line.ready_at if state == Asset.READY else None,
    }


def _known(order: Order, line: Domain | Mailbox, boxes: Boxes) -> Iterator[str]:
    vendor = order.vendor.adapter.label
    if line.state == Asset.READY:
        if line.known_by == KnownBy.PERSON:
            yield f"{line.known_by_name} saw it there."
        else:
            known = KnownBy(line.known_by).label if line.known_by else "not written down how"
            yield f"Known {known}."
    elif line.state == Asset.REFUSED:
        yield f"{vendor} left it out."
    elif line.state == Asset.GONE and line.departure:
        left = line.departure
        yield f"{left.get_reason_display()}, said {left.by_name} on {left.on:%-d %b}: {left.note}"
    elif line.state == Asset.ORDERED:
        if order.vendor.adapter.can_tell_progress:
            yield f"{vendor} has not said that it is ready."
        else:
            yield f"Nobody can ask {vendor} about this line."
    if isinstance(line, Domain):
        if line.mailboxes_told is not None:
            yield _count(line.mailboxes_told, boxes[line.pk, ORDERED], boxes[line.pk, MADE])
        if line.against:
            yield f"{vendor} says: {as_sentence(line.against)}"


def _count(said: int, ordered: int, made: int) -> str:
    if ordered:
        return f"{min(said, ordered)} of {ordered} by the vendor's count."
    if made == said:
        return f"{plural(made, 'mailbox', 'mailboxes')} listed."
    return f"{made} of {plural(said, 'mailbox', 'mailboxes')} listed."


def _says(order: Order, lines: Sequence[Domain | Mailbox]) -> str:
    """When the vendor was asked, its answer in numbers, and when it is asked again."""
    vendor, adapter = order.vendor, order.vendor.adapter
    if not adapter.can_tell_progress:
        return f"Look at {adapter.label}, then say here what is there."
    counted = [line for line in lines if isinstance(line, Mailbox)] or lines
    ready = sum(line.state == Asset.READY for line in counted)
    answer = f"{ready} of {len(counted)} {'is' if ready == 1 else 'are'} ready"
    if order.state not in STILL_ASKED:
        return f"{answer}. The order has ended."
    if vendor.reads_failed and vendor.read_at:
        said = vendor.read_said or "it did not answer"
        says = f"{vendor.name} could not be asked since {moment(vendor.read_at)}: {said}"
        if order.answered_at:
            says = f"{as_sentence(says)} Before that, {age(order.answered_at)}: {answer}"
    elif order.answered_at:
        says = f"Asked {age(order.answered_at)}: {answer}"
    else:
        says = f"{vendor.name} has not answered a question about it yet"
    return f"{as_sentence(says)} {_next_question(order)}"


def _next_question(order: Order) -> str:
    now = timezone.now()
    at = next_question_at(order, now)
    return "The next question is due now." if at <= now else f"Next question about {moment(at)}."


def next_question_at(order: Order, now: datetime) -> datetime:
    """An order is asked about ever more rarely as it grows older, but once a day at least."""
    pause = max(timedelta(seconds=settings.PROGRESS_SECONDS), (now - order.state_since) / 20)
    at = (order.asked_at or now) + min(pause, LONGEST_PAUSE)
    quiet = order.vendor.quiet_until
    return max(at, quiet) if quiet and order.asked_at else at


def _refund(refund: Any) -> str:
    amount = show(refund.amount, refund.currency)
    return f"Money back: {amount}, {refund.get_state_display().lower()} on {refund.on:%-d %b}."


def _acts(order: Order, user: User) -> list[Action]:
    return shown(order, user, _offers(order, user))


def _offers(order: Order, user: User) -> Iterator[Offer]:
    editor = confirming_rights.why_not_as_editor(order, user)
    if order.state == State.ACCEPTED:
        if order.vendor.adapter.can_tell_progress:
            yield Offer(name="ask", label="Check now", permission="orders.check_vendor", posts=True)
        yield Offer(name="arrived", label="It is there", permission="orders.arrive_asset")
        yield Offer(name="expected", label="Expected on …", permission="orders.arrive_asset")
        yield Offer(
            name="not_coming",
            label="It is not coming",
            permission="orders.end_asset",
            kind="danger",
            why_not=editor,
        )
    if order.state in MAY_END and never_came.given_up(order):
        yield Offer(
            name="after_all",
            label="It is there after all",
            permission="orders.end_asset",
            why_not=editor,
        )
