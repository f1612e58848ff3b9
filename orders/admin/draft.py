"""The pages of a draft: choose a product, type, paste or upload lines, see their cost, send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from orders.admin import address_panel, autosave, availability_panel, cost_sheet, draft_files
from orders.admin.autosave import Place
from orders.admin.checklist import checks
from orders.admin.draft_form import NEW_ROWS, DraftForm, gathered, new_cells, overlook_empty
from orders.admin.order_pages import load, render, url, why_not_edit
from orders.admin.preview import field_errors, preview
from orders.drafting import alternatives, client_defaults, drafts, known_ids
from orders.drafting.drafts import Draft
from orders.drafting.intake import Reading, error_file, read, sample_file
from orders.models import Client, NotAllowed, Order, State
from orders.models.unsaved_work import TooLarge
from orders.plan import Plan, plan
from vendors.apis.forms import OptionsForm
from vendors.models import Vendor

# Every line shows its own problems too, so a long list beside the form would only repeat them.
MAX_CHECKS_LISTED = 30
# buttons that only show something; they save no draft
SHOWING_BUTTONS = ("read", "page", "show", "open", "add", "make", "make-accept")


def choices() -> list[dict[str, Any]]:
    return [
        {"vendor": vendor, "products": list(vendor.adapter.products.items())}
        for vendor in Vendor.objects.all()
    ]


def add(request: HttpRequest) -> HttpResponse:
    """The choice of account and product; the draft form once the URL names both."""
    if not request.user.has_perm("orders.add_order"):
        raise PermissionDenied
    if request.method == "POST" and "throw" in request.POST:
        return autosave.throw_away(request)
    vendor = Vendor.objects.filter(pk=_number(request.GET.get("vendor", ""))).first()
    product = request.GET.get("product", "")
    if vendor is None or product not in vendor.adapter.products:
        unsaved = autosave.offers(_person(request))
        return render(
            request, "choose.html", None, title="New order", choices=choices(), unsaved=unsaved
        )
    place = Place(vendor=vendor, product=product)
    if "sample" in request.GET:
        return draft_files.download(sample_file(place.what), f"sample-{vendor.api}-{product}.csv")
    return _draft(request, place)


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    order = load(request, pk, "orders.change_order")
    if order.state != State.DRAFT:
        return _too_late(request, order)
    _must_be_own(request, order)
    return _draft(request, Place(vendor=order.vendor, product=order.product, order=order))


def _too_late(request: HttpRequest, order: Order) -> HttpResponse:
    # The order left the draft state while somebody typed. A new draft can take their entries.
    place = Place(vendor=order.vendor, product=order.product, order=order)
    words = f"{order} can't be edited now. It reads: {order.get_state_display()}."
    if request.method == "POST" and request.POST.get("rows"):
        try:
            autosave.keep(request, place, gathered(request.POST, place.what))
            words += " What you typed is kept: you find it under New order."
        except TooLarge:
            words += " What you typed could not be kept."
    messages.info(request, words)
    return redirect(url(order))


def _person(request: HttpRequest) -> User:
    assert request.user.is_authenticated
    return request.user


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@dataclass(kw_only=True)
class Sheet:
    """The draft page of one request: its forms, as typed or as saved, and the results for it."""

    place: Place
    post: QueryDict
    form: DraftForm
    options: forms.Form
    # mark of the unsaved work that the page was begun from
    taken: str = ""
    file: draft_files.Opened | None = None
    clash: dict[str, Any] = field(default_factory=dict)
    is_refused: bool = False
    panel: address_panel.Panel | None = None

    @property
    def is_showing(self) -> bool:
        return any(name in self.post for name in SHOWING_BUTTONS)


def _draft(request: HttpRequest, place: Place) -> HttpResponse:
    if request.method != "POST":
        return _open(request, place)
    post = gathered(request.POST, place.what)
    file = draft_files.open_into(
        post, request.FILES.get("file"), by=_person(request), product=place.what
    )
    # The script that keeps entries shows no page, so a default that it filled in was not seen.
    if "keep" not in post:
        client_defaults.fill(post, place.what)
    known_ids.fill(post, place.vendor, place.what)
    form, options = _forms(request, place, post)
    sheet = Sheet(
        place=place, post=post, form=form, options=options, file=file, taken=post.get("unsaved", "")
    )
    # The page sends what is typed every few seconds; the answer is JSON for its script.
    if "keep" in post:
        return autosave.answer(request, place, post, is_touched=_is_touched(sheet))
    is_valid = _read_in(request, sheet)
    if "errors" in post:
        text = error_file(post.get("rows", ""), sheet.form.reading, product=place.what)
        return draft_files.download(text, "lines-to-change.csv")
    if file or sheet.is_showing:
        overlook_empty(sheet.form)
        overlook_empty(sheet.options)
    elif is_valid:
        try:
            return _onward(request, _save(request, sheet))
        except NotAllowed as error:
            sheet.clash = _clash(request, sheet, str(error))
    sheet.is_refused = bool(sheet.clash or sheet.form.errors or sheet.options.errors)
    _keep(request, sheet)
    return _page(request, sheet)


def _read_in(request: HttpRequest, sheet: Sheet) -> bool:
    """Validate the forms, let the address panel change the box. True if everything is valid."""
    place = sheet.place
    # `&`, not `and`: both forms have to show their errors
    is_valid = sheet.form.is_valid() & sheet.options.is_valid()
    sheet.panel = address_panel.Panel(
        sheet.post, sheet.form.reading, place.what, place.vendor, wanted=request.GET
    )
    if sheet.panel.text is None:
        return is_valid
    # The panel's lines are read like typed ones, for the preview and the checks.
    sheet.post = sheet.panel.with_text(sheet.post)
    sheet.form, sheet.options = _forms(request, place, sheet.post)
    return sheet.form.is_valid() & sheet.options.is_valid()


def _open(request: HttpRequest, place: Place) -> HttpResponse:
    """The draft as it is saved, or with the unsaved work that the person takes up."""
    taken = autosave.taken_up(request, place)
    post = autosave.typed(taken) if taken else None
    form, options = _forms(request, place, post)
    # Unsaved work is unfinished. Its empty fields are no mistakes yet.
    if taken:
        overlook_empty(form)
        overlook_empty(options)
    mark = autosave.mark(taken) if taken else ""
    panel = address_panel.Panel(post, form.reading, place.what, place.vendor, wanted=request.GET)
    sheet = Sheet(
        place=place, post=post or QueryDict(), form=form, options=options, panel=panel, taken=mark
    )
    return _page(request, sheet)


def _forms(
    request: HttpRequest, place: Place, post: QueryDict | None
) -> tuple[DraftForm, forms.Form]:
    order = place.order
    form = DraftForm(post, initial=_initial(request, place), product=place.what)
    options = place.what.OptionsForm(
        post, initial=known_ids.options_of(order) if order else None, prefix="option"
    )
    if isinstance(options, OptionsForm):
        options.offer(
            {price.item: price.label or price.item for price in place.vendor.prices.order_by()}
        )
    return form, options


def _initial(request: HttpRequest, place: Place) -> dict[str, Any]:
    if (order := place.order) is None:
        return client_defaults.initial(request.GET.get("client", ""), place.what)
    return {
        "client": order.client_id,
        "contact": order.contact_id,
        "forward_to": order.forward_to,
        "note": order.note,
        "why_again": order.why_again,
        "rows": drafts.write(order),
        "version": order.version,
        client_defaults.SHOWN: order.client_id,
    }


def _is_touched(sheet: Sheet) -> bool:
    return (
        sheet.form.is_touched or sheet.options.has_changed() or bool(sheet.post.getlist("uploads"))
    )


def _keep(request: HttpRequest, sheet: Sheet) -> None:
    # A page that is shown again keeps its entries even where the browser runs no script.
    if not _is_touched(sheet):
        return
    try:
        autosave.keep(request, sheet.place, sheet.post)
    except TooLarge as error:
        messages.warning(request, str(error))


def _read(request: HttpRequest, sheet: Sheet) -> Draft:
    """The draft as typed. Fields that are not valid are left empty."""
    place, typed = sheet.place, getattr(sheet.form, "cleaned_data", {})
    client: Client = typed.get("client") or Client()
    options = getattr(sheet.options, "cleaned_data", {})
    sealed = place.vendor.adapter.secret_options
    # Passwords are never sent back to the browser, so an empty field may mean "as typed before".
    earlier = _kept_secrets(request, sheet)
    return Draft(
        vendor=place.vendor,
        product=place.product,
        client=client,
        contact=typed.get("contact"),
        forward_to=typed.get("forward_to", ""),
        note=typed.get("note", ""),
        why_again=typed.get("why_again", ""),
        options={name: value for name, value in options.items() if name not in sealed},
        secrets={name: options.get(name) or earlier.get(name, "") for name in sealed},
        rows=sheet.form.reading.rows,
        files=draft_files.uploads(sheet.post, by=_person(request)),
    )


def _kept_secrets(request: HttpRequest, sheet: Sheet) -> dict[str, str]:
    has_any = bool(sheet.place.vendor.adapter.secret_options)
    return autosave.secrets_of(_person(request), sheet.post) if has_any else {}


def _save(request: HttpRequest, sheet: Sheet) -> Order:
    draft, order, by = _read(request, sheet), sheet.place.order, _person(request)
    if order is None:
        saved = drafts.create(draft, by=by)
    else:
        saved = drafts.save(order.pk, draft, by=by, version=sheet.form.cleaned_data["version"])
    autosave.drop(by, sheet.post)
    return saved


def _clash(request: HttpRequest, sheet: Sheet, says: str) -> dict[str, Any]:
    """The reason why saving failed; after somebody else's save also both versions of the draft."""
    assert sheet.place.order
    order = Order.objects.select_related("vendor", "client", "contact").get(pk=sheet.place.order.pk)
    if order.state != State.DRAFT or order.version == sheet.form.cleaned_data["version"]:
        return {"says": says}
    changes = drafts.changes(order, _read(request, sheet))
    # The person has now seen the other version, so saving again may replace it.
    sheet.form.data["version"] = str(order.version)  # type: ignore[index]  # a copy of the post
    lines = {
        "theirs": changes.pop("removed", [[]])[0] or [],
        "yours": changes.pop("added", [[], []])[1] or [],
    }
    details = [name.replace("_", " ") for name in changes if name != "secrets"]
    return {"says": says, "may_replace": True, "details": details, **lines}


