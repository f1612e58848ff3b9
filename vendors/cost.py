"""The cost sheet: the amounts due now, once it is processed, each month and each year, by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from mailops.core.money import Totals

ONCE, MONTH, YEAR, UNSTATED = "once", "month", "year", "unstated"
# Some price lists give an amount without its period.
UNITS = [
    (ONCE, "once"),
    (MONTH, "a month"),
    (YEAR, "a year"),
    (UNSTATED, "a period the vendor does not state"),
]

TOTALS = ("due_now", "due_later", "per_month", "per_year")


class PriceLike(Protocol):
    """The attributes of a price that a cost sheet reads. `vendors.models.Price` has them."""

    @property
    def amount(self) -> Decimal: ...
    @property
    def renewal_amount(self) -> Decimal | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def label(self) -> str: ...  # empty where nobody named the item
    @property
    def source(self) -> str: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def domains(self) -> int | None: ...  # how many domains one package holds
    @property
    def doubt(self) -> str: ...  # why no order may go by it; empty for nearly all


@dataclass(frozen=True, kw_only=True)
class FetchedPrice:
    """A price from a vendor's price list. `item` is the key that `Api.cost` looks up."""

    item: str
    label: str
    unit: str
    amount: Decimal
    currency: str
    renewal_amount: Decimal | None = None
    domains: int | None = None


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A price in a stored cost sheet."""

    amount: Decimal
    renewal_amount: Decimal | None
    currency: str
    unit: str
    label: str = ""
    source: str = ""
    as_of: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    domains: int | None = None
    doubt: str = ""


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """A line of the cost sheet. Its first payment: `quantity` × `multiplier` × the amount."""

    item: str
    label: str
    quantity: int
    price: PriceLike | None
    # Periods paid at once: a domain for two years is one domain with a multiplier of two.
    multiplier: int = 1
    remark: str = ""
    # The vendor only creates the order: this is due once somebody processes it there.
    is_later: bool = False

    @property
    def full_label(self) -> str:
        """The label with the price's own: "Packages (Outlook, 25 mailboxes)"."""
        return with_price_label(self.label, self.price.label if self.price else "")

    @property
    def is_missing(self) -> bool:
        return self.price is None

    @property
    def first_payment(self) -> Decimal | None:
        return self.price.amount * self.quantity * self.multiplier if self.price else None

    @property
    def due_now(self) -> Decimal | None:
        return None if self.is_later else self.first_payment

    @property
    def due_later(self) -> Decimal | None:
        return self.first_payment if self.is_later else None

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

    @property
    def is_unsaid(self) -> bool:
        """The vendor does not state the period, so no year's cost can be worked out."""
        return self.price is not None and self.price.unit == UNSTATED

    @property
    def years_paid(self) -> int:
        """The years that the first payment covers. A price a month, or paid once, counts as one."""
        return max(self.multiplier, 1) if self.price and self.price.unit == YEAR else 1

    def in_year(self, year: int) -> Decimal | None:
        """The amount due in the order's first, second … year. None where that is not known."""
        first_payment = self.first_payment
        if self.price is None or first_payment is None or (self.is_unsaid and year > 1):
            return None
        first = first_payment if year == 1 else Decimal(0)
        if self.price.unit == MONTH:
            # The first payment covers `multiplier` months of the first year.
            months = 12 - self.multiplier if year == 1 else 12
            return first + (self.per_month or Decimal(0)) * max(months, 0)
        again = self.per_year or Decimal(0)
        return first + (again if year > self.years_paid else 0)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], labels: Mapping[str, str]) -> CostLine:
        price, renewal = stored["unit_price"], stored["renewal"]
        return cls(
            item=stored["item"],
            label=stored["label"],
            quantity=stored["quantity"],
            multiplier=stored["multiplier"],
            remark=stored.get("remark", ""),
            is_later="due_later" in stored,
            price=None
            if price is None
            else Terms(
                amount=Decimal(price),
                renewal_amount=None if renewal is None else Decimal(renewal),
                currency=stored["currency"],
                unit=stored["unit"],
                label=labels.get(stored["item"], ""),
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        """The line as the plan's digest takes it in."""
        # Without the price's source, age and label: reading an unchanged price again must not
        # change the digest that a person confirmed.
        price = self.price
        # A key for orders that are due later alone: the digests of all others stay as they were.
        later = {"due_later": _text(self.due_later)} if self.is_later else {}
        return {
            "item": self.item,
            "label": self.label,
            "quantity": self.quantity,
            "multiplier": self.multiplier,
            "unit_price": str(price.amount) if price else None,
            "renewal": str(price.renewal_amount)
            if price and price.renewal_amount is not None
            else None,
            "unit": price.unit if price else None,
            "currency": price.currency if price else None,
            "due_now": _text(self.due_now),
            "per_month": _text(self.per_month),
            "per_year": _text(self.per_year),
            "remark": self.remark,
        } | later


def with_price_label(label: str, price_label: str) -> str:
    """ "Packages (Outlook, 25 mailboxes)"; the label alone where the price's adds no word to it."""
    known = label.casefold()
    adds = any(word not in known for word in price_label.casefold().split())
    return f"{label} ({price_label})" if adds else label


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def together(*totals: Totals) -> Totals:
    """The sum of the amounts, currency by currency."""
    return Totals.of(pair for each in totals for pair in each.items())


def shown_now(now: Totals, later: Totals) -> Totals:
    """The amounts due now, with a zero for a currency in which something is due later."""
    return Totals(dict.fromkeys(later, Decimal(0)) | now)


def due_in_words(now: Totals, later: Totals) -> str:
    """ "$0.00 now · $19.00 when it is processed", or "$19.00 now"."""
    said = f"{shown_now(now, later)} now"
    return f"{said} · {later} when it is processed" if later else said


@dataclass(frozen=True)
class CostSheet:
    """All lines of one order. Its totals never add two currencies."""

    lines: tuple[CostLine, ...]

    @property
    def missing(self) -> tuple[CostLine, ...]:
        return tuple(line for line in self.lines if line.is_missing)

    def _total(self, name: str) -> Totals:
        return Totals.of(
            (line.price.currency, getattr(line, name)) for line in self.lines if line.price
        )

    @property
    def due_now(self) -> Totals:
        return self._total("due_now")

    @property
    def due_later(self) -> Totals:
        return self._total("due_later")

    @property
    def due(self) -> Totals:
        """The amounts that a confirmer says yes to: due now, and once it is processed."""
        return together(self.due_now, self.due_later)

    @property
    def due_in_words(self) -> str:
        return due_in_words(self.due_now, self.due_later)

    @property
    def per_month(self) -> Totals:
        return self._total("per_month")

    @property
    def per_year(self) -> Totals:
        return self._total("per_year")

    @property
    def once(self) -> Totals:
        return Totals.of(
            (line.price.currency, line.first_payment)
            for line in self.lines
            if line.price and line.price.unit == ONCE
        )

    @property
    def unsaid(self) -> tuple[CostLine, ...]:
        return tuple(line for line in self.lines if line.is_unsaid)

    def in_words(self, year: Totals) -> str:
        if not self.unsaid:
            return str(year)
        return f"at least {year}" if year else "not known"

    @property
    def first_year(self) -> str:
        return self.in_words(self.in_year(1))

    def in_year(self, year: int) -> Totals:
        return Totals.of(
            (line.price.currency, line.in_year(year)) for line in self.lines if line.price
        )

    @property
    def years(self) -> list[tuple[int, int | None, Totals]]:
        """(first year, last year, total of each) with equal years together; the last has no end."""
        # After the longest prepaid period every year costs the same.
        longest = max((line.years_paid for line in self.lines), default=1)
        found: list[tuple[int, int | None, Totals]] = [(1, 1, self.in_year(1))]
        for year in range(2, longest + 2):
            first, _, totals = found[-1]
            due = self.in_year(year)
            if first > 1 and totals == due:
                found[-1] = (first, year, due)
            else:
                found.append((year, year, due))
        return [*found[:-1], (found[-1][0], None, found[-1][2])]

    @classmethod
    def from_dict(
        cls, stored: Mapping[str, Any], labels: Mapping[str, str] | None = None
    ) -> CostSheet:
        """The stored sheet. `labels` has the prices' labels by item: they are stored beside it."""
        known = labels or {}
        return cls(tuple(CostLine.from_dict(line, known) for line in stored.get("lines", ())))

    def as_dict(self) -> dict[str, Any]:
        return {"lines": [line.as_dict() for line in self.lines], **self.totals()}

    def totals(self) -> dict[str, dict[str, str]]:
        """`TOTALS` as plain JSON; `due_later` only where a line is due later."""
        found = {name: self._total(name).as_dict() for name in TOTALS}
        if not any(line.is_later for line in self.lines):
            del found["due_later"]
        return found


def cost_line(
    prices: Mapping[str, PriceLike],
    *,
    item: str,
    label: str,
    quantity: int,
    multiplier: int = 1,
    remark: str = "",
    is_later: bool = False,
) -> CostLine:
    """A line with its price from the price list, or with None where the list has no such item."""
    return CostLine(
        item=item,
        label=label,
        quantity=quantity,
        price=prices.get(item),
        multiplier=multiplier,
        remark=remark,
        is_later=is_later,
    )


def cost_sheet(lines: Iterable[CostLine]) -> CostSheet:
    """The sheet of these lines, without those of quantity 0."""
    return CostSheet(tuple(line for line in lines if line.quantity))
