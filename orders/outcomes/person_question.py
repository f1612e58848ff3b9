"""A person's question about an order, asked at once: reads only, and not without end."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from mailops.history import acting, audited, record
from mailops.history.models import Event
from orders.models import NotAllowed, Order
from orders.models.queries import ASKED
from orders.outcomes import questions

ACTION = "order.checked"
PAUSE = timedelta(minutes=1)  # between two such questions about one order
SECONDS = 10.0  # that a person waits, for the account's turn and for the answers
NO_ANSWER = "no answer"


def ask(order_id: int, *, by: User) -> str:
    """Ask the vendor about an accepted order. Returns a word as `delivery.ask` does.

    Raises `NotAllowed` where it can't be asked, or was asked by a person a moment ago.
    """
    with audited():
        order = Order.objects.locked(order_id)
        _refuse(order)
        record(ACTION, order, by=by)
    # The answer is the vendor's, not the person's.
    with acting(worker=True):
        return questions.ask_order_now(order_id, at_most=SECONDS)


def _refuse(order: Order) -> None:
    if order.state not in ASKED:
        reads = order.get_state_display()
        raise NotAllowed(f"{order} reads “{reads}”, so this can't be done with it.")
    if not order.vendor.adapter.can_tell_progress:
        raise NotAllowed(f"Nobody can ask {order.vendor.adapter.label} about an order.")
    asked = Event.objects.filter(
        subject_type="orders.order", subject_id=str(order.pk), action=ACTION
    )
    now = timezone.now()
    # A time that lies ahead was written by a clock that has been set back since.
    if asked.filter(at__gt=now - PAUSE, at__lte=now).exists():
        raise NotAllowed("Somebody asked less than a minute ago. Try again in a moment.")
