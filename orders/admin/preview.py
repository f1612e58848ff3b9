"""How the box was read, for the page: the columns, and every line with its row or what to change,
fifty a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator

from orders.drafting.intake import MOST_LINES, BadLine, Doubt, Reading, Row
from vendors.verdicts import Problem

PAGE = 50
LISTED = 10  # bad lines in the summary at the top


@dataclass(frozen=True, kw_only=True)
class LineShown:
    """One line: `text` stands in the box and can be mended in place, where it is one line there."""

    number: int
    text: str
    row: Row | None
    bad: BadLine | None
    doubts: tuple[Doubt, ...] = ()
    stops: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    can_mend: bool = False


@dataclass(kw_only=True)
class Preview:
    """What the page shows of a reading."""

    reading: Reading
    lines: list[LineShown]
    number: int
    shown: str
    count: int
    to_change: int
    doubtful: int
    pages: list[int | str] = field(default_factory=list)

    @property
    def bad_count(self) -> int:
        return len(self.reading.bad)

    @property
    def summary(self) -> list[tuple[BadLine, bool]]:
        """The first bad lines, each with whether it stands on this page; that there are too many
        comes first.
        """
        here = {line.number for line in self.lines}
        bad = self.reading.bad
        first = [bad[-1], *bad[: LISTED - 1]] if self.count > MOST_LINES else bad[:LISTED]
        return [(line, line.number in here) for line in first]

    @property
    def unlisted(self) -> int:
        return max(0, self.bad_count - LISTED)


def preview(
    reading: Reading, text: str, problems: Iterable[Problem], asked: Mapping[str, str]
) -> Preview:
    """`asked` holds what was clicked: `show` (all or bad) and `page`, and what was shown before."""
    by_row: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.row:
            by_row.setdefault(problem.row, []).append(problem)
    stopped = {
        number
        for number, found in by_row.items()
        if any(problem.level == "stop" for problem in found)
    }
    results = reading.results
    to_change = [result for result in results if result.bad or result.number in stopped]
    shown = asked.get("show") or asked.get("shown", "")
    if "show" not in asked and "page" not in asked:
        shown = "bad" if to_change and len(results) > PAGE else "all"
    if shown != "bad" or not to_change:
        shown = "all"
    paginator = Paginator(to_change if shown == "bad" else results, PAGE)
    page = paginator.get_page(asked.get("page", 1))
    lines = text.lstrip("\ufeff").splitlines()
    shown_lines = [
        LineShown(
            number=result.number,
            text=lines[result.number - 1] if result.number <= len(lines) else result.text,
            row=result.row,
            bad=result.bad,
            doubts=tuple(result.doubts),
            stops=tuple(p for p in by_row.get(result.number, ()) if p.level == "stop"),
            warnings=tuple(p for p in by_row.get(result.number, ()) if p.level != "stop"),
            can_mend="\n" not in result.text and result.number <= len(lines),
        )
        for result in page.object_list
    ]
    return Preview(
        reading=reading,
        lines=shown_lines,
        number=page.number,
        shown=shown,
        count=len(results),
        to_change=len(to_change),
        doubtful=len({doubt.number for doubt in reading.doubts}),
        pages=list(paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1))
        if paginator.num_pages > 1
        else [],
    )


def field_errors(*forms: Any) -> list[dict[str, str]]:
    """Every field that needs a change, to jump to from the top of the page; the box's lines are
    listed apart.
    """
    return [
        {"id": form[name].auto_id, "label": form[name].label, "text": " ".join(errors)}
        for form in forms
        for name, errors in form.errors.items()
        if name in form.fields
        and not form[name].is_hidden
        and not (name == "rows" and form.reading.bad)
    ]
