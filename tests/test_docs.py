"""The documents tell the truth of today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vendors.apis import REGISTRY
from vendors.practice.faults import FAULTS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_readme_names_every_practice_value_in_its_words() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", README, re.M))
    assert rows == {name: fault.words for name, fault in FAULTS.items()}


def test_the_readme_has_a_row_for_every_vendor() -> None:
    table = README.partition("## Vendors")[2].partition("##")[0]
    for api in REGISTRY.values():
        row = next(
            (line for line in table.splitlines() if line.startswith("|") and api.label in line), ""
        )
        assert ("typed or read" in row) == api.can_fetch_prices, api.label
        assert ("a person says so" in row) != api.can_tell_progress, api.label


@pytest.mark.parametrize("page", sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
