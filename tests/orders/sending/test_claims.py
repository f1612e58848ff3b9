"""Claims and the account's row: who waits for it, who is rung for next, and that nobody waits for
ever.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orders import submission
from orders.models import Order, State
from orders.models.attempt import Stage
from orders.outcomes import sweeper
from tests.conftest import OrderFactory, claim, fresh
from tests.orders.spending.test_limits import CMR, COSTS, account, limit
from tests.orders.test_submission import in_threads
from vendors.models import Vendor
from vendors.practice.server import Practice


def test_waiting_for_the_accounts_lock_costs_no_try(
    committed: None, factory: OrderFactory, practice: Practice, settings: Any
) -> None:
    settings.CLAIM_FRESH_SECONDS = 1
    order = factory.confirmed(*CMR)
    held = threading.Event()

    def holder() -> None:
        with transaction.atomic():
            Vendor.objects.filter(pk=Vendor.objects.locked(account().pk).pk).update(
                balance_by_name="Jo"
            )
            held.set()
            time.sleep(1.5)

    def worker() -> str:
        held.wait(10)
        return submission.submit(order.pk)

    turn = iter([holder, worker])
    assert Stage.ACCEPTED in in_threads(2, lambda: next(turn)())
    assert fresh(order).tries == 0


def test_the_next_order_is_rung_for_once_a_held_ones_history_is_written(
    factory: OrderFactory,
) -> None:
    """Its row must not be locked behind the history's: whoever decides about it goes the other way
    round.
    """
    factory.sent(*CMR, word="one")
    first, second = factory.confirmed(*CMR, word="two"), factory.confirmed(*CMR, word="three")
    limit(account(), day_limit=COSTS + 1)
    Order.objects.filter(pk=second.pk).update(queued_at=None)
    with CaptureQueriesContext(connection) as asked:
        claim(first.pk)
    said = [query["sql"] for query in asked]
    written = next(i for i, sql in enumerate(said) if sql.startswith('INSERT INTO "history_event"'))
    rung = max(
        i
        for i, sql in enumerate(said)
        if sql.startswith('UPDATE "orders_order"') and '"rung_at"' in sql
    )
    assert any(sql.startswith(("RELEASE SAVEPOINT", "COMMIT")) for sql in said[written:rung])
    assert fresh(second).queued_at is not None


def test_one_accounts_long_line_does_not_hide_anothers_order(
    factory: OrderFactory, monkeypatch: Any, settings: Any
) -> None:
    monkeypatch.setattr(sweeper, "MOST_ROWS", 2)
    settings.ACCOUNT_AT_ONCE = 1
    busy = [factory.confirmed(*CMR, word=f"w{number}") for number in range(4)]
    other = factory.confirmed("scaledmail", "package", word="other")
    assert claim(busy[0].pk)
    Order.objects.filter(state=State.CONFIRMED).update(queued_at=None)
    sweeper.run()
    assert [fresh(order).queued_at is not None for order in (busy[1], busy[2], busy[3], other)] == [
        True,
        True,
        False,
        True,
    ]
