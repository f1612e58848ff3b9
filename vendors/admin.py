"""The pages about vendor accounts and registrant contacts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from mailops.auth import reauthentication
from mailops.core.money import show
from mailops.core.sealed import CannotOpen
from mailops.history import audited, record
from mailops.history.admin import RecordedAdmin
from mailops.history.models import Event
from mailops.proposals.approval_admin import ApprovalAdmin, ApprovalForm
from mailops.templatetags.page_filters import when
from vendors import (
    account_reads,
    balance_pages,
    price_lists,
    price_pages,
    rate_limit,
    vendor_reader,
)
from vendors.account_policies import VENDORS
from vendors.apis import REGISTRY
from vendors.http import SHORTEST_SECRET, ReadFailed
from vendors.models import CURRENCY, LIVE, Contact, SendingSwitch, Vendor, account_settings
from vendors.practice.faults import FAULTS

# Other signs can't stand in a request's headers. A text that has them is a masked key, or more than
# the key.
PLAIN = RegexValidator(
    r"^[!-~]+$", "This is no key: it may hold only plain letters, digits and signs. Copy it again."
)


LIMITS = ("order_limit", "limit_currency", "day_limit", "month_limit")
MOST_DAYS = 60
TOLERANCE = ("drift_per_order", "drift_cumulative")


class BalanceForm(forms.Form):
    """A balance that a person read at the vendor."""

    balance = forms.DecimalField(max_digits=12, decimal_places=2, min_value=0)
    balance_currency = forms.CharField(max_length=3, validators=[CURRENCY])


class VendorForm(ApprovalForm):
    """The form of an account. `form_for` adds its vendor's own settings and secrets."""

    policy = VENDORS
    api: str
    secret_fields: frozenset[str] = frozenset()

    class Meta:
        model = Vendor
        fields = (
            "name",
            "mode",
            "two_person_rule",
            "hold_minutes",
            *LIMITS,
            *TOLERANCE,
            "balance_floor",
            "usual_days",
            "overdue_days",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.api = self.instance.api or self.api
        for name, value in account_settings(self.instance).items():
            self.initial[f"setting_{name}"] = value
        stored = self.instance.secrets.names
        for field in self.secret_fields & self.fields.keys():
            name = field.removeprefix("secret_")
            where = self.instance.adapter.secret_help.get(name, "")
            kept = (
                "Stored and sealed. Leave empty to keep it."
                if name in stored
                else "Not entered yet."
            )
            self.fields[field].help_text = f"{kept} {where}".strip()

    def clean_overdue_days(self) -> int:
        usual, overdue = self.cleaned_data.get("usual_days"), int(self.cleaned_data["overdue_days"])
        if usual is not None and not 1 <= usual <= overdue <= MOST_DAYS:
            why = f"Give whole days from 1 to {MOST_DAYS}, and no fewer than the usual ones."
            raise ValidationError(why)
        return overdue

    def clean_mode(self) -> str:
        mode: str = self.cleaned_data["mode"]
        if mode == LIVE and not settings.LIVE:
            raise ValidationError("This is a practice installation. It can't hold live accounts.")
        return mode

    def save(self, commit: bool = True) -> Vendor:
        data = self.cleaned_data
        names = REGISTRY[self.instance.api].AccountForm.base_fields
        self.instance.settings = {name: data[f"setting_{name}"] for name in names}
        secrets = {name.removeprefix("secret_"): data[name] for name in self.secret_fields}
        # An empty field keeps the secret that is stored.
        self.instance.sealed = str(self.instance.secrets.put(secrets))
        vendor: Vendor = super().save(commit)
        return vendor


def form_for(api: str) -> type[VendorForm]:
    """The account form with the fields that the vendor's adapter declares."""
    adapter = REGISTRY[api]
    declared: dict[str, Any] = {
        f"setting_{name}": field for name, field in adapter.AccountForm.base_fields.items()
    }
    for name, label in adapter.secrets.items():
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        declared[f"secret_{name}"] = forms.CharField(
            label=label,
            required=False,
            widget=widget,
            min_length=SHORTEST_SECRET,
            max_length=4000,
            validators=[PLAIN],
        )
    secret_fields = frozenset(f"secret_{name}" for name in adapter.secrets)
    return type(
        "VendorFormForApi", (VendorForm,), declared | {"api": api, "secret_fields": secret_fields}
    )


def chip(kind: str, text: str) -> SafeString:
    return format_html('<span class="chip {}">{}</span>', kind, text)


@admin.register(Vendor)
class VendorAdmin(ApprovalAdmin):
    list_display = ("name", "vendor_label", "mode", "two_person_rule", "limit", "sending")
    change_form_template = "admin/vendors/vendor/change_form.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Vendor, form: Any, change: bool) -> None:
        # Only the form's own columns: a worker may have stopped the account since it was opened.
        obj.save(update_fields=[*VendorForm.Meta.fields, "settings", "sealed"] if change else None)
        if {*LIMITS, "balance_floor"} & set(form.changed_data):
            obj.mark_limits_changed()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        api = obj.api if obj else request.GET.get("api", "")
        return super().get_form(request, obj, change=change, form=form_for(api), **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        rules = ("two_person_rule", "hold_minutes", ("usual_days", "overdue_days"))
        limits = (
            ("order_limit", "limit_currency"),
            ("day_limit", "month_limit"),
            TOLERANCE,
            "balance_floor",
        )
        shown = [("Rules", {"fields": rules}), ("Limits", {"fields": limits})]
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": ("name", "vendor_label", "mode", "settings_shown")}), *shown]
        form = form_for(obj.api if obj else request.GET.get("api", ""))
        own = tuple(name for name in form.declared_fields)
        label = REGISTRY[form.api].label
        return self.with_why(
            request, obj, [(None, {"fields": ("name", "mode")}), (label, {"fields": own}), *shown]
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Vendors ask for different settings, so the vendor is chosen on a page of its own.
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.GET.get("api") in REGISTRY:
            return super().add_view(request, form_url, extra_context)
        context = self.admin_site.each_context(request) | {
            "title": "New vendor account",
            "apis": REGISTRY.values(),
        }
        return TemplateResponse(request, "admin/vendors/vendor/choose.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        vendor = Vendor.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        context = {
            "vendor": vendor,
            "practice_values": [(name, fault.words) for name, fault in FAULTS.items()],
            "may_test": self._may(request),
            "rests_until": vendor_reader.rests_until(vendor) if vendor else None,
            "quiet_until": account_reads.rests_until(vendor, timezone.now()) if vendor else None,
            "stopped_by": self._stopped_by(vendor) if vendor and vendor.is_stopped else "",
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def _stopped_by(self, vendor: Vendor) -> str:
        # The newest stop, by a person or by the circuit breaker, whose event names nobody.
        event = Event.objects.filter(
            subject_type="vendors.vendor", subject_id=str(vendor.pk), action="vendor.stopped"
        ).first()
        return event.who if event else ""

    def get_urls(self) -> list[Any]:
        # A GET to one of these must change nothing, so they all are POST only.
        views = {"test": self.test, "fetch": self.fetch, "stop": self.stop, "resume": self.resume,
                 "balance": self.balance, "funds": balance_pages.let_go_on,
                 "forget": balance_pages.forget_balance}  # fmt: skip
        ours = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"vendors_vendor_{name}",
            )
            for name, view in views.items()
        ]
        for name, view in {"hold_all": self.hold_all, "release_all": self.release_all}.items():
            ours.append(
                path(
                    f"{name}/",
                    self.admin_site.admin_view(require_POST(view)),
                    name=f"vendors_vendor_{name}",
                )
            )
        return ours + super().get_urls()

    @method_decorator(reauthentication.before("Save this vendor account"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(*args, **kwargs)

    def _may(self, request: HttpRequest) -> bool:
        return request.user.has_perm("vendors.test_vendor")

    def _vendor(self, request: HttpRequest, pk: int) -> Vendor:
        if not self._may(request):
            raise PermissionDenied
        return get_object_or_404(Vendor, pk=pk)

    def _back(self, vendor: Vendor) -> HttpResponse:
        return redirect(reverse("admin:vendors_vendor_change", args=[vendor.pk]))

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        vendor = self._vendor(request, pk)
        try:
            read = vendor_reader.reader(vendor, max_wait=rate_limit.A_PERSON)
            messages.success(request, vendor.adapter.test(account_settings(vendor), read))
            worked = True
        except (ReadFailed, CannotOpen) as error:
            messages.error(request, str(error))
            worked = False
        with audited():
            record("vendor.key_tested", vendor, changes={"worked": [None, worked]})
        return self._back(vendor)

    def fetch(self, request: HttpRequest, pk: int) -> HttpResponse:
        vendor = self._vendor(request, pk)
        try:
            fetched = price_lists.fetch(vendor, by=request.user.get_username())
            price_pages.say_fetched(request, vendor, fetched)
        except (ReadFailed, CannotOpen) as error:
            messages.error(request, str(error))
        return self._back(vendor)

    @method_decorator(reauthentication.before("Note the balance of this account"))
    def balance(self, request: HttpRequest, pk: int) -> HttpResponse:
        vendor = self._vendor(request, pk)
        form = BalanceForm(request.POST)
        if not form.is_valid():
            wrong = " ".join(str(text) for found in form.errors.values() for text in found)
            messages.error(request, f"The balance is not noted. {wrong}")
            return self._back(vendor)
        amount, currency = form.cleaned_data["balance"], form.cleaned_data["balance_currency"]
        with audited():
            # Read again under the lock: somebody else may have noted a balance a moment ago.
            vendor = Vendor.objects.locked(pk)
            noted = vendor.balance
            before = "" if noted is None else show(noted, vendor.balance_currency)
            vendor.note_balance(amount, currency=currency, by=request.user.get_username())
            record(
                "vendor.balance_noted",
                vendor,
                changes={"balance": [before, show(amount, currency)]},
            )
        messages.success(
            request,
            f"{show(amount, currency)} at {vendor.name} is noted. Orders that waited for it go on.",
        )
        return self._back(vendor)

    def stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        vendor = self._vendor(request, pk)
        reason = request.POST.get("reason", "").strip()[:200]
        if not reason:
            messages.error(request, "Say why sending is stopped; the others will want to know.")
            return self._back(vendor)
        with audited():
            vendor.stop(reason=reason)
            record("vendor.stopped", vendor, reason=reason)
        messages.success(
            request, f"Sending to {vendor.name} is stopped. Orders wait until it is opened again."
        )
        return self._back(vendor)

    @method_decorator(reauthentication.before("Let sending to this account go on"))
    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        vendor = self._vendor(request, pk)
        with audited():
            vendor.resume()
            record("vendor.resumed", vendor)
        messages.success(
            request, f"Sending to {vendor.name} is open. Waiting orders go out within a minute."
        )
        return self._back(vendor)

    def hold_all(self, request: HttpRequest) -> HttpResponse:
        return self._switch(request, holds=True)

    @method_decorator(reauthentication.before("Let all sending go on"))
    def release_all(self, request: HttpRequest) -> HttpResponse:
        return self._switch(request, holds=False)

    def _switch(self, request: HttpRequest, *, holds: bool) -> HttpResponse:
        if not request.user.has_perm("vendors.hold_all_sending"):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()[:200]
        if holds and not reason:
            messages.error(request, "Say why all sending is held; the others will want to know.")
            return redirect("admin:index")
        with audited():
            switch = SendingSwitch.current()
            if holds:
                switch.hold(reason=reason, by=request.user.get_username())
            else:
                switch.release()
            record("sending.held" if holds else "sending.released", switch, reason=reason)
        message = (
            "All sending is held. Requests that are on their way already can't be called back."
            if holds
            else "Sending goes on. Waiting orders go out within a minute."
        )
        messages.success(request, message)
        return redirect("admin:index")

    @admin.display(description="Vendor", ordering="api")
    def vendor_label(self, vendor: Vendor) -> str:
        return vendor.adapter.label

    @admin.display(description="Settings")
    def settings_shown(self, vendor: Vendor) -> str:
        keys = ", ".join(sorted(vendor.secrets.names)).replace("_", " ") or "none"
        shown = [f"{name.replace('_', ' ')}: {value}" for name, value in vendor.settings.items()]
        return "; ".join([*shown, f"secrets stored: {keys}"])

    @admin.display(description="Limit an order", ordering="order_limit")
    def limit(self, vendor: Vendor) -> str:
        amount = vendor.order_limit
        return "none" if amount is None else show(amount, vendor.limit_currency)

    @admin.display(description="Sending")
    def sending(self, vendor: Vendor) -> SafeString:
        if not vendor.holds_orders:
            return chip("ok", "Open")
        since, word, why = vendor.no_funds_at, "No funds", vendor.no_funds_said
        if vendor.is_stopped:
            since, word, why = vendor.stopped_at, "Stopped", vendor.stopped_reason
        return format_html(
            '{} <span class="small soft">{}: {}</span>', chip("wait", word), when(since), why
        )


@admin.register(Contact)
class ContactAdmin(RecordedAdmin):
    list_display = ("name", "first_name", "last_name", "company", "country", "email")
    search_fields = ("name", "company", "email")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
