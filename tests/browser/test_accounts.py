"""The operator's vendor account: a key is written, tested, and never shown again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import KNOWN_KEY
from tests.browser.people import approve_proposal, open_account

pytestmark = pytest.mark.browser


def test_a_key_is_entered_and_tested_and_never_shown(operator: Page, known_key: None) -> None:
    open_account(operator, "SmartSenders")
    expect(operator.get_by_label("API key")).to_have_value("")
    expect(operator.get_by_text("Stored and sealed. Leave empty to keep it.")).to_be_visible()
    assert KNOWN_KEY not in operator.content()
    operator.get_by_role("button", name="Test the key").click()
    expect(operator.get_by_text("The key works.")).to_be_visible()


def test_a_key_that_the_vendor_does_not_know_is_found_out_after_a_second_person_approved(
    operator: Page, confirmer: Page
) -> None:
    operator.goto("/vendors/vendor/")
    operator.get_by_role("link", name="Add vendor account").click()
    operator.get_by_role("link", name="Add an account at Woodpecker").click()
    operator.get_by_label("Name").fill("Second account")
    operator.get_by_label("API key").fill("no-such-key-at-the-vendor")
    operator.get_by_label("Why?").fill("A second team.")
    operator.get_by_role("button", name="Save and continue editing").click()
    expect(operator.get_by_text("wait for a second person")).to_be_visible()
    approve_proposal(confirmer, "Second account (practice)")
    operator.get_by_role("button", name="Test the key").click()
    expect(operator.get_by_text("The vendor did not accept this key.")).to_be_visible()
