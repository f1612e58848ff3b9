"""Works on an installation's database: does what a drill asks for, a line of JSON at a time."""

# A process that stays: starting one costs a second, and a drill gives many commands.

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from mailops.core.queue_names import ORDERS
from mailops.history import acting, audited
from mailops.history.models import Event
from mailops.history.verify import verify
from orders import submission
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.drafting.intake import read
from orders.models import Attempt, Client, Order, State
from orders.models.attempt import Stage
from orders.outcomes import settlement, sweeper
from orders.plan import plan
from orders.sending import task_queue
from tests.conftest import OPTIONS
from vendors.models import Price, Vendor

UNDER_WAY = [State.CONFIRMED, State.SENDING]


_seen: dict[int, float] = {}  # attempts in hand, and when they were first seen so


class Gone:
    """A task that no other process can unpickle: its module is missing there."""


Gone.__module__ = "gone"


def build() -> None:
    """People, accounts with prices. Needs tables and running practice vendors."""
    call_command("demo", "--no-orders", verbosity=0)
    Schedule.objects.all().delete()  # the drills say when the sweep runs


def collect_static() -> None:
    call_command("collectstatic", "--noinput", verbosity=0)


def rows_for(api: str, product: str, word: str) -> str:
    if (api, product) == ("coldmailreseller", "mailboxes"):  # a subscription belongs to one domain
        return f"{word}.com, Dana Reyes, dana\n{word}.com, Sam Ito, sam"
    if api == "scaledmail":
        return "\n".join(
            f"{name}.net, Dana Reyes"
            for name in (word, *(f"{part}-beside-{word}" for part in "bcd"))
        )
    return f"{word}.com, Dana Reyes, dana\nbeside-{word}.com, Sam Ito, sam"


def account(api: str, name: str) -> Vendor:
    """An account with a key of its own, otherwise like the demo's; no other drill changes it."""
    pattern = Vendor.objects.get(
        api=api, name__in=["ColdMailReseller", "ScaledMail", "Woodpecker", "SmartSenders"]
    )
    if found := Vendor.objects.filter(name=name).first():
        return found
    prices = list(pattern.prices.all())
    vendor = Vendor(
        name=name,
        api=api,
        settings=pattern.settings,
        order_limit=pattern.order_limit,
        limit_currency=pattern.limit_currency,
    )
    vendor.sealed = str(
        vendor.secrets.put({"api_key": f"practice-{name.replace(' ', '-')}-{'0' * 12}"})
    )
    vendor.save()
    for price in prices:
        price.pk, price.vendor = None, vendor
    Price.objects.bulk_create(prices)
    return vendor


def review(*, word: str, api: str, product: str, account_name: str) -> int:
    """The number of a new order that waits for confirmation."""
    vendor = account(api, account_name)
    what = vendor.adapter.products[product]
    reading = read(rows_for(api, product, word), what)
    client = Client.objects.select_related("contact").get(name="Northwind")
    drafter = User.objects.get(username="drafter")
    draft = Draft(
        vendor=vendor,
        product=product,
        client=client,
        contact=client.contact if what.needs_contact else None,
        forward_to=client.forward_to if what.forwards else "",
        options=OPTIONS[api, product],
        rows=reading.rows,
    )
    order = drafts.create(draft, by=drafter)
    drafts.send_for_confirmation(order.pk, by=drafter)
    return order.pk


def confirm(*, order: int) -> None:
    seen = plan(Order.objects.select_related("vendor", "client", "contact").get(pk=order))
    submission.confirm(order, by=User.objects.get(username="confirmer"), digest=seen.digest)


def settle_not_placed(*, order: int) -> None:
    by = User.objects.get(username="confirmer")
    settlement.settle(
        order, by=by, verdict=settlement.NOT_PLACED, reason="The vendor's dashboard shows nothing."
    )


def run_sweep(*, hours: float = 0, asks_only: str = "") -> dict[str, int]:
    """The sweep as a machine would run it whose clock is that many hours ahead, or behind.

    `asks_only`: the account about whose orders alone anything is due.
    """
    if asks_only:
        Order.objects.exclude(vendor__name=asks_only).update(asked_at=timezone.now())
    with acting(worker=True):
        return sweeper.run(timezone.now() + timedelta(hours=hours))


def enqueue(*, order: int, times: int = 1) -> None:
    """The same task again."""
    with transaction.atomic():
        for _ in range(times):
            async_task(task_queue.SUBMIT, order, cluster=ORDERS)


def hand_out_again() -> None:
    """Free all tasks, as the queue does by itself once `retry` is over."""
    OrmQ.objects.update(lock=timezone.now() - timedelta(days=1))


def lose_queue() -> int:
    return OrmQ.objects.all().delete()[0]


def queue_what_nobody_can_unpickle() -> None:
    sys.modules["gone"] = ModuleType("gone")
    sys.modules["gone"].Gone = Gone  # type: ignore[attr-defined]  # a module made up here
    task = {"id": "gone", "name": "gone", "func": Gone(), "args": (), "kwargs": {}}
    OrmQ.objects.create(
        key="mailops", payload=SignedPackage.dumps(task), lock=timezone.now() - timedelta(days=2)
    )  # fmt: skip


def queued(*, queue: str = ORDERS) -> dict[str, int]:
    tasks = OrmQ.objects.filter(key=queue)
    return {"tasks": tasks.count(), "taken": tasks.filter(lock__gt=timezone.now()).count()}


