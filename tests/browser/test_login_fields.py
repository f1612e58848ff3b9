"""The fields of a login are there where they apply, and nothing that was typed is hidden."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Wanted, begin

pytestmark = pytest.mark.browser
ACCOUNT, WHAT = "ScaledMail (practice)", "Package of domains with mailboxes"


def test_a_login_shows_where_the_domains_are_held_elsewhere(drafter: Page) -> None:
    begin(drafter, Wanted(account=ACCOUNT, what=WHAT, lines="", fields={}))
    bought, user, tool = (
        drafter.get_by_label(name)
        for name in ("Domains bought at", "User name there", "Sending tool")
    )
    expect(user).to_be_hidden()
    bought.select_option("other")
    expect(user).to_be_visible()
    user.fill("ada")
    bought.select_option("scaledmail")
    expect(user).to_be_visible()
    user.fill("")
    bought.focus()
    expect(drafter.get_by_label("Password in the sending tool")).to_be_hidden()
    tool.first.fill("Instantly")
    expect(drafter.get_by_label("Password in the sending tool")).to_be_visible()
