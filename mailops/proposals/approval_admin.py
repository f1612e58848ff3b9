"""Admin page and form of a model with a policy.

Changes that need nobody else are saved at once; the others become one proposal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import connection, models
from django.http import HttpRequest, HttpResponse

from mailops.auth import reauthentication
from mailops.history import record
from mailops.history.admin import RecordedAdmin
from mailops.proposals import workflow
from mailops.proposals.models import Proposal, State
from mailops.proposals.policies import HIDDEN, POLICIES, Policy, Wanted, plain
from mailops.proposals.workflow import ALONE

WHY = "why"


class WhyField(forms.CharField):
    """The reason for a change, for the person who approves it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label="Why?",
            required=False,
            max_length=1000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=(
                "Only for changes that need a second person. Whoever approves them reads this, and"
                " it stays in the history."
            ),
        )


class ApprovalForm(forms.ModelForm):
    """Moves the changes that need a second person from the saved values to `wanted`."""

    policy: Policy

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = Wanted()
        if not settings.ONE_PERSON:
            self.fields[WHY] = WhyField()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not settings.ONE_PERSON:
            self._keep_apart(said)
        return said

    def _keep_apart(self, said: dict[str, Any]) -> None:
        policy = self.policy
        after = {
            name: self._typed(name, value)
            for name, value in said.items()
            if self._is_ruled(name, value)
        }
        is_new = not self.instance.pk
        before = policy.start(self.instance, after) if is_new else policy.read(self.instance)
        wanted = policy.wanted(before, after)
        if not wanted.values:
            return
        if not said[WHY].strip():
            reasons = " ".join(dict.fromkeys(wanted.reasons.values()))
            has_secret = any(map(policy.is_secret, wanted.values))
            again = " Enter the key again, it is never shown." if has_secret else ""
            self.add_error(
                WHY, f"{reasons} This needs a second person: say why. Nothing is saved yet.{again}"
            )
            return
        self.wanted = wanted
        for name, value in wanted.values.items():
            if policy.is_secret(name):
                # in clear only until `Policy.seal` within this request
                wanted.secrets[name], said[name] = said[name], ""
            else:
                said[name] = policy.python(name, policy.at_once(name, before.get(name), value))

    def _is_ruled(self, name: str, value: Any) -> bool:
        if self.policy.rule(name) is None or self.fields[name].disabled:
            return False
        # an empty field for a secret means that the stored one is kept
        return bool(value) or not self.policy.is_secret(name)

    def _typed(self, name: str, value: Any) -> Any:
        return HIDDEN if self.policy.is_secret(name) else plain(value)


class ApprovalAdmin(RecordedAdmin):
    """An admin page whose form is an ApprovalForm."""

    @property
    def policy(self) -> Policy:
        return POLICIES[self.opts.label_lower]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        # Locked until the form is saved. Without the lock, a value that somebody tightened since
        # this request read the row would be written back as it was.
        return self.policy.locked(str(found.pk))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.with_why(request, obj, super().get_fieldsets(request, obj))

    def with_why(self, request: HttpRequest, obj: Any, found: Any) -> Any:
        """The fieldsets, with a last one for the reason if this person may propose changes."""
        if settings.ONE_PERSON or not self.may_propose(request, obj):
            return found
        return [*found, ("Changes that need a second person", {"fields": (WHY,)})]

    def may_propose(self, request: HttpRequest, obj: Any) -> bool:
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # Django would look for the field on the model; the form adds the field itself
        if kwargs.get("fields") is not None:
            kwargs["fields"] = [name for name in kwargs["fields"] if name != WHY]
        return super().get_form(request, obj, change=change, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.wanted.values:
            self.propose(request, form.instance, form.wanted, form.cleaned_data[WHY].strip())

    def propose(
        self, request: HttpRequest, item: models.Model, wanted: Wanted, why: str
    ) -> Proposal:
        assert isinstance(request.user, User)
        proposal = workflow.propose(item, wanted, by=request.user, why=why)
        # for `message_user`, which Django calls afterwards with the request alone
        request.waiting = proposal  # type: ignore[attr-defined]
        return proposal

    def message_user(
        self, request: HttpRequest, message: Any, level: Any = messages.INFO, *args: Any, **kw: Any
    ) -> None:
        proposal: Proposal | None = getattr(request, "waiting", None)
        if proposal is not None:
            waits = "wait" if len(proposal.changes) > 1 else "waits"
            message = f"Saved. The new {proposal.names} {waits} for a second person."
            level = messages.WARNING
        super().message_user(request, message, level, *args, **kw)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        # without changes that wait: the proposal's own event has those
        changes = super().construct_change_message(request, form, formsets, add)
        waits = getattr(form, "wanted", Wanted()).values
        return {
            name: pair
            for name, pair in changes.items()
            if name != WHY and self._is_saved(name, pair, waits)
        }

    def _is_saved(self, name: str, pair: list[Any], waits: Mapping[str, Any]) -> bool:
        return name not in waits or (not self.policy.is_secret(name) and pair[0] != pair[1])

    # Django names these arguments `object`, and passes some of them by keyword.
    def log_addition(self, request: HttpRequest, object: Any, message: Any) -> Any:  # noqa: A002
        return self._log("added", object, message)

    def log_change(self, request: HttpRequest, object: Any, message: Any) -> Any:  # noqa: A002
        return self._log("changed", object, message) if message else None

    def _log(self, done: str, item: Any, changes: Mapping[str, Any]) -> Any:
        # the event of a change under a policy says why no second person approved it
        alone = settings.ONE_PERSON and any(self.policy.rule(name) for name in changes)
        return record(
            f"{item._meta.model_name}.{done}", item, changes=changes, reason=ALONE if alone else ""
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        about = Proposal.objects.seen_by(request.user).filter(
            state=State.PROPOSED, subject_type=self.policy.label
        )
        is_key = object_id is not None and object_id.isdecimal()
        context = {
            "alone": ALONE if settings.ONE_PERSON else "",
            "proposals": list(about.filter(subject_id=object_id)) if is_key else [],
        }
        view = _reauthenticated(super().changeform_view, then=f"Save this {self.opts.verbose_name}")
        return view(request, object_id, form_url, context | (extra_context or {}))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = _reauthenticated(super().delete_view, then=f"Delete this {self.opts.verbose_name}")
        return view(request, object_id, extra_context)


def _reauthenticated(
    view: Callable[..., HttpResponse], *, then: str
) -> Callable[..., HttpResponse]:
    # Where no second person approves a change, a session left open must not be enough for it.
    return reauthentication.required(view, then=then) if settings.ONE_PERSON else view
