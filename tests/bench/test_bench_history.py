"""The history bench runs at a small size, and its made-up chain is a right one.

No test asserts a time.
"""

from __future__ import annotations

import re
import subprocess
import sys

from mailops.ops.processes import BASE_DIR


def test_three_hundred_events_are_made_verified_and_browsed() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.bench.history",
        "--events",
        "300",
        "--transactions",
        "3",
        "--rounds",
        "1",
    ]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^verified, unbroken .* 303 records", done.stdout, re.M), done.stdout
    assert re.search(r"^the same with its record .* times$", done.stdout, re.M), done.stdout
    assert re.search(r"^  from the middle +[\d.]+ ms", done.stdout, re.M), done.stdout