def let_time_pass() -> None:
    """As if all pauses were over."""
    Order.objects.filter(next_try_at__gt=timezone.now()).update(next_try_at=timezone.now())
    Vendor.objects.filter(next_turn_at__gt=timezone.now()).update(next_turn_at=timezone.now())


def pass_minutes(*, minutes: float) -> None:
    """As if that many minutes went by for all questions."""
    by = timedelta(minutes=minutes)
    names = ("asking_until", "quiet_until", "read_at")
    Vendor.objects.update(**{name: F(name) - by for name in names})
    Order.objects.update(asked_at=F("asked_at") - by, answered_at=F("answered_at") - by)
    OrmQ.objects.update(lock=F("lock") - by)


def forget_failures() -> None:
    Vendor.objects.update(quiet_until=None, reads_failed=0)


def questions_of(*, account_name: str) -> dict[str, Any]:
    """How questions to the account went."""
    names = ("asking_until", "quiet_until", "reads_failed", "read_said")
    found: dict[str, Any] = Vendor.objects.values(*names).get(name=account_name)
    asked = Order.objects.filter(vendor__name=account_name, answered_at__isnull=False).count()
    return {name: str(value or "") for name, value in found.items()} | {"answered": asked}


def seconds_to_send() -> dict[str, float]:
    """From confirming to sending, of each order that was sent."""
    sent = Attempt.objects.exclude(sent_at=None).select_related("order")
    return {
        str(a.order_id): (a.sent_at - a.order.confirmed_at).total_seconds()
        for a in sent
        if a.sent_at and a.order.confirmed_at
    }


def is_worked_on() -> bool:
    """True while a living worker has an order in hand."""
    # An attempt that is older than the queue's time-out has lost its worker, though the process lives.
    found = Attempt.objects.filter(stage__in=[Stage.CLAIMED, Stage.SENDING]).values_list(
        "pk", "worker"
    )
    over = time.monotonic() - settings.QUEUE_TIMEOUT - 5
    return any(
        _is_a_worker(worker.rpartition("/")[2]) and _seen.setdefault(pk, time.monotonic()) > over
        for pk, worker in found
    )


def _is_a_worker(pid: str) -> bool:
    try:
        return b"qcluster" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def drain(*, rounds: int) -> None:
    """Bring all orders to rest; needs a running cluster. TimeoutError after 4 minutes.

    In each round two hours pass, leases and pauses end, and every order is queued again.
    """
    until = time.monotonic() + 240
    for number in range(max(rounds, 12)):
        _wait_for_quiet(until)
        if number >= rounds and not Order.objects.filter(state__in=UNDER_WAY).exists():
            return
        let_time_pass()
        run_sweep(hours=2 * (number + 1))
        for pk in Order.objects.exclude(digest="").values_list("pk", flat=True):
            enqueue(order=pk)
    raise TimeoutError(
        "still under way:"
        f" {list(Order.objects.filter(state__in=UNDER_WAY).values_list('pk', 'state'))}"
    )


def _wait_for_quiet(until: float) -> None:
    """Until no task is left and no worker has an order in hand."""
    # most drills have no worker for questions
    tasks = OrmQ.objects.filter(key=ORDERS)
    while tasks.exists() or is_worked_on():
        hand_out_again()  # what dead workers took
        pause = time.monotonic() + 2
        while (tasks.exists() or is_worked_on()) and time.monotonic() < pause:
            time.sleep(0.05)
        if time.monotonic() > until:
            raise TimeoutError(f"{tasks.count()} tasks are queued, worked on: {is_worked_on()}")


def states() -> dict[str, str]:
    return {str(pk): state for pk, state in Order.objects.values_list("pk", "state")}


def attempts(**chosen: Any) -> list[dict[str, Any]]:
    """Attempts of one order or of all, oldest first."""
    fields = ("order_id", "number", "stage", "body_sha256", "worker", "sent_at")
    found = list(Attempt.objects.filter(**chosen).order_by("order_id", "number").values(*fields))
    return [attempt | {"sent_at": str(attempt["sent_at"] or "")} for attempt in found]


def facts() -> dict[str, Any]:
    """Orders with their attempts, and what the history says of them."""
    finding = verify()
    confirmed: Counter[str] = Counter(
        Event.objects.filter(action="order.confirmed").values_list("subject_id", flat=True)
    )
    return {
        "states": states(),
        "reasons": {str(pk): reason for pk, reason in Order.objects.values_list("pk", "reason")},
        "attempts": attempts(),
        "confirmed": confirmed,
        "broken": "" if finding.is_unbroken else f"record {finding.bad}: {finding.why}",
    }


def waits_for_disk() -> dict[str, str]:
    """The setting of a new connection, and within an audited transaction of one that lost it."""
    found = {"connection": _setting("synchronous_commit")}
    with connection.cursor() as cursor:  # as a pooler that hands out another server connection
        cursor.execute("SET synchronous_commit = off")
    with audited():
        found["audited"] = _setting("synchronous_commit")
    return found


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


COMMANDS: dict[str, Callable[..., Any]] = {
    do.__name__: do
    for do in (
        build, collect_static, review, confirm, settle_not_placed, run_sweep, enqueue, hand_out_again, lose_queue,
        queue_what_nobody_can_unpickle, queued, is_worked_on, states, attempts, let_time_pass, drain, facts,
        waits_for_disk, pass_minutes, forget_failures, questions_of, seconds_to_send,
    )
}  # fmt: skip


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what commands print goes to the log
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"answer": COMMANDS[name](**arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        connections.close_all()  # the database may be started again before the next command
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
