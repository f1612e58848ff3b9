"""The pages about prices: the list, its changes, and typed exchange rates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mailops.core.money import show
from mailops.history.admin import ReadOnlyAdmin, RecordedAdmin
from mailops.history.csv_export import ExportedList
from mailops.templatetags.page_filters import when
from vendors import price_lists
from vendors.apis import REGISTRY
from vendors.models import Price, PriceVersion, Rate
from vendors.price_pages import PriceForm


@admin.register(Price)
class PriceAdmin(RecordedAdmin):
    form = PriceForm
    list_display = ("name", "vendor", "key", "price", "unit", "renewal", "read", "changes")
    list_filter = ("vendor", "unit", "currency")
    list_select_related = ("vendor",)
    search_fields = ("item", "label")
    fields = (
        "vendor",
        "item",
        "label",
        ("amount", "currency"),
        "really_free",
        "unit",
        "renewal_amount",
        "domains",
    )

    # Prices keep their versions, which only `price_lists` writes.
    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        # The form takes an amount of 0 only with the word that it is meant.
        obj.free_by_name = request.user.get_username() if obj.has_nought else ""
        price_lists.put(obj, by=request.user.get_username())

    def delete_model(self, request: HttpRequest, obj: Price) -> None:
        price_lists.remove(obj, by=request.user.get_username())

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        # Each vendor has its own form of item keys, so the help text names all of them.
        if db_field.name == "item" and field is not None:
            items = [
                f"{api.label}: {key} ({text})"
                for api in REGISTRY.values()
                for key, text in api.price_items.items()
            ]
            field.help_text = "What is bought. " + "; ".join(items)
        return field

    @admin.display(description="What", ordering="label")
    def name(self, price: Price) -> str:
        return price.label or price.item

    @admin.display(description="Price", ordering="amount")
    def price(self, price: Price) -> SafeString | str:
        shown = show(price.amount, price.currency)
        if price.gone_at:
            return _with_chip(shown, "bad", f"Not in the list since {price.gone_at:%-d %b %Y}")
        if price.doubt:
            return _with_chip(shown, "wait", "Is it really free?")
        return f"{shown}, free by {price.free_by_name}'s word" if price.free_by_name else shown

    @admin.display(description="Then")
    def renewal(self, price: Price) -> str:
        return "" if price.renewal_amount is None else show(price.renewal_amount, price.currency)

    @admin.display(description="Item", ordering="item")
    def key(self, price: Price) -> SafeString:
        return format_html('<code class="small">{}</code>', price.item)

    @admin.display(description="Price from", ordering="as_of")
    def read(self, price: Price) -> SafeString:
        return format_html("{}, {}", price.source, when(price.as_of))

    @admin.display(description="Past")
    def changes(self, price: Price) -> SafeString:
        return format_html('<a href="{}">Changes</a>', changes_url(price.vendor_id, price.item))


def _with_chip(shown: str, kind: str, text: str) -> SafeString:
    return format_html('{} <span class="chip {}">{}</span>', shown, kind, text)


def changes_url(vendor_id: int, item: str = "") -> str:
    """The page with the changes of an account's prices, or of one item."""
    query = {"vendor__id__exact": vendor_id} | ({"item": item} if item else {})
    return reverse("admin:vendors_priceversion_changelist", query=query)


@admin.register(PriceVersion)
class PriceVersionAdmin(ExportedList, ReadOnlyAdmin):
    """Changes of prices, newest first. Read-only: the database refuses edits anyway."""

    list_display = ("what", "vendor", "was", "became", "source", "who", "happened")
    list_display_links = None
    list_filter = ("vendor", "item")
    list_select_related = ("vendor", "before")
    list_per_page = 50
    search_fields = ("item", "label")
    search_help_text = "Search by item or name."
    show_facets = admin.ShowFacets.NEVER
    actions = None
    change_list_template = "admin/vendors/priceversion/change_list.html"
    export_columns = [
        ("When", "at"), ("Account", "vendor"), ("Item", "item"), ("Name", "label"),
        ("Amount", "amount"),
        ("Renewal", "renewal_amount"), ("For", "unit"), ("Currency", "currency"),
        ("Amount before", lambda version: version.before and version.before.amount),
        ("Renewal before", lambda version: version.before and version.before.renewal_amount),
        ("Taken off", "removed"), ("Source", "source"), ("Set by", "set_by"),
    ]  # fmt: skip
    fields = ("vendor", "item", "label", "was", "became", "domains", "source", "who", "happened")

    @admin.display(description="What", ordering="item")
    def what(self, version: PriceVersion) -> SafeString:
        link = changes_url(version.vendor_id, version.item)
        return format_html(
            '<a href="{}">{}</a><br><code class="small">{}</code>',
            link,
            version.label or version.item,
            version.item,
        )

    @admin.display(description="Before")
    def was(self, version: PriceVersion) -> str:
        return version.before.says if version.before else "–"

    @admin.display(description="After")
    def became(self, version: PriceVersion) -> str:
        return version.says

    @admin.display(description="Set by", ordering="set_by")
    def who(self, version: PriceVersion) -> str:
        return version.set_by or "not noted then"

    @admin.display(description="When", ordering="pk")
    def happened(self, version: PriceVersion) -> SafeString | str:
        return when(version.at)


class RateForm(forms.ModelForm):
    """A rate to the reporting currency."""

    class Meta:
        model = Rate
        fields = ("currency", "rate")

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        if currency == settings.REPORTING_CURRENCY:
            raise ValidationError(f"Totals are shown in {currency} already. Give another currency.")
        return currency


@admin.register(Rate)
class RateAdmin(RecordedAdmin):
    """Typed rates. The newest of each currency counts; the others are its past."""

    form = RateForm
    list_display = ("pair", "counts", "typed_by_name", "typed")
    list_display_links = None
    list_filter = ("currency",)
    show_facets = admin.ShowFacets.NEVER
    # The page also says where no reporting currency is set, and then nothing can be added.
    change_list_template = "admin/vendors/rate/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(settings.REPORTING_CURRENCY) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rate]:
        # One query for the whole list, in place of one for each row.
        newer = Rate.objects.filter(
            currency=OuterRef("currency"), to=OuterRef("to"), pk__gt=OuterRef("pk")
        )
        rates: QuerySet[Rate] = super().get_queryset(request)
        return rates.annotate(is_replaced=Exists(newer))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "rate" and field is not None:
            field.help_text = (
                f"How many {settings.REPORTING_CURRENCY} one unit of it is worth. For reading only:"
                " amounts worked out with it are marked “about”, and no limit and no confirmation"
                " goes by them."
            )
        return field

    def save_model(self, request: HttpRequest, obj: Rate, form: Any, change: bool) -> None:
        # A rate belongs to the reporting currency of its day: the setting may change later.
        obj.to, obj.typed_by_name = settings.REPORTING_CURRENCY, request.user.get_username()
        super().save_model(request, obj, form, change)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"reporting_currency": settings.REPORTING_CURRENCY, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="Rate", ordering="currency")
    def pair(self, rate: Rate) -> str:
        return str(rate)

    @admin.display(description="Now")
    def counts(self, rate: Rate) -> str:
        if getattr(rate, "is_replaced", False):
            return "Replaced by a newer one"
        return "In use" if rate.to == settings.REPORTING_CURRENCY else "Not in use"

    @admin.display(description="When", ordering="typed_at")
    def typed(self, rate: Rate) -> SafeString | str:
        return when(rate.typed_at)
