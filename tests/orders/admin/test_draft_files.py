"""Files on the draft page: opened into the box, noticed when they come again, and taken away."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mailops.history.models import Event
from orders.drafting.intake import MOST_BYTES
from orders.models import Client, Order, Upload
from tests.conftest import OrderFactory
from tests.orders.admin.test_draft import box, page, post
from tests.orders.pages import add_url, browser, typed, url
from vendors.models import Vendor

CSV = (
    b"Last name,E-mail,First name,Domain\r\n"
    b"Reyes,dana@acme.com,Dana,acme.com\r\n"
    b"Ito,sam@acme.com,Sam,acme.com\r\n"
)


def file(name: str = "people.csv", data: bytes = CSV) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def workbook(*rows: tuple[str, ...]) -> bytes:
    book, data = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize("name", ["people.csv", "people.xlsx"])
def test_a_file_goes_into_the_box_and_nothing_is_saved(factory: OrderFactory, name: str) -> None:
    rows = [tuple(line.split(",")) for line in CSV.decode().splitlines()]
    response = post(
        factory, open="1", file=file(name, CSV if name.endswith("csv") else workbook(*rows))
    )
    assert response.status_code == 200
    assert "2 rows" not in box(response)
    assert [row.address for row in response.context["preview"].reading.rows] == [
        "dana@acme.com",
        "sam@acme.com",
    ]
    assert f"{name} is in the box now: 3 rows. Nothing is saved yet." in response.content.decode()
    assert not Order.objects.exists()


def test_a_chosen_file_is_never_left_out_by_another_button(factory: OrderFactory) -> None:
    response = post(factory, save="1", file=file())
    assert response.status_code == 200
    assert "Last name" in box(response)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", ["dana@acme.com", "sam@acme.com"]),
        ("first.com, Lee Wong, lee", ["lee@first.com", "dana@acme.com", "sam@acme.com"]),
        ("Email;Name\nlee@first.com;Lee Wong", ["lee@first.com", "dana@acme.com", "sam@acme.com"]),
        ("Last name, E-mail, First name, Domain\nWong, lee, Lee, first.com",
         ["lee@first.com", "dana@acme.com", "sam@acme.com"]),
    ],
)  # fmt: skip
def test_a_files_rows_go_below_those_of_the_box(
    factory: OrderFactory, rows: str, expected: list[str]
) -> None:
    response = post(factory, open="1", where="below", rows=rows, file=file())
    assert [row.address for row in response.context["preview"].reading.rows] == expected
    assert response.context["preview"].bad_count == 0


def test_a_file_whose_columns_do_not_fit_below_is_not_mixed_in(factory: OrderFactory) -> None:
    rows = "first.com, Lee Wong, lee\nbroken"
    response = post(factory, open="1", where="below", rows=rows, file=file())
    assert "can&#x27;t just be put below" in response.content.decode()
    assert box(response) == rows


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.csv", b"", "This file is empty."),
        ("picture.png", b"\x89PNG\r\n\x1a\n", "picture.png"),
        ("large.csv", b"a,b\n" * (MOST_BYTES // 4 + 1), "is larger than"),
    ],
)
def test_a_file_that_is_no_table_says_so_and_leaves_the_box_alone(
    factory: OrderFactory, name: str, data: bytes, said: str
) -> None:
    response = post(factory, open="1", file=file(name, data))
    assert "The file was not taken." in response.content.decode()
    assert said in response.context["file"].trouble
    assert box(response) == typed()["rows"]
    assert not Upload.objects.exists()


def test_no_file_says_so(factory: OrderFactory) -> None:
    assert "No file was chosen." in post(factory, open="1").content.decode()


def test_the_same_file_again_is_noticed_with_the_order_it_went_into(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    opened = drafter.post(page(factory), typed() | {"open": "1", "file": file()})
    (upload,) = opened.context["uploads"]
    drafter.post(page(factory), typed(rows=box(opened), uploads=str(upload.pk), save="1"))
    order = Order.objects.get()
    (drafted,) = Event.objects.filter(action="order.drafted")
    assert drafted.changes["files"] == [None, [f"people.csv (SHA-256 {upload.sha256})"]]
    again = browser(factory.people.both).post(
        page(factory), typed() | {"open": "1", "file": file("renamed.csv")}
    )
    shown = again.content.decode()
    assert f"by drafter for order {order}. Do you want its rows a second time?" in shown
    assert f'href="{url(order)}"' in shown
    assert not [
        note for note in again.context["file"].notes if "renamed.csv was read" in note["text"]
    ]


def test_the_same_file_read_before_without_an_order_is_said_as_well(factory: OrderFactory) -> None:
    post(factory, open="1", file=file())
    assert "no order was saved with it" in post(factory, open="1", file=file()).content.decode()


def test_somebody_elses_upload_is_not_taken_for_ones_own(factory: OrderFactory) -> None:
    other = Upload.objects.note(name="theirs.csv", data=CSV, by=factory.people.both)
    post(factory, uploads=[str(other.pk), "x", "9" * 30], save="1")
    assert Upload.objects.get().order is None
    assert "files" not in Event.objects.get(action="order.drafted").changes


def test_the_sample_file_is_read_without_a_mistake(factory: OrderFactory) -> None:
    for vendor in Vendor.objects.all():
        for product in vendor.adapter.products:
            drafter = browser(factory.people.drafter)
            answer = drafter.get(f"{add_url(vendor, product)}&sample=1")
            assert answer["Content-Disposition"].startswith("attachment; filename=")
            client = Client.objects.get(name="Northwind").pk
            data = {
                "client": client,
                "version": 0,
                "open": "1",
                "file": file("sample.csv", answer.content),
            }
            preview = drafter.post(add_url(vendor, product), data).context["preview"]
            assert (preview.bad_count, preview.count) == (0, 3), product


def test_the_lines_to_change_can_be_taken_away_corrected_and_read_again(
    factory: OrderFactory,
) -> None:
    rows = "acme.com, Dana Reyes, dana\nbad reach.com, Sam Ito, sam"
    answer = post(factory, rows=rows, errors="1")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "can't be a domain" in answer.content.decode()
    corrected = answer.content.replace(b"bad reach", b"bad-reach")
    response = post(factory, rows="", open="1", file=file("corrected.csv", corrected))
    assert [row.address for row in response.context["preview"].reading.rows] == [
        "dana@acme.com",
        "sam@bad-reach.com",
    ]
    ours = [
        column.letter for column in response.context["preview"].reading.columns if column.is_ours
    ]
    assert ours
    assert "Added by our file" not in response.content.decode()
