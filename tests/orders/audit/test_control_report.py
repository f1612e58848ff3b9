"""The control report: each section finds what it is about, and says so where there is nothing."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from mailops.auth import roles
from mailops.history import acting, record
from mailops.history.models import Event
from orders.audit import control_report, report_lines, role_periods
from orders.audit.control_report import Section
from orders.audit.report_lines import Period
from orders.drafting import drafts
from orders.models import Order
from orders.outcomes import refund_records, settlement
from orders.outcomes.refund_records import Said
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser
from tests.orders.spending.counting import one_left_out
from vendors.models import Price

PAGE = "/orders/order/control/"


def report(*, days: int = 0) -> dict[str, Section]:
    today = timezone.localdate() + timedelta(days=days)
    return {
        section.key: section for section in control_report.sections(Period(first=today, last=today))
    }


def said(section: Section) -> list[str]:
    return [line.what for line in section.lines]


def told(action: str, subject: Any, **kwargs: Any) -> None:
    with transaction.atomic():
        record(action, subject, **kwargs)


def test_a_quiet_period_says_none_everywhere(factory: OrderFactory) -> None:
    answer = (
        browser(factory.people.auditor)
        .get(PAGE, {"first": "2020-01-01", "last": "2020-01-31"})
        .content.decode()
    )
    sections = len(control_report.SECTIONS)
    assert (
        answer.count("None in this period.") == sections - 1
    )  # who holds which role is never nothing
    assert "Drafter, all the time." in answer


def test_what_other_parts_record_is_found_by_its_action(factory: OrderFactory) -> None:
    order, boss = factory.draft(), factory.people.boss
    actions = {
        "self": "order.self_confirmation_refused", "switch": "sending.held", "chain": "history.verified",
        "outside": "outside.changed", "doors": "user.locked_out", "proposals": "proposal.approved",
        "left": "list.exported", "roles": "delegation.made",
    }  # fmt: skip
    for key, action in actions.items():
        told(
            action,
            order if key == "self" else boss,
            by=factory.people.both,
            reason=f"because of {key}",
        )
    found = report()
    for key in actions:
        assert f"because of {key}" in said(found[key])[-1], key
        assert found[key].lines[-1].who == "both"
    assert found["self"].lines[0].order == order.pk
    assert not any(section.lines for key, section in report(days=-1).items() if key != "roles")


def test_limits_rules_and_keys(factory: OrderFactory) -> None:
    vendor = factory.accounts["woodpecker"]
    told("vendor.changed", vendor, changes={"day_limit": ["100.00", "900.00"], "name": ["a", "b"]})
    told("vendor.changed", vendor, changes={"name": ["b", "a"]})
    told(
        "group.changed",
        Group.objects.get(name=roles.DRAFTER),
        changes={"permissions": [["a"], ["a", "b"]]},
    )
    told(
        "vendor.changed",
        vendor,
        changes={"two_person_rule": [True, False], "api_key": ["", "changed, not shown"]},
    )
    assert said(report()["rules"]) == [
        "Changed. day limit: 100.00 became 900.00.",
        "Changed. permissions: a became a, b.",
        "Changed. two person rule: yes became no; api key: changed, not shown.",
    ]


def test_exceptions_that_somebody_made_use_of(factory: OrderFactory, unguarded: None) -> None:
    vendor = factory.accounts["woodpecker"]
    vendor.two_person_rule = False
    vendor.save()
    order = factory.reviewed(word="cut-after", by=factory.people.both)
    Order.objects.filter(pk=order.pk).update(why_again="They want twice as many.")
    factory.confirm(fresh(order), by=factory.people.both)
    found = said(report()["overrides"])
    assert found[0].startswith("Confirmed. Nobody else has to confirm this")
    assert (
        found[1]
        == "Ordered again although it looks like an earlier order: They want twice as many."
    )


def test_verdicts_and_how_long_nobody_knew(factory: OrderFactory) -> None:
    first, second = factory.sent(word="cut-after"), factory.sent(word="timeout-after")
    Order.objects.filter(pk=second.pk).update(state_since=timezone.now() - timedelta(days=3))
    factory.settle(first, settlement.NOT_PLACED, reason="Not in their list.")
    factory.settle(first, settlement.PLACED, reason="It came later.")
    found = report()
    assert [line.what.partition(":")[0] for line in found["overrides"].lines] == [
        "Verdict on an unknown outcome", "Verdict revised",
    ]  # fmt: skip
    unknown = found["unknown"]
    assert unknown.lines[0].what.startswith("Still open, for 3\xa0days.")
    assert unknown.lines[0].order == second.pk
    assert unknown.lines[1].what.startswith("Ended after 0\xa0minutes. Settled as not placed")
    assert unknown.lines[1].who == "confirmer"


def test_an_edit_after_a_confirmation(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after")
    factory.settle(order, settlement.NOT_PLACED)
    fresh(order).send_back(by=factory.people.confirmer, reason="Change it.")
    order = fresh(order)
    draft = factory.contents(
        order.vendor, order.product, rows="other.com, Dana Reyes, dana", options=order.options
    )
    drafts.save(order.pk, draft, by=factory.people.drafter, version=order.version)
    never = factory.draft(word="never")
    drafts.save(never.pk, draft, by=factory.people.drafter, version=never.version)
    assert [line.order for line in report()["edits"].lines] == [order.pk]


def test_prices(factory: OrderFactory) -> None:
    operator = browser(factory.people.operator)
    price = Price.objects.filter(vendor=factory.accounts["coldmailreseller"], item="mailbox").get()
    typed = {
        "vendor": price.vendor_id,
        "item": "mailbox",
        "label": "Mailbox",
        "amount": "9.99",
        "currency": "USD",
    }
    assert (
        operator.post(f"/vendors/price/{price.pk}/change/", typed | {"unit": "month"}).status_code
        == 302
    )
    assert "9.99" in said(report()["prices"])[-1]
    assert report()["prices"].lines[-1].who == "operator"


def test_who_held_which_role_when(factory: OrderFactory) -> None:
    """From today's roles and the changes: what was held before is worked out backwards."""
    boss, now = factory.people.boss, timezone.localtime()
    user = factory.people.drafter
    user.groups.set(Group.objects.filter(name__in=[roles.CONFIRMER]))
    with acting(user=boss):
        told(
            "user.changed",
            user,
            changes={"groups": [[roles.DRAFTER], [roles.DRAFTER, roles.CONFIRMER]]},
        )
        told(
            "user.changed",
            user,
            changes={"groups": [[roles.DRAFTER, roles.CONFIRMER], [roles.CONFIRMER]]},
        )
        told("user.changed", user, changes={"is_superuser": [False, True]})
        told("user.changed", user, changes={"is_superuser": [True, False]})
        told("user.changed", user, changes={"email": ["", "x@example.com"]})
    found = [line for line in report()["roles"].lines if line.who == "drafter"]
    assert [line.what.partition(",")[0] for line in found] == ["Drafter", "Superuser", "Confirmer"]
    assert found[0].what.startswith(f"Drafter, already before until {now.day} ")
    assert found[2].what.endswith("to the end of the period.")
    gone = User.objects.create_user("gone")
    told("user.changed", gone, changes={"groups": [[roles.OPERATOR], []]})
    gone.delete()
    others = [line for line in report()["roles"].lines if line.who == "gone (deleted)"]
    assert [line.about for line in others] == [roles.OPERATOR]


