"""The list of orders, and the URLs of every page about an order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from mailops.auth import reauthentication
from mailops.core.money import Totals
from mailops.core.own_lookups import OwnLookups
from mailops.history.csv_export import AT_A_TIME, ExportedList
from orders.admin import actions as decide
from orders.admin import (
    alternatives_page,
    autosave,
    availability_panel,
    batch,
    capacity_page,
    check_vendor,
    comment_form,
    control_report_page,
    created_order_page,
    detail,
    draft,
    evidence_page,
    line_pages,
    order_card,
    order_pages,
    refund_pages,
    session_expired,
)
from orders.admin.inventory_pages import chip
from orders.models import Order, State
from orders.models.hold import hold_of
from orders.outcomes import overdue_orders
from orders.templatetags.order_tags import next_actor
from vendors.cost import shown_now
from vendors.models import Price, SendingSwitch

TO_A_PERSON = [
    State.REVIEW,
    State.UNKNOWN,
    State.CREATED,
    State.REFUSED,
    State.PARTLY,
    State.UNDELIVERED,
]
TABS = [
    ("", "All", list(State)),
    ("person", "Needs a person", TO_A_PERSON),
    ("drafts", "Drafts", [State.DRAFT]),
    ("moving", "On their way", [State.CONFIRMED, State.SENDING, State.ACCEPTED]),
    ("delivered", "Delivered", [State.DELIVERED]),
    ("ended", "Refused or cancelled", [State.REFUSED, State.CANCELLED]),
]


PAGES_OF_AN_ORDER: dict[str, Callable[..., HttpResponseBase]] = {
    "edit": draft.edit,
    "send": draft.send,
    "confirm": decide.confirm,
    "back": decide.send_back,
    "cancel": decide.cancel,
    "copy": decide.copy,
    "ask": line_pages.ask,
    "arrived": line_pages.arrived,
    "expected": line_pages.expected,
    "not_coming": line_pages.not_coming,
    "after_all": line_pages.after_all,
    "check": check_vendor.check,
    "news": check_vendor.news,
    "processed": created_order_page.processed,
    "leave": created_order_page.leave,
    "elsewhere": alternatives_page.show,
    "availability": availability_panel.show,
    "comment": comment_form.write,
    "suggest": availability_panel.suggest,
    "take": availability_panel.take,
    "refunds": refund_pages.show_refunds,
}
PAGES_OF_ALL_ORDERS: dict[str, Callable[..., HttpResponseBase]] = {
    "volume": capacity_page.show,
    "evidence": evidence_page.show,
    "control": control_report_page.show,
    "together": reauthentication.required(batch.show, then="Confirm several orders"),
}


class TabFilter(admin.SimpleListFilter):
    """The tabs over the list. The list's template draws them, not the filter panel."""

    title = "state"
    parameter_name = "tab"
    template = "admin/orders/order/_tab_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, label, _ in TABS if key]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        states = next((states for key, _, states in TABS if key and key == self.value()), None)
        return queryset.filter(state__in=states) if states else queryset


def amount(totals: Totals) -> Any:
    """The amount as a number; as text if there are two currencies; None if there is nothing."""
    # A spreadsheet can add up numbers. Amounts in several currencies must not be added.
    if len(totals) == 1:
        return next(iter(totals.values()))
    return str(totals) if totals else None


def currency(order: Order) -> str:
    return ", ".join(sorted({*order.due, *order.per_month}))


def _in_words(order: Order, *, heading: str) -> str:
    return order.in_words.get(heading, "")


