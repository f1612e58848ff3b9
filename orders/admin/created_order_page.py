"""An order that the vendor only created: what to look for there, and its two ends."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from mailops.auth import reauthentication
from mailops.history.models import Event
from orders.admin import processing_form
from orders.admin.order_pages import load, render, url
from orders.models import Attempt, NotAllowed, Order, State
from orders.outcomes import created_orders
from orders.outcomes.created_orders import OldPage, Shown
from orders.plan import short
from orders.spending import limits

LOOKS_PROCESSED = "order.looks_processed"


class ProcessedForm(forms.Form):
    """It was processed: when, by whom, for what sum, and what was seen."""

    reason = forms.CharField(
        label="What did you see there?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The others will read this, and it stays in the history.",
    )

    def __init__(self, *args: Any, order: Order, attempt: Attempt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order, self.attempt = order, attempt
        self.fields = processing_form.fields(order, attempt, required=True) | self.fields

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        processing_form.complain(self, self.order, self.attempt)
        return cleaned


class LeaveForm(forms.Form):
    """Leave it: why, and whose the subscription is that the vendor lists."""

    reason = forms.CharField(
        label="Why is it left?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The others will read this, and it stays in the history.",
    )

    def __init__(self, *args: Any, order: Order, attempt: Attempt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if order.looks_processed_at:
            self.fields["whose"] = forms.CharField(
                label="Why is that subscription another's?",
                max_length=500,
                help_text="Otherwise it was processed, and its money is spent.",
            )


@reauthentication.before(lambda request, pk: f"Record that {Order(pk=pk)} was processed")
def processed(request: HttpRequest, pk: int) -> HttpResponse:
    """Records that a created order was processed at the vendor."""
    return _page(request, pk, ProcessedForm)


@reauthentication.before(lambda request, pk: f"Leave {Order(pk=pk)}")
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a created order here, which stays unprocessed at the vendor."""
    return _page(request, pk, LeaveForm)


def _page(request: HttpRequest, pk: int, Form: type[ProcessedForm | LeaveForm]) -> HttpResponse:
    order, user = load(request, pk, "orders.process_order"), request.user
    assert isinstance(user, User)
    if why := created_orders.why_not(order, user):
        raise PermissionDenied(why)
    attempt = created_orders.attempt_of(order)
    is_open = order.state == State.CREATED or Form is ProcessedForm
    if attempt is None or not is_open:
        says = f"{order} reads: {order.get_state_display()}. Nothing is to be said about it here."
        if request.method == "POST":
            return _refused(request, order, says)
        messages.info(request, says)
        return redirect(url(order))
    form = Form(request.POST if request.method == "POST" else None, order=order, attempt=attempt)
    if form.is_bound and form.is_valid():
        try:
            return _store(request, order, form, user)
        except OldPage as error:
            return _once_more(request, order, form, str(error))
        except NotAllowed as error:
            messages.error(request, str(error))
            return redirect(url(order))
    response = render(request, "created.html", order, **_context(order, attempt, form))
    response.status_code = 400 if form.is_bound else 200
    return response


def _store(
    request: HttpRequest, order: Order, form: ProcessedForm | LeaveForm, user: User
) -> HttpResponse:
    number = request.POST.get("attempt", "")
    attempt = int(number) if number.isascii() and number.isdecimal() else 0
    shown = Shown(digest=request.POST.get("digest", ""), attempt=attempt)
    cleaned = form.cleaned_data
    if isinstance(form, LeaveForm):
        left = created_orders.leave(
            order.pk,
            by=user,
            shown=shown,
            reason=cleaned["reason"],
            whose=cleaned.get("whose", ""),
        )
        messages.success(request, f"{left} is left. {still_there(left)}")
        return redirect(url(order))
    processing = processing_form.processing_of(order, cleaned)
    assert processing is not None  # every field is required
    done = created_orders.record_processed(
        order.pk, by=user, shown=shown, processing=processing, reason=cleaned["reason"]
    )
    messages.success(request, f"{done} was processed: {done.due_now} counts now.")
    for use in limits.uses(done.vendor, done.client, at=processing.at):
        if use.used > use.limit:
            messages.warning(
                request, f"It goes over {use.words}: {use.money(use.used)} is used with it."
            )
    return redirect(url(order))


def _once_more(
    request: HttpRequest, order: Order, form: ProcessedForm | LeaveForm, says: str
) -> HttpResponse:
    """The page as it is now, with the typed words, where the order can still be decided about."""
    order = load(request, order.pk)
    attempt = created_orders.attempt_of(order)
    if attempt is None or (isinstance(form, LeaveForm) and order.state != State.CREATED):
        return _refused(request, order, says)
    context = _context(order, attempt, form) | {"changed": says}
    response = render(request, "created.html", order, **context)
    response.status_code = 409
    return response


def _refused(request: HttpRequest, order: Order, says: str) -> HttpResponse:
    order.refresh_from_db()
    context = {"title": f"{order} changed", "refused": says, "button": "Changed"}
    response = render(request, "created.html", order, **context)
    response.status_code = 409
    return response


def _context(order: Order, attempt: Attempt, form: ProcessedForm | LeaveForm) -> dict[str, Any]:
    context: dict[str, Any] = {
        "form": form,
        "attempt": attempt,
        "short_digest": short(order.digest),
        "looks": looks_processed(order),
        "is_left": order.state == State.CANCELLED,
        "still_there": still_there(order),
        "names": [line.name for line in order.contents],
    }
    if isinstance(form, LeaveForm):
        return context | {"title": f"Leave {order}?", "button": "Leave it", "is_leaving": True}
    adds = created_orders.still_to_count(order, attempt, order.due)
    return context | {
        "title": f"Was {order} processed?",
        "button": "It was processed after all" if context["is_left"] else "It was processed",
        "over": created_orders.over_limits(order, adds, at=timezone.now()),
    }


def still_there(order: Order) -> str:
    label = order.vendor.adapter.label
    number = f"Order {order.reference}" if order.reference else "It"
    return (
        f"{number} still stands at {label}. Nothing documents how to delete it: tell the people who"
        " use the dashboard there."
    )


def looks_processed(order: Order) -> str:
    """The words of the vendor's list that speak for it having been processed; empty without any."""
    if not order.looks_processed_at:
        return ""
    found = Event.objects.filter(
        subject_type="orders.order", subject_id=str(order.pk), action=LOOKS_PROCESSED
    )
    says = found.order_by("-number").values_list("reason", flat=True).first()
    return says or "The vendor lists a subscription that fits it."


def panel(order: Order) -> dict[str, Any]:
    """The context of the card and the note on an order's page; empty for other orders."""
    is_left = created_orders.is_left(order)
    if order.state != State.CREATED and not is_left:
        return {}
    return {
        "created": {
            "is_left": is_left,
            "looks": looks_processed(order),
            "still_there": still_there(order),
            "names": [line.name for line in order.contents],
        }
    }
