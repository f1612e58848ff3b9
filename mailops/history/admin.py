"""The history page, and base classes of admin pages that record what is changed on them."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.urls import path, reverse

from mailops.core.own_lookups import OwnLookups
from mailops.history import audited, browse, record, untracked_changes, verification_pages
from mailops.history.csv_export import ExportedList
from mailops.history.models import Event

HIDDEN = "changed, not shown"


def changes_of(form: Any) -> dict[str, Any]:
    """[before, after] of each changed field. A secret field holds only that it changed."""
    secret: frozenset[str] = getattr(form, "secret_fields", frozenset())
    changes = {}
    for name in form.changed_data:
        # Django's own forms have password fields and no list of secret ones.
        if name in secret or "password" in name:
            changes[name] = ["", HIDDEN]
        elif name in form.cleaned_data:
            changes[name] = [
                _before(form.fields[name], form.initial.get(name)),
                _text(form.cleaned_data[name]),
            ]
    return changes


def _before(field: forms.Field, value: Any) -> Any:
    value = field.prepare_value(value)
    if not isinstance(field, forms.ModelChoiceField):
        return _text(value)
    # Names, because numbers say nothing once the objects are gone.
    assert field.queryset is not None
    if isinstance(field, forms.ModelMultipleChoiceField):
        return _text(field.queryset.filter(pk__in=value or []))
    return _text(field.queryset.filter(pk=value).first())


def _text(value: Any) -> Any:
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, models.QuerySet | list | tuple | set):
        return [_text(item) for item in value]
    return value if value is None or isinstance(value, bool | int | dict) else str(value)


def _audited_if_posted(request: HttpRequest) -> AbstractContextManager[None]:
    # Django opened a transaction for a POST; a GET has none and changes nothing.
    return audited() if request.method == "POST" else nullcontext()


class RecordedAdmin(OwnLookups, admin.ModelAdmin):
    """A stock admin page that records additions, changes and deletions in the same transaction."""

    # An action over many rows would change them without an event.
    actions = None

    def _changeform_view(self, request: HttpRequest, *args: Any) -> Any:
        with _audited_if_posted(request):
            return super()._changeform_view(request, *args)  # type: ignore[misc]  # not in the stubs

    def _delete_view(self, request: HttpRequest, *args: Any) -> Any:
        with _audited_if_posted(request):
            return super()._delete_view(request, *args)  # type: ignore[misc]

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return changes_of(form)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return record(f"{obj._meta.model_name}.added", obj, changes=message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        changes = message if isinstance(message, dict) else {"note": ["", str(message)]}
        # A form that was sent unchanged leaves no event.
        return record(f"{obj._meta.model_name}.changed", obj, changes=changes) if changes else None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return [record(f"{item._meta.model_name}.deleted", item) for item in queryset]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        query = f"?subject_type={self.model._meta.label_lower}&subject_id={object_id}"
        return HttpResponseRedirect(reverse("admin:history_event_changelist") + query)


class ReadOnlyAdmin(RecordedAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ExportedList, OwnLookups, admin.ModelAdmin):
    more_lookups = ("subject_type", "subject_id", "attempt", "action__exact")
    list_display = ("number", "at", "actor", "what", "subject", "reason")
    list_filter = (browse.ActionFilter, browse.KindFilter, browse.PersonFilter, browse.SinceFilter)
    search_fields = ("subject", "who", "reason", "request_id")
    search_help_text = (
        "A record's number, or a whole subject (MO-1001) or person's name, is found at once. Other"
        f" words of a subject, name or reason are looked for in the newest {browse.SEARCHED:,}"
        " records; “Older” goes on from there."
    )
    sortable_by = ()
    fields = (
        "number", "at", "who", "worker", "origin", "request_id", "action", "subject",
        "subject_type", "subject_id", "reason", "changes", "attempt", "previous_hash", "hash",
    )  # fmt: skip
    actions = None
    # Counting a million records takes seconds, so nothing on this page counts.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = browse.PER_PAGE
    change_list_template = "admin/history/event/change_list.html"
    export_permission = "history.export_event"
    export_columns = [
        ("Record", "number"), ("When", "at"), ("Who", "actor"), ("From where", "origin"),
        ("What", "action"), ("On what", "subject"), ("Kind", "subject_type"), ("Reason", "reason"),
        ("Changes", lambda event: json.dumps(event.changes, ensure_ascii=False)),
        ("Attempt", "attempt"), ("Hash of the record before", "previous_hash"), ("Hash", "hash"),
    ]  # fmt: skip

    @admin.display(description="What", ordering="action")
    def what(self, event: Event) -> str:
        return browse.in_words(event.action)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        is_cross_site = browse.is_cross_site_search(request)
        context = {"outside": untracked_changes.lately(), "is_led": is_cross_site}
        response = super().changelist_view(request, {**context, **(extra_context or {})})
        if response.status_code == 200 and not is_cross_site:
            self._record_search(request)
        return response

    def _record_search(self, request: HttpRequest) -> None:
        terms = browse.search_terms(request)
        # Turning or sorting the pages of one search is no new search.
        if terms == request.session.get("history_searched", {}):
            return
        request.session["history_searched"] = terms
        if terms:
            with audited():
                record(
                    "history.searched",
                    None,
                    subject_type=Event._meta.label_lower,
                    subject_text="the history",
                    changes={name: [None, value] for name, value in terms.items()},
                )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[browse.Pages]:
        return browse.Pages

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        if browse.is_cross_site_search(request):
            return queryset.none(), False
        return browse.search(queryset, search_term), False

    def get_urls(self) -> list[Any]:
        views = {
            "verify": self.verify_view,
            "compare": self.compare_view,
            "digest": self.digest_view,
        }
        ours = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"history_event_{name}")
            for name, view in views.items()
        ]
        return [*ours, *super().get_urls()]

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        return verification_pages.verify(request, self.admin_site.each_context(request))

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        return verification_pages.compare(request, self.admin_site.each_context(request))

    def digest_view(self, request: HttpRequest) -> HttpResponse:
        return verification_pages.download(request)