@admin.register(Order)
class OrderAdmin(ExportedList, OwnLookups, admin.ModelAdmin):
    list_display = (
        "reference_link",
        "client",
        "vendor",
        "what",
        "now",
        "a_month",
        "state_chip",
        "next",
    )
    list_display_links = None
    list_filter = (TabFilter, "vendor", "client")
    list_select_related = ("client", "vendor")
    list_per_page = 50
    search_fields = ("client__name", "reference", "note")
    search_help_text = "Search by order number, domain, address, client or the vendor's reference."
    actions = None
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    export_columns = [
        ("Order", str),
        ("Client", "client"),
        ("Account", "vendor"),
        ("What", lambda order: order.product_spec.label),
        ("Domains", "domain_count"),
        ("Mailboxes", "mailbox_count"),
        ("State", "get_state_display"),
        ("Since", "state_since"),
        ("Due now", lambda order: amount(order.due_now)),
        ("Due when processed", lambda order: amount(order.due_later)),
        ("A month", lambda order: amount(order.per_month)),
        ("Currency", lambda order: currency(order)),
        ("Drafted by", "drafted_by_name"),
        ("Drafted", "created_at"),
        ("Confirmed by", "confirmed_by_name"),
        ("Confirmed", "confirmed_at"),
        ("Vendor's reference", "reference"),
        *((heading, partial(_in_words, heading=heading)) for heading in order_card.COLUMNS),
    ]
    change_list_template = "admin/orders/order/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        # `distinct`, because two joins multiply the rows
        counts = {
            "domain_count": Count("domains", distinct=True),
            "mailbox_count": Count("mailboxes", distinct=True),
        }
        return Order.objects.annotate(**counts)

    def _export_rows(self, rows: QuerySet[Order]) -> Iterator[list[Any]]:
        # The labels of all prices are read once, not for each order.
        labels: dict[int, dict[str, str]] = defaultdict(dict)
        for vendor, item, label in Price.objects.values_list("vendor", "item", "label"):
            labels[vendor][item] = label
        for order in rows.select_related("contact").iterator(chunk_size=AT_A_TIME):
            order.in_words = order_card.cells(order, labels[order.vendor_id])
            yield self.row(order)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(client__name__icontains=term) | Q(reference__icontains=term)
        # Subqueries, because a join over mailboxes takes seconds on a large installation.
        found |= Q(pk__in=Order.objects.filter(domains__name__icontains=term).values("pk"))
        found |= Q(pk__in=Order.objects.filter(mailboxes__address__icontains=term).values("pk"))
        number = term.upper().removeprefix("MO-")
        # The number on pages is the key plus 1000. A longer number does not fit the key's type.
        if number.isdecimal() and len(number) < 10:
            found |= Q(pk=int(number) - 1000)
        return queryset.filter(found), False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        found = super().get_changelist_instance(request)
        # One query for the whole list instead of one for each confirmed order.
        switch = SendingSwitch.current()
        for order in found.result_list:
            order.switch = switch
        overdue_orders.mark(found.result_list)
        return found

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        counts = dict(Order.objects.order_by().values_list("state").annotate(Count("pk")))
        here = request.GET.get("tab", "")
        tabs = [
            {
                "label": label,
                "count": sum(counts.get(state, 0) for state in states),
                "query": f"?tab={key}" if key else "?",
                "is_here": key == here,
            }
            for key, label, states in TABS
        ]
        unsaved = []
        if request.user.is_authenticated and request.user.has_perm("orders.add_order"):
            unsaved = autosave.offers(request.user)[: autosave.OFFERS_BESIDE]
        context = {"title": "Orders", "tabs": tabs, "unsaved": unsaved, **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_urls(self) -> list[Any]:
        of_an_order = [
            (f"<int:pk>/{name}/", name, view) for name, view in PAGES_OF_AN_ORDER.items()
        ]
        of_all = [(f"{name}/", name, view) for name, view in PAGES_OF_ALL_ORDERS.items()]
        ours = [
            path(route, self.admin_site.admin_view(view), name=f"orders_order_{name}")
            for route, name, view in [*of_an_order, *of_all]
        ]
        # The stock patterns end with one that takes any path, so ours come first.
        found = [*ours, *super().get_urls()]
        # `admin_view` sends people without a session to the log-in page, which loses their entries.
        for entry in found:
            if entry.name in ("orders_order_add", "orders_order_edit"):
                entry.callback = session_expired.keeps_what_was_typed(entry.callback)
        return found

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return draft.add(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return detail.show(request, object_id)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return detail.history(request, object_id)

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    @admin.display(description="Order", ordering="pk")
    def reference_link(self, order: Order) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:orders_order_change", args=[order.pk]), order
        )

    @admin.display(description="What")
    def what(self, order: Any) -> str:
        # not `plural`: numbers in an order's size are written without separators
        counts = [
            (order.domain_count, "domain", "domains"),
            (order.mailbox_count, "mailbox", "mailboxes"),
        ]
        parts = (f"{n} {one if n == 1 else many}" for n, one, many in counts if n)
        return ", ".join(parts) or "nothing yet"

    @admin.display(description="Now")
    def now(self, order: Order) -> SafeString:
        later = order.due_later
        now = shown_now(order.due_now, later) or "–"
        if not later:
            return format_html('<span class="num">{}</span>', now)
        words = '<span class="num">{}<br><span class="small soft">{} when processed</span></span>'
        return format_html(words, now, later)

    @admin.display(description="A month")
    def a_month(self, order: Order) -> SafeString:
        return format_html('<span class="num">{}</span>', order.per_month or "–")

    @admin.display(description="State", ordering="state")
    def state_chip(self, order: Order) -> SafeString:
        state = chip(order_pages.CHIPS[State(order.state)], order.get_state_display())
        if order.overdue_since is None:
            return state
        return format_html("{} {}", state, chip("bad", order_pages.overdue_words(order)))

    @admin.display(description="Next")
    def next(self, order: Order) -> SafeString:
        """Who acts next and since when, and the reason why a confirmed order is held."""
        hold = hold_of(order) if order.state == State.CONFIRMED else None
        if order.overdue_since:
            return format_html('<span class="small soft">{}</span>', next_actor(order, hold))
        age = timesince((hold.since if hold else None) or order.state_since, depth=1)
        actor = next_actor(order, hold)
        # Nothing is gained by "for 0 minutes", or by a time in which nobody had to act.
        since = "" if actor == "Nobody" or age.startswith("0") else f" for {age}"
        if hold is None:
            return format_html('<span class="small soft">{}{}</span>', actor, since and f",{since}")
        says = f"{hold.short}{since if hold.since else ''}"
        return format_html('<span class="small soft">{}. Next: {}</span>', says, actor)
