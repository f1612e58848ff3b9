"""The list of mutations stays honest: each still fits the code, names tests that exist, and stands
in the document.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.faults.mutants import MUTATIONS, Mutation
from tests.faults.mutations import ROOT

PAGE = ROOT / "docs" / "safety.md"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_text_to_break_stands_just_once_in_its_file(mutation: Mutation) -> None:
    for name, old, new in mutation.edits:
        assert (ROOT / name).read_text().count(old) == 1, f"{name}: {old}"
        assert old != new


def test_every_named_test_exists() -> None:
    named = {test for mutation in MUTATIONS for test in mutation.caught_by}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "-q",
        *sorted(named),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_document_lists_exactly_these_mutations() -> None:
    rows = re.findall(
        r"^\| (.+) \| (\d|switch) \| ((?:`tests/[^`]+`(?:, )?)+) \|$", PAGE.read_text(), re.M
    )
    listed = {
        name: (promise, tuple(re.findall(r"`([^`]+)`", tests))) for name, promise, tests in rows
    }
    assert listed == {
        mutation.name: (mutation.promise, mutation.caught_by) for mutation in MUTATIONS
    }


def test_every_promise_is_tried() -> None:
    assert {mutation.promise for mutation in MUTATIONS} == {"1", "2", "3", "4", "5", "6", "switch"}
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 14
