"""Fifty domains from a paste or a workbook to an order that waits for confirmation, six mistakes
mended on the way.
"""

from __future__ import annotations

import io
import re

import pytest
from openpyxl import Workbook
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import GOOGLE, Wanted, begin, chip, fill, lines_box, rows_of

pytestmark = pytest.mark.browser

# the line, what is typed there, a piece of what is wrong and of the fix, and what it is mended to
MISTAKES = {
    4: ("{word} 04.com", "can't be a domain.", "Did you mean {word}-04.com?", "{word}-04.com"),
    11: ("{word}-11", "has no ending.", "Did you mean {word}-11.com?", "{word}-11.com"),
    19: (
        "dana@{word}-19.com",
        "is an address, not a domain.",
        "Write only {word}-19.com.",
        "{word}-19.com",
    ),
    28: (
        "{word}-27.com",
        "{word}-27.com is on line 27 already.",
        "Take one of the two lines out.",
        "{word}-28.com",
    ),
    36: ("=cmd|'/c calc'!A1", "begins like a formula of a spreadsheet.", "", "{word}-36.com"),
    45: (
        "{word}-45.com, , , , , twelve",
        "“twelve” is no number of years.",
        "1 to 10",
        "{word}-45.com",
    ),
}
WANTED = Wanted(
    account="ColdMailReseller (practice)",
    what="New domains with mailboxes",
    lines="",
    fields={"Client": "Northwind", **GOOGLE},
)


def lines_of(word: str) -> list[str]:
    """Fifty lines with a domain each, six of them wrong."""
    right = {number: f"{word}-{number:02}.com" for number in range(1, 51)}
    return [MISTAKES[n][0].format(word=word) if n in MISTAKES else right[n] for n in right]


def paste(page: Page, lines: list[str]) -> None:
    lines_box(page).fill("\n".join(lines))
    page.get_by_role("button", name="Read", exact=True).click()


def upload(page: Page, lines: list[str]) -> None:
    book, out = Workbook(), io.BytesIO()
    for line in lines:
        book.active.append([cell.strip() or None for cell in line.split(",")])
    for row in book.active.iter_rows():
        for cell in row:
            cell.data_type = (
                "s" if cell.value else cell.data_type
            )  # a text that looks like a formula, not a formula
    book.save(out)
    page.get_by_text("Choose a file").click()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.get_by_label("CSV, Excel").set_input_files(
        {"name": "fifty.xlsx", "mimeType": kind, "buffer": out.getvalue()}
    )
    page.get_by_role("button", name="Open the file").click()


@pytest.mark.parametrize(("bring", "word"), [(paste, "fifty"), (upload, "book")])
def test_fifty_domains_with_six_mistakes_are_mended_get_addresses_and_are_handed_on(
    drafter: Page, bring: object, word: str
) -> None:
    begin(drafter, WANTED)
    assert callable(bring)
    bring(drafter, lines_of(word))
    expect(drafter.get_by_role("alert")).to_contain_text("6 lines need a change.")
    results = rows_of(drafter, "50 lines read, 6 need a change")
    for number, (_, wrong, fix, mended) in MISTAKES.items():
        line = drafter.get_by_label(f"Line {number}", exact=True)
        row = results.filter(has=line)
        expect(row).to_contain_text(wrong.format(word=word))
        expect(row).to_contain_text(fix.format(word=word))
        line.fill(mended.format(word=word))
    assert faults(drafter) == []
    drafter.get_by_role("button", name="Read", exact=True).click()
    expect(drafter.get_by_text("50 lines can be read")).to_be_visible()

    drafter.get_by_text("Make addresses from names").click()
    fill(drafter, "Names", "Dana Reyes\nSam Ito")
    drafter.get_by_role("button", name="Show the addresses").click()
    drafter.get_by_role("button", name="Take over 100 mailboxes on 50 domains").click()
    expect(drafter.get_by_text("100 addresses are in the lines now.")).to_be_visible()
    cost = drafter.get_by_role("complementary").get_by_text(re.compile(r"^\$[\d,]+\.\d\d now$"))
    costs = cost.inner_text().removesuffix(" now")
    drafter.get_by_role("button", name="Send for confirmation").click()
    expect(chip(drafter)).to_have_text("Waiting for confirmation")
    expect(drafter.get_by_role("heading", level=1)).to_have_text(
        "Northwind: 50 domains and 100 mailboxes"
    )
    expect(drafter.get_by_text(costs).first).to_be_visible()
