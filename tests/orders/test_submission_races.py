"""Several workers and people at one order in the same moment: one wins."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from orders import submission
from orders.drafting import drafts
from orders.models import NotAllowed, Order, State
from orders.plan import plan
from tests.conftest import OrderFactory, fresh
from tests.orders.test_submission import charges, in_threads
from vendors.practice.server import Practice


def test_eight_workers_at_the_same_order_buy_once(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    results = in_threads(8, lambda: submission.submit(order.pk))
    assert sorted(map(str, results)) == ["accepted"] + ["nothing to do"] * 7
    assert charges(practice, order) == 1


def test_a_double_click_on_confirm_queues_one_task(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.reviewed()
    digest = plan(fresh(order)).digest
    results = in_threads(
        6, lambda: submission.confirm(order.pk, by=factory.people.confirmer, digest=digest)
    )
    assert sum(isinstance(result, Order) for result in results) == 1
    assert all(isinstance(result, Order | NotAllowed) for result in results)
    assert OrmQ.objects.count() == 1


def test_cancelling_and_claiming_at_once_has_one_winner(
    committed: None, factory: OrderFactory, practice: Practice
) -> None:
    for number in range(5):
        order = factory.confirmed(word=f"race{number}")

        def cancel(pk: int = order.pk) -> str:
            with transaction.atomic():
                Order.objects.select_for_update().get(pk=pk).cancel(
                    by=factory.people.confirmer, reason="changed my mind"
                )
            return "cancelled"

        turn = iter([cancel, lambda pk=order.pk: submission.submit(pk)])
        lock = threading.Lock()

        def do(turn: Any = turn, lock: Any = lock) -> Any:
            with lock:
                job = next(turn)
            return job()

        in_threads(2, do)
        order = fresh(order)
        assert (order.state, charges(practice, order)) in {
            (State.CANCELLED, 0),
            (State.ACCEPTED, 1),
        }


def test_two_orders_for_one_mailbox_cannot_both_be_confirmed(factory: OrderFactory) -> None:
    first, second = factory.reviewed(), factory.draft()
    with pytest.raises(NotAllowed, match="can't be sent for confirmation"):
        drafts.send_for_confirmation(second.pk, by=factory.people.drafter)
    factory.confirm(first)
    with pytest.raises(IntegrityError), transaction.atomic():
        second.mailboxes.update(state="ordered")
