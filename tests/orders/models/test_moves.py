"""Only the order's own verbs move an order."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "orders/models"
VERBS = {MODELS / f"{name}.py" for name in ("order", "order_moves", "order_outcomes")}
MOVERS = {"transition", "mark_assets", "_mark_assets"}


def movers_in(source: str) -> set[str]:
    """The attributes of `MOVERS` that the source reads, called or not."""
    nodes = ast.walk(ast.parse(source))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} & MOVERS


def test_nobody_but_the_order_moves_an_order_or_marks_its_assets() -> None:
    sources = [
        path
        for package in ("mailops", "orders", "vendors")
        for path in (ROOT / package).rglob("*.py")
        if path not in VERBS
    ]
    assert len(sources) > 200
    assert {path: found for path in sources if (found := movers_in(path.read_text()))} == {}


def test_the_look_at_the_source_finds_moves() -> None:
    assert all(
        movers_in((MODELS / f"{name}.py").read_text()) == {"transition", "_mark_assets"}
        for name in ("order", "order_outcomes")
    )
    assert movers_in("move = order.transition\nmove('sent')") == {"transition"}
