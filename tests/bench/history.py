"""What the history costs, and how fast it is read: `make bench-history ARGS="--events 1000000"`.

Three things, each beside a yardstick in the same run: an order's transaction with its record and
without, the whole chain verified, and the pages of the history beside one indexed query for 50
rows. The events are made here, with right hashes, so the verification would notice a wrong one; the
exit code says so. Seconds depend on the machine and on what else it does, ratios far less.

SQLite always, PostgreSQL too where DATABASE_URL names a server: a database is made there and
dropped again.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import django

from tests.bench.both_databases import run_on_each

ACTIONS = (
    "order.drafted", "order.changed", "order.sent_for_confirmation", "order.confirmed", "order.taken_up",
    "order.accepted", "domain.ready", "mailbox.ready", "order.delivered", "user.signed_in",
)  # fmt: skip
PEOPLE = ("dana", "sam", "kim", "jo", "")


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-history", description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="in the database (%(default)s)"
    )
    parser.add_argument(
        "--transactions", type=int, default=400, help="with a record and without (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=15, help="of each page (%(default)s)")
    parser.add_argument(
        "--one", action="store_true", help=argparse.SUPPRESS
    )  # a child: the database of DATABASE_URL
    chosen = parser.parse_args(arguments)
    if min(chosen.events, chosen.transactions, chosen.rounds) < 1:
        parser.error("every number has to be above zero")
    return chosen


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    return one(chosen) if chosen.one else run_on_each("tests.bench.history", arguments)


def one(chosen: argparse.Namespace) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailops.settings")
    django.setup()
    from django.db import connection

    print(f"\n{connection.vendor}: {chosen.events:,} events", flush=True)
    began = time.perf_counter()
    fill(chosen.events)
    took = time.perf_counter() - began
    print(f"{'made':36}{took:9.1f} s {chosen.events / took:12,.0f} a second", flush=True)
    logging.disable()
    writing(chosen.transactions)
    is_unbroken = verifying()
    pages(chosen.rounds)
    return 0 if is_unbroken else 1


# Writing


def writing(count: int) -> None:
    """An order's move as the code makes it (rows locked, one updated, a task queued), with its
    record and without.
    """
    from orders.models import Client, Order
    from vendors.models import Vendor

    vendor = Vendor.objects.create(name="Bench", api="smartsenders")
    client = Client.objects.create(name="Northwind", main_domain="northwind.com")
    order = Order.objects.create(
        vendor=vendor, product="domains", client=client, drafted_by_name="bench"
    )
    took: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(count):  # in turns, so that what else the machine does falls on both
        for name, times in took.items():
            began = time.perf_counter()
            move(order.pk, recorded=name == "with")
            times.append(time.perf_counter() - began)
    without, with_it = (statistics.median(took[name]) for name in ("without", "with"))
    print(
        f"{'an order’s move without history':36}{without * 1000:8.2f} ms {1 / without:12,.0f} a"
        " second"
    )
    print(
        f"{'the same with its record':36}{with_it * 1000:8.2f} ms {1 / with_it:12,.0f} a second",
        end="",
    )
    print(f"   {with_it / without:.2f} times", flush=True)


def move(pk: int, *, recorded: bool) -> None:
    from django.db import transaction
    from django.utils import timezone
    from django_q.tasks import async_task

    from mailops.history import record
    from orders.models import Order
    from vendors.models import Vendor

    with transaction.atomic():
        order = Order.objects.locked(pk)
        Vendor.objects.locked(order.vendor_id)
        Order.objects.filter(pk=pk, state="draft").update(
            state_since=timezone.now(), reason="because"
        )
        if recorded:
            changes = {"state": ["review", "confirmed"], "cost": ["76.00 USD", "76.00 USD"]}
            record("order.confirmed", order, reason="because", changes=changes)
        async_task("orders.tasks.submit_order", pk)


# A long chain


def fill(count: int) -> None:
    """So many events after those that there are, each with the right hash."""
    from django.db import connection

    from mailops.core import sql_triggers
    from mailops.history.models import TRIGGERS, Event

    sql_triggers.remove(
        connection, TRIGGERS
    )  # within one statement PostgreSQL plans them as for an empty table
    last = Event.objects.order_by("-number").values_list("number", "hash").first() or (0, "")
    names = [field.column for field in Event._meta.concrete_fields]
    rows = chain(last[0], last[1], count, names)
    quoted = ", ".join(connection.ops.quote_name(name) for name in names)
    if connection.vendor == "postgresql":
        # its plan, made while the table is empty, would read the whole table for every row of one
        # long COPY
        unique = [trigger for trigger in TRIGGERS if trigger.name == "history_no_replace"]
        sql_triggers.remove(connection, unique)
        with (
            connection.connection.cursor() as cursor,
            cursor.copy(f"COPY history_event ({quoted}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        sql_triggers.install(connection, unique)
    else:
        marks = ", ".join("?" for _ in names)
        connection.ensure_connection()
        raw = connection.connection
        raw.execute("PRAGMA cache_size=-400000")
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(f"INSERT INTO history_event ({quoted}) VALUES ({marks})", rows)
        raw.execute("COMMIT")
        connection.close()
    sql_triggers.install(connection, TRIGGERS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE history_event")


def chain(number: int, last_hash: str, count: int, names: list[str]) -> Iterator[list[Any]]:
    from django.db import connection

    from mailops.history.hashing import hash_of

    is_sqlite = connection.vendor == "sqlite"
    start = datetime.now(UTC) - timedelta(seconds=60 * (count + 1))
    for n in range(number + 1, number + count + 1):
        at = start + timedelta(seconds=60 * (n - number), microseconds=n % 1_000_000)
        order = n // 12
        fields: dict[str, Any] = {
            "number": n, "at": at, "who": PEOPLE[n % 5], "user_id": n % 5 or None,
            "worker": "" if n % 5 < 4 else "host/77", "origin": "192.0.2.7", "request_id": f"{n:08x}-bench",
            "action": ACTIONS[n % 10], "subject_type": "orders.order" if n % 10 < 9 else "auth.user",
            "subject_id": str(order), "subject": f"MO-{order + 1000}", "reason": "because it is needed" * (n % 7 == 0),
            "changes": {"state": ["review", "confirmed"], "cost": ["76.00 USD", "79.50 USD"]}, "attempt": n // 20,
            "previous_hash": last_hash,
        }  # fmt: skip
        last_hash = hash_of(fields)
        fields |= {"hash": last_hash, "changes": json.dumps(fields["changes"])}
        fields["at"] = at.strftime("%Y-%m-%d %H:%M:%S.%f") if is_sqlite else at
        yield [fields[name] for name in names]


def verifying() -> bool:
    from mailops.history.verify import verify

    before, busy = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    finding = verify()
    busy = time.process_time() - busy
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    said = finding.says or "unbroken"
    print(
        f"{'verified, ' + said:36}{finding.seconds:9.1f} s {finding.read / finding.seconds:12,.0f}"
        f" a second   {finding.read / busy:,.0f} a second of work; {finding.read:,} records,"
        f" {grown:.0f} MB more memory",
        flush=True,
    )
    return finding.is_unbroken


# Pages


def pages(rounds: int) -> None:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client as Browser
    from django.test import override_settings
    from django.test.utils import CaptureQueriesContext

    from mailops.history.models import Event

    user = User.objects.create_superuser("bench")
    browser = Browser()
    browser.force_login(user)
    middle = Event.objects.order_by("-number").values_list("number", flat=True)[0] // 2
    yardstick = median(rounds, lambda: list(Event.objects.order_by("-number")[:50]))
    print(f"{'one indexed query for 50 rows':36}{yardstick * 1000:8.2f} ms")
    print(f"{'':36}{'queries for the rows':>22}{'':>8}{'whole page':>16}")
    for title, query in (
        ("newest", ""),
        ("from the middle", f"?older={middle}"),
        ("a common action", "?action=order.confirmed"),
        ("an action, from the middle", f"?action=order.confirmed&older={middle}"),
        ("an action that is rare", "?action=history.digest_written"),
        ("about accounts", "?subject_type=auth.user"),
        ("one person", "?who=kim"),
        ("one order", "?subject_type=orders.order&subject_id=400"),
        ("past 7 days", "?since=7"),
        ("search: a record’s number", f"?q={middle}"),
        ("search: an order’s reference", "?q=MO-1400"),
        ("search: words that are common", "?q=needed"),
        ("search: words that are nowhere", "?q=zebra"),
    ):
        address = f"/history/event/{query}"
        with (
            override_settings(ALLOWED_HOSTS=["*"], STORAGES=PLAIN),
            CaptureQueriesContext(connection) as asked,
        ):
            assert browser.get(address).status_code == 200, address
        ours = [
            q["sql"]
            for q in asked.captured_queries
            if q["sql"].startswith("SELECT") and "history_event" in q["sql"]
        ]
        rows = median(rounds, lambda ours=ours: run(ours))  # type: ignore[misc]
        with override_settings(ALLOWED_HOSTS=["*"], STORAGES=PLAIN):
            whole = median(rounds, lambda address=address: browser.get(address))  # type: ignore[misc]
        print(
            f"  {title:34}{rows * 1000:14.2f} ms{rows / yardstick:7.1f}"
            f" times{whole * 1000:13.1f} ms",
            flush=True,
        )


PLAIN = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


def run(statements: list[str]) -> None:
    """A page's queries of the history as it asked them, rows fetched."""
    from django.db import connection

    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)
            cursor.fetchall()


def median(rounds: int, what: Callable[[], Any]) -> float:
    what()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        what()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