def test_the_page_links_each_line_to_its_record_and_is_written_down(factory: OrderFactory) -> None:
    order, today = factory.sent(word="cut-after"), timezone.localdate()
    factory.settle(order, settlement.PLACED, reason="<b>there</b>")
    auditor = browser(factory.people.auditor)
    record_of_it = Event.objects.get(action="order.settled_as_placed")
    shown = auditor.get(PAGE, {"first": today, "last": today}).content.decode()
    assert f'<a href="/history/event/{record_of_it.number}/change/">' in shown
    assert f'<a href="/orders/order/{order.pk}/change/">{order}</a>' in shown
    assert "&lt;b&gt;there" in shown
    event = Event.objects.latest("number")
    assert (event.action, event.who) == ("report.shown", "auditor")
    assert event.changes["form"] == [None, "page"]
    answer = auditor.get(PAGE, {"first": today, "last": today, "as": "csv"})
    rows = list(
        csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"), newline=""))
    )
    assert {row[0] for row in rows[1:]} == {title for _, title, *_ in control_report.SECTIONS}
    assert Event.objects.latest("number").changes["form"] == [None, "CSV"]


def test_what_is_left_out_is_said(factory: OrderFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_report, "MOST_LINES", 1)
    monkeypatch.setattr(report_lines, "MOST_READ", 2)
    monkeypatch.setattr(role_periods, "MOST_CHANGES", 0)
    auditor, today = browser(factory.people.auditor), timezone.localdate()
    for _ in range(3):
        told("sending.held", factory.people.boss, reason="Because.")
        told("attempt.prices_moved", factory.people.boss)
    told("user.changed", factory.people.boss, changes={"groups": [[], [roles.DRAFTER]]})
    says = (
        "And at least 1 more. Of these records only the first 2 are counted; there are more. Choose"
        " a shorter period"
    )
    found = report()
    assert found["switch"].left_out.startswith(says)
    assert "Of orders whose prices moved only the first 2" in found["overrides"].left_out
    assert "changes of roles since then only the first 0 were read" in found["roles"].left_out
    assert found["self"].left_out == ""
    shown = " ".join(auditor.get(PAGE, {"first": today, "last": today}).content.decode().split())
    assert f'<p class="note wait">{says}' in shown
    assert '<td class="num">at least 2</td>' in shown
    answer = auditor.get(PAGE, {"first": today, "last": today, "as": "csv"})
    assert says in b"".join(answer.streaming_content).decode()


