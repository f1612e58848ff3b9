"""Domains and mailboxes: an order plans them, the vendor makes them, the inventory lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.db.models import Value
from django.db.models.functions import Concat, StrIndex, Substr

from orders.models.client import LONGEST_DESTINATION
from vendors.apis.values import DomainLine, MailboxLine


class Asset(models.TextChoices):
    """The states of a domain or a mailbox."""

    PLANNED = "planned", "Planned"
    ORDERED = "ordered", "Ordered"
    READY = "ready", "Ready"
    REFUSED = "refused", "Refused"
    GONE = "gone", "Gone"


LIVE = [Asset.ORDERED, Asset.READY]  # money was or is about to be spent on it


class KnownBy(models.TextChoices):
    """The source of an asset's state."""

    NAME = "name", "by name, in the vendor's list"
    COUNT = "count", "by count, not by name"
    PERSON = "person", "by a person"


class CameBy(models.TextChoices):
    """The origin of a mailbox."""

    ORDER = "order", "Ordered"
    MADE = "made", "Made by the vendor"


_DOT = StrIndex("name", Value("."))
_HALF = (_DOT - 1) / 2


class Domain(models.Model):
    """A domain name. `order` buys it; without one the vendor had it before."""

    name = models.CharField(max_length=253, db_index=True)
    vendor = models.ForeignKey(
        "vendors.Vendor", models.PROTECT, related_name="domains", verbose_name="vendor account"
    )
    order = models.ForeignKey(
        "orders.Order", models.CASCADE, null=True, blank=True, related_name="domains"
    )
    client = models.ForeignKey(
        "orders.Client", models.PROTECT, null=True, blank=True, related_name="domains"
    )
    state = models.CharField(max_length=10, choices=Asset.choices, default=Asset.PLANNED)
    years = models.PositiveSmallIntegerField(default=1)
    forward_to = models.CharField(max_length=LONGEST_DESTINATION, blank=True)
    first_name = models.CharField(max_length=60, blank=True)
    last_name = models.CharField(max_length=60, blank=True)
    picture = models.CharField(max_length=500, blank=True)
    row = models.PositiveIntegerField(null=True, blank=True)
    ordered_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    known_by = models.CharField(max_length=6, choices=KnownBy.choices, blank=True)
    known_by_name = models.CharField(max_length=150, blank=True)
    departure = models.ForeignKey(
        "orders.Departure", models.PROTECT, null=True, blank=True, related_name="domains"
    )
    # By the vendor: its numbers by name, its count of mailboxes, a status that speaks against it
    vendor_ids = models.JSONField(default=dict, blank=True)
    mailboxes_told = models.PositiveIntegerField(null=True, blank=True)
    mailboxes_told_at = models.DateTimeField(null=True, blank=True)  # when it was last read
    mailboxes_listed = models.PositiveIntegerField(null=True, blank=True)  # that the vendor made
    against = models.CharField(max_length=200, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)  # when the vendor was last asked
    # The name less one half of the part before its first dot. An edit leaves one of the two as it
    # was, so that orders/validation/typos.py finds misspelt names by an index.
    head = models.GeneratedField(
        expression=Concat(Substr("name", 1, _HALF), Substr("name", _DOT)),
        output_field=models.CharField(max_length=253),
        db_persist=True,
    )
    tail = models.GeneratedField(
        expression=Substr("name", _HALF + 1),
        output_field=models.CharField(max_length=253),
        db_persist=True,
    )

    class Meta:
        ordering: ClassVar = ["name"]
        indexes: ClassVar = [
            models.Index(fields=["head"], name="domain_head"),
            models.Index(fields=["tail"], name="domain_tail"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(state__in=LIVE),
                name="domain_one_live_per_installation",
            ),
            models.UniqueConstraint(fields=["order", "name"], name="domain_once_per_order"),
            models.UniqueConstraint(
                fields=["vendor", "name"],
                condition=models.Q(order=None, state=Asset.PLANNED),
                name="domain_held_once_per_account",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=Asset.values), name="domain_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def line(
        self, mailboxes: Iterable[MailboxLine], *, forward_to: str, order_id: int
    ) -> DomainLine:
        """The domain as part of an order, whose default for forwarding is `forward_to`."""
        # It has a row only on the order that buys it.
        return DomainLine(
            name=self.name,
            years=self.years,
            forward_to=self.forward_to or forward_to,
            first_name=self.first_name,
            last_name=self.last_name,
            picture=self.picture,
            mailboxes=tuple(mailboxes),
            row=self.row if self.order_id == order_id else None,
        )


class Mailbox(models.Model):
    """A mailbox that an order buys, or that the vendor made for a domain of one."""

    order = models.ForeignKey(
        "orders.Order", models.CASCADE, null=True, blank=True, related_name="mailboxes"
    )
    came_by = models.CharField(max_length=6, choices=CameBy.choices, default=CameBy.ORDER)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="mailboxes")
    username = models.CharField(max_length=64)
    address = models.CharField(max_length=320, db_index=True)
    first_name = models.CharField(max_length=60, blank=True)
    last_name = models.CharField(max_length=60, blank=True)
    picture = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=Asset.choices, default=Asset.PLANNED)
    row = models.PositiveIntegerField(null=True, blank=True)
    ordered_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    known_by = models.CharField(max_length=6, choices=KnownBy.choices, blank=True)
    known_by_name = models.CharField(max_length=150, blank=True)
    departure = models.ForeignKey(
        "orders.Departure", models.PROTECT, null=True, blank=True, related_name="mailboxes"
    )

    class Meta:
        ordering: ClassVar = ["address"]
        verbose_name_plural = "mailboxes"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["address"],
                condition=models.Q(state__in=LIVE),
                name="mailbox_one_live_per_installation",
            ),
            models.UniqueConstraint(fields=["order", "address"], name="mailbox_once_per_order"),
            models.CheckConstraint(
                condition=models.Q(state__in=Asset.values), name="mailbox_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(came_by=CameBy.ORDER, order__isnull=False)
                | models.Q(came_by=CameBy.MADE, order__isnull=True),
                name="mailbox_ordered_has_order",
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def line(self) -> MailboxLine:
        return MailboxLine(
            username=self.username,
            domain=self.domain.name,
            first_name=self.first_name,
            last_name=self.last_name,
            picture=self.picture,
            row=self.row,
        )

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
