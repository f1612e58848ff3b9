"""The preview of a draft: the columns, and pages of lines, each with its row or its error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator

from orders.drafting.intake import MOST_LINES, BadLine, Doubt, Reading, Row
from vendors.verdicts import Problem

LINES_PER_PAGE = 50
# bad lines in the summary at the top of the page
BAD_LINES_LISTED = 10


@dataclass(frozen=True, kw_only=True)
class LineShown:
    """One line of the paste box, with its row or its error. `can_mend`: the page can correct it."""

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
    """One page of lines, and counts for all lines. `shown` is "all" or "bad"."""

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
        """The first bad lines, each with True if the line is on this page."""
        here = {line.number for line in self.lines}
        bad = self.reading.bad
        # The reader adds "too many lines" at the end, but it matters more than single lines.
        first = (
            [bad[-1], *bad[: BAD_LINES_LISTED - 1]]
            if self.count > MOST_LINES
            else bad[:BAD_LINES_LISTED]
        )
        return [(line, line.number in here) for line in first]

    @property
    def unlisted(self) -> int:
        return max(0, self.bad_count - BAD_LINES_LISTED)


def preview(
    reading: Reading, text: str, problems: Iterable[Problem], asked: Mapping[str, str]
) -> Preview:
    """The lines of a page. `asked` is the posted form: `show` (all or bad), `page`, `shown`."""
    by_row: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.row:
            by_row.setdefault(problem.row, []).append(problem)
    stopped = {row for row, found in by_row.items() if any(p.level == "stop" for p in found)}
    results = reading.results
    to_change = [result for result in results if result.bad or result.number in stopped]
    # The first look at a long list shows the lines that need work; later clicks decide.
    shown = asked.get("show") or asked.get("shown", "")
    if "show" not in asked and "page" not in asked:
        shown = "bad" if to_change and len(results) > LINES_PER_PAGE else "all"
    if shown != "bad" or not to_change:
        shown = "all"
    paginator = Paginator(to_change if shown == "bad" else results, LINES_PER_PAGE)
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
            # A quoted cell may span several lines, which one field can't hold.
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
    """Fields with errors, for links at the top of the page."""
    # The lines of the paste box have a list of their own.
    return [
        {"id": form[name].auto_id, "label": form[name].label, "text": " ".join(errors)}
        for form in forms
        for name, errors in form.errors.items()
        if name in form.fields
        and not form[name].is_hidden
        and not (name == "rows" and form.reading.bad)
    ]
