"""Whatever is pasted or uploaded: nothing raises, no line is lost, and what is taken is written
back unchanged.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from mailops.core.csv_safe import safe
from orders.drafting.intake import CannotRead, Row, Sheet, error_file, open_file, read, written
from orders.drafting.intake.delimited import clean
from tests.orders.drafting.intake.made import PRODUCTS, ods, xlsx
from vendors.apis.values import Product

KNOWN = [
    "acme.com", "b.net", "www.acme.com", "café.com", "аcme.com", "ａcme.com", "xn--a.com", "https://www.a.com/x",
    "acme.con", "domain", "email", "first name", "last name", "years", "Line", "What to change",
    "dana@acme.com", "dana", "sep=;", '"a', 'a"b', '"', "'=x", "''-", "=x", "Reyes, Dana", "a\nb", "2",
    "Dana;=1+1", "Dana;'=1", "＝HYPERLINK(1)", "'＝x",
]  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(KNOWN),
    st.text(max_size=10),
    st.text(alphabet="a.,;|\t\n\r\"' =+-@＝“”\u00a0\u200b\ufeff\u2028\x0b", max_size=8),
)
TABLES = st.lists(st.lists(CELLS, max_size=5), max_size=5)
OF_ANY = st.sampled_from(PRODUCTS)


def opened(data: bytes) -> Sheet | None:
    """The sheet, or nothing where the file is refused; any other error fails the test."""
    try:
        return open_file("file", data)
    except CannotRead as refused:
        assert refused.message and refused.fix
        return None


def plain(rows: list[Row]) -> list[Row]:
    return [replace(row, number=0) for row in rows]


def is_kept(sheet: Sheet | None, product: Product) -> None:
    """Every row of the sheet is a row, a bad line or the headings, and the rows survive every way
    back.
    """
    if sheet is None:
        return
    reading = read(sheet.text, product)
    told = [result.number for result in reading.results]
    heading = [reading.heading_line] if reading.heading_line else []
    assert heading + told == [number for number, row in enumerate(sheet.table, 1) if row]
    assert open_file("again.csv", sheet.text.encode()).table == sheet.table
    again = read(written(reading.rows), product)
    assert not again.bad
    assert plain(again.rows) == plain(reading.rows)
    assert written(again.rows) == written(reading.rows)
    if reading.rows:
        file = open_file("again.csv", written(reading.rows).encode())
        assert plain(read(file.text, product).rows) == plain(reading.rows)
    file = open_file("again.csv", error_file(sheet.text, reading, product=product).encode())
    back = read(file.text, product)
    assert plain(back.rows) == plain(reading.rows)
    assert len(back.bad) == len(reading.bad)


@settings(max_examples=200)
@given(table=TABLES, product=OF_ANY)
def test_any_xlsx_file(table: list[list[str]], product: Product) -> None:
    is_kept(
        opened(xlsx([[ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row] for row in table])),
        product,
    )


@settings(max_examples=200)
@given(table=TABLES, product=OF_ANY)
def test_any_ods_file(table: list[list[str]], product: Product) -> None:
    is_kept(
        opened(
            ods([["".join(c for c in cell if c.isprintable()) for cell in row] for row in table])
        ),
        product,
    )


@settings(max_examples=400)
@given(
    table=TABLES,
    mark=st.sampled_from("\t;,|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quote=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    product=OF_ANY,
)
def test_any_text_file(
    table: list[list[str]], mark: str, end: str, quote: bool, encoding: str, product: Product
) -> None:
    rows = [
        ['"' + cell.replace('"', '""') + '"' if quote else cell for cell in row] for row in table
    ]
    is_kept(opened(end.join(mark.join(row) for row in rows).encode(encoding, "replace")), product)


@settings(max_examples=400)
@given(data=st.binary(max_size=300), product=OF_ANY)
def test_any_bytes(data: bytes, product: Product) -> None:
    is_kept(opened(data), product)


@given(cell=CELLS)
def test_any_cell_survives_hardening(cell: str) -> None:
    assert clean(clean(cell)) == clean(safe(clean(cell))) == clean(cell)


WORKBOOKS = [
    xlsx([["domain", "email"], ["acme.com", 5.0]]),
    ods([["domain", "email"], ["acme.com", "dana"]]),
]


@settings(max_examples=300)
@given(
    data=st.sampled_from(WORKBOOKS),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.binary(max_size=4)), max_size=4),
)
def test_any_damage_to_a_workbook(data: bytes, places: list[tuple[float, bytes]]) -> None:
    for place, piece in places:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + len(piece) :]
    is_kept(opened(data), PRODUCTS[0])
