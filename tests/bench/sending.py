"""How fast confirmed orders are sent: `make bench-sending ARGS="--orders 400 --workers 2,4,8"`.

Real practice vendors that take their time to answer, a real queue, orders that were confirmed
beforehand. Each row is compared with what so many workers could do at best, and with a bare loop of
`requests.post` in the same run. Rates depend on the machine; that nothing is sent twice and nothing
is lost does not, and only that decides the exit code.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import django

from tests.faults.installation import IS_POSTGRES, Installation
from tests.faults.processes import Cluster

COUNTED = 5  # orders whose statements are counted
PATIENCE = 120  # seconds without any progress until the rest counts as lost


@dataclass
class Row:
    """What was measured with so many workers, all rounds together."""

    workers: int
    ideal: float  # orders a second
    orders: int = 0
    seconds: float = 0  # from the first claim to the last outcome, by the attempts
    wall_seconds: float = 0  # from handing the orders out to seeing none left
    bare_seconds: float = 0
    not_accepted: int = 0
    duplicates: int = 0
    shares: Counter[int] = field(default_factory=Counter)  # orders sent, by cluster

    def cells(self) -> list[str]:
        rate, wall, bare = (
            self.orders / taken if taken else 0
            for taken in (self.seconds, self.wall_seconds, self.bare_seconds)
        )
        return [
            str(self.workers), f"{rate:.1f}", f"{wall:.1f}", f"{self.ideal:.1f}", f"{rate / self.ideal:.2f}",
            f"{bare:.1f}", f"{rate / bare if bare else 0:.2f}", str(self.duplicates), str(self.not_accepted),
        ]  # fmt: skip


HEAD = [
    "workers",
    "orders/s",
    "wall clock",
    "ideal",
    "of ideal",
    "bare loop",
    "of bare",
    "duplicates",
    "not accepted",
]


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-sending", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--orders", type=int, default=400, help="for each number of workers (%(default)s)"
    )
    parser.add_argument(
        "--workers", default="2,4,8", help="in each cluster, one row a number (%(default)s)"
    )
    parser.add_argument(
        "--latency", type=float, default=0.2, help="seconds until a vendor answers (%(default)s)"
    )
    parser.add_argument(
        "--clusters", type=int, default=1, help="queue clusters that share the work (%(default)s)"
    )
    parser.add_argument(
        "--statements", action="store_true", help="list the statements of one order"
    )
    chosen = parser.parse_args(arguments)
    try:
        chosen.workers = [int(number) for number in chosen.workers.split(",")]
    except ValueError:
        parser.error("--workers takes numbers with commas between them")
    if min(chosen.orders, chosen.clusters, *chosen.workers) < 1 or chosen.latency <= 0:
        parser.error("every number has to be above zero")
    return chosen


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    with (
        tempfile.TemporaryDirectory(prefix="mailops-bench-") as folder,
        new_installation(Path(folder), chosen.latency) as installation,
    ):
        from tests.bench import stock
        from tests.bench.statements import asked_for, in_short

        stock.open_accounts()
        asked = [asked_for(number) for number in stock.confirmed("counted", COUNTED)]
        forget_queue()
        rows = [
            Row(workers, workers * chosen.clusters / chosen.latency) for workers in chosen.workers
        ]
        rounds = min(2, max(1, chosen.orders // 50))
        for number in range(rounds):
            for row in rows:
                count = chosen.orders // rounds + (number < chosen.orders % rounds)
                tell(f"{row.workers} workers, round {number + 1} of {rounds}: {count} orders …")
                measure(installation, row, f"{row.workers}-{number}", count, chosen.clusters)
        return report(
            chosen,
            rows,
            sorted({str(one) for one in asked}),
            [in_short(sql) for sql in asked[0].statements],
        )


@contextmanager
def new_installation(folder: Path, latency: float) -> Iterator[Installation]:
    """A database of its own, migrated, practice vendors beside it, and this process set up to work
    on it.
    """
    installation = Installation(folder, QUEUE_POLL="0.2", QUEUE_LOG_LEVEL="WARNING")
    try:
        installation.start_practice("--answer-seconds", str(latency))
        os.environ.update(installation.env)
        installation.migrate()
        django.setup()
        yield installation
    finally:
        installation.tear_down()


def tell(text: str) -> None:
    """Progress, on stderr; the findings go to stdout."""
    print(text, file=sys.stderr, flush=True)


def forget_queue() -> None:
    from django_q.models import OrmQ

    OrmQ.objects.all().delete()


# one measurement


def measure(installation: Installation, row: Row, word: str, count: int, clusters: int) -> None:
    """Send so many orders through the queue, then the same requests in a bare loop; add both to the
    row.
    """
    from tests.bench import bare, stock

    orders = stock.confirmed(word, count)
    hand_out(later=timedelta(days=1))
    running = start_clusters(installation, row.workers, clusters)
    begun = time.monotonic()
    hand_out()
    wait_until_done(orders)
    row.wall_seconds += time.monotonic() - begun
    stop(running)
    row.orders += count
    row.bare_seconds += bare.seconds(
        stock.requests_like(orders, key=bare.KEY), processes=row.workers * clusters
    )  # fmt: skip
    read_ledger_and_attempts(
        row,
        orders,
        installation.folder / f"{installation.name}.ledger",
        [cluster.log for cluster in running],
    )


def hand_out(*, later: timedelta = timedelta(0)) -> None:
    """When the queue may give its tasks to workers; held back until every worker stands ready."""
    from django.utils import timezone
    from django_q.models import OrmQ

    from orders.models import Order, State

    now = timezone.now()
    Order.objects.filter(state=State.CONFIRMED).update(queued_at=now)
    OrmQ.objects.update(lock=now + later)


def start_clusters(installation: Installation, workers: int, clusters: int) -> list[Cluster]:
    """Clusters whose workers all wait for work."""
    at_once = {"QUEUE_WORKERS": str(workers), "ACCOUNT_AT_ONCE": str(workers * clusters)}
    return [installation.start_cluster(**at_once, QUEUE_LOG_LEVEL="INFO") for _ in range(clusters)]


def pids_in(log: Path) -> set[str]:
    """Every worker that a cluster ever started, the monitor and the pusher not among them."""
    return set(re.findall(r"ready for work at (\d+)", log.read_text(errors="replace")))


def wait_until_done(orders: Iterable[int]) -> None:
    """Until no order is confirmed or being sent, or nothing moves any more."""
    from django_q.models import OrmQ

    from orders.models import Order, State

    busy = Order.objects.filter(state__in=[State.CONFIRMED, State.SENDING])
    before, since = -1, time.monotonic()
    while left := busy.count():
        if left != before:
            before, since = left, time.monotonic()
        if time.monotonic() - since > PATIENCE:
            tell(
                f"{left} orders did not move for {PATIENCE} s; {OrmQ.objects.count()} tasks are"
                " queued."
            )
            return
        time.sleep(0.2)


def stop(running: list[Cluster]) -> None:
    """Let each cluster finish; the signal goes to its main process alone."""
    for cluster in running:
        cluster.popen.terminate()
    for cluster in running:
        cluster.popen.wait(timeout=300)


# what ledger and attempts show


def read_ledger_and_attempts(
    row: Row, orders: dict[int, str], ledger: Path, logs: list[Path]
) -> None:
    """Times and shares from the attempts, states from the orders, charges from the practice
    vendors' own ledger.
    """
    from django.db.models import Max, Min

    from orders.models import Attempt, Order, State

    mine = Order.objects.filter(pk__range=(min(orders), max(orders)))
    ours = Attempt.objects.filter(order__in=mine)
    ends = ours.aggregate(first=Min("claimed_at"), last=Max("ended_at"))
    if ends["first"] and ends["last"]:
        row.seconds += (ends["last"] - ends["first"]).total_seconds()
    stuck = Counter(mine.exclude(state=State.ACCEPTED).values_list("state", "reason"))
    row.not_accepted += len(orders) - mine.filter(state=State.ACCEPTED).count()
    for (state, reason), count in stuck.most_common(10):
        tell(f"  {count} read {state}. {reason}")
    row.duplicates += duplicates(ledger, set(orders.values()))
    cluster_of = {pid: number for number, log in enumerate(logs, 1) for pid in pids_in(log)}
    row.shares.update(dict.fromkeys(cluster_of.values(), 0))
    for worker in ours.filter(sent_at__isnull=False).values_list("worker", flat=True):
        row.shares[cluster_of[worker.rpartition("/")[2]]] += 1


def duplicates(path: Path, domains: set[str]) -> int:
    """Charges beyond the first for any of these domains, the bare loop's account left out."""
    from tests.bench import bare
    from vendors.practice.ledger import Ledger, account_of

    ledger = Ledger(path)
    try:
        charges = [charge for charge in ledger.charges() if charge.account != account_of(bare.KEY)]
    finally:
        ledger.close()
    counts = Counter(name for charge in charges for name in charge.domains if name in domains)
    return sum(count - 1 for count in counts.values())


