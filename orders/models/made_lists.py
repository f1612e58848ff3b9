"""Lists of mailboxes that a vendor makes by itself, where an order gave one name for a domain."""

from __future__ import annotations

from django.db import models

from orders.models.inventory import Asset, CameBy, Domain, Mailbox
from vendors.apis import REGISTRY

# The vendors that make the addresses of a domain.
MAKERS = [
    name
    for name, api in REGISTRY.items()
    if any(product.names_per_domain for product in api.products.values())
]


def domains() -> models.QuerySet[Domain]:
    ordered = Mailbox.objects.filter(domain=models.OuterRef("pk"), came_by=CameBy.ORDER)
    there = Domain.objects.filter(order__isnull=False, state=Asset.READY, vendor__api__in=MAKERS)
    return there.exclude(models.Exists(ordered))


def unread() -> models.QuerySet[Domain]:
    """Those of them whose list was not read yet, or differs from the vendor's count."""
    never = models.Q(mailboxes_listed=None) | models.Q(mailboxes_listed=0)
    differs = models.Q(mailboxes_told__isnull=False) & ~models.Q(
        mailboxes_told=models.F("mailboxes_listed")
    )
    return domains().filter(never | differs)
