"""Pages on which people say what became of an order's lines, and the question asked at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from orders.admin.line_form import ExpectedForm, LinesForm, NotComingForm
from orders.admin.order_pages import load, render, url
from orders.models import NotAllowed, Order, State
from orders.models.inventory import Asset
from orders.outcomes import arrivals, never_came, person_question
from orders.outcomes.conclusion import MAY_END
from orders.outcomes.lines import counted, lines_in
from orders.review import confirming_rights
from orders.spending import refund_sums

SEEN = {"label": "What did you see?", "help_text": "Where you looked. It stays in the history."}
ANSWERS = {
    "delivered": "{vendor} answered: nothing is left to come.",
    "told": "{vendor} answered, and something is new.",
    "no news": "{vendor} answered: nothing is new.",
    "looks processed": "{vendor} answered: the order looks processed.",
    "later": "{vendor} did not answer in time. It is asked again in a moment.",
    person_question.NO_ANSWER: "{vendor} could not be asked. What it said before stays.",
}


def arrived(request: HttpRequest, pk: int) -> HttpResponse:
    """It is there: the vendor has it, as this person saw."""
    order = load(request, pk, "orders.arrive_asset")
    user = _user(request)
    if why := _why_not(order, (State.ACCEPTED,)):
        return _refused(request, order, why)
    lines = lines_in(order, Asset.ORDERED)
    form = LinesForm(_typed(request), lines=lines, whole=True, **SEEN)

    def act() -> str:
        ended, there = arrivals.say_there(
            order.pk, by=user, seen=form.cleaned_data["reason"], names=form.wanted
        )
        return f"{counted(there)} of {ended}: marked as there.{_ending(ended)}"

    return _page(
        request,
        order,
        form,
        act,
        title=f"What of {order} is there?",
        lead=f"Look at {order.vendor.adapter.label} first. What is there is then listed as ready.",
        button="It is there",
        kind="primary",
    )


def expected(request: HttpRequest, pk: int) -> HttpResponse:
    order = load(request, pk, "orders.arrive_asset")
    user = _user(request)
    if why := _why_not(order, (State.ACCEPTED,)):
        return _refused(request, order, why)
    form = ExpectedForm(_typed(request), initial={"on": order.expected_on})

    def act() -> str:
        on = form.cleaned_data["on"]
        arrivals.expect(order.pk, by=user, on=on, reason=form.cleaned_data["reason"])
        return f"{order} is expected on {on:%-d %B}."

    return _page(
        request,
        order,
        form,
        act,
        title=f"When will {order} be there?",
        lead="Nobody is reminded of it until that day is over. MailOps goes on asking the vendor.",
        button="Expected on that day",
        kind="primary",
    )


def not_coming(request: HttpRequest, pk: int) -> HttpResponse:
    order, user = _load_to_end(request, pk)
    if why := _why_not(order, (State.ACCEPTED,)):
        return _refused(request, order, why)
    form = NotComingForm(
        _typed(request),
        lines=lines_in(order, Asset.ORDERED),
        whole=False,
        most=refund_sums.most_to_ask(order),
        label="How do you know?",
        help_text="Who said so, and where. It stays in the history.",
    )

    def act() -> str:
        said = form.cleaned_data
        ended, lost = never_came.say_not_coming(
            order.pk,
            by=user,
            reason=said["reason"],
            names=form.wanted,
            amount=said.get("amount"),
            currency=said.get("currency") or "",
        )
        return f"{counted(lost)} of {ended}: given up.{_ending(ended)}"

    return _page(
        request,
        order,
        form,
        act,
        title=f"What of {order} is not coming?",
        lead=(
            "It may still arrive and be charged. MailOps keeps looking for it in the vendor's list."
        ),
        button="It is not coming",
        kind="danger",
    )


def after_all(request: HttpRequest, pk: int) -> HttpResponse:
    order, user = _load_to_end(request, pk)
    lines = never_came.given_up(order)
    why = _why_not(order, MAY_END)
    if why or not lines:
        return _refused(request, order, why or f"Nothing of {order} was given up.")
    form = LinesForm(_typed(request), lines=lines, whole=False, **SEEN)

    def act() -> str:
        ended, there = never_came.say_there_after_all(
            order.pk, by=user, seen=form.cleaned_data["reason"], names=form.wanted
        )
        return f"{counted(there)} of {ended}: marked as there.{_ending(ended)}"

    return _page(
        request,
        order,
        form,
        act,
        title=f"What of {order} is there after all?",
        lead=(
            "Look at the vendor first. Money that was asked back stays noted as it is: tell the"
            " vendor's support that it came."
        ),
        button="It is there after all",
        kind="primary",
    )


@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Check now: asks the vendor while the person waits. Reads only."""
    order = load(request, pk, "orders.check_vendor")
    try:
        word = person_question.ask(order.pk, by=_user(request))
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        says = ANSWERS.get(word, "{vendor} was asked.").format(vendor=order.vendor.name)
        is_bad = word == person_question.NO_ANSWER
        messages.add_message(request, messages.WARNING if is_bad else messages.SUCCESS, says)
    return redirect(url(order))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _load_to_end(request: HttpRequest, pk: int) -> tuple[Order, User]:
    order, user = load(request, pk, "orders.end_asset"), _user(request)
    if confirming_rights.why_not_as_editor(order, user):
        raise PermissionDenied
    return order, user


def _typed(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _why_not(order: Order, states: tuple[State, ...]) -> str:
    if order.state in states:
        return ""
    return f"{order} reads “{order.get_state_display()}”, so this can't be done with it."


def _refused(request: HttpRequest, order: Order, why: str) -> HttpResponse:
    messages.error(request, why)
    return redirect(url(order))


def _ending(order: Order) -> str:
    if order.state == State.ACCEPTED:
        return " The rest is still to come."
    return f" The order reads “{order.get_state_display()}”."


def _page(
    request: HttpRequest, order: Order, form: forms.Form, act: Callable[[], str], **context: Any
) -> HttpResponse:
    """The form. Once it is filled in, `act` does what was typed and returns the message to show."""
    if form.is_bound and form.is_valid():
        try:
            said = act()
            messages.success(request, f"{said[:1].upper()}{said[1:]}")
        except NotAllowed as error:
            messages.error(request, str(error))
        return redirect(url(order))
    response = render(request, "lines.html", order, form=form, **context)
    response.status_code = 400 if form.is_bound else 200
    return response
