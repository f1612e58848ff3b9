"""The refunds on a statement beside those that are recorded here. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from orders.audit.month_end.statement import Charge


@dataclass(frozen=True, kw_only=True)
class Refunded:
    """Money back as it is recorded here, as far as a match needs it."""

    pk: int
    order_id: int | None
    amount: Decimal
    currency: str
    on: date
    by_name: str
    is_new: bool = True  # got within the days of the match


def is_refund(charge: Charge) -> bool:
    return charge.amount < 0


def paired(
    lines: Sequence[Charge], refunds: Sequence[Refunded]
) -> tuple[list[Charge], list[Refunded]]:
    """The lines and the refunds of one order that do not belong together.

    A sum may come in several lines, or several refunds in one line.
    """
    left_lines, left_refunds = list(lines), list(refunds)
    for currency in {line.currency for line in lines}:
        mine = [line for line in left_lines if line.currency == currency]
        recorded = [refund for refund in left_refunds if refund.currency == currency]
        came = -sum(line.amount for line in mine)
        for some in (recorded, [refund for refund in recorded if refund.is_new]):
            if came == sum(refund.amount for refund in some):
                left_lines = [line for line in left_lines if line not in mine]
                left_refunds = [refund for refund in left_refunds if refund not in some]
                break
        else:
            for line in mine:
                if refund := fitting(line, left_refunds):
                    left_lines.remove(line)
                    left_refunds.remove(refund)
    return left_lines, left_refunds


def fitting(line: Charge, refunds: Sequence[Refunded]) -> Refunded | None:
    """The refund with exactly this line's sum, one of these days if there is one."""
    same = [
        refund
        for refund in refunds
        if (refund.currency, refund.amount) == (line.currency, -line.amount)
    ]
    return next((refund for refund in same if refund.is_new), same[0] if same else None)
