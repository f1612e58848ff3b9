"""The order's page: steps, actions, cost, checks, contents, what will be or was sent, attempts, history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from mailops.history.models import Event
from mailops.money import show as show_money
from orders import availability, drafting, elsewhere, submission
from orders.admin import cost
from orders.models import Attempt, Order, State
from orders.models.attempt import SETTLED
from orders.models.inventory import Asset
from orders.plan import Plan, plan, short
from vendors.verdicts import Problem

PAGE = 50
MOST_KINDS, MOST_NUMBERS = 60, 30
NAMES = re.compile(r"\S*[.@\d“][^\s.]\S*")  # what differs where a sentence is said of many names
PLANNED = (State.DRAFT, State.REVIEW)
STEPS = ["Drafted", "Waiting for confirmation", "Confirmed", "Sent to the vendor", "Being set up", "Delivered"]
STEP_OF = {
    State.DRAFT: 0, State.REVIEW: 1, State.CONFIRMED: 2, State.SENDING: 3, State.UNKNOWN: 3, State.REFUSED: 3,
    State.ACCEPTED: 4, State.PARTLY: 5, State.DELIVERED: 5, State.CANCELLED: 0,
}  # fmt: skip
CHIPS = {
    State.DRAFT: "", State.REVIEW: "wait", State.CONFIRMED: "info", State.SENDING: "info", State.UNKNOWN: "doubt",
    State.REFUSED: "bad", State.ACCEPTED: "info", State.PARTLY: "wait", State.DELIVERED: "ok", State.CANCELLED: "",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that can be done with the order now; `why_not` explains a button that this person may not use."""

    name: str
    label: str
    url: str
    kind: str = ""
    why_not: str = ""
    posts: bool = False


def load(request: HttpRequest, pk: int | str, permission: str = "orders.view_order") -> Order:
    """The order, if this person may do that with it."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    orders = Order.objects.select_related("vendor", "client", "contact", "drafted_by", "copy_of")
    try:
        return orders.get(pk=int(pk))
    except (Order.DoesNotExist, ValueError):
        raise Http404 from None


def url(order: Order, name: str = "change") -> str:
    return reverse(f"admin:orders_order_{name}", args=[order.pk])


def render(request: HttpRequest, template: str, order: Order | None, **context: Any) -> TemplateResponse:
    """One of our pages, in the site's frame."""
    about = {"order": order, "order_url": url(order), "chip": CHIPS[State(order.state)]} if order else {}
    frame = admin.site.each_context(request)
    return TemplateResponse(request, f"admin/orders/order/{template}", frame | about | context)


def show(request: HttpRequest, pk: str) -> HttpResponse:
    """The page of one order. While something moves, the page follows it."""
    from orders.admin.availability import panel  # which is built from this page's parts

    order = load(request, pk)
    current = plan(order) if order.state in PLANNED else None
    if current:
        submission.seen(current)
    snapshot = current.snapshot() if current else order.snapshot or {}
    attempts = list(order.attempts.all())
    hold = order.hold if order.state == State.CONFIRMED else None
    context = {
        "title": f"{order.client}: {order.size}",
        "steps": steps(order),
        "actions": actions(request, order, current),
        **cost.context(request, order, snapshot),
        "elsewhere": elsewhere.at_a_glance(order) if current else None,
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
        "all_events_url": all_events(order),
        "version": f"{order.state}-{order.state_since.timestamp()}-{order.reason}-{order.progress_version}-{hold}",
    }
    return render(request, "page.html", order, **context)


def settled(order: Order, attempts: list[Attempt]) -> Attempt | None:
    """The newest attempt, where the order stands as it does because of a person's verdict on it."""
    newest = attempts[0] if attempts else None
    if newest is None or not newest.is_settled:
        return None
    is_why = order.state == State.ACCEPTED or (order.state == State.REVIEW and order.reason == newest.settled_reason)
    return newest if is_why else None


