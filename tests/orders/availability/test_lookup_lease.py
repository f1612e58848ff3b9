"""Lookups of names and questions about orders share an account: one of them is under way."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ

from orders import tasks
from orders.availability import lookup
from orders.models import Asking
from orders.outcomes import delivery
from tests.conftest import OrderFactory
from tests.orders.availability.test_lookup import ask, draft, many
from vendors import account_reads


def queued() -> list[tuple[str, int]]:
    rows = OrmQ.objects.filter(key="questions").order_by("pk")
    found = [(row.task["func"], row.task["args"][0]) for row in rows]
    OrmQ.objects.all().delete()
    return found


def test_names_are_looked_up_in_the_queue_for_questions(factory: OrderFactory) -> None:
    made = ask(factory, draft(factory, *many(40)))
    assert queued() == [(lookup.ASK, made.pk)]


def test_a_lookup_waits_while_the_account_is_asked(factory: OrderFactory) -> None:
    made = ask(factory, draft(factory, *many(40)))
    lease = account_reads.take(made.order.vendor_id)
    assert lease
    assert tasks.ask_names(made.pk) == "account busy"
    made.refresh_from_db()
    assert (made.failures, made.left, made.queued_at) == (0, 40, None)
    account_reads.give_back(made.order.vendor_id, lease)
    assert tasks.ask_names(made.pk) == "all asked"
    assert account_reads.take(made.order.vendor_id)


def test_a_lookup_that_had_to_wait_comes_before_further_orders(
    factory: OrderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ask(factory, draft(factory, *many(40)))
    vendor_id = made.order.vendor_id
    orders = [
        factory.sent("smartsenders", "domains", word=f"never-delivered-{n}").pk for n in range(2)
    ]
    type(made.order).objects.filter(pk__in=orders).update(asked_at=None)
    OrmQ.objects.all().delete()
    asked, real = [], delivery.ask_with

    def while_asked(pk: int, *args: object, **more: object) -> str:
        asked.append(pk)
        assert tasks.ask_names(made.pk) == "account busy"
        return real(pk, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "ask_with", while_asked)
    assert tasks.ask_account(vendor_id) == "goes on"
    assert len(asked) == 1
    assert queued() == [(lookup.ASK, made.pk), ("orders.tasks.ask_account", vendor_id)]


def test_a_lookup_that_was_put_off_for_another_reason_stops_no_question(
    factory: OrderFactory,
) -> None:
    made = ask(factory, draft(factory, *many(40)))
    Asking.objects.filter(pk=made.pk).update(queued_at=None)
    OrmQ.objects.all().delete()
    assert tasks.ask_account(made.order.vendor_id) == "all asked"
    assert queued() == []
