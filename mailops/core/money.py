"""Money: `Decimal` amounts with their currency, as text and as totals."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


def show(amount: Decimal, currency: str) -> str:
    """`$76.00` for the common currencies, `CHF 76.00` for the others."""
    sign = "-" if amount < 0 else ""
    text = f"{abs(amount):,.2f}"
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{text}" if symbol else f"{sign}{currency} {text}"


class Totals(dict[str, Decimal]):
    """Amounts by currency. Two currencies are never added up."""

    @classmethod
    def of(cls, amounts: Iterable[tuple[str, Decimal | None]]) -> Totals:
        totals = cls()
        for currency, amount in amounts:
            if amount is not None:
                totals[currency] = totals.get(currency, Decimal(0)) + amount
        return totals

    def as_dict(self) -> dict[str, str]:
        """Amounts as strings, for JSON; `from_dict` reads them back."""
        return {currency: str(amount) for currency, amount in sorted(self.items())}

    @classmethod
    def from_dict(cls, stored: dict[str, str]) -> Totals:
        return cls({currency: Decimal(amount) for currency, amount in stored.items()})

    def __str__(self) -> str:
        return (
            " + ".join(show(amount, currency) for currency, amount in sorted(self.items()))
            or "nothing"
        )
