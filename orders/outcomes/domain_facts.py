"""A vendor's facts about an order's domains: counts, numbers, and the mailboxes that it made."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from orders.models import Domain, Mailbox, Order, made_lists
from orders.models.inventory import LIVE, Asset, CameBy, KnownBy
from vendors.apis.values import MailboxLine, Progress

log = logging.getLogger("mailops.progress")


def write(order: Order, progress: Progress) -> dict[str, Any]:
    """Store the answer on the order's domains, in the caller's transaction.

    Returns the changes for the event. No state of an ordered line changes here.
    """
    now = timezone.now()
    changes: dict[str, Any] = {}
    own = models.Q(order=order) | models.Q(mailboxes__order=order)
    found = Domain.objects.filter(pk__in=Domain.objects.filter(own).values("pk"))
    domains = {domain.name.lower(): domain for domain in found.select_for_update().order_by("pk")}
    counted = [domains[name].pk for name in progress.counts if name in domains]
    # A vendor that is asked by name may have been asked about a part of them.
    if not order.vendor.adapter.progress_batch:
        found.update(looked_at=now)
    Domain.objects.filter(pk__in=counted).update(mailboxes_told_at=now)
    for name, domain in domains.items():
        changes |= _write_one(domain, name, progress)
    wanted = made_lists.domains().filter(order=order)
    for domain in wanted.filter(name__in=progress.made):
        changes |= _take_in(domain, progress.made[domain.name.lower()], now)
    return changes


def _write_one(domain: Domain, name: str, progress: Progress) -> dict[str, Any]:
    new: dict[str, Any] = {
        "mailboxes_told": progress.counts.get(name, domain.mailboxes_told),
        "vendor_ids": domain.vendor_ids | dict(progress.ids.get(name, {})),
        "against": progress.against.get(name, domain.against)[:200],
    }
    before = {field: getattr(domain, field) for field in new}
    changed = {field: value for field, value in new.items() if value != before[field]}
    if changed:
        Domain.objects.filter(pk=domain.pk).update(**changed)
    return {f"{domain} {field}": [before[field], value] for field, value in changed.items()}


def _take_in(domain: Domain, boxes: Iterable[MailboxLine], now: datetime) -> dict[str, Any]:
    """Add the listed mailboxes that are not here yet. Nothing is taken away."""
    listed = {box.address: box for box in boxes}
    # One that is gone stays gone: a person said so.
    here = {address.lower() for address in domain.mailboxes.values_list("address", flat=True)}
    elsewhere = Mailbox.objects.filter(address__in=listed, state__in=LIVE)
    here |= set(elsewhere.values_list("address", flat=True))
    new = [_made(domain, box, now) for address, box in listed.items() if address not in here]
    changes: dict[str, Any] = {}
    if domain.mailboxes_listed != len(listed):
        changes[f"{domain} mailboxes_listed"] = [domain.mailboxes_listed, len(listed)]
        Domain.objects.filter(pk=domain.pk).update(mailboxes_listed=len(listed))
    try:
        # A savepoint: the refusal of the database must not undo the rest of the answer.
        with transaction.atomic():
            Mailbox.objects.bulk_create(new)
    except IntegrityError:
        log.warning("%s: a mailbox that the vendor made is live elsewhere", domain)
        return changes
    if new:
        changes[f"{domain} mailboxes"] = [None, [str(mailbox) for mailbox in new]]
    return changes


def _made(domain: Domain, box: MailboxLine, now: datetime) -> Mailbox:
    return Mailbox(
        came_by=CameBy.MADE,
        domain=domain,
        username=box.username,
        address=box.address,
        first_name=box.first_name,
        last_name=box.last_name,
        state=Asset.READY,
        ready_at=now,
        known_by=KnownBy.NAME,
    )
