"""Month-end match: compare orders with the vendor's books and settle every difference."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, Count, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from mailops.history.admin import ReadOnlyAdmin
from mailops.templatetags.page_filters import when
from orders.admin import refund_pages
from orders.admin.inventory_pages import chip
from orders.audit import month_end
from orders.audit.month_end.matches import seen_before, ticked
from orders.drafting.intake import MOST_BYTES, CannotRead
from orders.models import Finding, Match, NotAllowed
from orders.models.month_end_match import FindingState
from vendors.models import Vendor

FINDINGS_PER_PAGE = 100
LONGEST_PERIOD = timedelta(days=370)
CHIP_KINDS = {FindingState.OPEN: "wait", FindingState.SETTLED: "ok", FindingState.GONE: ""}


class MatchForm(forms.Form):
    """The account to match, with a statement and its days, or without one."""

    vendor = forms.ModelChoiceField(
        Vendor.objects.order_by("name"), label="Vendor account", empty_label="Choose"
    )
    file = forms.FileField(
        label="Statement",
        required=False,
        help_text=(
            "What was charged, as a CSV, Excel or OpenDocument file with an amount and a reference"
            " or description in each line. Without a file MailOps reads the vendor's own list of"
            " your domains."
        ),
    )
    begins_on = forms.DateField(
        label="Sent from", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    ends_on = forms.DateField(
        label="Sent to",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=(
            "The days that the statement is about. Orders sent on other days are not missed in it."
        ),
    )
    currency = forms.RegexField(
        "^[A-Za-z]{3}$",
        label="Currency",
        initial="USD",
        help_text="Of lines that name none.",
        error_messages={"invalid": "Write the currency with three letters, such as USD."},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > MOST_BYTES:
            raise forms.ValidationError(f"This file is larger than {MOST_BYTES // 1024**2} MB.")
        return file

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("begins_on"), cleaned.get("ends_on")
        if begins and ends and not timedelta(0) <= ends - begins <= LONGEST_PERIOD:
            self.add_error(
                "ends_on",
                "Choose a last day that is not before the first, and within a year of it.",
            )
        return cleaned


class SettleForm(forms.Form):
    """The reason why findings are settled."""

    reason = forms.CharField(
        label="Why are they settled?", max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )


def last_month() -> dict[str, date]:
    ends = timezone.localdate().replace(day=1) - timedelta(days=1)
    return {"begins_on": ends.replace(day=1), "ends_on": ends}


@admin.register(Match)
class MatchAdmin(ReadOnlyAdmin):
    """The list of matches, and the page of a match with its findings."""

    list_display = ("account", "source", "days", "result", "open_findings", "made")
    list_display_links = None
    list_filter = ("vendor", "source")
    list_select_related = ("vendor",)
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/orders/match/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.run_match")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Match]:
        # one query for the whole list instead of one for each match
        still_open = Count("findings", filter=Q(findings__state=FindingState.OPEN))
        matches: QuerySet[Match] = super().get_queryset(request)
        return matches.annotate(still_open=still_open)

    def get_urls(self) -> list[Any]:
        pages = {"take": require_POST(self.take), "settle": require_POST(self.settle)}
        ours = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"orders_match_{name}")
            for name, view in pages.items()
        ]
        # The stock patterns end with one that takes any path, so ours come first.
        return ours + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(
            request, {"title": "Month-end match", **(extra_context or {})}
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = (
            MatchForm(request.POST, request.FILES)
            if request.method == "POST"
            else MatchForm(initial=last_month())
        )
        if form.is_bound and form.is_valid():
            try:
                return self._match(request, form.cleaned_data)
            except (CannotRead, NotAllowed) as error:
                field = "file" if form.cleaned_data["file"] else "vendor"
                form.add_error(field, f"{error} {getattr(error, 'fix', '')}".strip())
        context = self.admin_site.each_context(request) | {
            "title": "Match orders with the vendor's books",
            "form": form,
        }
        response = TemplateResponse(request, "admin/orders/match/add.html", context)
        response.status_code = 400 if form.is_bound else 200
        return response

    def _match(self, request: HttpRequest, cleaned: dict[str, Any]) -> HttpResponse:
        vendor, file, by = cleaned["vendor"], cleaned["file"], request.user
        assert isinstance(by, User)
        if file:
            data = file.read()
            charges = month_end.read_statement(file.name, data, currency=cleaned["currency"])
            # The same file may be matched twice, but a person may have taken the wrong one.
            if earlier := seen_before(vendor.pk, data):
                messages.info(
                    request,
                    f"This file was matched before, {earlier.at:%-d %b %Y} by {earlier.by_name}.",
                )
            days = (cleaned["begins_on"], cleaned["ends_on"])
            match = month_end.begin_with_statement(
                vendor.pk, charges, days=days, file=(file.name, data), by=by
            )
        else:
            match = month_end.begin_with_list(vendor.pk, by=by)
        return redirect(reverse("admin:orders_match_change", args=[match.pk]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        # A longer number does not fit the database's type and would end in an error.
        number = int(object_id) if object_id.isdecimal() and len(object_id) < 10 else 0
        return self._page(
            request, get_object_or_404(Match.objects.select_related("vendor"), pk=number)
        )

    def _page(self, request: HttpRequest, match: Match, **more: Any) -> TemplateResponse:
        # Open findings come first.
        is_open = Case(When(state=FindingState.OPEN, then=0), default=1)
        rows = match.findings.select_related("order").order_by(is_open, "kind", "pk")
        context = {
            "title": str(match),
            "match": match,
            "findings": Paginator(rows, FINDINGS_PER_PAGE).get_page(request.GET.get("page")),
            "open_count": match.findings.filter(state=FindingState.OPEN).count(),
            "may_settle": request.user.has_perm("orders.settle_finding"),
            "people": _owners(),
            "form": SettleForm(),
        }
        frame = self.admin_site.each_context(request)
        return TemplateResponse(request, "admin/orders/match/page.html", frame | context | more)

    def _ticked(self, request: HttpRequest, pk: int) -> tuple[Match, list[int]]:
        if not request.user.has_perm("orders.settle_finding"):
            raise PermissionDenied
        match = get_object_or_404(Match.objects.select_related("vendor"), pk=pk)
        return match, ticked(pk, request.POST.getlist("finding"))

    def take(self, request: HttpRequest, pk: int) -> HttpResponse:
        match, numbers = self._ticked(request, pk)
        owner = _owners().filter(username=request.POST.get("owner", "")).first()
        if not numbers or owner is None:
            messages.error(request, "Tick the findings and choose who looks after them.")
        else:
            done = month_end.take(numbers, by=request.user, owner=owner)  # type: ignore[arg-type]  # signed in
            messages.success(request, f"{done} given to {owner.get_username()}.")
        return redirect(reverse("admin:orders_match_change", args=[match.pk]))

    def settle(self, request: HttpRequest, pk: int) -> HttpResponse:
        match, numbers = self._ticked(request, pk)
        form = SettleForm(request.POST)
        if not form.is_valid() or not numbers:
            if not numbers:
                form.add_error(None, "Tick the findings that are settled.")
            # The page keeps the ticks, so that the person only adds what was missing.
            response = self._page(request, match, form=form, kept=set(numbers))
            response.status_code = 400
            return response
        done = month_end.settle(numbers, by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
        messages.success(request, f"{done} settled.")
        return redirect(reverse("admin:orders_match_change", args=[match.pk]))

    @admin.display(description="Vendor account", ordering="vendor__name")
    def account(self, match: Match) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:orders_match_change", args=[match.pk]),
            match.vendor,
        )

    @admin.display(description="Days", ordering="begins_on")
    def days(self, match: Match) -> str:
        if match.source == "list":
            return f"as of {match.ends_on:%-d %b %Y}"
        return f"{match.begins_on:%-d %b %Y} to {match.ends_on:%-d %b %Y}"

    @admin.display(description="Orders that agreed")
    def result(self, match: Match) -> str:
        return f"{match.agreed} of {match.compared}"

    @admin.display(description="When", ordering="pk")
    def made(self, match: Match) -> SafeString:
        return format_html("{}, {}", when(match.at), match.by_name)

    @admin.display(description="Open findings")
    def open_findings(self, match: Any) -> SafeString:
        return (
            chip("wait", f"{match.still_open} open")
            if match.still_open
            else chip("ok", "None open")
        )


def _owners() -> QuerySet[User]:
    """Active users who may settle findings."""
    settles = Permission.objects.filter(codename="settle_finding", content_type__app_label="orders")
    may = (
        Q(groups__permissions__in=settles) | Q(user_permissions__in=settles) | Q(is_superuser=True)
    )
    return User.objects.filter(may, is_active=True).distinct().order_by("username")


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    """The list of the findings of all matches. A finding is settled on its match's page."""

    list_display = ("what", "vendor", "about", "owner_name", "state_chip", "found")
    list_display_links = None
    list_filter = ("state", "kind", "vendor", "owner_name")
    list_select_related = ("vendor", "order", "match")
    list_per_page = 50
    search_fields = ("says",)
    search_help_text = "Search by domain, order number, reference or amount."
    show_facets = admin.ShowFacets.NEVER

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(refund_pages.record_finding)
        return [
            path("<int:pk>/record/", view, name="orders_finding_record"),
            *super().get_urls(),
        ]

    @admin.display(description="What", ordering="kind")
    def what(self, finding: Finding) -> SafeString:
        url = (
            f"{reverse('admin:orders_match_change', args=[finding.match_id])}#finding-{finding.pk}"
        )
        return format_html('<a href="{}">{}</a>', url, finding.get_kind_display())

    @admin.display(description="About")
    def about(self, finding: Finding) -> str:
        return finding.says

    @admin.display(description="Found", ordering="pk")
    def found(self, finding: Finding) -> SafeString | str:
        return when(finding.opened_at)

    @admin.display(description="State", ordering="state")
    def state_chip(self, finding: Finding) -> SafeString:
        return chip(CHIP_KINDS[FindingState(finding.state)], finding.get_state_display())
