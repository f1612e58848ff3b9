"""The database itself refuses what would buy twice, whatever program asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.models import Attempt, NotAllowed, Order
from orders.models.attempt import OPEN, Stage
from tests.conftest import OrderFactory, fresh

CMR = ("coldmailreseller", "domains")


def another_attempt(order: Order, **fields: Any) -> Attempt:
    now = timezone.now()
    given = {"number": 2, "worker": "w", "digest": "d", "claimed_at": now, "lease_until": now}
    return Attempt.objects.create(order=order, **(given | fields))


@pytest.mark.parametrize("stage", OPEN)
def test_no_attempt_can_be_made_beside_an_open_one(factory: OrderFactory, stage: Stage) -> None:
    attempt = factory.claimed()
    Attempt.objects.filter(pk=attempt.pk).update(stage=stage)
    with pytest.raises(IntegrityError), transaction.atomic():
        another_attempt(attempt.order)


@pytest.mark.parametrize("stage", sorted(set(Stage) - set(OPEN)))
def test_an_attempt_can_follow_one_that_bought_nothing(factory: OrderFactory, stage: Stage) -> None:
    attempt = factory.claimed()
    Attempt.objects.filter(pk=attempt.pk).update(stage=stage)
    assert another_attempt(attempt.order).pk


def test_no_two_live_domains_have_one_name(factory: OrderFactory) -> None:
    first, second = factory.draft(*CMR), factory.draft(*CMR)
    first.domains.update(state="ordered")
    for state in ("ordered", "ready"):
        with pytest.raises(IntegrityError), transaction.atomic():
            second.domains.update(state=state)
    first.domains.update(state="gone")
    assert second.domains.update(state="ordered") == 1


def test_a_claim_is_for_the_confirmation_that_was_read(factory: OrderFactory) -> None:
    order = factory.confirmed(*CMR)
    read = fresh(order)
    with transaction.atomic():
        fresh(order).back_to_review(action="order.returned_unsent", reason="A price moved.")
    factory.confirm(fresh(order))
    with pytest.raises(NotAllowed), transaction.atomic():
        read.start_sending(1, confirmed_at=read.confirmed_at)
    now = fresh(order)
    with transaction.atomic():
        now.start_sending(1, confirmed_at=now.confirmed_at)
