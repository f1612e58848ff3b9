"""The admin site: every page of MailOps hangs on it and gets its frame from it."""

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

from mailops.site import navigation


class MailOpsSite(admin.AdminSite):
    """Stock admin pages in our frame, with a dashboard for a front page."""

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
        """Register, but for the queue's tables: whoever can edit a schedule there can run any
        Python function.
        """
        models = (
            [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        )
        super().register(
            [model for model in models if model._meta.app_label != "django_q"],
            admin_class,
            **options,
        )

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the frame needs: without a login only the banner, and no query."""
        context = super().each_context(request) | {"is_practice": not settings.LIVE}
        return context | self._frame(request) if self.has_permission(request) else context

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The dashboard."""
        from mailops.site import dashboard

        return super().index(request, {**dashboard.context(request), **(extra_context or {})})

    def password_change(  # type: ignore[override]  # after a success it is a redirect
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """One's own password, recorded; whoever changes it signed in a short time ago, and knows
        the present one.
        """
        from mailops.auth import reauthentication, sessions
        from mailops.auth.password_change import OwnPassword

        frame = self.each_context(request)
        if owes := bool(request.session.get(sessions.MUST_CHANGE)):
            frame["has_permission"] = False  # no menu: none of it would open
        view = OwnPassword.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**frame, "owes": owes, **(extra_context or {})},
        )
        request.current_app = self.name
        # Django says less than it returns
        asked = reauthentication.required(view, then="Change your password")  # type: ignore[type-var]
        return asked(request)

    def app_index(  # type: ignore[override]  # a redirect is an answer too
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """People know sections, not Django apps."""
        return redirect("admin:index")

    def get_urls(self) -> list[Any]:
        """The doors' own pages before the stock ones."""
        from mailops.auth import sign_in, views

        mine = {"": views.show, "add/": views.add, "codes/": views.renew, "remove/": views.remove}
        return [
            path("login/code/", never_cache(sign_in.code_page), name="login_code"),
            *(
                path(
                    f"second-factor/{at}",
                    self.admin_view(view),
                    name=f"second_factor_{at}".rstrip("_/"),
                )
                for at, view in mine.items()
            ),
            *super().get_urls(),
        ]

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Name and password, and then the code of whoever has a second factor."""
        from mailops.auth import sign_in

        return sign_in.login_page(request, extra_context)

    def _frame(self, request: HttpRequest) -> dict[str, Any]:
        from mailops.core import heartbeat
        from mailops.site import dashboard
        from vendors.models import SendingSwitch

        switch, sending = SendingSwitch.current(), heartbeat.status()
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
