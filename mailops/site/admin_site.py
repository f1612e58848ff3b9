"""The admin site. All pages of MailOps belong to it, and it gives them their frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from mailops.auth import reauthentication, sessions, sign_in, views
from mailops.auth.password_change import OwnPassword
from mailops.core import heartbeat
from mailops.site import dashboard, navigation
from orders.sending import restored_backup
from vendors.models import SendingSwitch


class MailOpsSite(admin.AdminSite):
    """Django's admin pages in our frame, with a dashboard as the first page."""

    site_title = "MailOps"
    site_header = "MailOps"
    index_title = "Today"
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[admin.ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Register models, except those of the queue."""
        models = (
            [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        )
        # A page of schedules would let its users run any Python function.
        allowed = [model for model in models if model._meta.app_label != "django_q"]
        super().register(allowed, admin_class, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """The context of the frame. Without a login only the banner, and no query."""
        context = super().each_context(request) | {"is_practice": not settings.LIVE}
        return context | self._frame(request) if self.has_permission(request) else context

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().index(request, {**dashboard.context(request), **(extra_context or {})})

    def password_change(  # type: ignore[override]  # after a success it is a redirect
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The form for a person's own password. Needs reauthentication and the present password."""
        frame = self.each_context(request)
        if owes := bool(request.session.get(sessions.MUST_CHANGE)):
            # no menu: none of its pages opens before the password is changed
            frame["has_permission"] = False
        view = OwnPassword.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**frame, "owes": owes, **(extra_context or {})},
        )
        request.current_app = self.name
        # Django says less than it returns
        protected = reauthentication.required(view, then="Change your password")  # type: ignore[type-var]
        return protected(request)

    def app_index(  # type: ignore[override]  # a redirect is an answer too
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # people know sections, not Django apps
        return redirect("admin:index")

    def get_urls(self) -> list[Any]:
        # before Django's own, whose last pattern takes every address
        second_factor = {
            "": views.show,
            "add/": views.add,
            "codes/": views.renew,
            "remove/": views.remove,
        }
        return [
            path("login/code/", never_cache(sign_in.code_page), name="login_code"),
            *(
                path(
                    f"second-factor/{at}",
                    self.admin_view(view),
                    name=f"second_factor_{at}".rstrip("_/"),
                )
                for at, view in second_factor.items()
            ),
            *super().get_urls(),
        ]

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return sign_in.login_page(request, extra_context)

    def _frame(self, request: HttpRequest) -> dict[str, Any]:
        # The one thing that a GET changes: a worker may not run, and people have to know.
        restored_backup.hold_if_older(max_age=5)
        switch, sending = SendingSwitch.current(), heartbeat.status()
        # with a dead worker the switch explains nothing, so that comes first
        if switch.stopped_at and sending.works:
            sending = heartbeat.Status(False, "All sending is held", "wait")
        registry = {
            model._meta.label_lower: model_admin for model, model_admin in self._registry.items()
        }
        sections = navigation.sections(
            request, registry, waiting=dashboard.waiting_count(request.user)
        )
        return {
            "navigation": sections,
            "here": navigation.current(sections),
            "search": navigation.find(sections, "Orders"),
            "sending": sending,
            "all_held": switch if switch.stopped_at else None,
        }
