"""The page of one order: steps, actions, cost, checks, contents, the request, attempts, history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.urls import reverse

from mailops.core.text import listed
from mailops.history.models import Event
from orders.admin import (
    confirmation_panel,
    cost_sheet,
    created_order_page,
    made_rows,
    order_card,
    refund_pages,
    review_summary,
    where_it_stands,
)
from orders.admin.action_buttons import actions
from orders.admin.availability_panel import panel
from orders.admin.checklist import checks
from orders.admin.order_pages import CHIPS, load, overdue_words, progress_version, render
from orders.drafting import alternatives
from orders.models import Attempt, Order, State
from orders.models.hold import hold_of
from orders.models.inventory import Asset
from orders.outcomes import overdue_orders
from orders.plan import plan, short
from orders.review import comments, shown_plans
from orders.templatetags.order_tags import size

ROWS_PER_PAGE = 50
MAX_EVENTS = 30
MAX_COMMENT = 160
# states whose plan still follows prices, checks and edits; later ones show the confirmed snapshot
PLANNED = (State.DRAFT, State.REVIEW)
STEPS = [
    "Drafted",
    "Waiting for confirmation",
    "Confirmed",
    "Sent to the vendor",
    "Being set up",
    "Delivered",
]
# Of an order that the vendor only creates: somebody processes it there, or nobody.
CREATED_STEPS = [*STEPS[:3], "Sent", "Created", "Processed", "Delivered"]
STEP_OF = {
    State.DRAFT: 0,
    State.REVIEW: 1,
    State.CONFIRMED: 2,
    State.SENDING: 3,
    State.UNKNOWN: 3,
    State.REFUSED: 3,
    State.ACCEPTED: 4,
    State.CREATED: 4,
    State.PARTLY: 5,
    State.UNDELIVERED: 5,
    State.DELIVERED: 5,
    State.CANCELLED: 0,
}


def show(request: HttpRequest, pk: str) -> HttpResponse:
    order = load(request, pk)
    assert request.user.is_authenticated
    comments.read(order, by=request.user)
    overdue_orders.mark([order])
    current = plan(order) if order.state in PLANNED else None
    # Confirming compares the plan of then with the one that was shown.
    if current:
        shown_plans.remember(current)
    snapshot = current.snapshot() if current else order.snapshot or {}
    attempts = list(order.attempts.all())
    hold = hold_of(order) if order.state == State.CONFIRMED else None
    stands = where_it_stands.context(request, order)
    context = {
        "title": f"{order.client}: {size(order)}",
        "steps": steps(order),
        "actions": actions(request, order, current),
        **cost_sheet.context(request, order, snapshot),
        **confirmation_panel.context(request, order, current),
        **order_card.context(order, current),
        "elsewhere": alternatives.at_a_glance(order) if current else None,
        "checks": checks(request, order, current),
        "contents": contents(request, order),
        "panel": panel(request, order),
        "asked": request_shown(snapshot),
        "digest": short(current.digest if current else order.digest),
        "attempts": attempts,
        "sums": refund_pages.sums(order),
        "news": next((attempt for attempt in attempts if attempt.news_at), None),
        "may_settle": request.user.has_perm("orders.settle_order"),
        "settled": settled(order, attempts),
        "left_out": left_out(order, attempts),
        **created_order_page.panel(order),
        "hold": hold,
        "overdue": overdue_words(order),
        **stands,
        "events": events(order),
        "plan": current,
        "since": review_summary.since(request, order, current),
        **review_summary.about(request, order),
        "all_events_url": all_events(order),
        # The page asks for this text again and reloads when it differs.
        "version": (
            f"{order.state}-{order.state_since.timestamp()}-{order.reason}"
            f"-{progress_version(order)}-{hold}-{order.looks_processed_at or ''}"
            f"-{stands['stands'] and stands['stands']['version']}"
        ),
    }
    return render(request, "page.html", order, **context)


def settled(order: Order, attempts: list[Attempt]) -> Attempt | None:
    """The newest attempt, if a person's verdict on it led to the order's present state."""
    newest = attempts[0] if attempts else None
    if newest is None or not newest.is_settled:
        return None
    # An order may come back to review for other reasons after the verdict.
    is_why = order.state in (State.ACCEPTED, State.CREATED) or (
        order.state == State.REVIEW and order.reason == newest.settled_reason
    )
    return newest if is_why else None


def left_out(order: Order, attempts: list[Attempt]) -> str:
    """ "2 domains and 1 mailbox" that a person found missing at the vendor; empty if none."""
    if order.state not in (State.ACCEPTED, State.CREATED) or settled(order, attempts) is None:
        return ""
    counts = [
        (order.domains.filter(state=Asset.REFUSED).count(), "domain", "domains"),
        (order.mailboxes.filter(state=Asset.REFUSED).count(), "mailbox", "mailboxes"),
    ]
    # not `plural`: numbers in an order's size are written without separators
    return listed(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)


def history(request: HttpRequest, pk: str) -> HttpResponse:
    order = load(request, pk, "history.view_event")
    return HttpResponseRedirect(all_events(order))


def all_events(order: Order) -> str:
    events_url = reverse("admin:history_event_changelist")
    return f"{events_url}?subject_type=orders.order&subject_id={order.pk}"


def steps(order: Order) -> list[dict[str, Any]]:
    at = STEP_OF[State(order.state)]
    labels = list(STEPS)
    cost = order.snapshot["cost"] if order.snapshot else order.cost
    if "due_later" in cost:
        labels = list(CREATED_STEPS)
        at += order.state in (State.ACCEPTED, State.PARTLY, State.UNDELIVERED, State.DELIVERED)
    if order.state == State.CANCELLED:
        return [{"label": "Cancelled", "is_done": False, "is_current": True, "kind": ""}]
    if order.state in (
        State.UNKNOWN,
        State.REFUSED,
        State.PARTLY,
        State.UNDELIVERED,
    ):
        # The state's name says more than the step's: "Outcome unknown" in place of "Sent".
        labels[at] = order.get_state_display().partition(":")[0].partition(",")[0]
    ended = order.state == State.DELIVERED
    return [
        {
            "label": label,
            "is_done": i < at or ended,
            "is_current": i == at,
            "kind": CHIPS[State(order.state)] or "wait",
        }
        for i, label in enumerate(labels)
    ]


def contents(request: HttpRequest, order: Order) -> Any:
    """A page of the order's rows: one for each mailbox, or for a domain without mailboxes."""
    rows: list[dict[str, Any]] = []
    domains = {domain.name: domain for domain in order.domains.all()}
    boxes = {box.address: box for box in order.mailboxes.all()}
    for line in order.contents:
        about = {
            "domain": line.name,
            "forward_to": line.forward_to,
            "years": line.years,
            "domain_state": domains.get(line.name),
        }
        if not line.mailboxes:
            name = f"{line.first_name} {line.last_name}".strip()
            alone = {"address": "", "name": name, "picture": line.picture}
            rows.append(about | alone | {"asset": domains.get(line.name)})
        for i, box in enumerate(line.mailboxes):
            name = f"{box.first_name} {box.last_name}".strip()
            # Only the first row of a domain names the domain.
            shown = about if i == 0 else dict.fromkeys(about, "")
            mine = {"address": box.address, "name": name, "picture": box.picture}
            rows.append(shown | mine | {"asset": boxes.get(box.address)})
    rows = made_rows.among(order, rows)
    return Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("rows"))


