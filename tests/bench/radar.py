"""How fast a draft is compared with everything bought before: `make bench-radar ARGS="--domains
100000 --rows 5000"`.

The duplicate radar, the near-same orders and the typo guard over one draft, beside a plain nested
loop over all pairs in the same run. The loop would take long, so it runs for some rows of the draft
and is scaled up; for those rows both must give the same answers, or the exit code says so. Seconds
depend on the machine and on what else it does: “busy” is this process at work, on SQLite the
database included. Ratios depend on that far less.

SQLite always, PostgreSQL too where DATABASE_URL names a server: a database is made there and
dropped again.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import django

from tests.bench.both_databases import run_on_each

TEXT = (
    "acme alpine amber anchor apex atlas aurora beacon birch bloom bright canyon cedar circle clear"
    " cobalt copper coral crest delta echo ember falcon fern field forge garden granite harbor"
    " hazel helio hill indigo iron island ivory jade juniper keystone lake lantern laurel ledger"
    " lumen maple meadow mercury mint moss north nova oak ocean olive orchard osprey pebble pine"
    " polar prime quartz quill rapid raven reef ridge river rowan sage sail shore silver sky solar"
    " spark spruce stone summit swift terra thistle timber topaz trail union vale velvet vertex"
    " vista willow wren"
)
WORDS = TEXT.split()
PARTS = [
    "mail",
    "reach",
    "team",
    "hub",
    "app",
    "go",
    "get",
    "try",
    "grow",
    "labs",
    "sales",
    "group",
    "works",
    "now",
]


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-radar", description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--domains", type=int, default=100_000, help="in the database (%(default)s)"
    )
    parser.add_argument("--rows", type=int, default=5_000, help="of the draft (%(default)s)")
    parser.add_argument(
        "--sample", type=int, default=20, help="rows that the nested loop is run for (%(default)s)"
    )
    parser.add_argument(
        "--one", action="store_true", help=argparse.SUPPRESS
    )  # a child: the database of DATABASE_URL
    chosen = parser.parse_args(arguments)
    if min(chosen.domains, chosen.rows, chosen.sample) < 1:
        parser.error("every number has to be above zero")
    return chosen


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    return one(chosen) if chosen.one else run_on_each("tests.bench.radar", arguments)


def one(chosen: argparse.Namespace) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailops.settings")
    django.setup()
    from django.db import connection

    chance = random.Random(7)
    print(
        f"\n{connection.vendor}: {chosen.domains:,} domains in the database, {chosen.rows:,} rows"
        " in the draft"
    )
    print(f"{'':36}{'seconds':>7}{'busy':>7}{'queries':>9}{'nested loop':>13}{'ratio':>10}")
    same = True
    for title, naming in (
        ("names of two words and a part", ordinary),
        ("one family: one head for all", family),
    ):
        bought = distinct(lambda n, naming=naming: naming(n, chance), chosen.domains)  # type: ignore[misc]
        order = stock(bought, draft_names(bought, chosen.rows, chance))
        same &= measure(title, order, bought, chosen.sample, chance)
    return 0 if same else 1


def ordinary(n: int, chance: random.Random) -> str:
    return (
        f"{chance.choice(WORDS)}{chance.choice(WORDS)}{chance.choice(['', '-'])}{chance.choice(PARTS)}"
        + (str(n % 97) if n % 3 == 0 else "")
    )


def family(n: int, chance: random.Random) -> str:
    return "getacme" + "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(7))


def distinct(make: Callable[[int], str], count: int) -> list[str]:
    found: dict[str, None] = {}
    number = 0
    while len(found) < count:
        number += 1
        found[f"{make(number)}.com"] = None
    return list(found)


def draft_names(bought: list[str], count: int, chance: random.Random) -> list[str]:
    """One in fifty is owned, one in fifty is misspelt, the others are new."""
    names: dict[str, None] = {}
    while len(names) < count:
        name = chance.choice(bought)
        label = name.removesuffix(".com")
        at = chance.randrange(1, len(label) - 1)
        match len(names) % 50:
            case 0:
                names[name] = None
            case 1:
                names[f"{label[:at]}{label[at + 1]}{label[at]}{label[at + 2 :]}.com"] = None
            case _:
                names[f"{label[:at]}{chance.choice('aeiou')}q{label[at:]}.com"] = None
    return list(names)


def stock(bought: list[str], drafted: list[str]) -> Any:
    """Delivered orders of 5,000 domains each, and a draft."""
    from django.db import connection

    from orders.models import Client, Domain, Order, State
    from vendors.models import Vendor

    Domain.objects.all().delete()
    vendor, _ = Vendor.objects.get_or_create(name="Bench", api="smartsenders")
    client, _ = Client.objects.get_or_create(name="Northwind", main_domain="northwind.com")
    about: dict[str, Any] = {
        "vendor": vendor,
        "product": "domains",
        "client": client,
        "drafted_by_name": "bench",
    }
    for start in range(0, len(bought), 5000):
        order = Order.objects.create(state=State.DELIVERED, digest="d", **about)
        some = bought[start : start + 5000]
        Domain.objects.bulk_create(
            (
                Domain(name=name, vendor=vendor, client=client, order=order, state="ready")
                for name in some
            ),
            batch_size=1000,
        )
    draft = Order.objects.create(**about)
    rows = (
        Domain(name=name, vendor=vendor, client=client, order=draft, row=n)
        for n, name in enumerate(drafted, 1)
    )
    Domain.objects.bulk_create(rows, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Order.objects.select_related("vendor", "client", "contact").get(pk=draft.pk)


def measure(title: str, order: Any, bought: list[str], sample: int, chance: random.Random) -> bool:
    """Prints a line for each question; whether both ways gave the same answers."""
    from orders.models import Domain
    from orders.validation import duplicates, order_checks, typos

    names = [line.name for line in order.contents]
    tried = chance.sample(names, min(sample, len(names)))
    print(title)

    def equal(some: list[str]) -> dict[str, list[str]]:
        return {
            name: near for name in some if (near := [other for other in bought if other == name])
        }

    def near(some: list[str]) -> dict[str, list[str]]:
        return {
            name: found
            for name in some
            if (found := [other for other in bought if typos.is_near(name, other)])
        }

    owned, took, queries = timed(lambda: duplicates.seen(Domain, names, order))
    wanted, (loop, _), _ = timed(lambda: equal(tried))
    tell("  owned or on another order", took, queries, loop * len(names) / len(tried))
    same = {name for name in tried if name in owned} == set(wanted)
    found, took, queries = timed(lambda: typos.earlier(names, order))
    wanted, (loop_near, _), _ = timed(lambda: near(tried))
    tell("  one letter away", took, queries, loop_near * len(names) / len(tried))
    same &= {name: sorted(found[name]) for name in tried if name in found} == {
        n: sorted(o) for n, o in wanted.items()
    }
    order.__dict__.pop("contents")
    problems, took, queries = timed(lambda: order_checks.contents(order))
    tell(
        "  all checks, with reading the draft",
        took,
        queries,
        (loop + loop_near) * len(names) / len(tried),
    )
    print(
        f"  {len(problems):,} problems said; the nested loop ran for {len(tried)} rows and is"
        " scaled up, ",
        end="",
    )
    print("with the same answers." if same else "and gave OTHER ANSWERS.", flush=True)
    return same


def timed(ask: Callable[[], Any]) -> tuple[Any, tuple[float, float], int]:
    """The answer, the seconds it took and those that the process was busy, and the number of
    queries.
    """
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        begun, busy = time.perf_counter(), time.process_time()
        answer = ask()
        took = time.perf_counter() - begun, time.process_time() - busy
    return answer, took, len(asked)


def tell(what: str, took: tuple[float, float], queries: int, loop: float) -> None:
    seconds, busy = took
    print(
        f"{what:36}{seconds:7.2f}{busy:7.2f}{queries:9}{loop:11,.0f} s{loop / seconds:9,.0f}×",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
