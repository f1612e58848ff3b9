"""The versions of a price: every change is kept for good."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.utils import timezone

from mailops.core import sql_triggers
from mailops.core.money import show
from vendors.cost import ONCE, UNITS

if TYPE_CHECKING:
    from vendors.models.price import Price
    from vendors.models.vendor import Vendor

TERMS = ("amount", "renewal_amount", "unit", "currency", "domains", "label")
CENT = Decimal("0.01")


class PriceVersionQuerySet(models.QuerySet["PriceVersion"]):
    """Rules about many versions."""

    def latest_of(self, vendor: Vendor, items: Iterable[str]) -> dict[str, PriceVersion]:
        """The last version of each of these items of the account, by item. One query."""
        newest = (
            self.filter(vendor=vendor, item__in=list(items))
            .order_by()
            .values("item")
            .annotate(models.Max("pk"))
        )
        return {version.item: version for version in self.filter(pk__in=newest.values("pk__max"))}

    def keep(
        self,
        vendor: Vendor,
        prices: Iterable[Price],
        *,
        by: str = "",
        removed: bool = False,
        source: str = "",
    ) -> None:
        """Append a version of each price whose terms differ from its last one. Two queries."""
        # Callers do this before a change too: a price that is older than versions has none yet.
        prices = list(prices)
        latest = self.latest_of(vendor, [price.item for price in prices])
        versions = [
            PriceVersion(
                vendor=vendor,
                item=price.item,
                before=latest.get(price.item),
                source=source or (f"Taken off by {by}" if removed else price.source),
                set_by=by,
                at=timezone.now() if removed else price.as_of,
                removed=removed,
                **terms_of(price),
            )
            for price in prices
        ]
        PriceVersion.objects.bulk_create([version for version in versions if version.is_news])


def terms_of(price: Price | PriceVersion) -> dict[str, Any]:
    """The terms of a price, its amounts rounded to cents."""
    # A price that was not saved yet may hold more digits than the database keeps. Compared
    # unrounded, it would differ from its own stored row.
    terms = {name: getattr(price, name) for name in TERMS}
    for name in ("amount", "renewal_amount"):
        terms[name] = None if terms[name] is None else Decimal(terms[name]).quantize(CENT)
    return terms


class PriceVersion(models.Model):
    """The terms of one item of an account from `at` on, and who or what set them."""

    vendor = models.ForeignKey(
        "vendors.Vendor",
        models.PROTECT,
        related_name="price_versions",
        verbose_name="vendor account",
    )
    item = models.CharField(max_length=120)
    label = models.CharField(max_length=160, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    unit = models.CharField("for", max_length=10, choices=UNITS)
    renewal_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3)
    domains = models.PositiveSmallIntegerField("domains in a package", null=True)
    source = models.CharField("price from", max_length=160)
    # Empty where the price was set before versions were kept.
    set_by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField("when")
    removed = models.BooleanField(default=False)
    before = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")

    objects = PriceVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        verbose_name = "price change"
        indexes: ClassVar = [
            models.Index(fields=["vendor", "item", "id"], name="price_version_of_item")
        ]

    def __str__(self) -> str:
        return f"{self.label or self.item} at {self.vendor.name}"

    @property
    def is_news(self) -> bool:
        last = self.before
        return last is None or last.removed != self.removed or terms_of(last) != terms_of(self)

    @property
    def says(self) -> str:
        """For example: $13.00 a year, then $14.50."""
        if self.removed:
            return "Taken off the list"
        unit = dict(UNITS)[self.unit]
        parts = [
            f"{show(self.amount, self.currency)}"
            f" {unit if self.unit in (ONCE, 'month', 'year') else f'for {unit}'}"
        ]
        if self.renewal_amount is not None:
            parts.append(f"then {show(self.renewal_amount, self.currency)}")
        if self.domains:
            parts.append(f"{self.domains} domain{'' if self.domains == 1 else 's'} in a package")
        return ", ".join(parts)


def difference(before: Price | PriceVersion, after: Price | PriceVersion) -> list[str]:
    """[before, after] as text: the amount and the terms that changed. Empty where none did."""
    old, new = terms_of(before), terms_of(after)
    return [] if old == new else [_in_words(old, new), _in_words(new, old)]


def _in_words(terms: dict[str, Any], other: dict[str, Any]) -> str:
    changed = {name: value for name, value in terms.items() if value != other[name]}
    parts = [f"{terms['amount']} {terms['currency']}"]
    if "unit" in changed:
        parts[0] += f" {dict(UNITS)[terms['unit']]}"
    if "renewal_amount" in changed:
        renewal = terms["renewal_amount"]
        parts.append("then the same" if renewal is None else f"then {renewal} {terms['currency']}")
    if "domains" in changed:
        parts.append(f"{terms['domains'] or 'no number of'} domains in a package")
    if "label" in changed:
        parts.append(f"called “{terms['label']}”")
    return ", ".join(parts)


TRIGGERS = sql_triggers.append_only("vendors_priceversion", "Versions of a price are kept for good")
