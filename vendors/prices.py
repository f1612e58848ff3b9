"""The cost sheet: what an order costs now, each month and each year, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from mailops.money import Totals

ONCE, MONTH, YEAR, UNSTATED = "once", "month", "year", "unstated"
UNITS = [
    (ONCE, "once"),
    (MONTH, "a month"),
    (YEAR, "a year"),
    (UNSTATED, "a period the vendor does not state"),
]


class PriceLike(Protocol):
    """The attributes of a stored price that a cost sheet reads (`vendors.models.Price` has them)."""

    @property
    def amount(self) -> Decimal: ...
    @property
    def renewal_amount(self) -> Decimal | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def domains(self) -> int | None: ...  # how many domains one package holds


@dataclass(frozen=True, kw_only=True)
class FetchedPrice:
    """A price as a vendor's price list tells it; `item` is the key that `cost()` looks up."""

    item: str
    label: str
    unit: str
    amount: Decimal
    currency: str
    renewal_amount: Decimal | None = None
    domains: int | None = None


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """One line: `quantity` of `item`, each `multiplier` × `price` now (a domain for two years counts twice)."""

    item: str
    label: str
    quantity: int
    price: PriceLike | None
    multiplier: int = 1
    remark: str = ""

    @property
    def is_missing(self) -> bool:
        return self.price is None

    @property
    def due_now(self) -> Decimal | None:
        return self.price.amount * self.quantity * self.multiplier if self.price else None

    def _again(self, unit: str) -> Decimal | None:
        if self.price is None or self.price.unit != unit:
            return None
        each = self.price.amount if self.price.renewal_amount is None else self.price.renewal_amount
        return each * self.quantity

    @property
    def per_month(self) -> Decimal | None:
        return self._again(MONTH)

    @property
    def per_year(self) -> Decimal | None:
        return self._again(YEAR)

    def as_dict(self) -> dict[str, Any]:
        """The line for the digest: amounts and terms without the price's age."""
        price = self.price
        return {
            "item": self.item,
            "label": self.label,
            "quantity": self.quantity,
            "multiplier": self.multiplier,
            "unit_price": str(price.amount) if price else None,
            "renewal": str(price.renewal_amount) if price and price.renewal_amount is not None else None,
            "unit": price.unit if price else None,
            "currency": price.currency if price else None,
            "due_now": _text(self.due_now),
            "per_month": _text(self.per_month),
            "per_year": _text(self.per_year),
            "remark": self.remark,
        }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


@dataclass(frozen=True)
class CostSheet:
    """All lines of one order. Totals are kept per currency and never added across currencies."""

    lines: tuple[CostLine, ...]

    @property
    def missing(self) -> tuple[CostLine, ...]:
        return tuple(line for line in self.lines if line.is_missing)

    def _total(self, name: str) -> Totals:
        return Totals.of((line.price.currency, getattr(line, name)) for line in self.lines if line.price)

    @property
    def due_now(self) -> Totals:
        return self._total("due_now")

    @property
    def per_month(self) -> Totals:
        return self._total("per_month")

    @property
    def per_year(self) -> Totals:
        return self._total("per_year")

    def as_dict(self) -> dict[str, Any]:
        return {
            "lines": [line.as_dict() for line in self.lines],
            "due_now": self.due_now.as_dict(),
            "per_month": self.per_month.as_dict(),
            "per_year": self.per_year.as_dict(),
        }


def cost_line(
    prices: Mapping[str, PriceLike], *, item: str, label: str, quantity: int, multiplier: int = 1, remark: str = ""
) -> CostLine:
    """A line for `quantity` of `item`, its price looked up in the account's price list; missing stays missing."""
    return CostLine(
        item=item, label=label, quantity=quantity, price=prices.get(item), multiplier=multiplier, remark=remark
    )


def cost_sheet(lines: Iterable[CostLine]) -> CostSheet:
    """The sheet of the lines that count anything."""
    return CostSheet(tuple(line for line in lines if line.quantity))
