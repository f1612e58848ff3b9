"""Keeping a vendor account's price list: what the vendor's own list says, with its age."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from mailops.history import record
from vendors import turns
from vendors.models import Price, Vendor, account_settings
from vendors.prices import UNSTATED


def fetch(vendor: Vendor, *, patience: float = turns.A_PERSON) -> int:
    """Read the vendor's price list into the account's. Returns how many prices were read.

    A period that the vendor does not state, but an Operator typed, is kept. Raises `ReadFailed`, `CannotOpen`.
    """
    fetched = vendor.adapter.prices(account_settings(vendor), vendor.reader(patience=patience))
    with transaction.atomic():
        stored = {price.item: price for price in vendor.prices.select_for_update()}
        changes = {}
        for told in fetched:
            price = stored.get(told.item) or Price(vendor=vendor, item=told.item)
            before = f"{price.amount} {price.currency}" if price.pk else ""
            if not (price.pk and told.unit == UNSTATED):
                price.unit = told.unit
            price.label, price.amount, price.currency = told.label[:160], told.amount, told.currency
            price.renewal_amount, price.domains = told.renewal_amount, told.domains
            price.source, price.as_of = f"{vendor.adapter.label}'s price list", timezone.now()
            price.save()
            if before != (after := f"{told.amount:.2f} {told.currency}"):
                changes[told.item] = [before, after]
        record("vendor.prices_fetched", vendor, changes=changes)
    return len(fetched)
