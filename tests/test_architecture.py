"""The house as docs/architecture.md describes it: packages, names, sizes, and words of the source."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("mailops", "vendors", "orders")
PAGE = (ROOT / "docs" / "architecture.md").read_text()
# Django looks for modules of these names; a vendor's adapter and its practice twin share one.
MAY_REPEAT = {
    "__init__",
    "admin",
    "apps",
    "checks",
    "forms",
    "middleware",
    "models",
    "tasks",
    "urls",
}
MAY_REPEAT |= {"views", "coldmailreseller", "scaledmail", "smartsenders", "woodpecker"}
STANDARD_NAMES = {"queue", "types", "logging", "email", "http", "calendar", "code", "token", "copy"}
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 50
# Words that a stranger stumbles over. They may only become fewer: lower the number with them.
UNWANTED = re.compile(r"\b(told|whoever|anew|meanwhile)\b|\bwhat of it\b|\bof which\b", re.I)
UNWANTED_LEFT = 74


def sources(*packages: str) -> Iterator[Path]:
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def packages() -> dict[str, str]:
    """Path of each package to the first line of its docstring."""
    found = {}
    for path in sources():
        folder = path.parent
        is_djangos = {"management", "templatetags"} & set(folder.parts)
        if path.name == "__init__.py" and not is_djangos:
            text = ast.get_docstring(ast.parse(path.read_text())) or ""
            found[named(folder)] = text.partition("\n")[0]
    return found


def packages_of_the_page() -> dict[str, str]:
    found, outer = {}, ""
    tree = PAGE.split("## The tree")[1].split("```")[1]
    for indent, name, line in re.findall(r"^( *)(\w+)/ +(.+)$", tree, re.M):
        depth = len(indent) // 2
        outer = "/".join([*outer.split("/")[:depth], name]) if depth else name
        found[outer] = line
    return found


def test_the_page_names_every_package_with_its_own_line_and_no_other() -> None:
    assert packages_of_the_page() == packages()


def test_no_module_name_stands_in_two_packages() -> None:
    places = defaultdict(list)
    for path in sources():
        if not {"management", "templatetags"} & set(path.parts):
            name = path.parent.name if path.name == "__init__.py" else path.stem
            places[name].append(named(path))
    repeated = {n: found for n, found in places.items() if len(found) > 1 and n not in MAY_REPEAT}
    assert repeated.keys() <= {"models", "admin"}, repeated


def test_no_module_has_the_name_of_a_drawer_or_of_the_standard_library() -> None:
    for path in sources():
        assert path.stem not in {"utils", "helpers", "common", "misc"} | STANDARD_NAMES, named(path)


def test_no_file_and_no_function_is_too_long_to_read() -> None:
    long = []
    for path in sources(*PACKAGES, "tests"):
        if (lines := len(path.read_text().splitlines())) > MOST_LINES:
            long.append(f"{named(path)} has {lines} lines")
    for path in sources():
        for node in functions(path):
            assert node.end_lineno is not None
            if (lines := node.end_lineno - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION:
                long.append(f"{named(path)}: {node.name} has {lines} lines")
    assert not long, "\n".join(long)


def test_docstrings_are_contracts_and_comments_say_why() -> None:
    functions_seen = with_docstring = lines = comments = 0
    for path in sources():
        text = path.read_text()
        lines += len(text.splitlines())
        comments += sum(line.lstrip().startswith("#") for line in text.splitlines())
        for node in functions(path):
            functions_seen += 1
            with_docstring += ast.get_docstring(node) is not None
    assert with_docstring / functions_seen < 0.3
    assert comments / lines >= 0.03


def test_no_docstring_begins_with_a_question_word() -> None:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node) or ""
                assert not re.match(r"(What|Whether)\b", text), f"{named(path)}: {text[:60]}"


def test_words_that_a_stranger_stumbles_over_become_fewer() -> None:
    found = [
        f"{named(path)}: {line.strip()}"
        for path in sources()
        for line in path.read_text().splitlines()
        if UNWANTED.search(line)
    ]
    assert len(found) <= UNWANTED_LEFT, "\n".join(found)
