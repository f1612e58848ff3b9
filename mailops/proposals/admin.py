"""The pages about proposals: a list with tabs, and one proposal with the changes it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.views.decorators.http import require_POST

from mailops.auth import reauthentication
from mailops.history import audited, record
from mailops.history.admin import ReadOnlyAdmin
from mailops.proposals import workflow
from mailops.proposals.models import Proposal, State
from mailops.proposals.workflow import ALONE, NotAllowed

CHIP_KINDS = {
    State.PROPOSED: "wait",
    State.APPROVED: "ok",
    State.DECLINED: "bad",
    State.WITHDRAWN: "",
    State.EXPIRED: "",
}
# key in the address, label, states
TABS = [
    ("", "All", list(State)),
    ("waiting", "Waiting", [State.PROPOSED]),
    ("approved", "Approved", [State.APPROVED]),
    ("not", "Not approved", [State.DECLINED, State.WITHDRAWN, State.EXPIRED]),
]


class TabFilter(admin.SimpleListFilter):
    """The tabs over the list. The template draws them there, so this filter shows nothing."""

    title = "state"
    parameter_name = "tab"
    template = "admin/orders/order/_tab_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, label, _ in TABS if key]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> QuerySet[Proposal]:
        states = next((states for key, _, states in TABS if key and key == self.value()), None)
        return queryset.filter(state__in=states) if states else queryset


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    list_display = (
        "about",
        "what_shown",
        "proposed_by_name",
        "proposed_at",
        "state_chip",
        "decided_by_name",
    )
    list_display_links = None
    list_filter = (TabFilter,)
    search_fields = ("subject", "why", "proposed_by_name")
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/proposals/proposal/change_list.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return Proposal.objects.seen_by(request.user)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        counts = dict(
            self.get_queryset(request).order_by().values_list("state").annotate(Count("pk"))
        )
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
        context = {
            "title": "Proposals",
            "tabs": tabs,
            "alone": ALONE if settings.ONE_PERSON else "",
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # GET shows; deciding has addresses of its own, which take POST alone
        if request.method == "POST":
            raise PermissionDenied
        return self._page(request, self._load(request, object_id))

    def get_urls(self) -> list[Any]:
        # only approving needs the password again: nothing else puts a change into force
        views = {
            "approve": reauthentication.required(
                self.approve, then=lambda request, pk: f"Approve proposal {pk}"
            ),
            "decline": self.decline,
            "withdraw": self.withdraw,
        }
        ours = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"proposals_proposal_{name}",
            )
            for name, view in views.items()
        ]
        return ours + super().get_urls()

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        proposal = self._load(request, pk)
        self._must_be_approver(request, proposal)
        is_own = proposal.proposed_by_id == request.user.pk
        # recorded before it is refused: an attempt to approve one's own change is news for auditors
        if is_own and proposal.is_waiting and not settings.ONE_PERSON:
            with audited():
                record("proposal.self_approval_refused", proposal, changes={"what": proposal.what})
        return self._decide(
            request,
            proposal,
            "Approved. It is in force now.",
            lambda by: workflow.approve(pk, by=by),
        )

    def decline(self, request: HttpRequest, pk: int) -> HttpResponse:
        proposal = self._load(request, pk)
        self._must_be_approver(request, proposal)
        why = request.POST.get("why", "").strip()[:1000]
        if not why:
            response = self._page(
                request, proposal, missing="Say why, so that the proposer knows what to do."
            )
            response.status_code = 400
            return response
        return self._decide(
            request,
            proposal,
            "Declined. Nothing was changed.",
            lambda by: workflow.decline(pk, by=by, why=why),
        )

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        proposal = self._load(request, pk)
        if proposal.proposed_by_id != request.user.pk:
            raise PermissionDenied
        return self._decide(
            request,
            proposal,
            "Withdrawn. Nothing was changed.",
            lambda by: workflow.withdraw(pk, by=by),
        )

    def _decide(
        self,
        request: HttpRequest,
        proposal: Proposal,
        success: str,
        decide: Callable[[User], Proposal],
    ) -> HttpResponse:
        assert isinstance(request.user, User)
        try:
            decide(request.user)
            messages.success(request, success)
        except NotAllowed as error:
            messages.error(request, str(error))
        return redirect("admin:proposals_proposal_change", proposal.pk)

    def _load(self, request: HttpRequest, pk: int | str) -> Proposal:
        if not request.user.has_perm("proposals.view_proposal"):
            raise PermissionDenied
        # Django's admin passes the key of a page as typed in the address
        seen = Proposal.objects.seen_by(request.user)
        found = seen.filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None:
            raise Http404
        return found

    def _must_be_approver(self, request: HttpRequest, proposal: Proposal) -> None:
        if not proposal.policy.may_approve(request.user):
            raise PermissionDenied

    def _page(self, request: HttpRequest, proposal: Proposal, **more: Any) -> TemplateResponse:
        user, policy = request.user, proposal.policy
        assert isinstance(user, User)
        item = policy.model._default_manager.filter(pk=proposal.subject_id).first()
        others = policy.approvers().exclude(pk=proposal.proposed_by_id or 0).order_by("username")
        context = {
            "title": f"{capfirst(proposal.names)} of {proposal.subject}",
            "proposal": proposal,
            "kind": CHIP_KINDS[State(proposal.state)],
            "item_url": url(item) if item else "",
            "stale": proposal.stale(item) if item and proposal.is_waiting else [],
            "why_not": workflow.why_not_approve(proposal, user) if proposal.is_waiting else "",
            "may_decide": policy.may_approve(user),
            "is_own": proposal.proposed_by_id == user.pk,
            "others": list(others[:10]) if proposal.is_waiting else [],
            "alone": ALONE if settings.ONE_PERSON else "",
        }
        frame = self.admin_site.each_context(request)
        return TemplateResponse(
            request, "admin/proposals/proposal/page.html", frame | context | more
        )

    @admin.display(description="About", ordering="subject")
    def about(self, proposal: Proposal) -> SafeString:
        address = reverse("admin:proposals_proposal_change", args=[proposal.pk])
        return format_html('<a href="{}">{}</a>', address, proposal.subject)

    @admin.display(description="Change")
    def what_shown(self, proposal: Proposal) -> str:
        return "; ".join(proposal.what)

    @admin.display(description="State", ordering="state")
    def state_chip(self, proposal: Proposal) -> SafeString:
        kind = CHIP_KINDS[State(proposal.state)]
        return format_html('<span class="chip {}">{}</span>', kind, proposal.get_state_display())


def url(item: Any) -> str:
    """The admin page of a row; empty if there is none."""
    page = f"admin:{item._meta.app_label}_{item._meta.model_name}_change"
    try:
        return reverse(page, args=[item.pk])
    except NoReverseMatch:
        return ""
