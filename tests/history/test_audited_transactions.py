"""Changes that MailOps makes itself leave no trace; the mark covers only their transaction."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction

from mailops.history import audited, record, untracked_changes
from mailops.history.models import Event, Telling, Trace
from mailops.history.shell import as_person
from mailops.history.verify import verify
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from orders import submission
from orders.models import Client, NeverBuy
from orders.outcomes import settlement, sweeper
from orders.plan import plan
from tests.conftest import OrderFactory, fresh
from tests.history.raw_changes import browser, rename, sql
from vendors.models import Price


def test_bulk_changes_of_the_orm_leave_traces(people: Any) -> None:
    User.objects.update(last_name="Everybody")
    NeverBuy.objects.bulk_create([NeverBuy(pattern="a-b"), NeverBuy(pattern="b-c")])
    assert Trace.objects.filter(table_name="auth_user").count() == User.objects.count()
    assert Trace.objects.filter(table_name="orders_neverbuy", what="insert").count() == 2


def test_the_mark_covers_its_own_transaction_only(people: Any) -> None:
    with audited():
        rename("told")
        with audited():
            rename("told twice")
        rename("told again")
    assert not Trace.objects.exists()
    rename("not told")
    assert Trace.objects.count() == 1
    assert not Telling.objects.exists()


def test_the_mark_goes_with_a_rollback(people: Any) -> None:
    with pytest.raises(RuntimeError), audited():
        rename("rolled back")
        raise RuntimeError
    rename("not told")
    assert Trace.objects.get().after == {"first_name": "not told"}


def test_the_mark_goes_with_a_commit(committed: None, people: Any) -> None:
    with audited():
        rename("told")
    rename("not told")
    assert Trace.objects.get().after == {"first_name": "not told"}
    assert not Telling.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite's mark is a row")
def test_the_mark_of_another_transaction_does_not_count(people: Any) -> None:
    sql("SET mailops.telling = '17'")
    rename("not told")
    assert Trace.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL's mark is a setting")
def test_a_mark_that_somebody_left_is_reported_and_taken_away(people: Any) -> None:
    sql("INSERT INTO history_telling (id) VALUES (1)")
    assert untracked_changes.lately().marked
    with audited():
        rename("told")
    assert not untracked_changes.lately().marked


def test_events_of_a_rolled_back_part_leave_no_gap(people: Any) -> None:
    with audited():
        record("test.one", people.drafter)
        with pytest.raises(RuntimeError), transaction.atomic():
            record("test.lost", people.drafter)
            raise RuntimeError
        record("test.two", people.drafter)
        with transaction.atomic():
            record("test.three", people.drafter)
        record("test.four", people.drafter)
    assert list(Event.objects.order_by("number").values_list("number", "action")) == [
        (1, "test.one"), (2, "test.two"), (3, "test.three"), (4, "test.four"),
    ]  # fmt: skip
    assert verify().is_unbroken


def test_in_the_shell_a_person_says_why(people: Any) -> None:
    with as_person("operator", reason="The client asked for it"):
        Client.objects.bulk_create([Client(name="New client")])
        sql("UPDATE auth_user SET first_name = 'Dana' WHERE username = 'drafter'")
        with audited():
            record("test.told", people.drafter)
            rename("told otherwise")
    added = Event.objects.get(subject_type="orders.client")
    changed = Event.objects.get(action="shell.changed", subject_type="auth.user")
    told = Event.objects.get(action="test.told")
    assert {event.who for event in (added, told, changed)} == {"operator"}
    assert (added.reason, added.subject) == ("The client asked for it", "New client")
    assert changed.changes == {"first_name": ["", "Dana"]}
    assert untracked_changes.tell() == 0


def test_in_the_shell_nothing_happens_without_a_reason(people: Any) -> None:
    with pytest.raises(ValueError, match="Say why"), as_person("operator", reason=" "):
        rename("unsaid")
    assert User.objects.get(username="drafter").first_name == ""


def test_an_orders_way_leaves_no_trace(factory: OrderFactory) -> None:
    order = factory.draft()
    drafter, confirmer = browser(factory.people.drafter), browser(factory.people.confirmer)
    assert drafter.post(f"/orders/order/{order.pk}/send/", {"note": "Please"}).status_code == 302
    at = f"/orders/order/{order.pk}"
    assert confirmer.post(f"{at}/send-back/", {"reason": "Too many"}).status_code == 302
    assert drafter.post(f"{at}/send/", {"note": "Fewer"}).status_code == 302
    submission.confirm(order.pk, by=factory.people.confirmer, digest=plan(fresh(order)).digest)
    assert submission.submit(order.pk) == "accepted"
    seen = {"which": "all", "reason": "Looked there"}
    assert confirmer.post(f"{at}/arrived/", seen).status_code == 302
    assert drafter.post(f"{at}/copy/").status_code == 302
    sweeper.run()
    assert fresh(order).state == "delivered"
    assert list(Trace.objects.values()) == []


def test_a_verdict_leaves_no_trace(factory: OrderFactory) -> None:
    order = factory.sent(word="cut-after-acme")
    assert order.state == "unknown"
    factory.settle(order, settlement.NOT_PLACED)
    assert fresh(order).state == "review"
    assert list(Trace.objects.values()) == []


def test_the_stock_pages_leave_no_trace(factory: OrderFactory) -> None:
    boss, vendor = browser(factory.people.boss), factory.accounts["coldmailreseller"]
    price = {
        "vendor": vendor.pk,
        "item": "domain.org",
        "amount": "9.00",
        "currency": "USD",
        "unit": "year",
    }
    assert boss.post("/vendors/price/add/", price).status_code == 302
    added = Price.objects.get(item="domain.org")
    assert (
        boss.post(f"/vendors/price/{added.pk}/change/", price | {"amount": "10.00"}).status_code
        == 302
    )
    assert boss.post(f"/vendors/price/{added.pk}/delete/", {"post": "yes"}).status_code == 302
    assert (
        boss.post(f"/vendors/vendor/{vendor.pk}/stop/", {"reason": "Card expired"}).status_code
        == 302
    )
    assert boss.post(f"/vendors/vendor/{vendor.pk}/resume/").status_code == 302
    assert (
        boss.post("/vendors/vendor/hold_all/", {"reason": "Prices look wrong"}).status_code == 302
    )
    assert boss.post("/vendors/vendor/release_all/").status_code == 302
    person = {
        "username": "drafter",
        "groups": [Group.objects.get(name="Confirmer").pk],
        "is_active": "on",
        "why": "Now.",
    }
    assert boss.post(f"/auth/user/{factory.people.drafter.pk}/change/", person).status_code == 302
    assert (
        boss.post(f"/auth/user/{factory.people.both.pk}/delete/", {"post": "yes"}).status_code
        == 302
    )
    workflow.approve(Proposal.objects.get().pk, by=User.objects.create_superuser("second"))
    assert set(Trace.objects.values_list("table_name", "what")) == {
        ("auth_user", "insert")
    }  # the second superuser
    first, then = Event.objects.filter(action="user.changed").order_by("number")
    assert first.changes == {"groups": [["Drafter"], []], "is_staff": [True, False]}
    assert then.changes["groups"] == [[], ["Confirmer"]]
