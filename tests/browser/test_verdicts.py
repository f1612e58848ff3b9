"""An order without an answer is settled by a person: as placed in part, and once more when it turns
out otherwise.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import (
    UNDER_WAY,
    chip,
    confirm,
    mailbox_order,
    open_order,
    rows_of,
    send,
    settle,
)
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

UNKNOWN = "Outcome unknown: check the vendor"


def unknown(drafter: Page, confirmer: Page, domain: str, people: str = "Priya Shah, priya") -> int:
    number = send(drafter, mailbox_order(domain, people=people))
    confirm(confirmer, number)
    expect(chip(confirmer)).to_have_text(UNKNOWN)
    open_order(confirmer, number, "check")
    return number


def test_what_was_not_placed_of_an_order_is_marked(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    domain = "timeout-after-part.com"
    number = unknown(drafter, confirmer, domain, f"Priya Shah, priya\n{domain}, Lee Wong, lee")
    expect(confirmer.get_by_label(f"priya@{domain}")).to_be_hidden()
    confirmer.get_by_label("A part was placed").check()
    expect(confirmer.get_by_label(f"priya@{domain}")).to_be_visible()
    assert faults(confirmer) == []
    settle(confirmer, "A part was placed", "Only Priya is listed", button="Settle the outcome")
    expect(confirmer.get_by_text("Tick what the vendor has.")).to_be_visible()
    expect(confirmer.get_by_label("How do you know?")).to_have_value("Only Priya is listed")
    assert faults(confirmer) == []
    there = (f"priya@{domain}",)
    settle(
        confirmer,
        "A part was placed",
        "Only Priya is listed",
        there=there,
        button="Settle the outcome",
    )
    expect(
        confirmer.get_by_text(f"MO-{1000 + number} is settled: a part of it was placed.")
    ).to_be_visible()
    rows = rows_of(confirmer, "Domains and mailboxes")
    expect(rows.filter(has_text=f"lee@{domain}")).to_contain_text("Refused")
    expect(rows.filter(has_text=f"priya@{domain}")).not_to_contain_text("Refused")
    expect(
        confirmer.get_by_text("settled: a part of it was placed: “Only Priya is listed.")
    ).to_be_visible()
    assert len(stack.books(domain)["requests"]) == 1


def test_a_verdict_is_revised_with_a_reason_and_nothing_is_sent_again(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    domain = "timeout-after-revised.com"
    unknown(drafter, confirmer, domain)
    settle(confirmer, "It was not placed", "Their list is empty", button="Settle the outcome")
    expect(chip(confirmer)).to_have_text("Waiting for confirmation")
    note = confirmer.get_by_role("note").filter(has_text="Settled: it was not placed")
    expect(note).to_contain_text("by confirmer, just now: Their list is empty")

    confirmer.get_by_role("link", name="Check the vendor again").click()
    expect(confirmer.get_by_role("heading", name="Another verdict")).to_be_visible()
    assert faults(confirmer) == []
    settle(confirmer, "It was placed", "It is listed after all", button="Change the verdict")
    expect(chip(confirmer)).to_have_text(UNDER_WAY)
    expect(
        confirmer.get_by_text("settled: it was not placed: “Their list is empty”")
    ).to_be_visible()
    expect(
        confirmer.get_by_text("settled: it was placed: “It is listed after all”")
    ).to_be_visible()
    expect(rows_of(confirmer, "Attempts")).to_have_count(1)
    assert len(stack.books(domain)["requests"]) == 1
