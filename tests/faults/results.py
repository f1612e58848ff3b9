"""The table of all drills: each notes how it ended, in a file of its process, and the run prints
them at its end.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = "MAILOPS_DRILL_RESULTS"  # names where; nothing is noted without it
COLUMNS = ("fault", "expected", "actual", "charges", "attempts")


def note(**row: Any) -> None:
    if folder := os.environ.get(FOLDER):
        line = json.dumps([str(row[column]) for column in COLUMNS])
        with (Path(folder) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def table() -> list[str]:
    """All rows as aligned lines, under their headings; empty where nothing was noted."""
    folder = Path(os.environ.get(FOLDER) or os.devnull)
    rows = [
        json.loads(line)
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.open(encoding="utf-8")
    ]
    if not rows:
        return []
    widths = [max(len(row[index]) for row in [COLUMNS, *rows]) for index in range(len(COLUMNS))]
    lines = [COLUMNS, ["-" * width for width in widths], *sorted(rows)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
