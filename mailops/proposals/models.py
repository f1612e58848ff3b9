"""Proposals: changes somebody wants, and the decision of a second person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from mailops.core.sql_triggers import Trigger
from mailops.proposals.loosening import Value
from mailops.proposals.policies import POLICIES, Policy


class State(models.TextChoices):
    """The states of a proposal. All but PROPOSED are final."""

    PROPOSED = "proposed", "Waiting"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Proposals by who may see or decide them."""

    def seen_by(self, user: User | AnonymousUser) -> ProposalQuerySet:
        if not user.has_perm("proposals.view_proposal"):
            return self.none()
        seen = [label for label, policy in POLICIES.items() if user.has_perm(policy.sees)]
        return self.filter(subject_type__in=seen)

    def waiting_for(self, user: User) -> ProposalQuerySet:
        """Proposals that this person may approve or decline, oldest first."""
        theirs = [label for label, policy in POLICIES.items() if policy.may_approve(user)]
        if not theirs:
            return self.none()
        found = self.filter(state=State.PROPOSED, subject_type__in=theirs).order_by("proposed_at")
        return found if settings.ONE_PERSON else found.exclude(proposed_by=user)

    def about(self, item: models.Model) -> ProposalQuerySet:
        return self.filter(subject_type=item._meta.label_lower, subject_id=str(item.pk))

    def overdue(self, now: datetime) -> ProposalQuerySet:
        before = now - timedelta(days=settings.PROPOSAL_DAYS)
        return self.filter(state=State.PROPOSED, proposed_at__lt=before)


class Proposal(models.Model):
    """Changes of one row that wait for a second person."""

    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=60)
    subject = models.CharField("about", max_length=200)
    # a list of dicts: name, label, before, after and why in words, value as it will be written
    changes = models.JSONField()
    # all values of the row when the change was proposed, by name
    based_on = models.JSONField()
    # the secrets among the values, until somebody decides
    sealed = models.TextField(blank=True)
    why = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # names as text, so that a proposal stays readable when people are deleted
    proposed_by_name = models.CharField("proposed by", max_length=150)
    proposed_at = models.DateTimeField("when", default=timezone.now)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    decided_by_name = models.CharField("decided by", max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_why = models.TextField(blank=True)
    # approved while the installation was marked as one-person
    alone = models.BooleanField(default=False)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("approve_proposal", "Can approve what others propose")]
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"], name="proposal_about")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="proposal_state_known"
            ),
            # people who are deleted become NULL, on proposals that were approved long ago too
            models.CheckConstraint(
                condition=~Q(state=State.APPROVED)
                | Q(alone=True)
                | ~Q(decided_by=F("proposed_by"))
                | Q(decided_by=None)
                | Q(proposed_by=None),
                name="proposal_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"Proposal {self.pk} about {self.subject}"

    @property
    def policy(self) -> Policy:
        return POLICIES[self.subject_type]

    @property
    def values(self) -> dict[str, Value]:
        return {change["name"]: change["value"] for change in self.changes}

    @property
    def is_waiting(self) -> bool:
        return self.state == State.PROPOSED

    @property
    def what(self) -> list[str]:
        """A line for each change: "Order limit: $2,000.00 → $3,000.00"."""
        return [
            f"{change['label']}: {change['before']} → {change['after']}" for change in self.changes
        ]

    @property
    def names(self) -> str:
        """The labels in a sentence: "order limit and two-person rule"."""
        labels = [_small(change["label"]) for change in self.changes]
        return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)

    @property
    def expires_at(self) -> datetime:
        return self.proposed_at + timedelta(days=settings.PROPOSAL_DAYS)

    def stale(self, item: Any) -> list[str]:
        """A sentence for each change since the proposal; empty if it may still be applied."""
        policy, now = self.policy, self.policy.read(item)
        groups = {policy.group(name) for name in self.values}
        found = []
        for name in sorted({*self.based_on, *now}):
            if policy.group(name) not in groups or self.based_on.get(name) == now.get(name):
                continue
            is_now = (
                "was entered anew"
                if policy.is_secret(name)
                else f"is now {policy.words(name, now)}"
            )
            was = policy.words(name, self.based_on)
            found.append(f"{policy.named(item, name)} was {was} and {is_now}.")
        return found


def _small(label: str) -> str:
    # within a sentence; an abbreviation keeps its capitals
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


_SAYS = "A proposal is approved by somebody else than its proposer"
TRIGGERS = (
    Trigger(
        name="proposal_begins_undecided",
        table="proposals_proposal",
        event="INSERT",
        message=_SAYS,
        when=(
            "NEW.state <> 'proposed' OR NEW.decided_by_id IS NOT NULL OR NEW.proposed_by_id IS NULL"
        ),
    ),
    Trigger(
        name="proposal_by_two",
        table="proposals_proposal",
        event="UPDATE",
        message=_SAYS,
        # The foreign keys of people who are deleted become NULL. The triggers allow that, and
        # refuse every other change of the proposer or of a decision.
        when=(
            "(NEW.proposed_by_id IS NOT NULL AND (OLD.proposed_by_id IS NULL OR NEW.proposed_by_id"
            " <> OLD.proposed_by_id)) OR (OLD.state <> 'proposed' AND NEW.state <> OLD.state) OR"
            " (NEW.state = 'approved' AND OLD.state <> 'approved' AND (NEW.decided_by_id IS NULL OR"
            " NEW.proposed_by_id IS NULL OR (NEW.decided_by_id = NEW.proposed_by_id AND NOT"
            " NEW.alone))) OR (NEW.state = 'approved' AND NEW.decided_by_id = NEW.proposed_by_id"
            " AND NOT NEW.alone)"
        ),
    ),
    Trigger(
        name="proposal_stays_as_proposed",
        table="proposals_proposal",
        event="UPDATE",
        message="What was proposed can not be changed afterwards",
        columns=("changes", "based_on", "subject_type", "subject_id", "why"),
    ),
)