def test_looking_at_the_form_or_asking_for_the_head_writes_nothing(factory: OrderFactory) -> None:
    auditor, today = browser(factory.people.auditor), timezone.localdate()
    before = Event.objects.count()
    auditor.get(PAGE)
    auditor.head(PAGE, {"first": today, "last": today})
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"first": "", "last": ""}, "Choose a day."),
        ({"first": "2026-01-02", "last": "2026-01-01"}, "This is before the first day."),
        ({"first": "2020-01-01", "last": "2026-01-01"}, "A report takes at most 366 days."),
    ],
)
def test_a_period_that_can_not_be_is_said(
    factory: OrderFactory, typed: dict[str, str], says: str
) -> None:
    answer = browser(factory.people.auditor).get(PAGE, typed)
    assert answer.status_code == 400
    assert says in answer.content.decode()


def test_the_report_asks_the_same_number_of_questions_however_long_it_is(
    factory: OrderFactory, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        order = factory.sent(word=f"cut-after{number}" if number else "cut-after")
        told("vendor.changed", order.vendor, changes={"day_limit": [None, str(number)]})
    with django_assert_max_num_queries(27):
        report()


def test_money_back_that_is_still_open_stands_there_whatever_the_period(
    factory: OrderFactory,
) -> None:
    order = one_left_out(factory)
    on = timezone.localdate()
    for state, amount in (("asked", 13), ("got", 5)):
        said_of = Said(state=state, amount=Decimal(amount), currency="USD", on=on, note="Ticket 7.")
        refund_records.say(order.pk, said_of, by=factory.people.confirmer)
    lines = said(report()["back"])
    still = f"Still open: $13.00 was asked for on {on:%-d %b %Y}. Ticket 7."
    assert lines[0] == still
    assert [line.partition(".")[0] for line in lines[1:]] == ["Asked", "Got"]
    assert "money back: $5.00" in lines[2]
    assert said(report(days=9)["back"]) == [still]
