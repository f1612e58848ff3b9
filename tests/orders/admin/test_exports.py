"""Lists as CSV: the rows of all pages of the list, and an event for each download."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from mailops.history import csv_export
from mailops.history.models import Event
from orders.models import Order
from tests.conftest import OrderFactory
from tests.orders.pages import browser, messages_of

LISTS = [
    "orders/order",
    "orders/domain",
    "orders/mailbox",
    "orders/client",
    "history/event",
    "vendors/priceversion",
]


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("model", LISTS)
def test_every_list_is_exported_and_that_is_written_down(factory: OrderFactory, model: str) -> None:
    factory.sent(word="accepted")
    factory.draft("smartsenders", "domains", word="more")
    auditor = browser(factory.people.auditor)
    page = auditor.get(f"/{model}/")
    assert f'action="/{model}/export/"' in page.content.decode()
    found = rows(auditor.post(f"/{model}/export/"))
    event = Event.objects.latest("number")
    assert (event.action, event.who, event.subject_type) == (
        "list.exported",
        "auditor",
        model.replace("/", "."),
    )
    assert event.changes == {"filter": [None, "none"], "rows": [None, len(found)]}
    assert len(found) == page.context["cl"].result_count


def test_filters_and_search_are_kept(factory: OrderFactory) -> None:
    order = factory.draft(word="one")
    factory.reviewed(word="two")
    auditor = browser(factory.people.auditor)
    page = auditor.get("/orders/order/?tab=drafts&q=one")
    assert 'action="/orders/order/export/?tab=drafts&amp;q=one"' in page.content.decode()
    found = rows(auditor.post("/orders/order/export/?tab=drafts&q=one"))
    assert [row["Order"] for row in found] == [str(order)]
    assert Event.objects.latest("number").changes["filter"] == [None, "tab=drafts&q=one"]


def test_amounts_are_numbers_and_texts_do_not_run(factory: OrderFactory) -> None:
    order = factory.reviewed()
    Order.objects.filter(pk=order.pk).update(
        reference="=HYPERLINK(1)", cost={"due_now": {"EUR": "12.00"}}
    )
    row = rows(browser(factory.people.operator).post("/orders/order/export/"))[0]
    assert (row["Due now"], row["Currency"], row["Mailboxes"]) == ("12.00", "EUR", "2")
    assert row["Vendor's reference"] == "'=HYPERLINK(1)"
    both = {"due_now": {"EUR": "12.00", "USD": "3.00"}}
    Order.objects.filter(pk=order.pk).update(cost=both)
    row = rows(browser(factory.people.operator).post("/orders/order/export/"))[0]
    assert (row["Due now"], row["Currency"]) == ("€12.00 + $3.00", "EUR, USD")


def test_too_many_rows_are_said_and_nothing_is_written_down(
    factory: OrderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.draft(word="one")
    factory.draft(word="two")
    monkeypatch.setattr(csv_export, "MOST_ROWS", 1)
    answer = browser(factory.people.confirmer).post("/orders/order/export/?tab=drafts", follow=True)
    assert answer.redirect_chain == [("/orders/order/?tab=drafts", 302)]
    assert "These are 2 rows, and one file takes 1. Narrow the list" in messages_of(answer)
    assert not Event.objects.filter(action="list.exported").exists()


def test_a_drafter_gets_no_button_and_no_file(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    assert "/export/" not in drafter.get("/orders/order/").content.decode()
    assert drafter.post("/orders/order/export/").status_code == 403


def test_the_cost_of_an_export_does_not_grow_with_its_rows(
    factory: OrderFactory, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        factory.draft(word=f"n{number}")
    auditor = browser(factory.people.auditor)
    for model in LISTS:
        with django_assert_max_num_queries(20):
            assert len(rows(auditor.post(f"/{model}/export/"))) >= 2
