"""Files: told apart by what is in them, read within bounds, and put into the paste box as the same
cells.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

from orders.drafting.intake import MOST_BYTES, CannotRead, Sheet, open_file, read
from tests.orders.drafting.intake.made import DOMAINS, ODS_TYPE, changed, ods, packed, saved, xlsx

ROWS = [
    ["Domain", "Name", "E-mail"],
    ["acme.com", "Réyes, Dana", "dana@acme.com"],
    ["b.com", "Sam Ito", "sam"],
]
TEXT = 'Domain, Name, E-mail\nacme.com, "Réyes, Dana", dana@acme.com\nb.com, Sam Ito, sam'


def as_csv(mark: str = ",", end: str = "\r\n") -> str:
    return end.join(
        mark.join(f'"{cell}"' if mark in cell else cell for cell in row) for row in ROWS
    )


def opened(data: bytes, name: str = "orders.csv", **bounds: int) -> Sheet:
    return open_file(name, data, **bounds)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (as_csv().encode(), "UTF-8"),
        (as_csv().encode("utf-8-sig"), "UTF-8"),
        (as_csv("\t").encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + as_csv().encode("utf-16-be"), "UTF-16"),
        (as_csv(";").encode("cp1252"), "Windows-1252"),
        (as_csv("|", "\n").encode(), "UTF-8"),
        (as_csv(",", "\r").encode(), "UTF-8"),
        (xlsx(ROWS), "Excel workbook"),
        (ods(ROWS), "OpenDocument workbook"),
    ],
)
def test_the_same_table_from_every_kind_of_file(data: bytes, encoding: str) -> None:
    sheet = opened(data)
    assert (sheet.table, sheet.encoding, sheet.text) == (ROWS, encoding, TEXT)
    assert bool(sheet.notes) == (encoding == "Windows-1252")
    reading = read(sheet.text, DOMAINS)
    assert [row.line() for row in reading.rows] == [
        'acme.com, "Réyes, Dana", dana',
        "b.com, Sam Ito, sam",
    ]


@pytest.mark.parametrize("name", ["orders.xlsx", "orders.csv", "orders", "orders.pdf"])
def test_the_name_of_a_file_does_not_matter(name: str) -> None:
    assert opened(xlsx(ROWS), name).table == ROWS


def test_a_tab_file_may_hold_commas_and_semicolons_everywhere() -> None:
    assert opened(b"domain\tname\nacme.com\ta;b,c\n", "x.tsv").table == [
        ["domain", "name"],
        ["acme.com", "a;b,c"],
    ]


def test_the_separator_is_what_stands_in_every_line() -> None:
    data = b"Notes, more;domain\nfirst, second, third;acme.com\nx, y;b.com"
    assert opened(data).table[1] == ["first, second, third", "acme.com"]


def test_the_line_in_which_excel_names_the_separator_is_no_row() -> None:
    assert opened(("sep=;\r\n" + as_csv(";")).encode()).table == [[], *ROWS]


def test_lines_keep_the_numbers_of_the_sheet() -> None:
    sheet = opened(xlsx([[], ["domain"], [], ["acme.com"]]))
    assert read(sheet.text, DOMAINS).rows[0].number == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"), (2, "2"), (1.5, "1.5"), (True, "TRUE"), (datetime.date(2026, 1, 31), "2026-01-31"),
        (datetime.datetime.fromisoformat("2026-01-31 08:30:00"), "2026-01-31 08:30:00"),
        (datetime.time(8, 30), "08:30:00"),
        ("a\nb", "a b"), ("  x\u00a0y ", "x y"), ("'=x", "=x"), ("“x”", '"x"'), (123456789012, "123456789012"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_a_person_sees_it(value: Any, text: str) -> None:
    assert opened(xlsx([["domain", value]])).table == [["domain", text]]


def test_the_first_sheet_that_is_seen_and_filled_is_read_and_named() -> None:
    book = Workbook()
    book.active.title = "Hidden"
    book.active.append(["secret.com"])
    book.create_sheet("Empty")
    book.create_sheet("Orders").append(["acme.com"])
    book.active.sheet_state = "hidden"
    sheet = opened(saved(book))
    assert sheet.table == [["acme.com"]]
    assert sheet.notes == ["Only the sheet “Orders” was read, not “Hidden”, “Empty”."]


def test_merged_cells_and_errors_are_said() -> None:
    book = Workbook()
    for row in (["acme.com", "Dana"], ["", "Sam"]):
        book.active.append(row)
    book.active["C1"] = "#REF!"
    book.active["C1"].data_type = "e"
    book.active.merge_cells("A1:A2")
    sheet = opened(saved(book))
    assert sheet.table == [["acme.com", "Dana"], ["", "Sam"]]
    assert any("merged" in note for note in sheet.notes)
    assert any("#REF!" in note for note in sheet.notes)


def test_a_formula_is_read_as_the_value_that_was_last_shown() -> None:
    book = Workbook()
    book.active.append(["acme.com", '="da"&"na"'])
    data = changed(saved(book), "xl/worksheets/sheet1.xml", b"<v />", b"<v>dana</v>")
    data = changed(data, "xl/worksheets/sheet1.xml", b'r="B1"', b'r="B1" t="str"')
    assert opened(data).table == [["acme.com", "dana"]]


# What can't be read

OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("data", "message", "fix"),
    [
        (b"", "This file is empty.", "Choose the file"),
        (b"\r\n \r\n", "This file is empty.", "Choose the file"),
        (b"\xef\xbb\xbf,,\n,,", "There is nothing in this file.", "Choose the file"),
        (xlsx([]), "There is nothing in this file.", "Choose the file"),
        (b"%PDF-1.7\n", "This is a PDF, not a table.", "save it as .xlsx"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "This is a picture, not a table.", "save it as .xlsx"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "This is a picture, not a table.", "save it as .xlsx"),
        (b"{\\rtf1 acme.com}", "This is a text document, not a table.", "save it as .xlsx"),
        (b"<html><table><tr><td>acme.com", "This is a web page", "save it as .xlsx"),
        (OLD, "a file of an old kind", "save it as .xlsx"),
        (OLD + "EncryptedPackage".encode("utf-16-le"), "protected with a password", "without a password"),
        (packed({"Index/Document.iwa": b"x"}), "This is a Numbers file.", "Export To, Excel"),
        (packed({"xl/workbook.bin": b"x"}), "a binary workbook", "save it as .xlsx"),
        (packed({"word/document.xml": b"x"}), "This is not a workbook", ".xlsx, .ods or .csv"),
        (packed({"xl/workbook.xml": b"<x"}), "damaged or not a workbook", "save it again"),
        (packed({"mimetype": ODS_TYPE}), "damaged or not a workbook", "save it again"),
        (xlsx(ROWS)[:-40], "damaged or not a workbook", "save it again"),
        (bytes(range(256)), "not a table that can be read here", "save it as .xlsx"),
        (b"acme.com,D\x81na", "letters of this file can't be read", "CSV UTF-8"),
        (b"\xff\xfea", "letters of this file can't be read", "save it as .xlsx"),
        (b"a" * (MOST_BYTES + 1), "larger than 5 MB", "only the rows of this order"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_what_to_do(data: bytes, message: str, fix: str) -> None:
    with pytest.raises(CannotRead) as refused:
        opened(data)
    assert message in refused.value.message
    assert fix in refused.value.fix


def test_too_many_rows_are_refused_with_their_number() -> None:
    with pytest.raises(CannotRead, match="has 5 rows, and one order takes 3"):
        opened(b"domain\na.com\nb.com\nc.com\nd.com", most=3)
    assert len(opened(b"domain\na.com\nb.com\nc.com", most=3).table) == 4


FAR = b'r="XFD1048576"'


def repeated(rows: int, cells: int) -> str:
    cell = (
        "<table:table-cell"
        f' table:number-columns-repeated="{cells}"><text:p>x</text:p></table:table-cell>'
    )
    return f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'


@pytest.mark.parametrize(
    "made",
    [
        lambda: changed(xlsx(ROWS), "xl/worksheets/sheet1.xml", b'r="C3"', FAR),
        lambda: changed(xlsx(ROWS), "xl/worksheets/sheet1.xml", b'r="C3"', b"r = '&#88;FD1048576'"),
        lambda: ods([], also=repeated(900_000, 9000)),
        lambda: ods([["a"]], also='<table:table-row table:number-rows-repeated="1048570"/>' + repeated(1, 50)),
        lambda: packed({"xl/workbook.xml": b" " * (70 * 1024 * 1024)}),
        lambda: xlsx([["x" * 30_000] * 10_000]),
    ],
    ids=["far cell", "far cell in disguise", "repeated rows", "a gap", "unpacked size", "one long text in many cells"],
)  # fmt: skip
def test_a_small_file_that_would_fill_all_memory_is_refused(made: Callable[[], bytes]) -> None:
    data = made()
    with pytest.raises(CannotRead) as refused:
        opened(data)
    assert "too much" in refused.value.message
    assert "new workbook" in refused.value.fix


def test_a_workbook_that_declares_words_of_its_own_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet'
    with pytest.raises(CannotRead, match="can be read here"):
        opened(changed(xlsx(ROWS), "xl/worksheets/sheet1.xml", b"<worksheet", bomb))


def test_the_empty_rest_of_a_sheet_is_not_counted() -> None:
    rest = repeated(1_048_570, 16_384).replace("<text:p>x</text:p>", "")
    assert opened(ods(ROWS, also=rest)).table == ROWS
