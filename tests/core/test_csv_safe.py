"""CSV for spreadsheets: numbers stay numbers, and nothing runs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from mailops.core.csv_safe import csv_response, safe
from orders.drafting.intake.delimited import clean


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\ta", "\ra", "\na", "＝1", "=cmd|'/c calc'!A1"]
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "text",
    [
        ';=HYPERLINK("http://a.b","x")', 'x;"=1+1', "x; =1+1", "x;=1+1;y", "x;;@SUM(A1)", "x\t=1", "x\n=1+1", "x\r\n+1",
        'x";\n"-1', "x;＝1", ';"";"=1"', "=1;=1", "\n=1", "x;\x00=1", "a;\v=1",
    ],
)  # fmt: skip
def test_no_country_splits_a_cell_into_one_that_runs(text: str, separator: str) -> None:
    """Excel separates by what the country does: where that is a semicolon, the quotation marks
    protect nothing.
    """
    file = b"".join(csv_response("list.csv", ["No.", "What"], [["first", text, "last"]])).decode(
        "utf-8-sig"
    )
    cells = [
        cell
        for row in csv.reader(io.StringIO(file, newline=""), delimiter=separator)
        for cell in row
    ]
    assert not [
        cell
        for cell in cells
        if cell.strip().strip('"').strip().startswith(("=", "+", "-", "@", "＝"))
    ]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-5, "-5"), (Decimal("-76.00"), "-76.00"), (3.5, "3.5"), (None, ""), (True, "yes"), (False, "no"),
        ("a = b", "a = b"), ("a; b = c", "a; b = c"), ("a-b;c", "a-b;c"), ("a;=b", "a;'=b"),
        ("'=1", "'=1"), ("a\x00b", "ab"),
        (datetime(2026, 11, 1, 9, 5, tzinfo=UTC), "2026-11-01 09:05:00+00:00"),
    ],
)  # fmt: skip
def test_everything_else_stays_what_it_is(value: object, cell: str) -> None:
    assert safe(value) == cell


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+1",
        "-1",
        "@a",
        "plain",
        "'x",
        "",
        "Dana;=1+1",
        'a; "=1',
        "＝HYPERLINK(1)",
        "=1;＋1;'x",
    ],
)
def test_a_cell_that_drafters_get_back_is_read_as_it_was(text: str) -> None:
    assert clean(safe(text)) == text


def test_a_file_opens_in_a_spreadsheet_as_it_is_meant() -> None:
    rows = ([number, f"café {number}, “x”\nz"] for number in range(450))
    answer = csv_response("list.csv", ["No.", "=What"], rows)
    data = b"".join(answer.streaming_content)
    assert data.startswith(b"\xef\xbb\xbfNo.,'=What\r\n0,")
    assert answer["Content-Disposition"] == 'attachment; filename="list.csv"'
    found = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row[0] for row in found[1:]] == [str(number) for number in range(450)]
    assert found[-1][1] == "café 449, “x”\nz"
