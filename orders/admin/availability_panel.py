"""Are the domains still free? The panel on an order, the page with every answer, other names."""

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

NAMES_PER_PAGE = 50
# The panel links to the page that has all names.
NAMES_IN_PANEL = 5


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def why_not_ask(request: HttpRequest, order: Order) -> str:
    """The reason why this person can't ask about the names now, in words; empty if they can."""
    adapter = order.vendor.adapter
    if order.state not in ASKED_IN:
        return "It is only asked while the order is a draft or waits for confirmation."
    user = request.user
    drafts, confirms = user.has_perm("orders.change_order"), user.has_perm("orders.confirm_order")
    may_draft = drafts and not why_not_edit(order, user)
    if not may_draft and not (order.state == State.REVIEW and confirms):
        if not (drafts or confirms):
            return "Your role does not include this."
        why = why_not_edit(order, user) if order.state == State.DRAFT else ""
        return why or "Only a confirmer or its drafter asks now."
    if not order.contents:
        return "There is no domain on it yet."
    # Some vendors answer differently for each value of an option, such as the provider.
    if adapter.availability_option and not asked_with(order):
        return f"Choose the {_option_label(order)} first: {adapter.label} answers for one of them."
    return ""


def _option_label(order: Order) -> str:
    fields = order.product_spec.OptionsForm.base_fields
    return str(fields[order.vendor.adapter.availability_option].label or "option").lower()


def panel(request: HttpRequest, order: Order | None, *, on_draft: bool = False) -> dict[str, Any]:
    """The context of `_availability.html`; empty if the vendor is not asked in this state."""
    if order is None or not _can_be_asked(order):
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
        "wrong": known.wrong[:NAMES_IN_PANEL],
        "more_wrong": max(0, len(known.wrong) - NAMES_IN_PANEL),
        "asking": under_way,
        "answered": answered,
        "why": newest.why if newest else "",
        "why_at": newest.ended_at if newest else None,
        "not_fresh": len(known.not_fresh),
        "was_asked": any(word.told for word in known.words),
        "why_not": why_not_ask(request, order),
        # The panel asks for itself again while answers come in, and is replaced when this differs.
        "version": f"{newest.pk if newest else 0}-{answered}-{newest.ended_at if newest else ''}",
    }


def _can_be_asked(order: Order) -> bool:
    return order.state in ASKED_IN and order.vendor.adapter.can_tell_availability


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows every answer with its age, POST asks the vendor."""
    order = load(request, pk)
    if request.method == "POST":
        return _ask(request, order)
    if not _can_be_asked(order):
        messages.info(
            request, f"{order.vendor.adapter.label} is not asked about the names of this order."
        )
        return redirect(url(order))
    known = standing(order)
    context = {
        # Some products buy domains, others take domains that the client has registered.
        "title": f"Are the domains {'still free' if known.registers else 'registered'}?",
        "panel": panel(request, order, on_draft=request.GET.get("on") == "draft"),
        "words": Paginator(known.words, NAMES_PER_PAGE).get_page(request.GET.get("names")),
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
    roles = ("orders.change_order", "orders.confirm_order")
    if not any(request.user.has_perm(role) for role in roles):
        raise PermissionDenied
    if order.state == State.DRAFT and _why_not_change(request, order):
        raise PermissionDenied
    # Any other reason may have come up since the page was shown: no error, but a message.
    if why := why_not_ask(request, order):
        messages.error(request, why)
    else:
        begin(request, order, everything="again" in request.POST)
    back = url(order, "availability")
    return redirect(f"{back}?sending=1" if "sending" in request.POST else back)


def begin(request: HttpRequest, order: Order, *, everything: bool = False) -> Asking | None:
    """Ask the vendor about the order's names. The result is a message to the person."""
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
    # A long list is asked about by a worker, one batch after the other.
    elif made.ended_at is None:
        messages.info(
            request, f"{label} is being asked about {made.total} domains. You can go on meanwhile."
        )
    elif made.why:
        messages.error(
            request, f"{label} could not be asked about all of them. {made.why} Nothing was bought."
        )
    else:
        domains = "1 domain" if made.total == 1 else f"{made.total} domains"
        messages.success(request, f"{label} answered about {domains}.")
    return made


def from_draft(request: HttpRequest, order: Order) -> HttpResponse:
    """Ask about a draft that was just saved, and return to its page."""
    if why := why_not_ask(request, order):
        messages.error(
            request, f"The draft is saved. {order.vendor.adapter.label} was not asked. {why}"
        )
    elif order.vendor.adapter.can_tell_availability:
        begin(request, order)
    return redirect(url(order, "edit"))


def before_sending(request: HttpRequest, order: Order) -> HttpResponse | None:
    """Ask about names without a recent answer before the order goes to the confirmers.

    Returns a page if a person has to wait or decide. None if the order can be sent: nothing is
    left to ask, or the drafter chose to send without asking.
    """
    adapter = order.vendor.adapter
    can_ask = adapter.can_tell_availability and order.product_spec.buys_domains
    if "unasked" in request.POST or not can_ask or why_not_ask(request, order):
        return None
    missing = standing(order).not_fresh
    # An order with blocking problems is stopped by sending itself. No vendor is asked for it.
    if not missing or plan(order).blocking:
        return None
    page = f"{url(order, 'availability')}?sending=1"
    newest = asking_of(order)
    is_under_way = newest is not None and newest.ended_at is None
    # `takes_a_moment` is true for few names, which are answered within this request.
    if is_under_way or not lookup.takes_a_moment(order.vendor, len(missing)):
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
    """The page with the vendor's suggestions in place of one of the order's names."""
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
    # Some vendors suggest names without looking whether they are free.
    says_free = any(offer.state == "free" for offer in offers)
    context |= {"take_url": url(order, "take"), "back_url": url(order, "availability")}
    return render(request, "suggest.html", order, says_free=says_free, **context)


def _shown(offer: Offered) -> dict[str, Any]:
    price = ""
    if offer.price is not None and offer.currency:
        price = show_money(offer.price, offer.currency)
    return {"name": offer.name, "state": offer.state, "price": price, "says": offer.says}


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    order = load(request, pk, "orders.change_order")
    if order.state == State.DRAFT and _why_not_change(request, order):
        raise PermissionDenied
    old, new = (request.POST.get(part, "").strip().lower() for part in ("old", "new"))
    version = request.POST.get("version", "")
    if not new:
        messages.error(request, "Choose a name first. Nothing was changed.")
        return redirect(url(order, "availability"))
    # Another save since the page was shown has raised the draft's version; then nothing is changed.
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
