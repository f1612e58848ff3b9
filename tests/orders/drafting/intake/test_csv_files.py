"""Files that go back to people are read again: the lines with what to change, and the sample."""

from __future__ import annotations

import csv

import pytest

from mailops.core.csv_safe import safe
from orders.drafting.intake import Reading, error_file, open_file, read, sample_file
from tests.orders.drafting.intake.made import DOMAINS, MAILBOXES, PRODUCTS
from vendors.apis.values import Product

TEXT = (
    "Phone\tdomain\tname\temail\n+49"
    " 30\tacme.com\tDana\tdana\n-1\tbcom\tSam\tsam\n=1\tc.con\tLee\tlee"
)


def again(text: str, product: Product = DOMAINS) -> Reading:
    return read(open_file("lines.csv", text.encode()).text, product)


def table(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(text[1:].splitlines()))


def test_the_file_has_all_lines_and_columns_and_what_to_change() -> None:
    assert table(error_file(TEXT, read(TEXT, DOMAINS), product=DOMAINS)) == [
        ["Line", "What to change", "Phone", "domain", "name", "email"],
        ["2", "", "'+49 30", "acme.com", "Dana", "dana"],
        ["3", "“bcom” has no ending. Did you mean bcom.com?", "'-1", "bcom", "Sam", "sam"],
        [
            "4",
            "Worth a look: There is no ending .con. Did you mean c.com?",
            "'=1",
            "c.con",
            "Lee",
            "lee",
        ],
    ]


def test_corrected_and_uploaded_again_it_is_read() -> None:
    file = error_file(TEXT, read(TEXT, DOMAINS), product=DOMAINS)
    reading = again(file.replace(",bcom,", ",b.com,").replace("c.con", "c.com"))
    assert [row.line() for row in reading.rows] == [
        "acme.com, Dana, dana",
        "b.com, Sam, sam",
        "c.com, Lee, lee",
    ]
    assert (reading.bad, reading.doubts) == ([], [])
    assert [column.is_ours for column in reading.columns] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_a_second_round_does_not_add_the_columns_twice() -> None:
    first = error_file(TEXT, read(TEXT, DOMAINS), product=DOMAINS)
    text = open_file("lines.csv", first.encode()).text
    second = error_file(text, read(text, DOMAINS), product=DOMAINS)
    assert second == first


def test_lines_without_headings_get_them() -> None:
    text = "acme.com, Dana Reyes, dana\nbcom, Sam Ito, sam"
    file = table(error_file(text, read(text, DOMAINS), product=DOMAINS))
    assert file[0] == ["Line", "What to change", "Domain", "Full name", "Address"]
    assert file[2][2:] == ["bcom", "Sam Ito", "sam"]


def test_lines_beyond_the_most_are_in_the_file() -> None:
    text = "a.com\nb.com\nc.com\nd.com"
    file = table(error_file(text, read(text, DOMAINS, most=2), product=DOMAINS))
    assert [row[2] for row in file[1:]] == ["a.com", "b.com", "c.com", "d.com"]
    assert file[3][1].startswith("Too many lines.")


RUNS = ["=1+1", "Dana;=1+1", "Dana; -1", '＝HYPERLINK("http://a.b","x")', "＠SUM(A1);＋1"]


@pytest.mark.parametrize("cell", RUNS)
def test_a_cell_that_another_country_would_run_is_hardened_and_reads_back_unchanged(
    cell: str,
) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    text = f"domain,name,notes\nacme,Dana,{quoted}\nb.com,Sam,{quoted}"
    reading = read(text, DOMAINS)
    file = error_file(text, reading, product=DOMAINS)
    assert [row[4] for row in table(file)[1:]] == [safe(cell)] * 2 != [cell] * 2
    sheet = open_file("lines.csv", file.encode())
    assert [row[4] for row in sheet.table[1:]] == [cell] * 2
    assert error_file(sheet.text, read(sheet.text, DOMAINS), product=DOMAINS) == file


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("a@b.com", '"a@b.com" is an address, not a domain. Write only b.com.'),
        ("Reyes, Dana", '"reyes, dana" has no ending. Did you mean reyes, dana.com?'),
    ],
)
def test_a_reason_that_quotes_stays_one_cell_when_read_again(bad: str, reason: str) -> None:
    text = f"domain\tfirst name\temail\n{bad}\tDana\tdana"
    file = error_file(text, read(text, DOMAINS), product=DOMAINS)
    assert open_file("lines.csv", file.encode()).table[1] == ["2", reason, bad, "Dana", "dana"]
    assert [line.message for line in again(file).bad] == [
        line.message for line in read(text, DOMAINS).bad
    ]


@pytest.mark.parametrize("name", ["Dana;=1+1", "＝HYPERLINK(1)"])
def test_a_name_that_was_hardened_is_the_same_name_when_read_again(name: str) -> None:
    text = f"domain\tfirst name\temail\nacme.com\t{name}\tdana\nbcom\tSam\tsam"
    reading = read(text, DOMAINS)
    file = error_file(text, reading, product=DOMAINS)
    assert table(file)[1][3] == safe(name) != name
    assert [row.first_name for row in again(file).rows] == [name]
    assert [row.first_name for row in reading.rows] == [name]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_of_ours_runs_in_a_spreadsheet(start: str) -> None:
    text = f"domain,notes\nacme,{start}cmd|' /C calc'!A0\n{start}x,"
    file = error_file(text, read(text, DOMAINS), product=DOMAINS)
    assert all(cell[:1] not in ("=", "+", "-", "@") for row in table(file) for cell in row)
    assert open_file("x.csv", file.encode()).table[1][3] == f"{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_sample_is_read_without_a_problem(product: Product) -> None:
    reading = again(sample_file(product), product)
    assert len(reading.rows) == 3
    assert (reading.bad, reading.doubts, reading.notes) == ([], [], [])
    assert all(column.used for column in reading.columns)


def test_the_sample_has_what_the_order_has_a_place_for() -> None:
    assert table(sample_file(MAILBOXES))[0] == ["Domain", "First name", "Last name", "Address"]
    assert table(sample_file(DOMAINS))[0][4:] == ["Picture", "Forwards to", "Years"]
