"""Is the domain still free?

The panel on a draft and its order, the page with every answer, and other names.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from mailops.core.money import show as show_money
from orders.admin.order_pages import load, render, url, why_not_edit
from orders.availability import lookup
from orders.availability.known_answers import ASKED_IN, asked_with, asking_of, standing
from orders.drafting import suggestions
from orders.models import Asking, NotAllowed, Order, State
from orders.plan import plan
from vendors.apis.values import Offered
from vendors.http import ReadFailed

PAGE = 50
SHOWN = 5  # names that the panel lists itself


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def why_not_ask(request: HttpRequest, order: Order) -> str:
    """Why this person can't ask for the names now, in words; empty when they can."""
    adapter = order.vendor.adapter
    if order.state not in ASKED_IN:
        return "It is only asked while the order is a draft or waits for confirmation."
    may_draft = request.user.has_perm("orders.change_order") and not why_not_edit(
        order, request.user
    )
    if not may_draft and not (
        order.state == State.REVIEW and request.user.has_perm("orders.confirm_order")
    ):
        has_role = request.user.has_perm("orders.change_order") or request.user.has_perm(
            "orders.confirm_order"
        )
        why = why_not_edit(order, request.user) if order.state == State.DRAFT else ""
        return (
            (why or "Only a confirmer or its drafter asks now.")
            if has_role
            else "Your role does not include this."
        )
    if not order.contents:
        return "There is no domain on it yet."
    if adapter.availability_option and not asked_with(order):
        return f"Choose the {_option_label(order)} first: {adapter.label} answers for one of them."
    return ""


def _option_label(order: Order) -> str:
    label = (
        order.product_spec.OptionsForm.base_fields[order.vendor.adapter.availability_option].label
        or "option"
    )
    return str(label).lower()


def panel(request: HttpRequest, order: Order | None, *, on_draft: bool = False) -> dict[str, Any]:
    """What `_availability.html` shows; empty where the vendor can't tell or it no longer matters."""
    if (
        order is None
        or order.state not in ASKED_IN
        or not order.vendor.adapter.can_tell_availability
    ):
        return {}
    known, newest = standing(order), asking_of(order)
    under_way = newest if newest and newest.ended_at is None else None
    answered = under_way.answered if under_way else 0
    return {
        "url": url(order, "availability"),
        "live_url": f"{url(order, 'availability')}{'?on=draft' if on_draft else ''}",
        "on_draft": on_draft,
        "label": order.vendor.adapter.label,
        "registers": known.registers,
        "lines": known.says,
        "wrong": known.wrong[:SHOWN],
        "more_wrong": max(0, len(known.wrong) - SHOWN),
        "asking": under_way,
        "answered": answered,
        "why": newest.why if newest else "",
        "why_at": newest.ended_at if newest else None,
        "not_fresh": len(known.not_fresh),
        "was_asked": any(word.told for word in known.words),
        "why_not": why_not_ask(request, order),
        "version": f"{newest.pk if newest else 0}-{answered}-{newest.ended_at if newest else ''}",
    }


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows every answer with its age, POST asks."""
    order = load(request, pk)
    if request.method == "POST":
        return _ask(request, order)
    if order.state not in ASKED_IN or not order.vendor.adapter.can_tell_availability:
        messages.info(
            request, f"{order.vendor.adapter.label} is not asked about the names of this order."
        )
        return redirect(url(order))
    known = standing(order)
    context = {
        "title": "Are the domains still free?"
        if known.registers
        else "Are the domains registered?",
        "panel": panel(request, order, on_draft=request.GET.get("on") == "draft"),
        "words": Paginator(known.words, PAGE).get_page(request.GET.get("names")),
        "has_prices": any(word.told and word.told.price_shown for word in known.words),
        "sending": "sending" in request.GET and not _why_not_change(request, order),
        "send_url": url(order, "send"),
        "suggest_url": url(order, "suggest"),
        "may_suggest": order.vendor.adapter.can_suggest and not _why_not_change(request, order),
        "registers": known.registers,
    }
    return render(request, "availability.html", order, **context)


def _why_not_change(request: HttpRequest, order: Order) -> str:
    if order.state != State.DRAFT or not request.user.has_perm("orders.change_order"):
        return "It can't be changed."
    return why_not_edit(order, request.user)


def _ask(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask, tell how it went, and go back to where the button was."""
    if not (
        request.user.has_perm("orders.change_order")
        or request.user.has_perm("orders.confirm_order")
    ):
        raise PermissionDenied
    if order.state == State.DRAFT and _why_not_change(request, order):
        raise PermissionDenied
    if why := why_not_ask(request, order):
        messages.error(request, why)
    else:
        begin(request, order, everything="again" in request.POST)
    back = url(order, "availability")
    return redirect(f"{back}?sending=1" if "sending" in request.POST else back)


