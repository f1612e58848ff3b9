"""The database refuses what the two-person rule forbids, by raw SQL and by the ORM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from orders.models import Order, State
from orders.plan import plan
from orders.review import confirming_rights
from tests.conftest import OrderFactory, fresh
from tests.orders.review.confirming import digest_of, sql

pytestmark = pytest.mark.usefixtures("quiet")


BEHIND: dict[str, tuple[str, str]] = {
    "state alone": (
        "UPDATE orders_order SET state = 'confirmed', digest = 'd' WHERE id = {order}",
        "lacks",
    ),
    "on its way at once": (
        "UPDATE orders_order SET state = 'sending', digest = 'd' WHERE id = {order}",
        "lacks",
    ),
    "nobody needed": (
        (
            "UPDATE orders_order SET state = 'confirmed', digest = 'd', confirmers_needed = 0,"
            " confirmed_by_id = {other} WHERE id = {order}"
        ),
        "lacks",
    ),
    "one needed, none given": (
        (
            "UPDATE orders_order SET state = 'confirmed', digest = 'd', confirmers_needed = 1,"
            " confirmed_by_id = {other} WHERE id = {order}"
        ),
        "lacks",
    ),
    "confirmed by its editor": (
        "UPDATE orders_order SET confirmed_by_id = {editor} WHERE id = {order}",
        "edited",
    ),
    "an editor's confirmation": (
        (
            "INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_name, at)"
            " VALUES ({order}, 1, 'd', {editor}, 'x', '', '2026-01-01')"
        ),
        "edited",
    ),
    "an editor's right passed on": (
        (
            "INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_user_id,"
            " for_name, at) VALUES ({order}, 1, 'd', {other}, 'x', {editor}, 'y', '2026-01-01')"
        ),
        "edited",
    ),
    "an editor forgotten": ("DELETE FROM orders_editor WHERE order_id = {order}", "kept for good"),
    "an editor exchanged": (
        "UPDATE orders_editor SET user_id = {other} WHERE order_id = {order}",
        "kept for good",
    ),
    "an editor's name": (
        "UPDATE orders_editor SET name = 'x' WHERE order_id = {order}",
        "kept for good",
    ),
    "an editor moved": ("UPDATE orders_editor SET order_id = order_id + 1", "kept for good"),
    "an older round": ("UPDATE orders_order SET round = 0 WHERE id = {order}", "one round"),
    "a name": (
        "UPDATE orders_mailbox SET first_name = 'Mallory' WHERE order_id = {order}",
        "in a draft alone",
    ),
    "an address": (
        "UPDATE orders_mailbox SET username = 'mallory' WHERE order_id = {order}",
        "in a draft alone",
    ),
    "a row less": ("DELETE FROM orders_mailbox WHERE order_id = {order}", "in a draft alone"),
    "a row moved here": ("UPDATE orders_mailbox SET order_id = {order}", "in a draft alone"),
    "a domain": ("UPDATE orders_domain SET name = 'mallory.com'", "in a draft alone"),
    "options": ("UPDATE orders_order SET options = '{{}}' WHERE id = {order}", "in a draft alone"),
    "the account": (
        "UPDATE orders_order SET vendor_id = vendor_id + 1 WHERE id = {order}",
        "in a draft alone",
    ),
    "the client": (
        "UPDATE orders_order SET client_id = client_id + 1 WHERE id = {order}",
        "in a draft alone",
    ),
    "what the confirmer reads": (
        "UPDATE orders_order SET note = 'All fine.' WHERE id = {order}",
        "in a draft alone",
    ),
}


@pytest.mark.parametrize("what", BEHIND)
def test_the_database_refuses_by_raw_sql(factory: OrderFactory, what: str) -> None:
    order = factory.reviewed()
    factory.draft(word="another")
    statement, says = BEHIND[what]
    people = {
        "order": order.pk,
        "editor": factory.people.drafter.pk,
        "other": factory.people.confirmer.pk,
    }
    with pytest.raises(IntegrityError, match=says):
        sql(statement.format(**people))


CONFIRMED = {
    "another digest": "UPDATE orders_order SET digest = 'd' WHERE id = {order}",
    "another cost": "UPDATE orders_order SET cost = '{{}}' WHERE id = {order}",
    "another snapshot": "UPDATE orders_order SET snapshot = '{{}}' WHERE id = {order}",
    "fewer needed": "UPDATE orders_order SET confirmers_needed = 0 WHERE id = {order}",
    "a confirmation less": "DELETE FROM orders_confirmation WHERE order_id = {order}",
    "another confirmer": "UPDATE orders_confirmation SET name = 'anna' WHERE order_id = {order}",
    "a confirmation of something else": (
        "UPDATE orders_confirmation SET digest = 'd' WHERE order_id = {order}"
    ),
    "a domain more": (
        "UPDATE orders_domain SET name = 'mallory.com' WHERE id IN"
        " (SELECT domain_id FROM orders_mailbox WHERE order_id = {order})"
    ),
    "its confirmer as editor": (
        "INSERT INTO orders_editor (order_id, user_id, name) VALUES ({order}, {other}, 'x')"
    ),
}


@pytest.mark.parametrize("what", CONFIRMED)
def test_the_database_keeps_what_was_confirmed(factory: OrderFactory, what: str) -> None:
    order = factory.confirmed()
    with pytest.raises(IntegrityError):
        sql(CONFIRMED[what].format(order=order.pk, other=factory.people.confirmer.pk))


ORM: dict[str, Callable[[Order], Any]] = {
    "save": lambda order: order.save(),
    "save of some": lambda order: order.save(update_fields=["state", "digest", "confirmed_by"]),
    "update": lambda order: Order.objects.filter(pk=order.pk).update(state="confirmed", digest="d"),
    "bulk update": lambda order: Order.objects.bulk_update(
        [order], ["state", "digest", "confirmed_by"]
    ),
    "made anew": lambda order: Order.objects.bulk_create([order]),
}


@pytest.mark.parametrize("way", ORM)
def test_the_database_refuses_by_the_orm(factory: OrderFactory, way: str) -> None:
    order = factory.reviewed()
    order.state, order.digest, order.confirmed_by = (
        State.CONFIRMED,
        digest_of(order),
        factory.people.boss,
    )
    if way == "made anew":
        order.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        ORM[way](order)


def test_a_move_by_the_order_itself_lacks_a_confirmation(factory: OrderFactory) -> None:
    order = factory.reviewed()
    current = plan(fresh(order))
    with pytest.raises(IntegrityError, match="lacks"), transaction.atomic():
        fresh(order).confirm(
            by=factory.people.boss,
            digest=current.digest,
            snapshot=current.snapshot(),
            needed=confirming_rights.needed(order),
        )


def test_confirmations_of_an_earlier_round_do_not_count(factory: OrderFactory) -> None:
    order = factory.confirmed()
    with transaction.atomic():
        fresh(order).back_to_review(action="order.returned_unsent", reason="Look again.")
    said = "UPDATE orders_order SET state = 'confirmed', confirmed_by_id = %s WHERE id = %s"
    with pytest.raises(IntegrityError, match="lacks"):
        sql(said, factory.people.confirmer.pk, order.pk)
    factory.confirm(order)
    assert fresh(order).state == State.CONFIRMED
