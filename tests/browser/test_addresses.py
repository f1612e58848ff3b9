"""From a sending volume to a draft whose addresses are made from names, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import fill, labelled, lines_box

pytestmark = pytest.mark.browser


def test_a_volume_becomes_domains_and_names_become_addresses(drafter: Page) -> None:
    drafter.goto("/orders/order/add/")
    drafter.get_by_role("link", name="Work out from a sending volume").click()
    fill(drafter, "E-mails to send", "150")
    drafter.get_by_role("button", name="Work it out").click()
    expect(drafter.get_by_role("heading", name="5 mailboxes on 2 domains")).to_be_visible()
    assert faults(drafter) == []

    drafter.get_by_role(
        "link", name="Draft this: New domains with mailboxes at ColdMailReseller"
    ).click()
    expect(
        drafter.get_by_text("From your sending volume: 2 domains with 5 mailboxes.")
    ).to_be_visible()
    fill(drafter, "Names", "Dana Reyes\nDana Ito\nJürgen O'Brien")
    fill(drafter, "On these domains", "made-a.com\nmade-b.com")
    fill(drafter, "Form of the address", "dana")
    drafter.get_by_role("button", name="Show the addresses").click()
    expect(drafter.get_by_role("heading", name="6 mailboxes on 2 domains")).to_be_visible()
    expect(drafter.get_by_text("dana is taken on line 1.")).to_be_visible()
    assert faults(drafter) == []
    expect(lines_box(drafter)).to_have_value("")

    drafter.get_by_role("button", name="Take over 6 mailboxes on 2 domains").click()
    expect(drafter.get_by_text("6 addresses are in the lines now.")).to_be_visible()
    lines = lines_box(drafter).input_value().splitlines()
    assert lines[:3] == [
        "made-a.com, Dana Reyes, dana",
        "made-a.com, Dana Ito, dana.ito",
        "made-a.com, Jürgen O'Brien, jurgen",
    ]
    expect(labelled(drafter, "Names")).to_have_value("")
    fill(drafter, "Client", "Northwind")
    drafter.get_by_role("button", name="Save draft").click()
    expect(drafter.get_by_text("is saved as a draft")).to_be_visible()
    assert lines_box(drafter).input_value().splitlines() == lines