def begin(request: HttpRequest, order: Order, *, everything: bool = False) -> Asking | None:
    """Ask for an order's names and tell the person how it went."""
    try:
        made = lookup.begin(order.pk, by=_user(request), everything=everything)
    except NotAllowed as error:
        messages.error(request, str(error))
        return None
    label = order.vendor.adapter.label
    if made is None:
        messages.info(
            request,
            f"Every answer is young enough. Nothing was asked. Ask {label} again for all of them.",
        )
    elif made.ended_at is None:
        messages.info(
            request, f"{label} is being asked about {made.total} domains. You can go on meanwhile."
        )
    elif made.why:
        messages.error(
            request, f"{label} could not be asked about all of them. {made.why} Nothing was bought."
        )
    else:
        one = made.total == 1
        messages.success(
            request, f"{label} answered about {made.total} domain{'' if one else 's'}."
        )
    return made


def from_draft(request: HttpRequest, order: Order) -> HttpResponse:
    """The button on the draft page: the draft is saved, now ask, and stay there."""
    if why := why_not_ask(request, order):
        messages.error(
            request, f"The draft is saved. {order.vendor.adapter.label} was not asked. {why}"
        )
    elif order.vendor.adapter.can_tell_availability:
        begin(request, order)
    return redirect(url(order, "edit"))


def before_sending(request: HttpRequest, order: Order) -> HttpResponse | None:
    """Ask for what was not asked for lately, before an order goes to the confirmers; a page where
    that takes a person.

    None where nothing is left to ask or the drafter chose to send without asking.
    """
    adapter = order.vendor.adapter
    if (
        "unasked" in request.POST
        or not adapter.can_tell_availability
        or not order.product_spec.buys_domains
    ):
        return None
    if (
        why_not_ask(request, order)
        or not (missing := standing(order).not_fresh)
        or plan(order).blocking
    ):
        return None
    page = f"{url(order, 'availability')}?sending=1"
    newest = asking_of(order)
    if (newest and newest.ended_at is None) or not lookup.takes_a_moment(
        order.vendor, len(missing)
    ):
        return redirect(page)
    try:
        made = lookup.begin(order.pk, by=_user(request))
    except NotAllowed:
        return None
    if made and (made.why or made.ended_at is None):
        messages.error(
            request,
            f"{adapter.label} could not be asked. {made.why} The order is saved as a draft.",
        )
        return redirect(page)
    return None


@require_POST
def suggest(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the vendor for names like one of the order's, and show them to choose from."""
    order = load(request, pk, "orders.change_order")
    if not order.vendor.adapter.can_suggest:
        raise Http404
    if _why_not_change(request, order):
        raise PermissionDenied
    name = request.POST.get("name", "").strip().lower()
    if name not in {line.name.lower() for line in order.contents}:
        messages.error(request, "That domain is not on this draft any more.")
        return redirect(url(order, "availability"))
    if why := why_not_ask(request, order):
        messages.error(request, why)
        return redirect(url(order, "availability"))
    try:
        offers = suggestions.suggest(order, name)
    except ReadFailed as error:
        messages.error(request, f"{order.vendor.adapter.label} suggested nothing. {error}")
        return redirect(url(order, "availability"))
    context = {
        "title": f"In place of {name}",
        "name": name,
        "offers": [_shown(offer) for offer in offers],
    }
    says_free = any(offer.state == "free" for offer in offers)
    context |= {"take_url": url(order, "take"), "back_url": url(order, "availability")}
    return render(request, "suggest.html", order, says_free=says_free, **context)


def _shown(offer: Offered) -> dict[str, Any]:
    price = (
        show_money(offer.price, offer.currency)
        if offer.price is not None and offer.currency
        else ""
    )
    return {"name": offer.name, "state": offer.state, "price": price, "says": offer.says}


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a chosen name in another's place on the draft."""
    order = load(request, pk, "orders.change_order")
    if order.state == State.DRAFT and _why_not_change(request, order):
        raise PermissionDenied
    old, new = (request.POST.get(part, "").strip().lower() for part in ("old", "new"))
    version = request.POST.get("version", "")
    if not new:
        messages.error(request, "Choose a name first. Nothing was changed.")
        return redirect(url(order, "availability"))
    number = int(version) if version.isdecimal() and len(version) < 10 else 0
    try:
        suggestions.take(order, old=old, new=new, by=_user(request), version=number)
    except NotAllowed as error:
        messages.error(request, f"Nothing was changed. {error}")
    else:
        messages.success(
            request, f"{new} stands in place of {old} on the draft, with the same people."
        )
    return redirect(url(order, "availability"))
