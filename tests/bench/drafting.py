"""How fast a file becomes a saved draft: `make bench-drafting ARGS="--rows 5000,50000 --rounds 3"`.

Each measurement is a process of its own on one database: MailOps reads the file, checks every line
and saves the draft with its history; django-import-export loads the same file into the same tables;
a bare `bulk_create` writes the same rows, read beforehand. Rates depend on the machine. That all of
them saved the same rows does not, and that alone decides the exit code.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import django

from mailops.ops.processes import BASE_DIR
from tests.faults.installation import IS_POSTGRES, Installation

HEADINGS = ("domain", "first name", "last name", "address")
PER_DOMAIN = 2
BY_ONES = 5000  # above this many rows, import-export row by row takes minutes and says nothing new


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench-drafting", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", default="5000,50000", help="rows in a file, one size or several (%(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is measured (%(default)s)"
    )
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one:
        print(json.dumps(measured(chosen.one, chosen.file)))
        return 0
    try:
        sizes = [int(size) for size in chosen.rows.split(",")]
    except ValueError:
        parser.error("--rows takes numbers with commas between them")
    if min(chosen.rounds, *sizes) < 1:
        parser.error("every number has to be above zero")
    return compare(sizes, chosen.rounds)


# side by side


def compare(sizes: list[int], rounds: int) -> int:
    """Measure each in turn, round by round, so that a busy moment of the machine meets all of them;
    print it.
    """
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="mailops-bench-") as folder:
        installation = Installation(Path(folder))
        try:
            installation.migrate()
            for size in sizes:
                for kind in ("csv", "xlsx"):
                    Path(folder, f"{size}.{kind}").write_bytes(FILES[kind](size))
            for number in range(rounds):
                for name, size in runs(sizes):
                    tell(f"{name}, {size:,} rows, round {number + 1} of {rounds} …")
                    found.setdefault((name, size), []).append(asked(installation, name, size))
        finally:
            installation.tear_down()
    return report(found, sizes)


def runs(sizes: list[int]) -> Iterator[tuple[str, int]]:
    for size in sizes:
        yield from ((name, size) for name in CONTENDERS if name != ROW_BY_ROW or size <= BY_ONES)


def asked(installation: Installation, name: str, size: int) -> dict[str, Any]:
    """One measurement in a process of its own, so that its memory is its own."""
    kind = "xlsx" if name == WORKBOOK else "csv"
    command = [
        sys.executable,
        "-m",
        "tests.bench.drafting",
        "--one",
        name,
        "--file",
        f"{installation.folder}/{size}.{kind}",
    ]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=installation.env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def report(found: dict[tuple[str, int], list[dict[str, Any]]], sizes: list[int]) -> int:
    """Print rates, ratios and memory; 1 where two of them did not save the same rows."""
    print(
        f"{'PostgreSQL' if IS_POSTGRES else 'SQLite'}, from a file to saved rows, median of the"
        " rounds\n"
    )
    head = (
        "rows",
        "rows/s",
        "ms a row",
        "of bulk_create's time",
        "times import-export",
        "peak MB",
        "of it here",
    )
    print("  ".join([" " * 34, *(word.rjust(max(8, len(word))) for word in head)]))
    took = {key: median(one["seconds"] for one in times) for key, times in found.items()}
    for (name, size), times in found.items():
        cells = (
            f"{size:,}", f"{size / took[name, size]:,.0f}", f"{1000 * took[name, size] / size:.3f}",
            f"{took[name, size] / took[BARE, size]:.2f}", f"{took[IN_BULK, size] / took[name, size]:.1f}",
            f"{max(one['peak'] for one in times):.0f}", f"{max(one['grown'] for one in times):.0f}",
        )  # fmt: skip
        print(
            "  ".join(
                [
                    name.ljust(34),
                    *(c.rjust(max(8, len(w))) for c, w in zip(cells, head, strict=True)),
                ]
            )
        )
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        for name in (MAILOPS, WORKBOOK):
            flat = (took[name, last] / last) / (took[name, first] / first)
            print(
                f"\n{name}: a row of {last:,} takes {flat:.2f} times as long as a row of"
                f" {first:,}.",
                end="",
            )
        print()
    if (ROW_BY_ROW, sizes[0]) in took:
        times_ = took[ROW_BY_ROW, sizes[0]] / took[MAILOPS, sizes[0]]
        print(
            f"Against import-export as it comes, row by row: {times_:.0f} times as fast at"
            f" {sizes[0]:,} rows."
        )
    saved = {
        size: {one["saved"] for (_, of), times in found.items() if of == size for one in times}
        for size in sizes
    }
    same = all(len(kinds) == 1 for kinds in saved.values())
    print("All of them saved the same rows." if same else "They did NOT save the same rows.")
    return 0 if same else 1


# one measurement


def measured(name: str, path: Path) -> dict[str, Any]:
    """Seconds from the file to committed rows, peak memory of the process in MB, and what was
    saved, as a hash.
    """
    django.setup()
    from tests.bench import contenders

    order = contenders.prepared()
    work = {
        MAILOPS: contenders.mailops, WORKBOOK: contenders.mailops, BARE: contenders.bare,
        IN_BULK: contenders.in_bulk, ROW_BY_ROW: contenders.row_by_row,
    }[name](path, order)  # fmt: skip
    before = _peak()
    begun = time.perf_counter()
    work()
    seconds, peak = time.perf_counter() - begun, _peak()
    saved = hashlib.sha256("\n".join(contenders.saved()).encode()).hexdigest()
    contenders.clear()
    return {"seconds": seconds, "peak": peak, "grown": peak - before, "saved": saved}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


MAILOPS = "MailOps, CSV"
WORKBOOK = "MailOps, XLSX"
BARE = "bare bulk_create, rows in memory"
IN_BULK = "import-export in bulk, no diffs"
ROW_BY_ROW = "import-export as it comes"
CONTENDERS = (MAILOPS, WORKBOOK, BARE, IN_BULK, ROW_BY_ROW)


# the files


def table(rows: int) -> Iterator[tuple[str, ...]]:
    """Two mailboxes a domain, all names different."""
    yield HEADINGS
    for number in range(rows):
        yield (
            f"bench-{number // PER_DOMAIN}.com",
            "Dana",
            f"Reyes{number}",
            f"dana.reyes{number % PER_DOMAIN}",
        )


def as_csv(rows: int) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(table(rows))
    return out.getvalue().encode()


def as_xlsx(rows: int) -> bytes:
    from openpyxl import Workbook

    book, out = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("Order")
    for cells in table(rows):
        sheet.append(cells)
    book.save(out)
    return out.getvalue()


FILES: dict[str, Callable[[int], bytes]] = {"csv": as_csv, "xlsx": as_xlsx}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailops.settings")
    sys.exit(main(sys.argv[1:]))
