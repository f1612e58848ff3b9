"""Drafting: nothing typed is lost, nothing half-read is saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import (
    OpenPage,
    Wanted,
    begin,
    draft,
    fill,
    fill_lines,
    labelled,
    lines_box,
    mailbox_order,
    number_of,
    open_order,
    rows_of,
)

pytestmark = pytest.mark.browser

# each line with a piece of what is wrong and of how to mend it
BAD = [
    (
        "bad reach.com, Dana Reyes, dana",
        "“bad reach.com” can't be a domain.",
        "Did you mean bad-reach.com?",
    ),
    ("badreach, Dana Reyes, dana", "“badreach” has no ending.", "Did you mean badreach.com?"),
    ("dana@bad-three.com, Dana Reyes, dana", "is an address, not a domain.", " bad-three.com."),
    (
        "bad-four.com, Dana Reyes",
        "There is a name but no address.",
        "Add the address, for example: bad-four.com",
    ),
    (
        "bad-five.com, Dana Reyes, dana@other.com",
        "The address is at other.com",
        "dana@bad-five.com",
    ),
    ("bad-six.com, Dana Reyes, da na", "A space is not allowed before the @", "da.na"),
    (
        "bad-seven.com, Dana Reyes, dana, pictures/me.png",
        "The picture is no web address.",
        "beginning with https://",
    ),
    ("bad-eight.com, Dana Reyes, dana, , , twelve", "“twelve” is no number of years.", "1 to 10"),
]
GOOD = "bad-nine.com, Dana Reyes, dana"
DOMAINS = Wanted(
    account="ColdMailReseller (practice)",
    what="New domains with mailboxes",
    lines="\n".join([*(line for line, *_ in BAD), GOOD]),
    fields={
        "Client": "Northwind",
        "Note for the confirmer": "Typed before the mistakes were found",
    },
)


def _count_of_orders(page: Page) -> str:
    page.goto("/orders/order/")
    return (
        page.get_by_role("navigation", name="Filter by state")
        .get_by_role("link", name="All")
        .inner_text()
    )


def test_each_bad_line_is_named_with_its_fix_and_nothing_is_saved_or_lost(
    drafter: Page, auditor: Page
) -> None:
    before = _count_of_orders(auditor)
    begin(drafter, DOMAINS)
    drafter.get_by_role("button", name="Save draft").click()
    expect(drafter.get_by_role("alert")).to_contain_text("8 lines need a change.")
    results = rows_of(drafter, "9 lines read, 8 need a change")
    for place, (line, wrong, fix) in enumerate(BAD):
        row = results.nth(place)
        expect(row.locator("td").first).to_have_text(str(place + 1))
        expect(row.get_by_label(f"Line {place + 1}", exact=True)).to_have_value(line)
        expect(row).to_contain_text(wrong)
        expect(row).to_contain_text(fix)
    expect(results.nth(len(BAD))).to_contain_text("Good")
    expect(lines_box(drafter)).to_have_value(DOMAINS.lines)
    expect(drafter.get_by_label("Note for the confirmer")).to_have_value(
        "Typed before the mistakes were found"
    )
    assert _count_of_orders(auditor) == before
    assert faults(drafter) == []

    fill_lines(drafter, GOOD)
    drafter.get_by_role("button", name="Save draft").click()
    expect(drafter.get_by_text("is saved as a draft")).to_be_visible()
    expect(lines_box(drafter)).to_have_value(GOOD)
    assert _count_of_orders(auditor) != before


def test_the_second_tab_to_save_a_draft_is_refused_and_keeps_its_text(
    drafter: Page, open_page: OpenPage
) -> None:
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
    expect(second.get_by_role("alert")).to_be_focused()
    beside = second.get_by_role("region", name="Theirs beside yours")
    expect(beside.locator("del")).to_have_text("two-drafts.com, Lee Wong, lee")
    expect(beside.locator("ins")).to_have_text("two-drafts.com, Sam Ito, sam")
    expect(lines_box(second)).to_have_value("two-drafts.com, Sam Ito, sam")
    assert faults(second) == []
    open_order(drafter, number, "edit")
    expect(lines_box(drafter)).to_have_value("two-drafts.com, Lee Wong, lee")
    second.get_by_role("button", name="Save mine over it").click()
    expect(second.get_by_text("is saved as a draft")).to_be_visible()
    expect(lines_box(second)).to_have_value("two-drafts.com, Sam Ito, sam")


def test_what_is_typed_is_there_again_after_the_tab_was_closed(
    drafter: Page, open_page: OpenPage
) -> None:
    wanted = mailbox_order("closed-tab.com")
    begin(drafter, wanted)
    fill(drafter, "Note for the confirmer", "Typed before the tab was closed")
    expect(drafter.locator("#kept")).to_contain_text("Kept at")
    drafter.close()
    again = open_page("drafter")
    again.goto("/")
    again.locator(".unsaved").filter(has_text=wanted.what).get_by_role(
        "link", name="Take it up"
    ).first.click()
    expect(lines_box(again)).to_have_value(wanted.lines)
    expect(labelled(again, "Note for the confirmer")).to_have_value(
        "Typed before the tab was closed"
    )
    assert faults(again) == []
    again.get_by_role("button", name="Save draft").click()
    expect(again.get_by_text("is saved as a draft")).to_be_visible()
    again.goto("/")
    expect(again.locator(".unsaved")).to_have_count(0)


def test_lines_are_mended_where_their_reason_stands(drafter: Page) -> None:
    begin(drafter, mailbox_order("bad in-place.com"))
    drafter.get_by_role("button", name="Read", exact=True).click()
    expect(drafter.get_by_role("alert")).to_be_focused()
    drafter.get_by_role("alert").get_by_role("link", name="Line 1").click()
    expect(drafter.get_by_label("Line 1", exact=True)).to_be_focused()
    drafter.get_by_label("Line 1", exact=True).fill("in-place.com, Priya Shah, priya")
    drafter.keyboard.press("Enter")  # reads, and saves nothing
    expect(drafter.get_by_text("1 line can be read")).to_be_visible()
    expect(lines_box(drafter)).to_have_value("in-place.com, Priya Shah, priya")
    assert faults(drafter) == []


def test_a_file_is_read_shown_and_noticed_the_second_time(drafter: Page, tmp_path: Path) -> None:
    sheet = tmp_path / "people.csv"
    sheet.write_text("Name,Email\nPriya Shah,priya@from-a-file.com\nLee Wong,lee@from-a-file\n")
    begin(drafter, mailbox_order("replaced.com"))
    drafter.get_by_text("Choose a file").click()
    drafter.get_by_label("CSV, Excel").set_input_files(sheet)
    drafter.get_by_role("button", name="Open the file").click()
    expect(drafter.get_by_text("people.csv is in the box now: 3 rows.")).to_be_visible()
    expect(rows_of(drafter, "2 lines read, 1 needs a change")).to_have_count(2)
    assert faults(drafter) == []
    with drafter.expect_download() as taken:
        drafter.get_by_role("button", name="Download these lines").click()
    assert "has no ending" in Path(taken.value.path()).read_text()
    drafter.get_by_label("Line 3", exact=True).fill("Lee Wong, lee@from-a-file.com")
    drafter.get_by_role(
        "button", name="Save draft"
    ).click()  # the page stayed as it was after the download
    expect(drafter.get_by_text("is saved as a draft")).to_be_visible()
    number = number_of(drafter)
    begin(drafter, mailbox_order("again.com"))
    drafter.get_by_text("Choose a file").click()
    drafter.get_by_label("CSV, Excel").set_input_files(sheet)
    drafter.get_by_role("button", name="Open the file").click()
    expect(drafter.get_by_text(f"for order MO-{1000 + number}.")).to_be_visible()


def test_a_session_that_ends_while_somebody_types_loses_nothing(drafter: Page) -> None:
    wanted = mailbox_order("long-session.com")
    begin(drafter, wanted)
    context = drafter.context
    cookies = context.cookies()
    context.clear_cookies(name="sessionid")
    try:
        fill(drafter, "Note for the confirmer", "Typed after the session ended")
        expect(drafter.locator("#kept")).to_contain_text("You are logged out.")
        drafter.get_by_role("button", name="Save draft").click()
        expect(drafter.get_by_role("heading", level=1)).to_have_text("Log in to go on")
        assert faults(drafter) == []
    finally:
        context.add_cookies(cookies)
    # logged in again in another tab meanwhile: the same page takes it
    drafter.get_by_label("Username").fill("x")
    drafter.get_by_label("Password").fill("x")
    drafter.get_by_role("button", name="Log in and go on").click()
    expect(drafter.get_by_text("What you typed is below; it is not saved yet.")).to_be_visible()
    expect(lines_box(drafter)).to_have_value(wanted.lines)
    expect(labelled(drafter, "Note for the confirmer")).to_have_value(
        "Typed after the session ended"
    )
