"""The drafting bench runs, and it notices when two ways to load a file do not end with the same
rows.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from mailops.ops.processes import BASE_DIR
from tests.bench import drafting


def test_every_way_saves_the_same_sixty_rows() -> None:
    command = [sys.executable, "-m", "tests.bench.drafting", "--rows", "60", "--rounds", "1"]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in drafting.CONTENDERS:
        assert re.search(rf"^{re.escape(name)} +60( +[\d,.]+){{6}}$", done.stdout, re.M), (
            done.stdout
        )
    assert done.stdout.endswith("All of them saved the same rows.\n")


@pytest.mark.parametrize(("other", "code"), [("abc", 0), ("abd", 1)])
def test_only_different_rows_are_an_error(other: str, code: int, capsys: Any) -> None:
    def one(saved: str) -> dict[str, Any]:
        return {"seconds": 1.0, "peak": 1.0, "grown": 1.0, "saved": saved}

    found = {(name, 5): [one("abc")] for name in drafting.CONTENDERS} | {
        (drafting.MAILOPS, 5): [one(other)]
    }
    assert drafting.report(found, [5]) == code
    assert ("NOT" in capsys.readouterr().out) == bool(code)