def report(
    chosen: argparse.Namespace, rows: list[Row], asked: list[str], statements: list[str]
) -> int:
    """Print it all; 1 where anything was bought twice or lost, or the history is broken."""
    from mailops.history.verify import verify

    database = "PostgreSQL" if IS_POSTGRES else "SQLite"
    print(
        f"{database}, {chosen.latency * 1000:.0f} ms until an answer, {chosen.orders} orders a row,"
        f" {chosen.clusters} cluster{'s' * (chosen.clusters > 1)}, {os.cpu_count()} cores for all"
        " of it\n"
    )
    widths = [max(len(word), 8) for word in HEAD]
    for cells in (HEAD, *(row.cells() for row in rows)):
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))
    print()
    if chosen.clusters > 1:
        for row in rows:
            shares = ", ".join(str(count) for _cluster, count in sorted(row.shares.items()))
            print(f"With {row.workers} workers each, the clusters sent {shares} orders.")
    print("\n".join(asked))
    if chosen.statements:
        print("\n".join(f"{number:3} {sql}" for number, sql in enumerate(statements, 1)))
    finding = verify()
    print(f"History: {finding.records} records, {'unbroken' if finding.is_unbroken else 'BROKEN'}.")
    return exit_code(rows, is_unbroken=finding.is_unbroken)


def exit_code(rows: list[Row], *, is_unbroken: bool) -> int:
    return int(any(row.duplicates or row.not_accepted for row in rows) or not is_unbroken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
