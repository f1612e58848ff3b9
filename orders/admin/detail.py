"""The order's page: steps, actions, cost, checks, contents, what will be or was sent, attempts,
history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.urls import reverse

from mailops.history.models import Event
from orders.admin import confirmation_panel, cost_sheet, review_summary
from orders.admin.availability_panel import panel
from orders.admin.checklist import checks
from orders.admin.order_pages import CHIPS, load, progress_version, render, url, why_not_edit
from orders.drafting import alternatives, drafts
from orders.models import Attempt, Order, State
from orders.models.attempt import SETTLED
from orders.models.hold import hold_of
from orders.models.inventory import Asset
from orders.plan import Plan, plan, short
from orders.review import comments, shown_plans
from orders.review import confirmations as confirming
from orders.templatetags.order_tags import size

PAGE = 50
PLANNED = (State.DRAFT, State.REVIEW)
STEPS = [
    "Drafted",
    "Waiting for confirmation",
    "Confirmed",
    "Sent to the vendor",
    "Being set up",
    "Delivered",
]
STEP_OF = {
    State.DRAFT: 0, State.REVIEW: 1, State.CONFIRMED: 2, State.SENDING: 3, State.UNKNOWN: 3, State.REFUSED: 3,
    State.ACCEPTED: 4, State.PARTLY: 5, State.DELIVERED: 5, State.CANCELLED: 0,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that can be done with the order now; `why_not` explains a button that this person
    may not use.
    """

    name: str
    label: str
    url: str
    kind: str = ""
    why_not: str = ""
    posts: bool = False


def show(request: HttpRequest, pk: str) -> HttpResponse:
    """The page of one order. While something moves, the page follows it."""
    order = load(request, pk)
    comments.read(order, by=request.user)  # type: ignore[arg-type]  # whoever has a permission is signed in
    current = plan(order) if order.state in PLANNED else None
    if current:
        shown_plans.remember(current)
    snapshot = current.snapshot() if current else order.snapshot or {}
    attempts = list(order.attempts.all())
    hold = hold_of(order) if order.state == State.CONFIRMED else None
    context = {
        "title": f"{order.client}: {size(order)}",
        "steps": steps(order),
        "actions": actions(request, order, current),
        **cost_sheet.context(request, order, snapshot),
        **confirmation_panel.context(request, order, current),
        "elsewhere": alternatives.at_a_glance(order) if current else None,
        "checks": checks(request, order, current),
        "contents": contents(request, order),
        "panel": panel(request, order),
        "asked": request_shown(snapshot),
        "digest": short(current.digest if current else order.digest),
        "attempts": attempts,
        "news": next((attempt for attempt in attempts if attempt.news_at), None),
        "may_settle": request.user.has_perm("orders.settle_order"),
        "settled": settled(order, attempts),
        "left_out": left_out(order, attempts),
        "hold": hold,
        "events": events(order),
        "plan": current,
        "since": review_summary.since(request, order, current),
        **review_summary.about(request, order),
        "all_events_url": all_events(order),
        "version": (
            f"{order.state}-{order.state_since.timestamp()}-{order.reason}"
            f"-{progress_version(order)}-{hold}"
        ),
    }
    return render(request, "page.html", order, **context)


def settled(order: Order, attempts: list[Attempt]) -> Attempt | None:
    """The newest attempt, where the order stands as it does because of a person's verdict on it."""
    newest = attempts[0] if attempts else None
    if newest is None or not newest.is_settled:
        return None
    is_why = order.state == State.ACCEPTED or (
        order.state == State.REVIEW and order.reason == newest.settled_reason
    )
    return newest if is_why else None


def left_out(order: Order, attempts: list[Attempt]) -> str:
    """How much of an accepted order a person found missing at the vendor, in words; empty where
    nothing is.
    """
    if order.state != State.ACCEPTED or settled(order, attempts) is None:
        return ""
    counts = [
        (order.domains.filter(state=Asset.REFUSED).count(), "domain", "domains"),
        (order.mailboxes.filter(state=Asset.REFUSED).count(), "mailbox", "mailboxes"),
    ]
    return " and ".join(
        f"{count} {one if count == 1 else many}" for count, one, many in counts if count
    )


def history(request: HttpRequest, pk: str) -> HttpResponse:
    """The order's records on the history page."""
    order = load(request, pk, "history.view_event")
    return HttpResponseRedirect(all_events(order))


def all_events(order: Order) -> str:
    """Where the history page shows this order's records alone."""
    return f"{reverse('admin:history_event_changelist')}?subject_type=orders.order&subject_id={order.pk}"


def steps(order: Order) -> list[dict[str, Any]]:
    """The six steps with the present one named by who acts next."""
    at = STEP_OF[State(order.state)]
    labels = list(STEPS)
    if order.state == State.CANCELLED:
        return [{"label": "Cancelled", "is_done": False, "is_current": True, "kind": ""}]
    if order.state in (State.UNKNOWN, State.REFUSED, State.PARTLY):
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


