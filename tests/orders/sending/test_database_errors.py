"""The database fails while an order is taken up: it is tried again, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from orders import submission
from orders.models import State
from tests.conftest import OrderFactory, fresh
from vendors.practice.server import Practice


class FailsOnce:
    """Raises at the first statement whose parameters hold the word."""

    def __init__(self, word: str) -> None:
        self.word, self.has_failed = word, False

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if not self.has_failed and self.word in (params or ()):
            self.has_failed = True
            raise OperationalError("the server closed the connection")
        return execute(sql, params, many, context)


@pytest.mark.parametrize(
    ("word", "then"),
    [("order.claimed", State.ACCEPTED), ("attempt.about_to_send", State.CONFIRMED)],
)
def test_an_error_of_the_database_before_the_mark_loses_no_order(
    committed: None, factory: OrderFactory, practice: Practice, word: str, then: State
) -> None:
    order = factory.confirmed()
    fails = FailsOnce(word)
    with connection.execute_wrapper(fails):
        submission.submit(order.pk)
    assert fails.has_failed
    order = fresh(order)
    assert order.state == then
    if then == State.CONFIRMED:
        assert order.reason == submission.DATABASE_FAILED
        submission.submit(order.pk)
    assert fresh(order).state == State.ACCEPTED
    assert len(practice.ledger.charges()) == 1
