"""Decisions about an order: confirm, send back, cancel, copy. GET shows, POST does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from mailops.auth import reauthentication
from mailops.history import audited
from orders import submission
from orders.admin import confirmation_panel, cost_sheet, order_card, review_summary
from orders.admin.availability_panel import panel
from orders.admin.checklist import checks
from orders.admin.detail import contents, request_shown
from orders.admin.order_pages import load, render, url
from orders.drafting import drafts
from orders.models import NotAllowed, Order, hold
from orders.plan import Plan, plan, short
from orders.review import comments, shown_plans
from orders.review import confirmations as confirming
from orders.spending import limits

# Prices and plans get old; an order for a later day can stay a draft until then.
LONGEST_DELAY = timedelta(days=90)


class ReasonForm(forms.Form):
    """A reason for the history, shown to everybody who sees the order."""

    reason = forms.CharField(
        label="Why?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The others will read this, and it stays in the history.",
    )


class LaterForm(forms.Form):
    """The earliest time at which the order may be sent."""

    planned_for = forms.DateTimeField(
        label="Send it not before",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Leave it empty to send at once. Until that time the order can be cancelled.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["planned_for"].help_text += f" Times are in {settings.TIME_ZONE}."

    def clean_planned_for(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["planned_for"]
        if at and not timezone.now() < at < timezone.now() + LONGEST_DELAY:
            raise forms.ValidationError("Choose a time that lies ahead, within the next 90 days.")
        return at


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@reauthentication.before(lambda request, pk: f"Confirm {Order(pk=pk)}")
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """The page that spends money. The form posts the digest of the plan that the page shows."""
    order = load(request, pk, "orders.confirm_order")
    if request.method == "POST":
        return _confirm(request, order)
    current = plan(order)
    if why := confirming.why_not(order, _user(request), current):
        messages.info(request, why)
        return redirect(url(order))
    return _confirm_page(request, order, current=current)


def _confirm_page(
    request: HttpRequest, order: Order, *, current: Plan | None = None, **more: Any
) -> HttpResponse:
    current = current or plan(order)
    # A later refusal names the differences from this plan.
    shown_plans.remember(current)
    snapshot = current.snapshot()
    uses = limits.rows(limits.used_now(order), current.cost.due_now)
    found = checks(request, order, current)
    comments.read(order, by=_user(request))
    about = review_summary.about(request, order)
    since = review_summary.since(request, order, current)
    # The summary at the top counts what the sections below list in full.
    context = about | {
        "since": since,
        "glance": review_summary.glance(
            order, current, seen=since, uses=uses, found=found, said=about["comments"]
        ),
        "line": review_summary.line(_user(request), order),
        "panel": panel(request, order),
        "title": f"Confirm {order}?",
        "plan": current,
        "digest": short(current.digest),
        "confirm_label": confirmation_panel.confirm_label(
            current.cost.due_now, current.cost.due_later
        ),
        **cost_sheet.context(request, order, snapshot),
        **confirmation_panel.context(request, order, current),
        **order_card.context(order, current),
        "checks": found,
        "contents": contents(request, order),
        "asked": request_shown(snapshot),
        "hold": hold.stopped(order),
        "uses": uses,
        "no_room": any(use["is_over"] for use in uses),
    }
    return render(request, "confirm.html", order, **context | {"later": LaterForm()} | more)


def _confirm(request: HttpRequest, order: Order) -> HttpResponse:
    later = LaterForm(request.POST)
    if not later.is_valid():
        response = _confirm_page(
            request, order, later=later, refused="Not confirmed yet: look at “Send it later”."
        )
        response.status_code = 400
        return response
    planned_for, digest = later.cleaned_data["planned_for"], request.POST.get("digest", "")
    try:
        confirmed = submission.confirm(
            order.pk, by=_user(request), digest=digest, planned_for=planned_for
        )
    # The order, its price or a check changed since the page was shown: the person looks again.
    except shown_plans.PlanChanged as error:
        response = _confirm_page(request, order, refused=str(error), changes=error.changes)
        response.status_code = 409
        return response
    except NotAllowed as error:
        order.refresh_from_db()
        # The second of two clicks is refused too, although the first one did what was wanted.
        if order.confirmed_by_id == _user(request).pk:
            messages.info(request, f"You confirmed {order} already. It is ordered once.")
        else:
            messages.error(request, str(error))
        return redirect(url(order))
    message = confirmation_panel.message_after(confirmed)
    messages.success(request, review_summary.with_next(message, _user(request)))
    return redirect(url(order))


def _with_reason(
    request: HttpRequest,
    order: Order,
    *,
    title: str,
    lead: str,
    button: str,
    kind: str,
    act: Callable[[str], str],
) -> HttpResponse:
    """A page that asks for a reason. `act` takes the reason and returns the message to show."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            message = act(form.cleaned_data["reason"])
            messages.success(request, review_summary.with_next(message, _user(request)))
        except NotAllowed as error:
            messages.error(request, str(error))
        return redirect(url(order))
    response = render(
        request, "reason.html", order, title=title, lead=lead, button=button, kind=kind, form=form
    )
    response.status_code = 400 if form.is_bound else 200
    return response


def _locked(order: Order) -> Order:
    # A worker may claim the order at the same time. The lock lets only one of the two go on.
    return Order.objects.select_for_update(of=("self",)).select_related("vendor").get(pk=order.pk)


def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    order = load(request, pk)
    user = _user(request)
    # Drafters may take their own order back.
    own = order.drafted_by_id == user.pk and user.has_perm("orders.change_order")
    if not own and not user.has_perm("orders.confirm_order"):
        raise PermissionDenied

    def do(reason: str) -> str:
        with audited():
            _locked(order).send_back(by=user, reason=reason)
        return f"{order} is a draft again."

    lead = "It becomes a draft again and can be edited. Nothing was sent to the vendor."
    return _with_reason(
        request,
        order,
        title=f"Send {order} back?",
        lead=lead,
        button="Send back",
        kind="primary",
        act=do,
    )


def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    # Once a worker has claimed the order, `Order.cancel` refuses.
    order = load(request, pk, "orders.cancel_order")
    user = _user(request)
    if order.drafted_by_id != user.pk and not user.has_perm("orders.confirm_order"):
        raise PermissionDenied

    def do(reason: str) -> str:
        with audited():
            _locked(order).cancel(by=user, reason=reason)
        return f"{order} is cancelled. Nothing was bought."

    lead = "It ends here. Nothing was sent to the vendor and nothing will be."
    return _with_reason(
        request,
        order,
        title=f"Cancel {order}?",
        lead=lead,
        button="Cancel the order",
        kind="danger",
        act=do,
    )


@require_POST
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a draft with the same contents; of a partly delivered order, with the missing part."""
    order = load(request, pk, "orders.add_order")
    then = "Change what has to change, then send it for confirmation."
    if drafts.has_rest(order):
        made = drafts.rest_of(order, by=_user(request))
        messages.success(request, f"{made} has the rest of {order}: what was not delivered. {then}")
    else:
        made = drafts.copy(order, by=_user(request))
        messages.success(request, f"{made} is a copy of {order}. {then}")
    return redirect(url(made, "edit"))
