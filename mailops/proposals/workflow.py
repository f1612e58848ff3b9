"""Propose, approve, decline, withdraw and expire, each in one transaction with its event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from mailops.history import audited, record
from mailops.proposals.loosening import Value
from mailops.proposals.models import Proposal, State
from mailops.proposals.policies import HIDDEN, POLICIES, Policy, Wanted

MOST_EXPIRED = 200  # in one sweep
ALONE = "This installation is marked as one-person: changes like this need no second person."


class NotAllowed(Exception):
    """This person may not do that with this proposal now. The message says why."""


def propose(item: models.Model, wanted: Wanted, *, by: User, why: str) -> Proposal:
    """Store the changes until a second person decides. Runs in the caller's transaction."""
    policy = POLICIES[item._meta.label_lower]
    stands = policy.read(item)
    proposal = Proposal.objects.create(
        subject_type=policy.label,
        subject_id=str(item.pk),
        subject=str(item)[:200],
        changes=_changes(policy, item, stands, wanted),
        based_on=stands,
        sealed=policy.seal(wanted.secrets) if wanted.secrets else "",
        why=why,
        proposed_by=by,
        proposed_by_name=by.get_username(),
    )
    record("proposal.made", proposal, by=by, reason=why, changes={"what": proposal.what})
    return proposal


def approve(pk: int, *, by: User) -> Proposal:
    """Apply the proposed values. Raises NotAllowed if the row's group of values changed since."""
    with audited():
        proposal, item = _locked(pk)
        if why := why_not_approve(proposal, by):
            raise NotAllowed(why)
        # possible only on an installation that is marked as one-person
        alone = proposal.proposed_by_id == by.pk
        if item is None:
            raise NotAllowed(
                f"{proposal.subject} was deleted meanwhile. Decline this proposal, or let it"
                " expire."
            )
        if stale := proposal.stale(item):
            raise NotAllowed(
                f"It can't be approved any more. {' '.join(stale)} It has to be proposed anew."
            )
        _apply(proposal, item, alone=alone, by=by)
        proposal.alone = alone
        return _decide(proposal, State.APPROVED, by=by, why=ALONE if alone else "")


def decline(pk: int, *, by: User, why: str) -> Proposal:
    with audited():
        proposal, _ = _locked(pk)
        if not proposal.policy.may_approve(by):
            raise NotAllowed(f"Only {proposal.policy.who} may decline this.")
        if proposal.proposed_by_id == by.pk:
            raise NotAllowed("It is your own proposal. You can withdraw it.")
        return _decide(proposal, State.DECLINED, by=by, why=why)


def withdraw(pk: int, *, by: User) -> Proposal:
    with audited():
        proposal, _ = _locked(pk)
        if proposal.proposed_by_id != by.pk:
            raise NotAllowed(f"Only {proposal.proposed_by_name}, who proposed it, may withdraw it.")
        return _decide(proposal, State.WITHDRAWN, by=by)


def expire(now: datetime) -> int:
    """End proposals that nobody decided in time; returns how many."""
    count = 0
    overdue = Proposal.objects.overdue(now).values_list("pk", flat=True)
    for pk in overdue[:MOST_EXPIRED]:
        # a transaction each, so that one that fails leaves the others ended
        with audited():
            proposal = Proposal.objects.select_for_update().get(pk=pk)
            # somebody may have decided before the lock was taken
            if proposal.is_waiting:
                days = settings.PROPOSAL_DAYS
                _decide(proposal, State.EXPIRED, by=None, why=f"Nobody decided for {days} days.")
                count += 1
    return count


def why_not_approve(proposal: Proposal, user: User) -> str:
    """Why this person may not approve the proposal, in words; empty if they may."""
    if not proposal.is_waiting:
        decided = proposal.get_state_display().lower()
        by = f" by {proposal.decided_by_name}" if proposal.decided_by_name else ""
        return f"It is {decided}{by} already."
    if not proposal.policy.may_approve(user):
        return f"Only {proposal.policy.who} may approve this."
    # a change that only somebody wants who is gone has nobody left to answer for the reason
    if proposal.proposed_by is not None and not proposal.proposed_by.is_active:
        return (
            f"{proposal.proposed_by_name}, who proposed it, can't sign in any more. It has to be"
            " proposed anew."
        )
    if proposal.proposed_by_id is None:
        return (
            f"{proposal.proposed_by_name}, who proposed it, is no user any more. It has to be"
            " proposed anew."
        )
    if proposal.proposed_by_id == user.pk and not settings.ONE_PERSON:
        return "You proposed it, so somebody else has to approve it."
    return ""


def _locked(pk: int) -> tuple[Proposal, Any]:
    """The proposal and the row it is about, both locked. Raises NotAllowed if it was decided."""
    # The row first, as everywhere: locks in two orders could wait for each other for ever.
    about = Proposal.objects.get(pk=pk)
    item = about.policy.locked(about.subject_id)
    proposal = Proposal.objects.select_for_update(of=("self",)).get(pk=pk)
    if not proposal.is_waiting:
        raise NotAllowed(why_not_approve(proposal, User()))
    return proposal, item


def _apply(proposal: Proposal, item: Any, *, alone: bool, by: User) -> None:
    policy, values = proposal.policy, proposal.values
    columns = list(policy.write(item, values, proposal.sealed))
    try:
        item.full_clean()
        policy.check(item, values)
    except ValidationError as error:
        raise NotAllowed(f"It can't be approved. {' '.join(error.messages)}") from error
    if columns:
        item.save(update_fields=columns)
    policy.afterwards(item, values)
    who = (
        f"Proposed by {proposal.proposed_by_name}, approved by {by.get_username()}: {proposal.why}"
    )
    record(
        f"{item._meta.model_name}.changed",
        item,
        by=by,
        reason=f"{who} ({ALONE})" if alone else who,
        changes={name: _pair(policy, name, proposal.based_on, values) for name in values},
    )


def _pair(
    policy: Policy, name: str, before: Mapping[str, Value], after: Mapping[str, Value]
) -> list[Value]:
    if policy.is_secret(name):
        return ["", HIDDEN]
    # other rows by their names: keys mean nothing to a reader of the history
    if name in {field.name for field in policy.model._meta.fields if field.many_to_one}:
        return [policy.words(name, before), policy.words(name, after)]
    return [before.get(name), after[name]]


def _decide(proposal: Proposal, state: State, *, by: User | None, why: str = "") -> Proposal:
    proposal.state, proposal.decided_by, proposal.decided_why = state, by, why
    proposal.decided_by_name = by.get_username() if by else ""
    # the secrets are stored on the row by now, or never will be
    proposal.decided_at, proposal.sealed = timezone.now(), ""
    decision = ("state", "decided_by", "decided_by_name", "decided_at", "decided_why")
    proposal.save(update_fields=[*decision, "sealed", "alone"])
    changes = {"what": proposal.what}
    record(f"proposal.{state.value}", proposal, by=by, reason=why, changes=changes)
    return proposal


def _changes(
    policy: Policy, item: Any, stands: Mapping[str, Value], wanted: Wanted
) -> list[dict[str, Any]]:
    then = {**stands, **wanted.values}
    return [
        {
            "name": name,
            "label": policy.named(item, name),
            "before": policy.words(name, stands),
            "after": HIDDEN if policy.is_secret(name) else policy.words(name, then),
            "why": wanted.reasons[name],
            "value": None if policy.is_secret(name) else value,
        }
        for name, value in wanted.values.items()
    ]