def actions(request: HttpRequest, order: Order, current: Plan | None) -> list[Action]:
    """What can be done now; what this person may not do is shown with the reason, not hidden."""
    user = request.user
    assert user.is_authenticated
    found = []

    def offer(
        name: str,
        label: str,
        permission: str,
        *,
        kind: str = "",
        why_not: str = "",
        posts: bool = False,
    ) -> None:
        reason = why_not if user.has_perm(permission) else "Your role does not include this."
        found.append(
            Action(
                name=name, label=label, url=url(order, name), kind=kind, why_not=reason, posts=posts
            )
        )

    may_cancel = (
        ""
        if user.has_perm("orders.confirm_order") or order.drafted_by_id == user.pk
        else "It is not yours."
    )
    match order.state:
        case State.DRAFT:
            others = why_not_edit(request, order)
            offer(
                "cancel", "Cancel order", "orders.cancel_order", kind="danger", why_not=may_cancel
            )
            offer("edit", "Edit", "orders.change_order", why_not=others)
            stop = current.blocks_review[0].message if current and current.blocks_review else ""
            offer(
                "send",
                "Send for confirmation",
                "orders.change_order",
                kind="primary",
                why_not=others or stop,
                posts=True,
            )
        case State.REVIEW:
            offer(
                "cancel", "Cancel order", "orders.cancel_order", kind="danger", why_not=may_cancel
            )
            own = order.drafted_by_id == user.pk and user.has_perm("orders.change_order")
            offer("back", "Send back", "orders.change_order" if own else "orders.confirm_order")
            stop = current.blocking[0].message if current and current.blocking else ""
            if order.attempts.filter(stage__in=SETTLED).exists():
                offer("check", "Check the vendor again", "orders.settle_order")
            label = f"Confirm and buy for {current.cost.due_now}" if current else "Confirm"
            why = confirming.why_not(order, user, current)
            offer("confirm", label, "orders.confirm_order", kind="primary", why_not=why or stop)
        case State.CONFIRMED:
            offer(
                "cancel", "Cancel order", "orders.cancel_order", kind="danger", why_not=may_cancel
            )
        case State.UNKNOWN:
            offer("check", "Check the vendor", "orders.settle_order", kind="primary")
        case State.ACCEPTED:
            offer("delivered", "It is all set up", "orders.confirm_order")
            if drafts.has_rest(order):
                offer("copy", "Copy the rest into a new draft", "orders.add_order", posts=True)
            if order.attempts.filter(stage__in=SETTLED).exists():
                offer("check", "Check the vendor again", "orders.settle_order")
        case State.REFUSED | State.PARTLY | State.CANCELLED | State.DELIVERED:
            kind = "primary" if order.state in (State.REFUSED, State.PARTLY) else ""
            label = f"Copy {'the rest ' if drafts.has_rest(order) else ''}into a new draft"
            offer("copy", label, "orders.add_order", kind=kind, posts=True)
            if order.state == State.CANCELLED and order.attempts.filter(stage__in=SETTLED).exists():
                offer("check", "Check the vendor again", "orders.settle_order")
    return found


def contents(request: HttpRequest, order: Order) -> Any:
    """Domains and mailboxes as flat rows, fifty a page."""
    rows: list[dict[str, Any]] = []
    domains = {domain.name: domain for domain in order.domains.all()}
    boxes = {box.address: box for box in order.mailboxes.all()}
    for line in order.contents:
        about = {
            "domain": line.name,
            "forward_to": line.forward_to,
            "domain_state": domains.get(line.name),
        }
        if not line.mailboxes:
            name = f"{line.first_name} {line.last_name}".strip()
            rows.append(about | {"address": "", "name": name, "asset": domains.get(line.name)})
        for i, box in enumerate(line.mailboxes):
            name = f"{box.first_name} {box.last_name}".strip()
            shown = about if i == 0 else {"domain": "", "forward_to": "", "domain_state": None}
            rows.append(
                shown | {"address": box.address, "name": name, "asset": boxes.get(box.address)}
            )
    return Paginator(rows, PAGE).get_page(request.GET.get("rows"))


def request_shown(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """The request for the curious, with secrets as placeholders."""
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
    "order.settled_as_not_placed": "settled: it was not placed",
    "order.asked_for_names": "asked the vendor about the domains",
    "order.progress": "heard from the vendor",
    "order.partly_delivered": "noted: partly delivered",
    "order.delivered": "noted: delivered",
    "evidence.exported": "made a file of evidence about it",
}


def _comment(event: Event) -> str:
    said = str(event.changes["comment"][1]) if event.action == comments.ACTION else ""
    return said if len(said) <= 160 else f"{said[:160]}…"


def events(order: Order) -> list[dict[str, Any]]:
    """The latest steps as sentences."""
    found = Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk))[:30]
    return [
        {
            "at": event.at,
            "text": (
                f"{event.who or 'MailOps'} {WORDS.get(event.action, event.action)}"
                + (f": “{said}”" if (said := event.reason or _comment(event)) else "")
            ),
        }
        for event in found
    ]
