"""Money back for an order: the page that lists and records it, and *Record it* of a finding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from mailops.core.money import Totals, show
from orders.admin.order_pages import load, render, url
from orders.models import Finding, NotAllowed, Order, Refund
from orders.models.month_end_match import FindingState, Kind
from orders.models.state import PURCHASED
from orders.outcomes import refund_records
from orders.outcomes.refund_records import Said
from orders.spending import refund_sums
from orders.spending.refund_sums import ASKED, DENIED, GOT
from vendors.models.spend_limits import CURRENCY

DONE = {
    ASKED: "{sum} is asked for.",
    GOT: "{sum} came back. Limits of a day or a month give no room back for it.",
    DENIED: "The vendor said no to {sum}.",
}


class RefundForm(forms.Form):
    """A person's words about money back."""

    state = forms.ChoiceField(
        label="What happened?",
        widget=forms.RadioSelect,
        choices=[
            (ASKED, "We asked the vendor for it"),
            (GOT, "It came back"),
            (DENIED, "The vendor said no"),
        ],
    )
    amount = forms.DecimalField(
        label="Sum", min_value=Decimal("0.01"), max_digits=12, decimal_places=2
    )
    currency = forms.CharField(label="Currency", max_length=3, validators=[CURRENCY])
    kind = forms.ChoiceField(
        label="In which form?",
        choices=Refund.Kind.choices,
        help_text="Credit raises the estimated balance of the account; money does not.",
    )
    on = forms.DateField(
        label="On", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reference = forms.CharField(
        label="The vendor's reference",
        required=False,
        max_length=120,
        help_text="A ticket, a credit note or a line of the statement.",
    )
    note = forms.CharField(
        label="How do you know?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Where you asked or looked, and what was said. It stays in the history.",
    )

    def clean_on(self) -> Any:
        day = self.cleaned_data["on"]
        if day > timezone.localdate():
            raise forms.ValidationError("Choose a day that is not ahead.")
        return day

    def said(self) -> Said:
        return Said(**self.cleaned_data)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """The sums of an order: confirmed, left out, counted, and what of it came back.

    `rose`: by how much prices rose before it was sent, within what was allowed for.
    """

    confirmed: Totals
    rose: Totals
    left_out: Totals
    counts: Totals
    came_back: Totals
    asked: Totals
    most: Totals

    @property
    def counts_words(self) -> str:
        return str(self.counts or Totals(dict.fromkeys(self.confirmed, Decimal(0))))

    @property
    def has_back(self) -> bool:
        return bool(self.came_back or self.asked)


def sums(order: Order) -> Sums | None:
    """None for an order of which the vendor has nothing."""
    if order.state not in PURCHASED or not order.snapshot:
        return None
    attempt = refund_sums.counting(order)
    confirmed = Totals.from_dict(order.snapshot["cost"]["due_now"])
    counts = Totals.from_dict(attempt.due_now) if attempt else Totals()
    moved = (attempt.moved_cost or {}).get("due_now") if attempt else None
    sent = confirmed if moved is None else Totals.from_dict(moved)
    return Sums(
        confirmed=confirmed,
        rose=refund_sums.less(sent, confirmed),
        left_out=refund_sums.less(sent, counts),
        counts=counts,
        came_back=refund_sums.came_back(order),
        asked=refund_sums.asked(order),
        most=refund_sums.most_to_get(order),
    )


def show_refunds(request: HttpRequest, pk: int) -> HttpResponse:
    order = load(request, pk)
    user = request.user
    assert isinstance(user, User)
    if request.method == "POST" and not user.has_perm("orders.end_asset"):
        raise PermissionDenied
    why = refund_records.why_not(order, user)
    about = _asked_row(order, request.GET.get("answers", ""))
    form = RefundForm(
        request.POST if request.method == "POST" else None, initial=_initial(request, order, about)
    )
    if form.is_bound and not why and form.is_valid():
        try:
            stored = refund_records.say(
                order.pk, form.said(), by=user, about=about.pk if about else None
            )
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            _tell(request, stored)
            return redirect(url(order, "refunds"))
    elif form.is_bound and why:
        form.add_error(None, why)
    context = {
        "title": f"Money back for {order}",
        "form": None if why and not form.is_bound else form,
        "why_not": why,
        "answers": about,
        "refunds": list(order.refunds.order_by("-on", "-pk")),
        "sums": sums(order),
    }
    response = render(request, "refunds.html", order, **context)
    response.status_code = 400 if form.is_bound else 200
    return response


def _asked_row(order: Order, number: str) -> Refund | None:
    pk = int(number) if number.isdecimal() and len(number) < 10 else 0
    return order.refunds.filter(pk=pk, state=ASKED).first()


def _initial(request: HttpRequest, order: Order, about: Refund | None) -> dict[str, Any]:
    today = timezone.localdate()
    wanted = request.GET.get("as", "")
    if about:
        state = wanted if wanted in DONE else GOT
        known = {"amount": about.amount, "currency": about.currency, "kind": about.kind}
        return known | {"state": state, "on": today, "reference": about.reference}
    most = refund_sums.most_to_ask(order)
    currency = min(most, default=order.vendor.limit_currency)
    return {"state": ASKED, "on": today, "currency": currency}


def _tell(request: HttpRequest, refund: Refund) -> None:
    amount = show(refund.amount, refund.currency)
    messages.success(request, DONE[Refund.Stage(refund.state)].format(sum=amount))


def record_finding(request: HttpRequest, pk: int) -> HttpResponse:
    """*Record it*: money back that a statement shows. What is recorded settles the finding."""
    user = request.user
    assert isinstance(user, User)
    if not user.has_perm("orders.end_asset") or not user.has_perm("orders.settle_finding"):
        raise PermissionDenied
    findings = Finding.objects.select_related("order__vendor", "order__client", "vendor", "match")
    finding = get_object_or_404(findings, pk=pk, kind=Kind.UNRECORDED)
    back = f"{reverse('admin:orders_match_change', args=[finding.match_id])}#finding-{finding.pk}"
    if finding.state != FindingState.OPEN:
        messages.info(request, "This finding is not open any more.")
        return redirect(back)
    order = refund_records.order_of(finding)
    came = abs(finding.theirs or Decimal(0))
    initial = {"state": GOT, "amount": came, "currency": finding.currency}
    where = finding.match.file_name or "the statement"
    initial |= {"on": finding.match.ends_on, "note": f"It stands on {where}."}
    form = RefundForm(request.POST if request.method == "POST" else None, initial=initial)
    form.fields["state"].disabled = True
    form.fields["state"].widget = forms.HiddenInput()
    if form.is_bound and form.is_valid():
        try:
            stored = refund_records.say_of_finding(finding.pk, form.said(), by=user)
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            _tell(request, stored)
            return redirect(back)
    context = {
        "title": "Record money back",
        "form": form,
        "finding": finding,
        "about": order,
        "back_url": back,
        "sums": sums(order) if order else None,
    }
    response = render(request, "refund_found.html", None, **context)
    response.status_code = 400 if form.is_bound else 200
    return response
