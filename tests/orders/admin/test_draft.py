"""The draft page: typed and mended lines are shown before they are saved, and are saved whole."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailops.history.models import Event
from orders.drafting import drafts
from orders.models import Mailbox, Order
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import add_url, browser, typed, url
from vendors.models import Vendor


def page(factory: OrderFactory) -> str:
    return add_url(factory.accounts["woodpecker"], "mailboxes")


def post(factory: OrderFactory, **changed: Any) -> Any:
    return browser(factory.people.drafter).post(page(factory), typed() | changed)


def box(response: Any) -> str:
    text: str = response.context["form"]["rows"].value()
    return text


# Reading before saving


def test_read_shows_every_line_and_the_columns_and_saves_nothing(factory: OrderFactory) -> None:
    rows = (
        "Domain\tFirst name\tLast name\tE-mail\tTeam\n"
        "acme.com\tDana\tReyes\tdana\tred\n"
        "café.com\tSam\tIto\tsam\tred"
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
    # five thousand mailboxes cost more than the usual limit allows
    Vendor.objects.update(order_limit=None)
    rows = "\n".join(f"acme{n // 3}.com, Dana Reyes, dana{n}" for n in range(5000))
    drafter, data = browser(factory.people.drafter), typed(rows=rows, read="1")
    with CaptureQueriesContext(connection) as asked:
        response = drafter.post(page(factory), data)
    assert len(response.content) - len(rows) < 150_000
    # the same page with a few lines: what the page itself asks, whatever the number of lines
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
