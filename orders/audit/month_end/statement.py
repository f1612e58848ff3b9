"""A statement as a vendor or a bank gives it: one charge a line, read by its headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from orders.drafting.intake import CannotRead, open_file

MOST_LINES = 5000
LARGEST = Decimal(10) ** 9
# The better a word fits, the earlier it stands: the first that occurs names the column.
HEADINGS = {
    "reference": (
        "reference", "ref", "order", "order id", "order number", "order no", "id", "payment id",
        "invoice", "invoice number", "invoice id", "transaction", "transaction id", "number",
    ),
    "text": (
        "description", "domain", "domains", "details", "item", "items", "product", "text", "memo",
        "name", "note",
    ),

    "amount": (
        "amount", "total", "charge", "charged", "price", "debit", "paid", "sum", "amount due",
        "gross",
    ),
    "currency": ("currency", "ccy"),
    "date": ("date", "created", "created at", "paid at", "charged at", "booked", "day", "time"),
}  # fmt: skip
SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP"}
FIX = (
    "Name the columns in the first row: amount, and reference or description. A currency and a date"
    " may follow."
)


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One line of a statement. A refund has a negative amount."""

    line: int
    amount: Decimal
    currency: str
    reference: str = ""
    text: str = ""
    date: str = ""

    @property
    def words(self) -> str:
        """All but the amount, so that people find the line again."""
        rest = ", ".join(part for part in (self.date, self.reference, self.text) if part)
        return f"line {self.line} ({rest[:200]})" if rest else f"line {self.line}"


def read_statement(name: str, data: bytes, *, currency: str) -> list[Charge]:
    """The charges of a CSV, XLSX or ODS file; `currency` is for lines that name none.

    Raises `CannotRead`, with the line that is wrong.
    """
    # A statement is read as a whole or not at all: half of one would show false differences.
    rows = open_file(name, data, most=MOST_LINES).table
    start = next(number for number, row in enumerate(rows) if any(row))
    columns = _columns(rows[start])
    charges = []
    for number, row in enumerate(rows[start + 1 :], start + 2):
        cells = {
            meaning: row[place].strip() for meaning, place in columns.items() if place < len(row)
        }
        if any(row) and (cells.get("amount") or not _is_a_sum(row)):
            charges.append(_charge(number, cells, currency=currency))
    if not charges:
        raise CannotRead("This statement has no charges.", FIX)
    return charges


def _columns(headings: list[str]) -> dict[str, int]:
    named = [re.sub(r"[\s_\-.:]+", " ", heading).strip().lower() for heading in headings]
    columns: dict[str, int] = {}
    for meaning, words in HEADINGS.items():
        places = [named.index(word) for word in words if word in named]
        if places:
            columns[meaning] = places[0]
    if "amount" not in columns or not {"reference", "text"} & set(columns):
        found = ", ".join(f"“{heading}”" for heading in headings if heading)[:300]
        raise CannotRead(
            f"The columns of this statement can't be told apart. Its first row reads: {found}.", FIX
        )
    return columns


def _is_a_sum(row: list[str]) -> bool:
    # A last line such as "Total" is no charge.
    first = next((cell for cell in row if cell), "")
    return bool(re.match(r"(grand )?(sub)?totals?\b|sum\b", first, re.I))


def _charge(number: int, cells: dict[str, str], *, currency: str) -> Charge:
    written = cells.get("amount", "")
    amount = money(written)
    if amount is None:
        raise CannotRead(
            f"Line {number}: “{written[:40]}” is no amount.",
            "Correct the line and choose the file again.",
        )
    named = cells.get("currency", "").upper()
    if named and not re.fullmatch("[A-Z]{3}", named):
        raise CannotRead(
            f"Line {number}: “{named[:10]}” is no currency.",
            "Write it with three letters, such as USD.",
        )
    # A code in the currency's column is surer than a symbol, which several currencies share.
    symbol = next((code for sign, code in SYMBOLS.items() if sign in written), "")
    return Charge(
        line=number,
        amount=amount,
        currency=named or symbol or currency,
        reference=cells.get("reference", ""),
        text=cells.get("text", ""),
        date=cells.get("date", ""),
    )


def money(written: str) -> Decimal | None:
    """Reads amounts such as 1,234.50, 1.234,50, $76, (76.00) and 76-. None for anything else."""
    bare = re.sub(r"[\s'’]|[A-Za-z]{3}|[$€£]", "", written)
    is_negative = bare.startswith(("-", "−", "(")) or bare.endswith("-")
    bare = bare.strip("-−+()")
    if not re.fullmatch(r"\d[\d.,]*", bare):
        return None
    mark = max(bare.rfind("."), bare.rfind(","))
    after = len(bare) - mark - 1
    # Three digits after the only mark are thousands. After another kind of mark they are decimals.
    is_decimal = (
        mark >= 0 and bare.count(bare[mark]) == 1 and (after != 3 or len({*bare} & {".", ","}) == 2)
    )
    whole, part = (bare[:mark], bare[mark + 1 :].rstrip("0")) if is_decimal else (bare, "")
    if not re.fullmatch(r"\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3})+", whole):
        return None
    amount = Decimal(re.sub("[.,]", "", whole) + (f".{part}" if part else ""))
    if amount >= LARGEST or len(part) > 2:
        return None
    return -amount if is_negative else amount
