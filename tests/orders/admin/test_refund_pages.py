"""The page of an order's money back, *Record it* of a finding, and the line on Today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from orders.models import Finding, Order, Refund
from orders.models.month_end_match import Kind
from tests.conftest import OrderFactory
from tests.orders.pages import browser, messages_of, url
from tests.orders.spending.counting import kinds_on, line, one_left_out
from vendors.models import Vendor


def filled(state: str, amount: str, **changed: Any) -> dict[str, Any]:
    day = timezone.localdate().isoformat()
    known = {"state": state, "amount": amount, "currency": "USD", "kind": "money", "on": day}
    return known | {"reference": "", "note": "Ticket 7."} | changed


def text(page: Any) -> str:
    return str(page.content.decode())


def test_money_back_is_asked_for_and_got_on_its_page(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    mine = browser(factory.people.confirmer)
    assert url(order, "refunds") in text(mine.get(url(order)))
    done = mine.post(url(order, "refunds"), filled("asked", "13"), follow=True)
    assert "$13.00 is asked for." in messages_of(done)
    asked = order.refunds.get()
    answer = f"{url(order, 'refunds')}?answers={asked.pk}&as=got"
    page = text(mine.get(answer))
    assert "About the $13.00 asked for" in page
    assert 'value="13.00"' in page
    mine.post(answer, filled("got", "13"))
    asked.refresh_from_db()
    assert (asked.state, asked.by_name) == ("got", "confirmer")
    assert "confirmer recorded that money came back, $13.00" in text(mine.get(url(order)))
    assert "Can still come back" in text(mine.get(url(order, "refunds")))


def test_what_is_wrong_stands_on_the_page_and_nothing_typed_is_lost(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    mine = browser(factory.people.confirmer)
    page = mine.post(url(order, "refunds"), filled("got", "99"))
    assert page.status_code == 400
    assert "at most $32.00 can still come back" in text(page)
    assert "Ticket 7." in text(page)
    ahead = (timezone.localdate() + timedelta(days=1)).isoformat()
    assert "not ahead" in text(mine.post(url(order, "refunds"), filled("got", "1", on=ahead)))
    assert not Refund.objects.exists()


def test_an_editor_reads_why_not(factory: OrderFactory) -> None:
    order = factory.sent("coldmailreseller", "domains", by=factory.people.both)
    mine = browser(factory.people.both)
    assert "You edited this order" in text(mine.get(url(order, "refunds")))
    assert mine.post(url(order, "refunds"), filled("got", "1")).status_code == 400
    assert not Refund.objects.exists()


def test_a_charge_and_its_refund_are_one_finding_and_none_once_it_is_recorded(
    factory: OrderFactory,
) -> None:
    order = factory.sent("woodpecker", "mailboxes")
    lines = [line(amount, order, number=n, currency="EUR") for n, amount in ((2, "12"), (3, "-12"))]
    lines = [type(one)(**vars(one) | {"text": "acme.com"}) for one in lines]
    assert kinds_on(factory, order, *lines) == [Kind.UNRECORDED]
    finding = Finding.objects.get()
    mine = browser(factory.people.confirmer)
    record = f"/orders/finding/{finding.pk}/record/"
    assert record in text(mine.get(f"/orders/match/{finding.match_id}/change/"))
    page = text(mine.get(record))
    assert "€12.00 came back" in page
    assert 'value="12.00"' in page
    done = mine.post(record, filled("denied", "12", currency="EUR"), follow=True)
    assert "€12.00 came back." in messages_of(done), "the statement shows that it came"
    finding.refresh_from_db()
    day = f"{timezone.localdate():%-d %b %Y}"
    assert (finding.state, finding.reason) == (
        "settled",
        f"Recorded as money back: €12.00, came on {day}.",
    )
    assert kinds_on(factory, order, *lines) == []
    assert Finding.objects.count() == 1
    again = mine.post(record, filled("got", "12", currency="EUR"), follow=True)
    assert "not open any more" in messages_of(again)
    assert Refund.objects.count() == 1


def test_money_back_for_no_order_belongs_to_the_account(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    lines = [line("32", order), line("-4", Order(reference="CN-9"), number=3)]
    assert kinds_on(factory, order, *lines) == [Kind.UNRECORDED]
    finding = Finding.objects.get()
    assert finding.order is None
    mine = browser(factory.people.operator)
    mine.post(f"/orders/finding/{finding.pk}/record/", filled("got", "4"))
    refund = Refund.objects.get()
    assert (refund.order, refund.vendor_id, refund.state) == (None, order.vendor_id, "got")
    assert kinds_on(factory, order, *lines) == []


def test_money_back_that_no_line_shows_is_a_finding(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    mine = browser(factory.people.confirmer)
    mine.post(url(order, "refunds"), filled("got", "13"))
    assert kinds_on(factory, order, line("32", order)) == [Kind.NOT_BACK]
    assert kinds_on(factory, order, line("32", order), line("-13", order, number=3)) == []


def test_today_asks_again_after_two_weeks(factory: OrderFactory) -> None:
    order = one_left_out(factory)
    day = (timezone.localdate() - timedelta(days=14)).isoformat()
    people = factory.people
    browser(people.confirmer).post(url(order, "refunds"), filled("asked", "13", on=day))
    for person in (people.confirmer, people.operator):
        page = text(browser(person).get("/"))
        assert 'Ask again for <span class="amount">$13.00</span>' in page
    for person in (people.drafter, people.auditor):
        assert "Ask again" not in text(browser(person).get("/"))
    Vendor.objects.update(two_person_rule=False)
    again = f"{url(order, 'refunds')}?answers={order.refunds.get().pk}&as=asked"
    browser(people.operator).post(again, filled("asked", "13"))
    assert "Ask again" not in text(browser(people.confirmer).get("/"))
