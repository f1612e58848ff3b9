"""Check the vendor: the request, the vendor's own records, and a person's verdict with a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from mailops.auth import reauthentication
from orders.admin import cost_sheet, processing_form
from orders.admin.actions import ReasonForm
from orders.admin.detail import contents, request_shown
from orders.admin.order_pages import load, render, url
from orders.models import Attempt, NotAllowed, Order
from orders.outcomes import created_orders, evidence_lookup, settlement
from orders.plan import short

VERDICTS = {
    settlement.PLACED: "It was placed: the vendor has all of this order",
    settlement.PARTLY: "A part was placed: the vendor has some of it, and I know which",
    settlement.CREATED: "It was created: the order stands there, and nobody processed it",
    settlement.PROCESSED: "It was created and processed: the vendor bought it",
    settlement.NOT_PLACED: "It was not placed: I am sure that the vendor has nothing",
}


class VerdictForm(forms.Form):
    """The verdict on an order with an unknown outcome, and the evidence for it."""

    verdict = forms.ChoiceField(label="What did you find?", widget=forms.RadioSelect)
    there = forms.MultipleChoiceField(
        label="What does the vendor have?",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Tick all that is there. The rest is marked as refused and can be ordered again.",
    )
    reference = forms.CharField(
        label="The vendor's reference",
        required=False,
        max_length=120,
        help_text="If the vendor shows one.",
    )
    reason = forms.CharField(
        label="How do you know?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Where you looked and what you saw. It stays in the history.",
    )

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        verdict = self.fields["verdict"]
        assert isinstance(verdict, forms.ChoiceField)
        verdict.choices = [(name, VERDICTS[name]) for name in settlement.verdicts(order)]
        # the domain of each thing that can be ticked; domains that are not bought are no choice
        self.domain_of: dict[str, str] = {}
        for line in order.contents:
            if order.product_spec.buys_domains:
                self.domain_of[line.name] = line.name
            self.domain_of.update({box.address: line.name for box in line.mailboxes})
        there = self.fields["there"]
        assert isinstance(there, forms.MultipleChoiceField)
        there.choices = [(name, name) for name in self.domain_of]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # Nothing or everything ticked contradicts "a part", and a wrong verdict buys twice.
        if cleaned.get("verdict") == settlement.PARTLY and "there" in cleaned:
            if not cleaned["there"]:
                self.add_error(
                    "there",
                    "Tick what the vendor has. If it has nothing, say that it was not placed.",
                )
            elif not self.left_out():
                self.add_error(
                    "there",
                    "You ticked everything. If the vendor has all of it, say that it was placed.",
                )
        return cleaned

    def asked_of_processing(self) -> list[forms.BoundField]:
        return []

    def left_out(self) -> list[str]:
        """Names and addresses that the vendor does not have."""
        if self.cleaned_data["verdict"] != settlement.PARTLY:
            return []
        there = set(self.cleaned_data["there"])
        # A mailbox can't exist without its domain, ticked or not.
        there |= {self.domain_of[name] for name in there}
        return [name for name in self.domain_of if name not in there]


class CreatedVerdictForm(VerdictForm):
    """The verdict on an order that the vendor only creates."""

    def __init__(self, *args: Any, order: Order, attempt: Attempt, **kwargs: Any) -> None:
        super().__init__(*args, order=order, **kwargs)
        self.order, self.attempt = order, attempt
        # Hidden until they are asked for, the fields must not keep a browser from sending the form.
        self.use_required_attribute = False
        is_asked = not self.is_bound or self.data.get("verdict") == settlement.PROCESSED
        self.fields |= processing_form.fields(order, attempt, required=is_asked)
        # Unticked is the rule, unlike in "there": the vendor seldom leaves a domain out.
        there = self.fields["there"]
        there.label = f"What did {order.vendor.adapter.label} leave out?"
        there.help_text = (
            "Tick what is not on its order, if anything is missing. It is marked as refused."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "there" in cleaned and len(self.left_out()) == len(self.domain_of):
            nothing = (
                "You ticked everything. If the vendor has nothing, say that it was not placed."
            )
            self.add_error("there", nothing)
        if cleaned.get("verdict") == settlement.PROCESSED:
            processing_form.complain(self, self.order, self.attempt)
        return cleaned

    def asked_of_processing(self) -> list[forms.BoundField]:
        return [self[name] for name in processing_form.names(self.order)]

    def left_out(self) -> list[str]:
        missing = set(self.cleaned_data["there"])
        return [
            name for name, domain in self.domain_of.items() if name in missing or domain in missing
        ]

    @property
    def processing(self) -> created_orders.Processing | None:
        if self.cleaned_data["verdict"] != settlement.PROCESSED:
            return None
        return processing_form.processing_of(self.order, self.cleaned_data)


def _form(request: HttpRequest, order: Order, attempt: Attempt) -> VerdictForm:
    data = request.POST if request.method == "POST" else None
    if order.creates_only:
        return CreatedVerdictForm(data, order=order, attempt=attempt)
    return VerdictForm(data, order=order)


@reauthentication.before(lambda request, pk: f"Go on with checking {Order(pk=pk)} at the vendor")
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """The page for settling an order whose outcome is, or was, unknown."""
    order = load(request, pk, "orders.settle_order")
    user = request.user
    assert isinstance(user, User)
    try:
        attempt = settlement.attempt_of(order)
    except NotAllowed as error:
        messages.info(request, str(error))
        return redirect(url(order))
    if request.method == "POST" and "look" in request.POST:
        # A redirect, so that reloading the page asks the vendor no second time.
        evidence_lookup.look(attempt, by=user)
        return redirect(url(order, "check"))
    why_not = settlement.why_not(order, attempt)
    form = _form(request, order, attempt)
    if form.is_bound and form.is_valid():
        return _settle(request, order, form, user)
    # The page shows the request as it was sent, whatever prices and rules say today.
    snapshot = order.snapshot or {}
    context = {
        "title": f"{order}: did it happen?",
        "attempt": attempt,
        "form": form,
        "why_not": why_not,
        "digest": short(attempt.digest),
        **cost_sheet.context(request, order, snapshot),
        "contents": contents(request, order),
        "asked": request_shown(snapshot),
        "adapter": order.vendor.adapter,
        "why_not_processed": created_orders.why_not(order, user) if order.creates_only else "",
    }
    response = render(request, "check.html", order, **context)
    response.status_code = 400 if form.is_bound else 200
    return response


def _settle(request: HttpRequest, order: Order, form: VerdictForm, user: User) -> HttpResponse:
    cleaned = form.cleaned_data
    verdict = cleaned["verdict"]
    try:
        settlement.settle(
            order.pk,
            by=user,
            verdict=verdict,
            reason=cleaned["reason"],
            reference=cleaned["reference"] if verdict != settlement.NOT_PLACED else "",
            left_out=form.left_out() if verdict != settlement.NOT_PLACED else (),
            processing=form.processing if isinstance(form, CreatedVerdictForm) else None,
            # A verdict of somebody else in between is not overwritten.
            seen=request.POST.get("seen", ""),
        )
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect(url(order))
    words = {
        settlement.PLACED: "it was placed.",
        settlement.PARTLY: (
            "a part of it was placed. Order the rest again with a copy, once this one is delivered."
        ),
        settlement.CREATED: "it was created. It waits to be processed at the vendor, or left.",
        settlement.PROCESSED: "it was created and processed. Its sum counts now.",
        settlement.NOT_PLACED: "it was not placed. It waits for a fresh confirmation.",
    }
    messages.success(request, f"{order} is settled: {words[verdict]}")
    return redirect(url(order))


def news(request: HttpRequest, pk: int) -> HttpResponse:
    """Keeps the verdict although the vendor reported something else later. Needs a reason."""
    order = load(request, pk, "orders.settle_order")
    user = request.user
    assert isinstance(user, User)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        settlement.read_news(order.pk, by=user, reason=form.cleaned_data["reason"])
        messages.success(request, f"The verdict on {order} stays as it is.")
        return redirect(url(order))
    lead = (
        "The vendor said something else after the verdict. If the verdict is still right, say why."
        " It then stays."
    )
    context = {
        "title": f"{order}: keep the verdict?",
        "lead": lead,
        "button": "Keep the verdict",
        "kind": "primary",
    }
    response = render(request, "reason.html", order, form=form, **context)
    response.status_code = 400 if form.is_bound else 200
    return response
