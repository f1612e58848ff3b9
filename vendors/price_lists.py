"""The price list of an account: fetched from the vendor, typed by Operators, with its versions."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from mailops.history import audited, record
from vendors import rate_limit, vendor_reader
from vendors.cost import UNSTATED, FetchedPrice
from vendors.http import ReadFailed
from vendors.models import Price, PriceVersion, Vendor, account_settings
from vendors.models.price import TYPED
from vendors.models.price_version import CENT, difference


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The prices of one reading of a vendor's list, and those that it has no price for any more."""

    read: list[Price]
    gone: list[Price]

    @property
    def doubtful(self) -> list[Price]:
        return [price for price in self.read if price.doubt]


def fetch(vendor: Vendor, *, by: str = "MailOps", max_wait: float = rate_limit.A_PERSON) -> Fetched:
    """Read the vendor's price list into the account's.

    Raises `ReadFailed`, `CannotOpen`; then nothing is changed. An empty list is no list.
    """
    reader = vendor_reader.reader(vendor, max_wait=max_wait)
    fetched = vendor.adapter.prices(account_settings(vendor), reader)
    label = vendor.adapter.label
    if not fetched:
        raise ReadFailed(f"{label}'s price list names no price. Nothing was changed.")
    with audited():
        # Without the lock, two workers could both add an item that is new.
        Vendor.objects.locked(vendor.pk)
        stored = {price.item: price for price in vendor.prices.select_for_update()}
        was = {price.item: Price(**_copied(price)) for price in stored.values()}
        # A price that the list left out before has its last version already.
        PriceVersion.objects.keep(vendor, [price for price in was.values() if not price.gone_at])
        read = [_read(vendor, stored.get(line.item), line) for line in fetched]
        PriceVersion.objects.keep(vendor, read, by=by)
        items = {price.item for price in read}
        gone = [
            price for price in stored.values() if price.item not in items and not price.is_typed
        ]
        news = [price for price in gone if not price.gone_at]
        _mark_gone(vendor, news, source=f"{label}'s price list has no price for it", by=by)
        changes = _changes(was, read) | {
            price.item: [f"{price.amount:.2f} {price.currency}", "no price in the list any more"]
            for price in news
        }
        record("vendor.prices_fetched", vendor, changes=changes)
    return Fetched(read=read, gone=gone)


def _read(vendor: Vendor, stored: Price | None, line: FetchedPrice) -> Price:
    price = stored or Price(vendor=vendor, item=line.item)
    # A period that the vendor does not state may have been typed by an Operator: keep it.
    if not (price.pk and line.unit == UNSTATED):
        price.unit = line.unit
    # In the list's own currency, whatever the account's limits are in.
    price.label, price.currency = line.label[:160], line.currency
    price.amount = line.amount.quantize(CENT)
    renewal = line.renewal_amount
    price.renewal_amount = None if renewal is None else renewal.quantize(CENT)
    price.domains, price.gone_at = line.domains, None
    if not price.has_nought:
        price.free_by_name = ""
    price.source, price.as_of = f"{vendor.adapter.label}'s price list", timezone.now()
    price.save()
    return price


def _mark_gone(vendor: Vendor, prices: list[Price], *, source: str, by: str) -> None:
    for price in prices:
        price.gone_at = timezone.now()
        price.save(update_fields=["gone_at"])
    PriceVersion.objects.keep(vendor, prices, by=by, removed=True, source=source)


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
            if not stored.gone_at:
                PriceVersion.objects.keep(stored.vendor, [stored])
            # Under a new account or item it is another price, and the old one has ended.
            if (stored.vendor_id, stored.item) != (price.vendor_id, price.item):
                PriceVersion.objects.keep(stored.vendor, [stored], by=by, removed=True)
        price.source, price.as_of, price.gone_at = f"{TYPED} {by}", timezone.now(), None
        price.save()
        PriceVersion.objects.keep(price.vendor, [price], by=by)


def remove(price: Price, *, by: str) -> None:
    with audited():
        if not price.gone_at:
            PriceVersion.objects.keep(price.vendor, [price])
        PriceVersion.objects.keep(price.vendor, [price], by=by, removed=True)
        price.delete()
