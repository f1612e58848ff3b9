"""The draft page: every way in ends as lines in the box, is shown before it is saved, and is saved
whole.
"""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailops.history.models import Event
from orders.drafting import drafts
from orders.drafting.intake import MOST_BYTES
from orders.models import Client, Mailbox, Order, Upload
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import add_url, browser, typed, url
from vendors.models import Vendor

CSV = (
    b"Last name,E-mail,First"
    b" name,Domain\r\nReyes,dana@acme.com,Dana,acme.com\r\nIto,sam@acme.com,Sam,acme.com\r\n"
)


def page(factory: OrderFactory) -> str:
    return add_url(factory.accounts["woodpecker"], "mailboxes")


def post(factory: OrderFactory, **changed: Any) -> Any:
    return browser(factory.people.drafter).post(page(factory), typed() | changed)


def box(response: Any) -> str:
    text: str = response.context["form"]["rows"].value()
    return text


def file(name: str = "people.csv", data: bytes = CSV) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def workbook(*rows: tuple[str, ...]) -> bytes:
    book, data = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(data)
    return data.getvalue()


# Reading before saving


def test_read_shows_every_line_and_the_columns_and_saves_nothing(factory: OrderFactory) -> None:
    rows = (
        "Domain\tFirst name\tLast"
        " name\tE-mail\tTeam\nacme.com\tDana\tReyes\tdana\tred\ncafé.com\tSam\tIto\tsam\tred"
    )
    response = post(factory, rows=rows, read="1")
    assert response.status_code == 200
    assert box(response) == rows
    shown = response.content.decode()
    assert "2 lines can be read" in shown
    assert "café.com (xn--caf-dma.com)" in shown
    columns = response.context["preview"].reading.columns
    assert [column.used for column in columns] == [True, True, True, True, False]
    assert not Order.objects.exists()


def test_read_tells_the_cost_and_what_stops_a_line_before_anything_is_saved(
    factory: OrderFactory,
) -> None:
    factory.confirmed(rows="acme.com, Dana Reyes, dana")
    response = post(factory, read="1")
    assert str(response.context["totals"]["due_now"]) == "€12.00"
    (stopped,) = [line for line in response.context["preview"].lines if line.stops]
    assert (stopped.number, stopped.stops[0].field) == (1, "address")
    assert Order.objects.count() == 1


def test_read_does_not_scold_for_what_is_not_filled_in_yet(factory: OrderFactory) -> None:
    response = post(factory, client="", read="1")
    assert response.status_code == 200
    assert not response.context["form"].errors
    assert "This field is required." in post(factory, client="", save="1").content.decode()


def test_an_empty_box_says_what_to_do(factory: OrderFactory) -> None:
    assert "The box is empty." in post(factory, rows="", read="1").content.decode()


def test_many_lines_come_fifty_at_a_time_and_those_to_change_first(factory: OrderFactory) -> None:
    lines = [f"acme{n}.com, Dana Reyes, dana" for n in range(200)]
    for n in (7, 120, 199):
        lines[n] = f"broken{n}"
    rows = "\n".join(lines)
    response = post(factory, rows=rows, save="1")
    assert response.status_code == 400
    assert [line.number for line in response.context["preview"].lines] == [8, 121, 200]
    everything = post(factory, rows=rows, show="all", shown="bad")
    assert [line.number for line in everything.context["preview"].lines] == list(range(1, 51))
    third = post(factory, rows=rows, page="3", shown="all")
    assert [line.number for line in third.context["preview"].lines] == list(range(101, 151))
    assert box(third) == rows


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "²"])
def test_a_garbled_page_of_lines_shows_some_page(factory: OrderFactory, number: str) -> None:
    response = post(factory, page=number)
    assert response.status_code == 200
    assert response.context["preview"].lines


def test_five_thousand_lines_make_a_light_page_with_few_questions(factory: OrderFactory) -> None:
    Vendor.objects.update(order_limit=None)
    rows = "\n".join(f"acme{n // 3}.com, Dana Reyes, dana{n}" for n in range(5000))
    drafter, data = browser(factory.people.drafter), typed(rows=rows, read="1")
    with CaptureQueriesContext(connection) as asked:
        response = drafter.post(page(factory), data)
    assert len(response.content) - len(rows) < 150_000
    with CaptureQueriesContext(connection) as asked_few:
        drafter.post(page(factory), typed(read="1"))
    assert len(asked) <= len(asked_few) + 4
    response = drafter.post(page(factory), typed(rows=rows, save="1"))
    assert response.status_code == 302
    assert Mailbox.objects.count() == 5000
    assert len(drafter.get(response["Location"]).content) - len(rows) < 150_000


# Mending in place


def test_a_line_mended_beside_its_reason_is_put_into_the_box(factory: OrderFactory) -> None:
    rows = "acme.com, Dana Reyes, dana\nbad reach.com, Sam Ito, sam\nlast.com, Lee Wong, lee"
    first = post(factory, rows=rows, read="1")
    (bad,) = [line for line in first.context["preview"].lines if line.bad]
    assert (bad.text, bad.can_mend) == ("bad reach.com, Sam Ito, sam", True)
    fixed = {"was-2": bad.text, "line-2": "bad-reach.com, Sam Ito, sam"}
    second = post(factory, rows=rows, read="1", **fixed)
    assert box(second) == rows.replace("bad reach", "bad-reach")
    assert second.context["preview"].bad_count == 0
    assert post(factory, rows=rows, save="1", **fixed).status_code == 302
    assert "bad-reach.com" in drafts.write(Order.objects.get())


