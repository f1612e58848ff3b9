"""The proposals: what somebody wants to change, and what a second person said to it."""

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
    """Where a proposal stands."""

    PROPOSED = "proposed", "Waiting"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Rules about many proposals."""

    def seen_by(self, user: User | AnonymousUser) -> ProposalQuerySet:
        """Those about what this person may look at."""
        if not user.has_perm("proposals.view_proposal"):
            return self.none()
        return self.filter(
            subject_type__in=[
                label for label, policy in POLICIES.items() if user.has_perm(policy.sees)
            ]
        )

    def waiting_for(self, user: User) -> ProposalQuerySet:
        """Those that this person may approve or decline, oldest first."""
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
    """A change that waits for a second person.

    Names are kept as text, so that it stays readable when people go.
    """

    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=60)
    subject = models.CharField("about", max_length=200)
    changes = (
        models.JSONField()
    )  # a list of name, label, before, after, why (words) and value (to be written)
    based_on = models.JSONField()  # what stood when it was proposed, by name
    sealed = models.TextField(blank=True)  # the secrets among the values, until it is decided
    why = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    proposed_by_name = models.CharField("proposed by", max_length=150)
    proposed_at = models.DateTimeField("when", default=timezone.now)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    decided_by_name = models.CharField("decided by", max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_why = models.TextField(blank=True)
    alone = models.BooleanField(
        default=False
    )  # approved while the installation was marked as one-person

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("approve_proposal", "Can approve what others propose")]
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"], name="proposal_about")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="proposal_state_known"),
            models.CheckConstraint(
                condition=~Q(state=State.APPROVED) | Q(alone=True) | ~Q(decided_by=F("proposed_by"))
                | Q(decided_by=None) | Q(proposed_by=None),
                name="proposal_by_two",
            ),
        ]  # fmt: skip

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
        """ "Order limit: $2,000.00 → $3,000.00", a line a change; a secret says only that it
        changes.
        """
        return [
            f"{change['label']}: {change['before']} → {change['after']}" for change in self.changes
        ]

    @property
    def names(self) -> str:
        """ "order limit and two-person rule"."""
        labels = [_small(change["label"]) for change in self.changes]
        return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)

    @property
    def expires_at(self) -> datetime:
        return self.proposed_at + timedelta(days=settings.PROPOSAL_DAYS)

    def stale(self, item: Any) -> list[str]:
        """What changed since it was proposed, a sentence each; empty where it may still be applied."""
        now, group = self.policy.read(item), {self.policy.group(name) for name in self.values}
        return [
            f"{self.policy.named(item, name)} was {self.policy.words(name, self.based_on)} and "
            + (
                "was entered anew."
                if self.policy.is_secret(name)
                else f"is now {self.policy.words(name, now)}."
            )
            for name in sorted({*self.based_on, *now})
            if self.policy.group(name) in group and self.based_on.get(name) != now.get(name)
        ]


def _small(label: str) -> str:
    """Inside a sentence; an abbreviation stays as it is."""
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
        # the names of people who are deleted become empty, which changes nothing about who decided
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
