"""Check the vendor: what was sent, what the vendor's reads show, and a person's verdict with a reason."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders import desk
from orders.admin.page import contents, cost_rows, load, render, request_shown, totals, url
from orders.models import NotAllowed, Order
from orders.plan import short

PLACED, NOT_PLACED = "placed", "not_placed"


class VerdictForm(forms.Form):
    """What the person found, and how they know."""

    verdict = forms.ChoiceField(
        label="What did you find?",
        widget=forms.RadioSelect,
        choices=[
            (PLACED, "It was placed: the vendor has this order"),
            (NOT_PLACED, "It was not placed: I am sure that the vendor has nothing"),
        ],
    )
    reference = forms.CharField(
        label="The vendor's reference", required=False, max_length=120, help_text="If the vendor shows one."
    )
    reason = forms.CharField(
        label="How do you know?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Where you looked and what you saw. It stays in the history.",
    )


def check(request: HttpRequest, pk: int) -> HttpResponse:
    """The desk's page for one order whose outcome is unknown."""
    order = load(request, pk, "orders.settle_order")
    assert isinstance(request.user, User)
    try:
        attempt = desk.open_attempt(order)
    except NotAllowed as error:
        messages.info(request, str(error))
        return redirect(url(order))
    if request.method == "POST" and "look" in request.POST:
        desk.look(order, by=request.user)
        return redirect(url(order, "check"))
    form = VerdictForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return _settle(request, order, form)
    snapshot = order.snapshot or {}
    context = {
        "title": f"{order}: did it happen?",
        "attempt": attempt,
        "form": form,
        "digest": short(attempt.digest),
        "cost": cost_rows(snapshot),
        "totals": totals(snapshot),
        "contents": contents(request, order),
        "asked": request_shown(snapshot),
        "adapter": order.vendor.adapter,
    }
    response = render(request, "check.html", order, **context)
    response.status_code = 400 if form.is_bound else 200
    return response


def _settle(request: HttpRequest, order: Order, form: VerdictForm) -> HttpResponse:
    assert isinstance(request.user, User)
    said = form.cleaned_data
    try:
        if said["verdict"] == PLACED:
            desk.settle_placed(order.pk, by=request.user, reason=said["reason"], reference=said["reference"])
            messages.success(request, f"{order} is settled: it was placed.")
        else:
            desk.settle_not_placed(order.pk, by=request.user, reason=said["reason"])
            messages.success(request, f"{order} is settled: it was not placed. It waits for a fresh confirmation.")
    except NotAllowed as error:
        messages.error(request, str(error))
    return redirect(url(order))