def test_where_the_box_was_changed_too_the_box_wins(factory: OrderFactory) -> None:
    rows = "mended in the box.com, Sam Ito, sam"
    response = post(
        factory,
        rows=rows,
        read="1",
        **{"was-1": "bad reach.com, Sam Ito, sam", "line-1": "x.com, A B, a"},
    )
    assert box(response) == rows


def test_a_tab_in_front_of_a_mended_line_stays(factory: OrderFactory) -> None:
    rows = "Name\tDomain\tEmail\n\tacme\tdana"
    response = post(
        factory, rows=rows, read="1", **{"was-2": "\tacme\tdana", "line-2": "\tacme.com\tdana"}
    )
    assert box(response) == "Name\tDomain\tEmail\n\tacme.com\tdana"


@pytest.mark.parametrize("number", ["0", "99", "-1", "1e9", "²"])
def test_a_mended_line_that_is_not_there_changes_nothing(
    factory: OrderFactory, number: str
) -> None:
    response = post(
        factory, read="1", **{f"was-{number}": "acme.com, Dana Reyes, dana", f"line-{number}": "x"}
    )
    assert box(response) == typed()["rows"]


# Typing into rows


def test_typed_rows_become_lines_whatever_button_is_pressed(factory: OrderFactory) -> None:
    cells = {
        "new-0-domain": "new.com",
        "new-0-first name": "Ann",
        "new-0-last name": "Lee",
        "new-0-address": "ann",
    }
    response = post(factory, add="1", **cells)
    assert box(response) == typed()["rows"] + "\nnew.com, Ann Lee, ann"
    post(factory, save="1", **cells)
    assert Order.objects.get().mailboxes.filter(address="ann@new.com").exists()


def test_typed_rows_go_under_the_boxs_own_headings(factory: OrderFactory) -> None:
    cells = {
        "new-0-domain": "new.com",
        "new-0-first name": "Ann; Maria",
        "new-0-last name": "Lee",
        "new-0-address": "ann",
    }
    response = post(
        factory, add="1", rows="Last name;E-mail;Domain;First name\nIto;sam;acme.com;Sam", **cells
    )
    assert box(response).splitlines()[-1] == 'Lee;ann;new.com;"Ann; Maria"'
    assert [row.first_name for row in response.context["preview"].reading.rows] == [
        "Sam",
        "Ann; Maria",
    ]


def test_a_typed_first_name_of_two_words_stays_one(factory: OrderFactory) -> None:
    cells = {
        "new-3-domain": "new.com",
        "new-3-first name": "Anna Maria",
        "new-3-last name": "Lee",
        "new-3-address": "a",
    }
    (row,) = post(factory, add="1", rows="", **cells).context["preview"].reading.rows
    assert (row.first_name, row.last_name) == ("Anna Maria", "Lee")


# Files


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


# A second tab


def test_two_saves_stand_beside_each_other_and_the_next_click_replaces_knowingly(
    factory: OrderFactory,
) -> None:
    order = factory.draft()
    drafter = browser(factory.people.drafter)
    drafter.post(url(order, "edit"), typed(rows="first.com, Ann Lee, ann", version=1))
    mine = typed(rows="second.com, Bo Lee, bo", version=1, note="mine")
    response = drafter.post(url(order, "edit"), mine)
    clash = response.context["clash"]
    assert (clash["theirs"], clash["yours"]) == (
        ["first.com, Ann Lee, ann"],
        ["second.com, Bo Lee, bo"],
    )
    assert clash["details"] == ["note"]
    assert box(response) == mine["rows"]
    shown = response.content.decode()
    assert "Save mine over it" in shown
    version = response.context["form"]["version"].value()
    drafter.post(url(order, "edit"), mine | {"version": version})
    assert drafts.write(fresh(order)) == "second.com, Bo Lee, bo"
    edits = Event.objects.filter(action="order.edited").order_by("number")
    assert [event.changes.get("removed") for event in edits][-1] == [
        ["first.com, Ann Lee, ann"],
        None,
    ]


def test_a_third_save_in_between_is_no_more_overwritten_than_the_second(
    factory: OrderFactory,
) -> None:
    order = factory.draft()
    drafter = browser(factory.people.drafter)
    drafter.post(url(order, "edit"), typed(rows="first.com, Ann Lee, ann", version=1))
    mine = typed(rows="second.com, Bo Lee, bo", version=1)
    version = drafter.post(url(order, "edit"), mine).context["form"]["version"].value()
    drafter.post(url(order, "edit"), typed(rows="third.com, Cy Lee, cy", version=2))
    assert drafter.post(url(order, "edit"), mine | {"version": version}).status_code == 400
    assert drafts.write(fresh(order)) == "third.com, Cy Lee, cy"


# What needs a change is easy to find


def test_the_summary_names_each_field_and_line_and_leads_there(factory: OrderFactory) -> None:
    response = post(factory, client="", rows="broken", save="1")
    shown = response.content.decode()
    assert '<a href="#id_client">Client</a>: This field is required.' in shown
    assert '<a href="#line-1">Line 1</a>' in shown
    assert 'id="line-1"' in shown
    assert shown.count("autofocus") == 1