def request_shown(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """The request as text. Snapshots hold placeholders in place of secrets."""
    request = snapshot.get("request")
    if not request:
        return {}
    query = "&".join(f"{name}={value}" for name, value in request["query"])
    return {
        "line": (
            f"{request['method']} {snapshot['host']}{request['path']}{f'?{query}' if query else ''}"
        ),
        "headers": request["headers"],
        "body": json.dumps(request["body"], indent=2, ensure_ascii=False),
    }


WORDS = {
    "order.drafted": "drafted it",
    "order.edited": "edited it",
    "order.sent_for_confirmation": "sent it for confirmation",
    "order.sent_back": "sent it back",
    "order.cancelled": "cancelled it",
    "order.commented": "wrote",
    "order.review_expired": "took it back, as nobody confirmed it in time",
    "order.confirmation_expired": "took the confirmation back, as it was not sent in time",
    "order.confirmed": "confirmed it",
    "order.confirmation_given": "gave the first of two confirmations",
    "order.self_confirmation_refused": "tried to confirm their own order and was refused",
    "order.claimed": "took it up for sending",
    "attempt.about_to_send": "noted that it is about to be sent",
    "order.accepted": "noted: accepted by the vendor",
    "order.created": "noted: created by the vendor, nothing is bought yet",
    "order.processed": "recorded that it was processed at the vendor",
    "order.left": "left it at the vendor, unprocessed",
    "order.refused": "noted: refused by the vendor, nothing was bought",
    "order.outcome_unknown": "noted: outcome unknown",
    "order.not_sent": "could not send it",
    "order.put_back": "put it back",
    "order.could_not_look": "could not read the vendor's list, so did not send it",
    "order.could_not_read_prices": "could not read the vendor's prices, so did not send it",
    "order.held": "holds it",
    "attempt.prices_moved": "sends it at the prices of now",
    "order.listed_already": "found it in the vendor's list already, so did not send it",
    "order.refused_again": "was refused, perhaps because of an earlier request",
    "order.released": "took it back from a worker that stopped",
    "order.returned_unsent": "returned it for confirmation, nothing was sent",
    "attempt.evidence": "looked at the vendor",
    "attempt.late_answer": "received a late answer",
    "order.settled_as_placed": "settled: it was placed",
    "attempt.news_read": "read what the vendor said later, and kept the verdict",
    "order.settled_as_partly_placed": "settled: a part of it was placed",
    "order.settled_as_created": "settled: it was created",
    "order.settled_as_processed": "settled: it was created and processed",
    "order.settled_as_not_placed": "settled: it was not placed",
    "order.asked_for_names": "asked the vendor about the domains",
    "order.progress": "heard from the vendor",
    "order.looks_processed": "noted that it looks processed",
    "order.partly_delivered": "noted: partly delivered",
    "order.undelivered": "noted: not delivered",
    "order.delivered": "noted: delivered",
    "order.overdue": "noted: overdue",
    "order.expected": "said when it is expected",
    "order.arrived": "said that it is there",
    "order.not_coming": "said that it is not coming",
    "order.checked": "asked the vendor at once",
    "refund.asked": "asked the vendor for money back",
    "refund.got": "recorded that money came back",
    "refund.denied": "recorded that the vendor denied money back",
    "evidence.exported": "made a file of evidence about it",
}


def _comment(event: Event) -> str:
    said = str(event.changes["comment"][1]) if event.action == comments.ACTION else ""
    return said if len(said) <= MAX_COMMENT else f"{said[:MAX_COMMENT]}…"


def events(order: Order) -> list[dict[str, Any]]:
    """The latest events of the order as sentences, newest first."""
    found = Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk))
    return [{"at": event.at, "text": _sentence(event)} for event in found[:MAX_EVENTS]]


def _sentence(event: Event) -> str:
    # An event of a version to come may have an action without words: the action itself is shown.
    text = f"{event.who or 'MailOps'} {WORDS.get(event.action, event.action)}"
    if back := event.changes.get("money_back"):
        text += f", {back[1]}"
    reason = event.reason or _comment(event)
    return f"{text}: “{reason}”" if reason else text
