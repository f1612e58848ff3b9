"""Functions that the tests of confirming share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from mailops.history.models import Event
from orders.models import Delegation, Order
from orders.plan import plan
from orders.review import delegations
from tests.conftest import fresh

GIVEN_BY_HAND = (
    "INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_name, at)"
    " VALUES (%s, %s, %s, %s, %s, '', '2026-01-01')"
)


def digest_of(order: Order) -> str:
    return plan(fresh(order)).digest


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def refusals() -> list[Event]:
    return list(Event.objects.filter(action="order.self_confirmation_refused"))


def passed_on(by: User, to: User, **about: Any) -> Delegation:
    now = timezone.now()
    about = {"starts_at": now, "ends_at": now + timedelta(days=3), "reason": "On leave."} | about
    return delegations.make(Delegation(to_user=to, **about), by=by)
