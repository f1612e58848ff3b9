"""With JavaScript off everything that matters works; only the order's page has to be reloaded to
follow it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.people import (
    UNDER_WAY,
    OpenPage,
    chip,
    confirm_button,
    mailbox_order,
    review,
    send,
)
from tests.browser.stack import Stack, until

pytestmark = pytest.mark.browser


@pytest.fixture
def plain_page(
    stack: Stack, browser: Browser, windows: dict[str, BrowserContext]
) -> Iterator[OpenPage]:
    """Opens a page in a browser that runs no script, signed in as the role."""
    opened: list[BrowserContext] = []

    def window(role: str) -> Page:
        cookies = windows[role].storage_state()
        context = browser.new_context(
            base_url=stack.url, java_script_enabled=False, storage_state=cookies
        )
        opened.append(context)
        return context.new_page()

    yield window
    for context in opened:
        context.close()


def test_an_order_is_drafted_sent_and_confirmed_without_javascript(
    stack: Stack, plain_page: OpenPage
) -> None:
    number = send(plain_page("drafter"), mailbox_order("no-script.com"))
    page = plain_page("confirmer")
    review(page, number)
    confirm_button(page).click()
    expect(page.get_by_text(f"MO-{1000 + number} is confirmed.")).to_be_visible()

    def is_under_way() -> bool:
        page.reload()
        return bool(UNDER_WAY.search(chip(page).inner_text()))

    until(is_under_way, "the order to be under way")
    assert len(stack.books("no-script.com")["charges"]) == 1
