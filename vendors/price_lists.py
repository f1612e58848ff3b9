"""The price list of an account: fetched from the vendor, typed by Operators, with its versions."""

from __future__ import annotations

from django.utils import timezone

from mailops.history import audited, record
from vendors import rate_limit, vendor_reader
from vendors.cost import UNSTATED
from vendors.models import Price, PriceVersion, Vendor, account_settings
from vendors.models.price_version import CENT, difference


def fetch(vendor: Vendor, *, by: str = "MailOps", max_wait: float = rate_limit.A_PERSON) -> int:
    """Read the vendor's price list into the account's. Returns the number of prices read.

    Raises `ReadFailed`, `CannotOpen`.
    """
    reader = vendor_reader.reader(vendor, max_wait=max_wait)
    fetched = vendor.adapter.prices(account_settings(vendor), reader)
    with audited():
        # Without the lock, two workers could both add an item that is new.
        Vendor.objects.locked(vendor.pk)
        stored = {price.item: price for price in vendor.prices.select_for_update()}
        was = {price.item: Price(**_copied(price)) for price in stored.values()}
        PriceVersion.objects.keep(vendor, was.values())
        read = []
        for line in fetched:
            price = stored.get(line.item) or Price(vendor=vendor, item=line.item)
            # A period that the vendor does not state may have been typed by an Operator: keep it.
            if not (price.pk and line.unit == UNSTATED):
                price.unit = line.unit
            price.label, price.currency = line.label[:160], line.currency
            price.amount = line.amount.quantize(CENT)
            renewal = line.renewal_amount
            price.renewal_amount = None if renewal is None else renewal.quantize(CENT)
            price.domains = line.domains
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
    """Save a price that a person typed, with its versions before and after."""
    with audited():
        stored = Price.objects.select_for_update().filter(pk=price.pk).first()
        if stored:
            PriceVersion.objects.keep(stored.vendor, [stored])
            # Under a new account or item it is another price, and the old one has ended.
            if (stored.vendor_id, stored.item) != (price.vendor_id, price.item):
                PriceVersion.objects.keep(stored.vendor, [stored], by=by, removed=True)
        price.source, price.as_of = f"Typed by {by}", timezone.now()
        price.save()
        PriceVersion.objects.keep(price.vendor, [price], by=by)


def remove(price: Price, *, by: str) -> None:
    with audited():
        PriceVersion.objects.keep(price.vendor, [price])
        PriceVersion.objects.keep(price.vendor, [price], by=by, removed=True)
        price.delete()
