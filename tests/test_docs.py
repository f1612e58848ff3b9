"""The documents tell the truth of today."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

from vendors.apis import REGISTRY
from vendors.practice.faults import FAULTS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FOLDERS = ("mailops", "orders", "vendors", "templates", "tests", "docs", "requirements", ".ci")
EVIDENCE = ("documented", "third-party", "inferred", "not found")
# A file of an evidence pack has the name of one of our packages: no path of the tree.
OF_A_PACK = "orders/MO-"


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next one of the same level."""
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    assert found, heading
    return found[1]


def test_the_practice_page_names_every_practice_value_in_its_words() -> None:
    page = (ROOT / "docs/practice.md").read_text()
    rows = dict(
        re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", section(page, "## Practice values"), re.M)
    )
    assert rows == {name: fault.words for name, fault in FAULTS.items()}


def test_the_readme_has_a_row_for_every_vendor() -> None:
    table = section(README, "## Vendors")
    for api in REGISTRY.values():
        row = next(
            (line for line in table.splitlines() if line.startswith("|") and api.label in line), ""
        )
        assert ("typed or read" in row) == api.can_fetch_prices, api.label
        assert ("a person says so" in row) != api.can_tell_progress, api.label
        assert f"docs/vendors/{api.name}.md" in row, api.label


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_vendor_has_its_page(name: str) -> None:
    page = (ROOT / f"docs/vendors/{name}.md").read_text()
    api = REGISTRY[name]
    assert page.startswith(f"# {api.label}\n")
    assert f"`vendors/apis/{name}.py`" in page
    assert f"`vendors/practice/{name}.py`" in page
    assert api.docs_url in page
    for product in api.products.values():
        assert product.label in page, product.label
    for item in api.price_items:
        assert f"`{item}`" in page, item
    for label in EVIDENCE:
        assert label in page.lower(), label


def test_no_vendors_page_is_left_over() -> None:
    pages = {path.stem for path in (ROOT / "docs/vendors").glob("*.md")}
    assert pages == set(REGISTRY)


def test_the_index_of_decisions_names_every_record() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", index, re.M)
    records = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [name for _number, name, _title in listed] == [path.name for path in records]
    for place, (number, name, title) in enumerate(listed, start=1):
        page = (ROOT / "docs/decisions" / name).read_text()
        assert int(number) == place
        assert page.startswith(f"# {number}: {title}\n"), name
        parts = re.findall(r"^## (.+)$", page, re.M)
        assert parts == ["Context", "Decision", "Consequences"], name


def test_the_newest_change_is_the_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (\d+\.\d+\.\d+) – (\d{4}-\d\d-\d\d)$", changes, re.M)
    assert versions[0][0] == PROJECT["version"]
    assert len(versions) == len(re.findall(r"^## ", changes, re.M))
    assert [day for _version, day in versions] == sorted(
        (day for _version, day in versions), reverse=True
    )
    assert set(re.findall(r"^### (.+)$", changes, re.M)) <= {
        "Updating",
        "Added",
        "Changed",
        "Fixed",
    }


def test_every_dependency_is_pinned_and_has_its_reason() -> None:
    reasons = (ROOT / "docs/dependencies.md").read_text().partition("## Not taken")[0]
    reasons = " ".join(re.findall(r"^\| (.+?) \|", reasons, re.M)).lower().replace(",", " ").split()
    extras = PROJECT["optional-dependencies"]
    for lock, wanted in (
        ("base", PROJECT["dependencies"]),
        ("test", extras["test"]),
        ("check", extras["check"]),
    ):
        text = (ROOT / f"requirements/{lock}.txt").read_text()
        for dependency in wanted:
            found = re.match(r"[A-Za-z0-9-]+", dependency)
            assert found
            name = found[0].lower()
            assert re.search(rf"^{re.escape(name)}(\[\w+\])?==", text, re.M | re.I), (lock, name)
            assert name in reasons, name


@pytest.mark.parametrize("lock", ["base", "test", "check"])
def test_a_lock_holds_names_versions_and_hashes_only(lock: str) -> None:
    # An address in a lock would send every installation to the registry of the machine that made it.
    lines = (ROOT / f"requirements/{lock}.txt").read_text().splitlines()
    pins = r"[a-z0-9][a-z0-9._-]*(\[\w+\])?==[\w.]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    assert [
        x for x in lines if x and not re.fullmatch(pins, x) and not x.lstrip().startswith("#")
    ] == []
    assert not [line for line in lines if "://" in line]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def headings(page: Path) -> set[str]:
    lines = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
        there = page.parent / target if target else page
        assert heading in headings(there), f"{target}#{heading}"


def named_paths(text: str) -> Iterator[str]:
    """Words in backticks that begin with a folder of the tree."""
    for quoted in re.findall(r"`([^`\n]+)`", text):
        for word in quoted.split():
            if word.split("/")[0] in FOLDERS and "/" in word and not word.startswith(OF_A_PACK):
                yield word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_in_backticks_is_in_the_tree(page: Path) -> None:
    for word in named_paths(page.read_text()):
        path, _, test = word.partition("::")
        # `vendors/apis/<name>.py` stands for every adapter.
        pattern = re.sub(r"<\w+>|\*+", "*", path).rstrip("/")
        found = list(ROOT.glob(pattern))
        assert found, word
        if test:
            # Parameters in brackets are not in the source.
            name = test.split("[")[0]
            assert f"def {name}(" in found[0].read_text(), word


def named_modules(text: str) -> Iterator[str]:
    for quoted in re.findall(r"`([^`\n]+)`", text):
        for word in quoted.split():
            if re.match(r"(mailops|orders|vendors|tests)(\.\w+)+\b", word):
                yield word.split("(")[0]


# Files that bear the name of a package.
NO_MODULES = {"mailops.sqlite3", "orders.csv"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_module_in_backticks_is_in_the_tree(page: Path) -> None:
    for word in set(named_modules(page.read_text())) - NO_MODULES:
        # Not only looked for as a file: a package may bring a name in from one of its modules.
        try:
            resolve_name(word)
        except (AttributeError, ImportError) as error:
            pytest.fail(f"{word}: {error}")
