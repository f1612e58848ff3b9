"""Drafting: nothing typed is lost, nothing half-read is saved."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import (
    OpenPage,
    Wanted,
    begin,
    draft,
    fill_lines,
    lines_box,
    mailbox_order,
    open_order,
    rows_of,
)

pytestmark = pytest.mark.browser

# each line with a piece of what is wrong and of how to mend it
BAD = [
    ("bad reach.com, Dana Reyes, dana", "“bad reach.com” can't be a domain.", "Did you mean bad-reach.com?"),
    ("badreach, Dana Reyes, dana", "“badreach” has no ending.", "Did you mean badreach.com?"),
    ("dana@bad-three.com, Dana Reyes, dana", "is an address, not a domain.", " bad-three.com."),
    ("bad-four.com, Dana Reyes", "There is a name but no address.", "Add the address, for example: bad-four.com"),
    ("bad-five.com, Dana Reyes, dana@other.com", "The address is at other.com", "dana@bad-five.com"),
    ("bad-six.com, Dana Reyes, da na", "A space is not allowed before the @", "da.na"),
    ("bad-seven.com, Dana Reyes, dana, pictures/me.png", "The picture is no web address.", "beginning with https://"),
    ("bad-eight.com, Dana Reyes, dana, , , twelve", "“twelve” is no number of years.", "1 to 10"),
]
GOOD = "bad-nine.com, Dana Reyes, dana"
DOMAINS = Wanted(
    account="ColdMailReseller (practice)",
    what="New domains with mailboxes",
    lines="\n".join([*(line for line, *_ in BAD), GOOD]),
    fields={"Client": "Northwind", "Note for the confirmer": "Typed before the mistakes were found"},
)


def _count_of_orders(page: Page) -> str:
    page.goto("/orders/order/")
    return page.get_by_role("navigation", name="Filter by state").get_by_role("link", name="All").inner_text()


def test_each_bad_line_is_named_with_its_fix_and_nothing_is_saved_or_lost(drafter: Page, auditor: Page) -> None:
    before = _count_of_orders(auditor)
    begin(drafter, DOMAINS)
    drafter.get_by_role("button", name="Save draft").click()
    expect(drafter.get_by_role("alert")).to_contain_text("8 lines need a change.")
    results = rows_of(drafter, "9 lines read, 8 need a change")
    for place, (line, wrong, fix) in enumerate(BAD):
        row = results.nth(place)
        expect(row.locator("td").first).to_have_text(str(place + 1))
        expect(row).to_contain_text(line)
        expect(row).to_contain_text(wrong)
        expect(row).to_contain_text(fix)
    expect(results.nth(len(BAD))).to_contain_text("Good")
    expect(lines_box(drafter)).to_have_value(DOMAINS.lines)
    expect(drafter.get_by_label("Note for the confirmer")).to_have_value("Typed before the mistakes were found")
    assert _count_of_orders(auditor) == before
    assert faults(drafter) == []

    fill_lines(drafter, GOOD)
    drafter.get_by_role("button", name="Save draft").click()
    expect(drafter.get_by_text("is saved as a draft")).to_be_visible()
    expect(lines_box(drafter)).to_have_value(GOOD)
    assert _count_of_orders(auditor) != before


def test_the_second_tab_to_save_a_draft_is_refused_and_keeps_its_text(drafter: Page, open_page: OpenPage) -> None:
    number = draft(drafter, mailbox_order("two-drafts.com"))
    second = open_page("drafter")
    open_order(second, number, "edit")
    fill_lines(drafter, "two-drafts.com, Lee Wong, lee")
    drafter.get_by_role("button", name="Save draft").click()
    expect(drafter.get_by_text("is saved as a draft")).to_be_visible()
    fill_lines(second, "two-drafts.com, Sam Ito, sam")
    second.get_by_role("button", name="Save draft").click()
    expect(second.get_by_role("alert")).to_contain_text("Not saved.")
    expect(second.get_by_role("alert")).to_contain_text("saved in another tab or by somebody else")
    expect(lines_box(second)).to_have_value("two-drafts.com, Sam Ito, sam")
    open_order(drafter, number, "edit")
    expect(lines_box(drafter)).to_have_value("two-drafts.com, Lee Wong, lee")
