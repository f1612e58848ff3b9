"""Month-end matches against the practice vendors, and the pages on which findings end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from mailops.core.money import Totals
from mailops.history.models import Event
from orders.audit import month_end
from orders.models import Finding, Match, NotAllowed, Order
from orders.models.inventory import Asset
from orders.models.month_end_match import FindingState, Kind
from orders.outcomes.delivery import ask
from tests.conftest import PRODUCTS, OrderFactory, fresh
from tests.orders.outcomes.creating import created_order, record_processed

pytestmark = pytest.mark.django_db


def today(order: Order) -> dict[str, str]:
    day = timezone.localdate().isoformat()
    return {"begins_on": day, "ends_on": day, "currency": next(iter(order.due_now))}


def due(order: Order) -> str:
    return str(next(iter(order.due_now.values())))


def statement(factory: OrderFactory, browser: Browser, text: str, order: Order) -> Any:
    file = SimpleUploadedFile("october.csv", text.encode())
    return browser.post(
        reverse("admin:orders_match_add"),
        {"vendor": order.vendor_id, "file": file, **today(order)},
        follow=True,
    )


@pytest.fixture
def browser(factory: OrderFactory) -> Browser:
    found = Browser()
    found.force_login(factory.people.operator)
    return found


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_what_was_bought_is_in_each_vendors_own_list(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.sent(api, product)
    ask(order.pk)
    match = month_end.begin_with_list(order.vendor_id, by=factory.people.operator)
    assert (match.compared, match.agreed) == (1, 1), [f.says for f in Finding.objects.all()]
    assert match.lines
    assert not Finding.objects.exists()


def test_a_domain_bought_behind_our_back_is_found_taken_over_and_settled_for_good(
    factory: OrderFactory, unguarded: None
) -> None:
    order = factory.sent("smartsenders", "domains")
    order.mailboxes.all().delete()
    order.domains.all().delete()
    match = month_end.begin_with_list(order.vendor_id, by=factory.people.operator)
    finding = Finding.objects.get()
    assert (finding.kind, finding.state, finding.owner) == (Kind.NOT_OURS, "open", None)
    month_end.take([finding.pk], by=factory.people.operator, owner=factory.people.confirmer)
    assert (
        month_end.settle([finding.pk], by=factory.people.confirmer, reason="Bought in June.") == 1
    )
    assert month_end.settle([finding.pk], by=factory.people.operator, reason="Again.") == 0
    again = month_end.begin_with_list(order.vendor_id, by=factory.people.operator)
    finding.refresh_from_db()
    assert (finding.state, finding.owner_name, finding.reason) == (
        "settled",
        "confirmer",
        "Bought in June.",
    )
    assert (finding.match_id, again.pk > match.pk) == (again.pk, True)
    actions = Event.objects.filter(action__startswith="finding.").values_list("action", "who")
    assert sorted(actions) == [("finding.settled", "confirmer"), ("finding.taken", "operator")]


def test_a_finding_that_a_later_look_no_longer_shows_is_gone_and_comes_back_if_it_does(
    factory: OrderFactory, unguarded: None
) -> None:
    order = factory.sent("woodpecker")
    ask(order.pk)
    before = order.mailboxes.first()
    assert before
    extra = type(before)(
        order=order, domain=before.domain, username="more", address="more@acme.com", row=9
    )
    extra.state = Asset.READY
    extra.save()
    for state in (FindingState.OPEN, FindingState.GONE, FindingState.OPEN):
        order.mailboxes.filter(pk=extra.pk).update(
            state=Asset.GONE if state == FindingState.GONE else Asset.READY
        )
        month_end.begin_with_list(order.vendor_id, by=factory.people.operator)
        assert [(f.kind, f.state) for f in Finding.objects.all()] == [(Kind.COUNT, state)]


def test_a_vendor_that_cannot_be_read_leaves_nothing_behind(
    factory: OrderFactory, practice: Any
) -> None:
    order = factory.sent("woodpecker")
    practice.stop()
    with pytest.raises(NotAllowed, match="could not be read, so nothing was compared"):
        month_end.begin_with_list(order.vendor_id, by=factory.people.operator)
    assert not Match.objects.exists()


def test_a_statement_is_matched_and_the_same_file_is_noticed(
    factory: OrderFactory, browser: Browser
) -> None:
    order = factory.sent("woodpecker")
    text = f"description,amount\nacme.com,{due(order)}\nother.com,5.00\n"
    page = statement(factory, browser, text, order)
    assert page.status_code == 200
    assert [f.kind for f in Finding.objects.all()] == [Kind.NO_ORDER]
    assert "1 of 1 agreed" in page.content.decode()
    assert "was matched before" in statement(factory, browser, text, order).content.decode()
    assert Finding.objects.count() == 1


def test_two_lines_alike_are_two_findings(factory: OrderFactory, browser: Browser) -> None:
    order = factory.sent("woodpecker")
    statement(factory, browser, f"description,amount\nacme.com,{due(order)}\nx,5\nx,5\n", order)
    assert Finding.objects.filter(kind=Kind.NO_ORDER).count() == 2


def test_a_charge_for_an_unknown_outcome_is_said(factory: OrderFactory, browser: Browser) -> None:
    order = factory.sent(word="cut-after")
    assert fresh(order).state == "unknown"
    page = statement(factory, browser, "description,amount\ncut-after.com,9\n", order)
    assert "So it was placed" in page.content.decode()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("x,y\n1,2\n", "can&#x27;t be told apart"),
        ("reference,amount\na,b\n", "Line 2"),
        ("\n", "empty"),
    ],
)
def test_a_bad_statement_is_said_at_its_field_and_nothing_is_kept(
    factory: OrderFactory, browser: Browser, file: str, words: str
) -> None:
    order = factory.sent()
    page = statement(factory, browser, file, order)
    assert page.status_code == 400
    assert words in page.content.decode()
    assert not Match.objects.exists()


def test_findings_are_settled_on_the_page_with_a_reason_that_is_asked_for(
    factory: OrderFactory, browser: Browser
) -> None:
    order = factory.sent()
    statement(factory, browser, "description,amount\nother.com,5.00\n", order)
    match = Match.objects.get()
    numbers = list(match.findings.values_list("pk", flat=True))
    url = reverse("admin:orders_match_settle", args=[match.pk])
    assert browser.post(url, {"finding": numbers}).status_code == 400
    assert browser.post(url, {"reason": "Seen."}).status_code == 400
    assert (
        browser.post(url, {"finding": [*numbers, "999999", "x"], "reason": "Seen."}).status_code
        == 302
    )
    assert set(match.findings.values_list("state", flat=True)) == {"settled"}
    take = reverse("admin:orders_match_take", args=[match.pk])
    assert browser.post(take, {"finding": numbers, "owner": "auditor"}).status_code == 302
    assert not match.findings.exclude(owner=None).exists()


def test_a_list_page_and_a_match_page_ask_as_many_questions_for_many_findings_as_for_few(
    factory: OrderFactory, browser: Browser, django_assert_max_num_queries: Any
) -> None:
    order = factory.sent()
    lines = "".join(f"other{number}.com,5.00\n" for number in range(60))
    statement(factory, browser, f"description,amount\n{lines}", order)
    with django_assert_max_num_queries(25):
        browser.get(reverse("admin:orders_match_change", args=[Match.objects.get().pk]))
    with django_assert_max_num_queries(25):
        browser.get(reverse("admin:orders_finding_changelist"))


def test_the_match_says_nothing_of_a_created_order_until_there_is_a_charge_and_nothing_once_recorded(
    factory: OrderFactory, browser: Browser
) -> None:
    order = created_order(factory)
    other = factory.sent("coldmailreseller", "domains", word="other")
    head = "Reference,Amount,Currency\n"
    line = f"{other.reference},19.00,USD\n"
    statement(factory, browser, f"{head}{line}", other)
    assert not Finding.objects.exists()
    charged = f"{head}{line}{order.reference},21.00,USD\n"
    statement(factory, browser, charged, other)
    finding = Finding.objects.get()
    assert (finding.kind, finding.order) == (Kind.CREATED, order)
    assert "It was processed: record it on the order's page." in finding.says
    paid = Totals({"USD": Decimal("21.00")})
    record_processed(factory, order, paid=paid, why_other="The price rose.")
    statement(factory, browser, f"{charged}\n", other)
    assert Finding.objects.get().state == FindingState.GONE