def left_out(order: Order, attempts: list[Attempt]) -> str:
    """How much of an accepted order a person found missing at the vendor, in words; empty where nothing is."""
    if order.state != State.ACCEPTED or settled(order, attempts) is None:
        return ""
    counts = [
        (order.domains.filter(state=Asset.REFUSED).count(), "domain", "domains"),
        (order.mailboxes.filter(state=Asset.REFUSED).count(), "mailbox", "mailboxes"),
    ]
    return " and ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)


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
        name: str, label: str, permission: str, *, kind: str = "", why_not: str = "", posts: bool = False
    ) -> None:
        reason = why_not if user.has_perm(permission) else "Your role does not include this."
        found.append(Action(name=name, label=label, url=url(order, name), kind=kind, why_not=reason, posts=posts))

    may_cancel = "" if user.has_perm("orders.confirm_order") or order.drafted_by_id == user.pk else "It is not yours."
    match order.state:
        case State.DRAFT:
            others = why_not_edit(request, order)
            offer("cancel", "Cancel order", "orders.cancel_order", kind="danger", why_not=may_cancel)
            offer("edit", "Edit", "orders.change_order", why_not=others)
            stop = current.holds_back[0].message if current and current.holds_back else ""
            offer(
                "send",
                "Send for confirmation",
                "orders.change_order",
                kind="primary",
                why_not=others or stop,
                posts=True,
            )
        case State.REVIEW:
            offer("cancel", "Cancel order", "orders.cancel_order", kind="danger", why_not=may_cancel)
            own = order.drafted_by_id == user.pk and user.has_perm("orders.change_order")
            offer("back", "Send back", "orders.change_order" if own else "orders.confirm_order")
            stop = current.stops[0].message if current and current.stops else ""
            if order.attempts.filter(stage__in=SETTLED).exists():
                offer("check", "Check the vendor again", "orders.settle_order")
            label = f"Confirm and buy for {current.cost.due_now}" if current else "Confirm"
            offer(
                "confirm", label, "orders.confirm_order", kind="primary", why_not=order.why_not_confirm(user) or stop
            )  # fmt: skip
        case State.CONFIRMED:
            offer("cancel", "Cancel order", "orders.cancel_order", kind="danger", why_not=may_cancel)
        case State.UNKNOWN:
            offer("check", "Check the vendor", "orders.settle_order", kind="primary")
        case State.ACCEPTED:
            offer("delivered", "It is all set up", "orders.confirm_order")
            if drafting.has_rest(order):
                offer("copy", "Copy the rest into a new draft", "orders.add_order", posts=True)
            if order.attempts.filter(stage__in=SETTLED).exists():
                offer("check", "Check the vendor again", "orders.settle_order")
        case State.REFUSED | State.PARTLY | State.CANCELLED | State.DELIVERED:
            kind = "primary" if order.state in (State.REFUSED, State.PARTLY) else ""
            label = f"Copy {'the rest ' if drafting.has_rest(order) else ''}into a new draft"
            offer("copy", label, "orders.add_order", kind=kind, posts=True)
            if order.state == State.CANCELLED and order.attempts.filter(stage__in=SETTLED).exists():
                offer("check", "Check the vendor again", "orders.settle_order")
    return found


def why_not_edit(request: HttpRequest, order: Order) -> str:
    """Why this person may not edit this draft, in words; empty when they may."""
    if order.drafted_by_id in (request.user.pk, None) or request.user.is_superuser:
        return ""
    return f"It is {order.drafted_by_name}'s draft."


def checks(request: HttpRequest, order: Order, current: Plan | None, *, alike: int = 10) -> list[dict[str, Any]]:
    """What was checked, good and bad, while the order can still be changed."""
    if current is None:
        return []
    found = _listed(current, alike=alike)
    fields = {problem.field for problem in current.stops}
    if order.state == State.REVIEW and request.user.has_perm("orders.confirm_order"):
        why = order.why_not_confirm(request.user)  # type: ignore[arg-type]  # whoever has a permission is signed in
        found.insert(0, {"kind": "fail" if why else "ok", "text": why or "You did not edit this order"})
    if not order.vendor.two_person_rule:
        found.append({"kind": "warn", "text": "The two-person rule is off for this account: one person is enough"})
    if not fields & {"domain", "address"}:
        found.append({"kind": "ok", "text": "No domain or mailbox is owned or on another order"})
    found += availability.told(order)
    if "price" not in fields:
        found.append({"kind": "ok", "text": "Every price is known"})
    if order.vendor.order_limit is not None and "limit" not in fields:
        limit = show_money(order.vendor.order_limit, order.vendor.limit_currency)
        found.append({"kind": "ok", "text": f"Within the limit of {limit} an order"})
    return found


