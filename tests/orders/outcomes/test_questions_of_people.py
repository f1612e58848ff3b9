"""A person asks the vendor about an order; what an update finds; what keeps the queue alive."""

from __future__ import annotations

from django.utils import timezone
from django_q.models import OrmQ

from orders import tasks
from orders.models import Order
from orders.outcomes import questions
from tests.conftest import OrderFactory, fresh
from tests.orders.outcomes.open_orders import PACKAGE, in_queue, waiting
from vendors import account_reads
from vendors.models import Vendor
from vendors.practice.server import Practice


def test_a_person_is_answered_at_once_also_while_the_account_rests(factory: OrderFactory) -> None:
    order = waiting(factory, word="fine")
    account_reads.note_failure(order.vendor_id, "It did not answer.")
    assert questions.ask_order_now(order.pk) == "delivered"
    vendor = Vendor.objects.get(pk=order.vendor_id)
    assert (vendor.quiet_until, vendor.asking_until, vendor.reads_failed) == (None, None, 0)
    assert fresh(order).wanted_at is None


def test_a_person_who_gets_no_answer_hears_so(factory: OrderFactory, practice: Practice) -> None:
    order = waiting(factory)
    practice.stop()
    assert questions.ask_order_now(order.pk) == "no answer"
    assert fresh(order).wanted_at is None
    assert Vendor.objects.get(pk=order.vendor_id).read_said


def test_what_a_person_could_not_wait_for_is_the_first_in_the_queue(factory: OrderFactory) -> None:
    old, order = waiting(factory, hours=9), waiting(factory, hours=1)
    lease = account_reads.take(order.vendor_id)
    assert lease
    assert questions.ask_order_now(order.pk, at_most=0) == "later"
    assert in_queue() == [("orders.tasks.ask_account", (order.vendor_id,))]
    account_reads.give_back(order.vendor_id, lease)
    once = iter([0.0, *[1.0] * 3])  # time for one question
    assert questions.ask_account(order.vendor_id, clock=lambda: next(once, 60.0)) == "goes on"
    assert fresh(order).answered_at
    assert fresh(old).answered_at is None


def test_an_order_that_nobody_can_ask_about_waits_for_nothing(factory: OrderFactory) -> None:
    order = factory.sent(*PACKAGE, word="no-funds")
    assert questions.ask_order_now(order.pk) == "nothing to ask"
    assert fresh(order).wanted_at is None


# After an update, and beats


def test_tasks_of_an_older_version_are_passed_on(factory: OrderFactory) -> None:
    order = waiting(factory)
    Order.objects.filter(pk=order.pk).update(asked_at=timezone.now())  # as it was queued
    unknown = factory.sent("woodpecker", "mailboxes", word="cut-after")
    OrmQ.objects.all().delete()
    assert tasks.ask_progress(order.pk) == "passed on"
    assert tasks.ask_progress(order.pk) == "passed on"
    assert tasks.look_for(unknown.attempts.get().pk) == "passed on"
    assert in_queue() == [
        ("orders.tasks.ask_account", (order.vendor_id,)),
        ("orders.tasks.ask_account", (unknown.vendor_id,)),
    ]
    assert tasks.ask_account(order.vendor_id) == "all asked"
    assert fresh(order).answered_at


def test_the_sweep_gives_an_idle_queue_something_to_finish(factory: OrderFactory) -> None:
    OrmQ.objects.all().delete()
    tasks.sweep()
    tasks.sweep()
    assert in_queue() == [("orders.tasks.beat", ())]
    assert tasks.beat() == "works"
