"""The lists of domains, mailboxes, clients and names that are never bought."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mailops.core.own_lookups import OwnLookups
from mailops.history.admin import RecordedAdmin
from mailops.history.csv_export import ExportedList
from mailops.proposals.approval_admin import ApprovalAdmin, ApprovalForm
from orders.audit.order_policies import CLIENTS
from orders.models import Client, Domain, Mailbox, NeverBuy, Order, State
from orders.models.inventory import Asset

LIMITS = ("order_limit", "limit_currency", "day_limit", "month_limit")
CHIP_KINDS = {
    Asset.PLANNED: "",
    Asset.ORDERED: "info",
    Asset.READY: "ok",
    Asset.REFUSED: "bad",
    Asset.GONE: "",
}


def chip(kind: str, text: str) -> SafeString:
    """The HTML of a state. `kind` is the CSS class: ok, wait, bad, info, doubt or empty."""
    return format_html('<span class="chip {}">{}</span>', kind, text)


def order_link(order: Order | None) -> SafeString | str:
    # Assets of a vendor's list that no order of ours made.
    if order is None:
        return "Held at the vendor before"
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:orders_order_change", args=[order.pk]), order
    )


class AssetAdmin(ExportedList, OwnLookups, admin.ModelAdmin):
    """Base of the read-only lists: orders make domains and mailboxes, nobody types them in."""

    actions = None
    list_per_page = 50
    list_filter = ("state", "vendor", "client")
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Nothing of an order that is only created is bought. Its names are held, no more.
        return super().get_queryset(request).exclude(order__state=State.CREATED)

    @admin.display(description="State", ordering="state")
    def state_chip(self, asset: Domain | Mailbox) -> SafeString:
        return chip(CHIP_KINDS[Asset(asset.state)], asset.get_state_display())

    @admin.display(description="Order", ordering="order")
    def by_order(self, asset: Domain | Mailbox) -> SafeString | str:
        return order_link(asset.order)


@admin.register(Domain)
class DomainAdmin(AssetAdmin):
    list_display = ("name", "client", "vendor", "state_chip", "by_order", "ordered_at", "ready_at")
    list_select_related = ("client", "vendor", "order")
    search_fields = ("name", "client__name")
    fields = (
        "name",
        "state_chip",
        "client",
        "vendor",
        "by_order",
        "years",
        "forward_to",
        "first_name",
        "last_name",
        "ordered_at",
        "ready_at",
    )
    readonly_fields = ("state_chip", "by_order")
    export_columns = [
        ("Domain", "name"),
        ("Client", lambda domain: domain.client),
        ("Account", "vendor"),
        ("State", "get_state_display"),
        ("Order", lambda domain: domain.order or "Held at the vendor before"),
        ("Years", "years"),
        ("Forwards to", "forward_to"),
        ("Ordered", "ordered_at"),
        ("Ready", "ready_at"),
    ]


@admin.register(Mailbox)
class MailboxAdmin(AssetAdmin):
    list_display = (
        "address",
        "name",
        "client",
        "account",
        "state_chip",
        "by_order",
        "ordered_at",
        "ready_at",
    )
    list_select_related = ("order__client", "order__vendor", "domain__client", "domain__vendor")
    list_filter = ("state", "order__vendor", "order__client")
    search_fields = ("address", "first_name", "last_name")
    fields = (
        "address",
        "name",
        "state_chip",
        "client",
        "account",
        "by_order",
        "ordered_at",
        "ready_at",
    )
    readonly_fields = ("name", "state_chip", "client", "account", "by_order")
    # Mailboxes have no client or account of their own. The order has both, or the domain.
    export_columns = [
        ("Address", "address"),
        ("First name", "first_name"),
        ("Last name", "last_name"),
        ("Client", lambda mailbox: (mailbox.order or mailbox.domain).client),
        ("Account", lambda mailbox: (mailbox.order or mailbox.domain).vendor),
        ("State", "get_state_display"),
        ("Order", "order"),
        ("Ordered", "ordered_at"),
        ("Ready", "ready_at"),
    ]

    @admin.display(ordering="order__client")
    def client(self, mailbox: Mailbox) -> Client | None:
        return (mailbox.order or mailbox.domain).client

    @admin.display(description="Vendor account", ordering="order__vendor")
    def account(self, mailbox: Mailbox) -> str:
        return str((mailbox.order or mailbox.domain).vendor)


class ClientForm(ApprovalForm):
    """A client. Its limits are fields only for users who may set them."""

    policy = CLIENTS


@admin.register(Client)
class ClientAdmin(ExportedList, ApprovalAdmin):
    form = ClientForm
    list_display = ("name", "main_domain", "forward_to", "contact")
    search_fields = ("name", "main_domain")
    list_select_related = ("contact",)
    autocomplete_fields = ()
    export_columns = [
        ("Client", "name"),
        ("Main domain", "main_domain"),
        ("Forwards to", "forward_to"),
        ("Contact", lambda client: client.contact),
        ("Limit for an order", "order_limit"),
        ("Limit for a day", "day_limit"),
        ("Limit for a month", "month_limit"),
        ("Currency", "limit_currency"),
    ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Client | None = None
    ) -> tuple[str, ...]:
        return () if request.user.has_perm("orders.limit_client") else LIMITS

    def get_fieldsets(self, request: HttpRequest, obj: Client | None = None) -> Any:
        about = [name for name in self.get_fields(request, obj) if name not in LIMITS]
        limits = (("order_limit", "limit_currency"), ("day_limit", "month_limit"))
        return self.with_why(
            request, obj, [(None, {"fields": about}), ("Limits", {"fields": limits})]
        )

    def may_propose(self, request: HttpRequest, obj: Client | None) -> bool:
        return request.user.has_perm("orders.limit_client") and super().may_propose(request, obj)

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        # Saving every column would undo limits that an Operator has set since the page was opened.
        obj.save(update_fields=list(form._meta.fields) if change else None)
        if set(LIMITS) & set(form.changed_data):
            obj.mark_limits_changed()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(NeverBuy)
class NeverBuyAdmin(RecordedAdmin):
    list_display = ("pattern", "reason", "added_by_name", "added_at")
    search_fields = ("pattern", "reason")
    fields = ("pattern", "reason", "added_by_name", "added_at")
    readonly_fields = ("added_by_name", "added_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("pattern", "reason")

    def save_model(self, request: HttpRequest, obj: NeverBuy, form: Any, change: bool) -> None:
        # The name is stored as text, so that it outlives the user.
        if not change:
            obj.added_by_name = request.user.get_username()
        super().save_model(request, obj, form, change)
