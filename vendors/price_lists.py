"""Keeping a vendor account's price list: what the vendor's own list says and what Operators type,
with its past.
"""

from __future__ import annotations

from django.utils import timezone

from mailops.history import audited, record
from vendors import rate_limit, vendor_reader
from vendors.cost import UNSTATED
from vendors.models import Price, PriceVersion, Vendor, account_settings
from vendors.models.price_version import CENT, difference


def fetch(vendor: Vendor, *, by: str = "MailOps", max_wait: float = rate_limit.A_PERSON) -> int:
    """Read the vendor's price list into the account's. Returns how many prices were read.

    A period that the vendor does not state, but an Operator typed, is kept. Raises `ReadFailed`,
    `CannotOpen`.
    """
    reader = vendor_reader.reader(vendor, max_wait=max_wait)
    fetched = vendor.adapter.prices(account_settings(vendor), reader)
    with audited():
        Vendor.objects.locked(vendor.pk)  # two readers at once would both add an item that is new
        stored = {price.item: price for price in vendor.prices.select_for_update()}
        was = {price.item: Price(**_copied(price)) for price in stored.values()}
        PriceVersion.objects.keep(vendor, was.values())
        read = []
        for told in fetched:
            price = stored.get(told.item) or Price(vendor=vendor, item=told.item)
            if not (price.pk and told.unit == UNSTATED):
                price.unit = told.unit
            price.label, price.amount, price.currency = (
                told.label[:160],
                told.amount.quantize(CENT),
                told.currency,
            )
            price.renewal_amount = (
                None if told.renewal_amount is None else told.renewal_amount.quantize(CENT)
            )
            price.domains = told.domains
            price.source, price.as_of = f"{vendor.adapter.label}'s price list", timezone.now()
            price.save()
            read.append(price)
        PriceVersion.objects.keep(vendor, read, by=by)
        record("vendor.prices_fetched", vendor, changes=_changes(was, read))
    return len(fetched)


def _copied(price: Price) -> dict[str, object]:
    return {field.attname: getattr(price, field.attname) for field in Price._meta.concrete_fields}


def _changes(was: dict[str, Price], read: list[Price]) -> dict[str, list[str]]:
    changes = {}
    for price in read:
        before = was.get(price.item)
        pair = difference(before, price) if before else ["", f"{price.amount:.2f} {price.currency}"]
        if pair:
            changes[price.item] = pair
    return changes


def put(price: Price, *, by: str) -> None:
    """Save a price that a person typed, beside what it was before."""
    with audited():
        stored = Price.objects.select_for_update().filter(pk=price.pk).first()
        if stored:
            PriceVersion.objects.keep(stored.vendor, [stored])
            if (stored.vendor_id, stored.item) != (price.vendor_id, price.item):
                PriceVersion.objects.keep(stored.vendor, [stored], by=by, removed=True)
        price.source, price.as_of = f"Typed by {by}", timezone.now()
        price.save()
        PriceVersion.objects.keep(price.vendor, [price], by=by)


def remove(price: Price, *, by: str) -> None:
    """Take a price off the list; what it was stays."""
    with audited():
        PriceVersion.objects.keep(price.vendor, [price])
        PriceVersion.objects.keep(price.vendor, [price], by=by, removed=True)
        price.delete()