def _listed(current: Plan, *, alike: int) -> list[dict[str, Any]]:
    """The problems with their links, what stops the order first; of those alike some, and the other lines."""
    found: list[dict[str, Any]] = []
    families = _families([*current.stops, *current.warnings])
    for problems in families[:MOST_KINDS]:
        kind = "fail" if problems[0].level == "stop" else "warn"
        shown = problems[: alike if len(problems) > alike + 1 else None]
        found += [
            {
                "kind": kind,
                "text": _said(problem.row, problem.message, problem.fix),
                "url": reverse("admin:orders_order_change", args=[problem.order_id]) if problem.order_id else "",
                "link": f"Open {Order(pk=problem.order_id)}" if problem.order_id else "",
            }
            for problem in shown
        ]
        if more := [problem.row for problem in problems[len(shown) :]]:
            rows = ", ".join(map(str, more[:MOST_NUMBERS])) + (" …" if len(more) > MOST_NUMBERS else "")
            found.append({"kind": kind, "text": f"The same in {len(more):,} more lines: {rows}"})
    if rest := [problem for problems in families[MOST_KINDS:] for problem in problems]:
        kind = "fail" if rest[0].level == "stop" else "warn"
        found.append({"kind": kind, "text": f"And {len(rest):,} more, each said at its line of the draft."})
    return found


def _families(problems: Iterable[Problem]) -> list[list[Problem]]:
    """Problems in their order, those of many lines together that say the same of another name."""
    families: dict[Any, list[Problem]] = {}
    for problem in problems:
        says = NAMES.sub("", f"{problem.message} {problem.fix}") if problem.row else problem
        families.setdefault((problem.level, problem.field, says), []).append(problem)
    return list(families.values())


def _said(row: int | None, message: str, fix: str) -> str:
    return f"{f'Line {row}: ' if row else ''}{message} {fix}".strip()


def contents(request: HttpRequest, order: Order) -> Any:
    """Domains and mailboxes as flat rows, fifty a page."""
    rows: list[dict[str, Any]] = []
    domains = {domain.name: domain for domain in order.domains.all()}
    boxes = {box.address: box for box in order.mailboxes.all()}
    for line in order.contents:
        about = {"domain": line.name, "forward_to": line.forward_to, "domain_state": domains.get(line.name)}
        if not line.mailboxes:
            name = f"{line.first_name} {line.last_name}".strip()
            rows.append(about | {"address": "", "name": name, "asset": domains.get(line.name)})
        for i, box in enumerate(line.mailboxes):
            name = f"{box.first_name} {box.last_name}".strip()
            shown = about if i == 0 else {"domain": "", "forward_to": "", "domain_state": None}
            rows.append(shown | {"address": box.address, "name": name, "asset": boxes.get(box.address)})
    return Paginator(rows, PAGE).get_page(request.GET.get("rows"))


def request_shown(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """The request for the curious, with secrets as placeholders."""
    request = snapshot.get("request")
    if not request:
        return {}
    query = "&".join(f"{name}={value}" for name, value in request["query"])
    return {
        "line": f"{request['method']} {snapshot['host']}{request['path']}{f'?{query}' if query else ''}",
        "headers": request["headers"],
        "body": json.dumps(request["body"], indent=2, ensure_ascii=False),
    }


WORDS = {
    "order.drafted": "drafted it",
    "order.edited": "edited it",
    "order.sent_for_confirmation": "sent it for confirmation",
    "order.sent_back": "sent it back",
    "order.cancelled": "cancelled it",
    "order.confirmed": "confirmed it",
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
}


def events(order: Order) -> list[dict[str, Any]]:
    """The latest steps as sentences."""
    found = Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk))[:30]
    return [
        {
            "at": event.at,
            "text": f"{event.who or 'MailOps'} {WORDS.get(event.action, event.action)}"
            + (f": “{event.reason}”" if event.reason else ""),
        }
        for event in found
    ]
