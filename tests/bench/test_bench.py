"""The bench runs, and it notices what it is there to notice. No test asserts a time."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from mailops.ops.processes import BASE_DIR
from tests.bench import bare, sending
from vendors.practice.ledger import CHARGED, Ledger, account_of


def test_twelve_orders_go_through_two_clusters() -> None:
    command = [sys.executable, "-m", "tests.bench.sending", "--clusters", "2", "--statements"]
    done = subprocess.run(
        [*command, "--orders", "12", "--workers", "2", "--latency", "0.05"],
        cwd=BASE_DIR, capture_output=True, text=True, timeout=540,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    row = re.search(r"^ +2 ( +[\d.]+){6} +(\d+) +(\d+)$", done.stdout, re.M)
    assert row and row.group(2, 3) == ("0", "0"), done.stdout
    shares = re.search(r"the clusters sent (\d+), (\d+) orders", done.stdout)
    assert shares and sum(map(int, shares.groups())) == 12, done.stdout
    asked = re.search(
        r"^\d+ statements from claim to outcome, and apart from them (\d+) BEGIN, (\d+) COMMIT$",
        done.stdout,
        re.M,
    )
    assert asked and asked[1] == asked[2], done.stdout
    assert 'UPDATE "orders_attempt" SET "stage" = \'accepted\'' in done.stdout


def test_a_second_charge_counts_and_the_bare_loops_do_not(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    for key, domain in (
        ("practice-1", "a.com"),
        ("practice-2", "a.com"),
        ("practice-1", "b.com"),
        (bare.KEY, "b.com"),
    ):
        ledger.record_charge(
            vendor="coldmailreseller", account=account_of(key), request="domains and mailboxes", reference="",
            domains=[domain], mailboxes=[], details={}, body_sha256="", status=CHARGED, fault="",
            amount=Decimal(0), currency="USD",
        )  # fmt: skip
    ledger.close()
    assert sending.duplicates(tmp_path / "ledger", {"a.com", "b.com"}) == 1
    assert sending.duplicates(tmp_path / "ledger", {"b.com"}) == 0


@pytest.mark.parametrize(
    ("found", "is_unbroken", "code"),
    [({}, True, 0), ({"duplicates": 1}, True, 1), ({"not_accepted": 1}, True, 1), ({}, False, 1)],
)
def test_it_fails_for_what_is_bought_twice_or_lost(
    found: dict[str, int], is_unbroken: bool, code: int
) -> None:
    rows = [sending.Row(2, 10.0), sending.Row(4, 20.0, **found)]
    assert sending.exit_code(rows, is_unbroken=is_unbroken) == code


@pytest.mark.parametrize(
    "bad", ["--workers=two", "--workers=0", "--orders=0", "--latency=0", "--clusters=0"]
)
def test_it_says_what_it_can_not_measure(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        sending.options([bad])
    assert stopped.value.code == 2
    assert "error" in capsys.readouterr().err
