"""The vendors package knows nothing of orders, not even through names that Django resolves late."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from orders.models import State

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "vendors").rglob("*.py")
    if "migrations" not in path.parts
)
# These also mean something at a vendor, or head a column.
ALSO_OTHER_WORDS = {State.SENDING, State.ACCEPTED, State.CREATED, State.REFUSED, State.UNKNOWN}


@pytest.mark.parametrize("path", FILES)
def test_no_file_reaches_an_accounts_orders_or_names_their_states(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    reached = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "orders"
    ]
    assert reached == []
    states = {*State.values} - ALSO_OTHER_WORDS
    named = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in states
    ]
    assert named == []


@pytest.mark.parametrize("path", FILES)
def test_no_file_filters_by_the_state_of_an_order(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    filters = [
        (keyword.value.lineno, keyword.arg)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if (keyword.arg or "").startswith(("orders__", "order__", "state"))
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value in State.values
    ]
    assert filters == []