def _onward(request: HttpRequest, order: Order) -> HttpResponse:
    if "ask" in request.POST:
        return availability_panel.from_draft(request, order)
    if "send" not in request.POST:
        messages.success(request, f"{order} is saved as a draft.")
        return redirect(url(order, "edit"))
    return _send(request, order)


@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    order = load(request, pk, "orders.change_order")
    _must_be_own(request, order)
    return _send(request, order)


def _must_be_own(request: HttpRequest, order: Order) -> None:
    if why_not_edit(order, request.user):
        raise PermissionDenied


def _send(request: HttpRequest, order: Order) -> HttpResponse:
    if page := availability_panel.before_sending(request, order):
        return page
    try:
        drafts.send_for_confirmation(order.pk, by=_person(request), note=order.note)
    except NotAllowed as error:
        messages.error(request, f"{error} It is saved as a draft.")
        return redirect(url(order, "edit"))
    messages.success(request, f"{order} now waits for somebody to confirm it.")
    return redirect(url(order))


def _page(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    place, order, person = sheet.place, sheet.place.order, _person(request)
    text, reading = _box(sheet)
    weighed = _weighed(request, sheet, reading)
    current = plan(weighed) if weighed else None
    problems = current.problems if current else ()
    snapshot = current.snapshot() if current else {}
    found = checks(request, weighed, current, alike=3) if weighed else []
    tab = autosave.tab_of(sheet.post)
    sheet.form.name_sources()
    known_ids.name_source(sheet.options, place.vendor, {row.domain for row in reading.rows})
    is_looking = sheet.is_showing and not sheet.file
    # A page that was typed into has its own work already, so none is offered there.
    offers = [] if sheet.form.is_bound else autosave.offers(person, place, but=tab)
    context = {
        "title": f"{order}: edit" if order else "New order",
        "form": sheet.form,
        "options": sheet.options,
        "panel": sheet.panel,
        "free": availability_panel.panel(request, order, on_draft=True),
        "vendor": place.vendor,
        "what": place.what,
        "preview": preview(reading, text, problems, sheet.post) if reading.results else None,
        "errors": field_errors(sheet.form, sheet.options),
        "is_refused": sheet.is_refused,
        "is_looking": is_looking,
        "is_paged": "page" in sheet.post or "show" in sheet.post,
        "file": sheet.file,
        "clash": sheet.clash,
        **cost_sheet.context(request, weighed, snapshot),
        "elsewhere": alternatives.at_a_glance(order) if order else None,
        "weighed": weighed,
        "asks_why": _asks_why(sheet, current),
        "checks": found[:MAX_CHECKS_LISTED],
        "more_checks": len(found[MAX_CHECKS_LISTED:]),
        "keeps_secrets": bool(_kept_secrets(request, sheet)),
        "tab": tab,
        "taken": sheet.taken,
        "uploads": draft_files.uploads(sheet.post, by=person),
        "unsaved": offers,
        "new_cells": new_cells(place.what),
        "new_rows": range(NEW_ROWS),
        "choose_url": reverse("admin:orders_order_add"),
        "sample_url": _sample_url(place),
    }
    response = render(request, "draft.html", order, **context)
    # Nothing was to be saved by a button that only shows, so its errors are no refusal.
    is_refusal = sheet.is_refused and not is_looking and not sheet.file
    response.status_code = 400 if is_refusal else 200
    return response


def _sample_url(place: Place) -> str:
    return autosave.page_url(vendor_id=place.vendor.pk, product=place.product, sample="1")


def _asks_why(sheet: Sheet, current: Plan | None) -> bool:
    wanted = current is not None and any(problem.wants_reason for problem in current.problems)
    return wanted or bool(sheet.form["why_again"].value())


def _box(sheet: Sheet) -> tuple[str, Reading]:
    if sheet.form.is_bound:
        return sheet.post.get("rows", ""), sheet.form.reading
    text = str(sheet.form.initial.get("rows", ""))
    return text, read(text, sheet.place.what) if text else Reading()


def _weighed(request: HttpRequest, sheet: Sheet, reading: Reading) -> Order | None:
    """The order as it would be saved now, for its cost and checks. None without a client."""
    if not sheet.form.is_bound:
        order = sheet.place.order
        return drafts.proposed(drafts.draft_of(order, reading.rows), order) if order else None
    draft = _read(request, sheet)
    return drafts.proposed(draft, sheet.place.order) if draft.client.pk else None
